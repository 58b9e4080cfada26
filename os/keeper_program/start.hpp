// How the keeper starts a process.
#pragma once

#include <sys/types.h>
#include <vector>

#include "os/internal/keeper_protocol.hpp"
#include "os/keeper_program/descriptor.hpp"

namespace venvoy::keeper {

struct Started {
  pid_t pid = 0;  // 0: there is no process, `error` says why
  int error = 0;
  // Ends without a byte when the program runs (or has been killed on the way), else carries one int, the errno.
  Descriptor outcome = {};
};

// Forks; does not wait for the exec. `descriptors` are those that came with the request, in its order; they are closed
// here. `null_device` is an open /dev/null.
Started start(const os::internal::keeper_protocol::Request& request, std::vector<Descriptor> descriptors,
              int null_device);

}  // namespace venvoy::keeper
