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
  // Of its files, as "sha256:<digits in lower case>"; a file with none of them is not the one that was locked. Empty:
  // the lock file says nothing of them.
  std::vector<std::string> hashes = {};
};

// What the file pins, in its order: packages that come from an index. Nothing if it pins nothing or is no lock file: a
// requirements.txt is one only if each of its requirements has a version and a hash. `name` is one of the four above.
// Throws an Error: document (no TOML, or not of the form of these files), limit.
std::optional<std::vector<Pin>> read_lock(std::string_view name, std::string_view text);

// Packages that the tools which write lock files leave out of them, since they are part of any environment.
inline constexpr std::array<std::string_view, 4> never_locked = {"pip", "setuptools", "wheel", "distribute"};
bool is_never_locked(std::string_view normalised_name);

// Lines that installers take as constraints. uv checks the hashes in them; pip takes them for a mere preference.
std::string constraints_text(const std::vector<Pin>& pins, bool with_hashes);

// "sha256:<digits>", in lower case, if this is a hash by an algorithm that installers check; nothing else.
std::optional<std::string> read_hash(std::string_view text);

}  // namespace venvoy::venv
