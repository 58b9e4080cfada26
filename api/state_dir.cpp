#include "api/state_dir.hpp"

namespace venvoy::api {

namespace fs = std::filesystem;

std::optional<fs::path> default_state_dir(const os::Environment& environment, bool is_root) {
  const auto path_in = [&](const char* variable) -> std::optional<fs::path> {
    const auto value = os::get_variable(environment, variable);
    return value && !value->empty() ? std::optional<fs::path>(*value) : std::nullopt;
  };
  if (const auto chosen = path_in("VENVOY_STATE_DIR")) return fs::absolute(*chosen).lexically_normal();
  // A relative one is to be passed over, says the XDG Base Directory Specification.
  if (const auto folder = path_in("XDG_STATE_HOME"); folder && folder->is_absolute()) return *folder / "venvoy";
  if (is_root) return "/var/lib/venvoy";
  if (const auto home = path_in("HOME")) return *home / ".local/state/venvoy";
  return std::nullopt;
}

}  // namespace venvoy::api
