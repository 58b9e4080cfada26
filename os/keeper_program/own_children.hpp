// Which processes are children of this one, or of another, right now.
#pragma once

#include <sys/types.h>
#include <vector>

namespace venvoy::keeper {

// All children, ended ones that nobody has waited for included. Only for a process with one thread.
std::vector<pid_t> own_children();

// The process and all below it, as far as they can be seen while they come and go.
std::vector<pid_t> process_and_descendants(pid_t root);

// Kills and reaps all children, and what they leave to us by their deaths, until nothing is left. Only for a sub-reaper
// with one thread.
void kill_all_children();

// The two ways to know; own_children() takes the second where the kernel does not offer the first. False if it does not
// work here.
bool children_from_kernel_list(std::vector<pid_t>& children);
bool children_from_process_table(std::vector<pid_t>& children);

}  // namespace venvoy::keeper
