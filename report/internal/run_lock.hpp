// Who writes a run is known by a lock on the byte of its number (history.hpp).
#pragma once

#include <cstdint>

#include "os/fd.hpp"

namespace venvoy::report::internal {

// Held by the open file until it is closed, or its process dies. Throws an Error (io).
void lock_run(const os::Fd& file, std::int64_t number);
// Whether somebody else holds it.
bool is_run_locked(const os::Fd& file, std::int64_t number) noexcept;

}  // namespace venvoy::report::internal
