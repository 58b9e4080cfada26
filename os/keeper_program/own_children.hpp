// Which processes are children of this one right now.
#pragma once

#include <sys/types.h>
#include <vector>

namespace venvoy::keeper {

// All children, ended ones that nobody has waited for included. Only for a process with one thread.
std::vector<pid_t> own_children();

// The two ways to know; own_children() takes the second where the kernel does not offer the first. False if it does not
// work here.
bool children_from_kernel_list(std::vector<pid_t>& children);
bool children_from_process_table(std::vector<pid_t>& children);

}  // namespace venvoy::keeper
