// Where what must last lies: logs and the history of runs (design D4, spec/command.md section 8).
#pragma once

#include <filesystem>
#include <optional>

#include "os/environment.hpp"

namespace venvoy::api {

// $VENVOY_STATE_DIR, else `venvoy` in $XDG_STATE_HOME, else `/var/lib/venvoy` for root and `~/.local/state/venvoy` for
// others; nothing if there is no $HOME either. It need not be there.
std::optional<std::filesystem::path> default_state_dir(const os::Environment& environment, bool is_root);

}  // namespace venvoy::api
