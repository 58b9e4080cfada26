// The lock files that Python projects keep: which versions their authors have tried (design D6).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace venvoy::venv {

// In the order in which one is chosen.
inline constexpr std::array<std::string_view, 4> lock_file_names = {"uv.lock", "poetry.lock", "pylock.toml",
                                                                    "requirements.txt"};

// Named limits.
inline constexpr std::size_t max_lock_bytes = 16u << 20;
inline constexpr std::size_t max_pins = 10'000;

struct Pin {
  std::string name;  // as the file spells it
  std::string version;
  std::string marker;  // where it holds (PEP 508); empty: everywhere
};

// What the file pins, in its order: packages that come from an index. Nothing if it pins nothing or is no lock file: a
// requirements.txt is one only if each of its requirements has a version and a hash. `name` is one of the four above.
// Throws an Error: document (no TOML, or not of the form of these files), limit.
std::optional<std::vector<Pin>> read_lock(std::string_view name, std::string_view text);

// Lines that installers take as constraints.
std::string constraints_text(const std::vector<Pin>& pins);

}  // namespace venvoy::venv
