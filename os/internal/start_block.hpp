// The engine's side of a start request (keeper_protocol.hpp).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "os/child.hpp"
#include "os/fd.hpp"

namespace venvoy::os::internal {

// Writes program, arguments, environment and working directory. Returns 0 or an errno: EINVAL for a NUL in a text,
// E2BIG, or why a relative working directory has no absolute form.
int write_start_block(const ChildSpec& spec, std::uint64_t file_limit, std::string& block);

// The bytes in a sealed memfd; empty, with errno set, if there is none to be had.
Fd sealed_memfd(std::string_view bytes);

}  // namespace venvoy::os::internal
