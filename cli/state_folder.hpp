// Where what must last lies (spec/command.md section 8, "state folder").
#pragma once

#include <filesystem>

#include "cli/common.hpp"

namespace venvoy::cli {

// --state-dir, else VENVOY_STATE_DIR, else $XDG_STATE_HOME/venvoy, else /var/lib/venvoy for root and
// ~/.local/state/venvoy for others. It need not be there. Throws an Error (environment) when there is no home.
std::filesystem::path state_folder(const CommonOptions& options);

}  // namespace venvoy::cli
