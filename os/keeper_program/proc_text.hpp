// Small files of /proc, read whole.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>

namespace venvoy::keeper {

// Nothing if it cannot be read, for instance because the process has gone.
std::optional<std::string> contents(const std::string& path);

// Where the fields after the name begin in "pid (name) state ppid …", that is with the state; null if there are none.
// The name may hold anything, parentheses too.
const char* after_name(const std::string& stat) noexcept;

}  // namespace venvoy::keeper
