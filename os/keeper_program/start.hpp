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

struct OpenFiles {
  int null_device;   // /dev/null
  int memory_group;  // cgroup.procs of the control group that the process is to join; -1: of none
};

// Forks; does not wait for the exec. `descriptors` are those that came with the request, in its order; they are closed
// here.
Started start(const os::internal::keeper_protocol::Request& request, std::vector<Descriptor> descriptors,
              const OpenFiles& files);

}  // namespace venvoy::keeper
