// The birth of the keeper process.
#pragma once

#include <filesystem>
#include <sys/types.h>

#include "os/fd.hpp"

namespace venvoy::os::internal {

struct LaunchedKeeper {
  pid_t pid = 0;    // 0: it is on another machine
  Fd process = {};  // a pidfd
  Fd socket = {};   // our end; when it closes, the keeper ends
};

// Throws an Error (start).
LaunchedKeeper launch_keeper(const std::filesystem::path& program);

}  // namespace venvoy::os::internal
