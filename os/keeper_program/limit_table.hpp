// Limits on what processes and all their descendants may use.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <sys/resource.h>
#include <sys/types.h>
#include <vector>

#include "os/internal/keeper_protocol.hpp"
#include "os/keeper_program/channel.hpp"
#include "os/keeper_program/memory_groups.hpp"

namespace venvoy::keeper {

// What a process and its descendants use.
struct Usage {
  std::uint64_t memory_bytes = 0;
  std::uint64_t processor_microseconds = 0;
};

// Resident memory and processor time of these processes; with the time of those descendants that they have waited for.
// Pages that several of them share count for each, unless `share` is set: then by the share of each (PSS), which takes
// the kernel a walk through all pages.
Usage usage_of(const std::vector<pid_t>& processes, bool share);

// The memory and processor time of watched processes, looked at a few times per second. Whoever is above its limit is
// killed with all its descendants, and the engine told which limit it was. Memory is the kernel's business where it
// can be (MemoryGroups).
class LimitTable {
 public:
  LimitTable(Channel& channel, pid_t engine, pid_t guard) : channel_(channel), groups_(engine, guard) {}

  // Before the process is forked: where it has to write "0" first, -1 if nowhere.
  int prepare(std::uint64_t token, const os::internal::keeper_protocol::Limits& limits);
  // Does nothing without limits to look after.
  void add(std::uint64_t token, pid_t pid, const os::internal::keeper_protocol::Limits& limits);
  // For a process that runs already.
  void watch(std::uint64_t token, pid_t pid, const os::internal::keeper_protocol::Limits& limits);
  // Tells the engine if the kernel has killed it for its memory; then, that this was all. What still runs goes on.
  void unwatch(std::uint64_t token);
  void remove(std::uint64_t token);
  // The process has ended with this status of wait(2): tells the engine if the kernel has killed it for a limit, and
  // removes it. True if its memory was the kernel's business.
  bool ended(std::uint64_t token, int status, const rusage& usage);

  // Looks at those whose time has come.
  void look();
  // -1: nothing to look after.
  int milliseconds_to_next_look() const;

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Watched {
    pid_t pid = 0;                 // 0: not yet forked
    std::uint64_t start_time = 0;  // of the process, so that another one of the same number is not taken for it
    os::internal::keeper_protocol::Limits limits;
    Time next_look = Time::max();
    bool exceeded = false;
    std::optional<MemoryGroups::Group> group = {};
  };

  void look_at(std::uint64_t token, Watched& watched);
  void kill_for(std::uint64_t token, Watched& watched, os::internal::keeper_protocol::LimitKind kind,
                const Usage& usage, const std::vector<pid_t>& processes);
  void tell(std::uint64_t token, os::internal::keeper_protocol::LimitKind kind, const Usage& usage);

  // Of what the kernel has killed for its memory.
  void tell_of_group(std::uint64_t token, Watched& watched);

  Channel& channel_;
  MemoryGroups groups_;
  std::map<std::uint64_t, Watched> watched_;
};

// The limits that a process sets for itself before its program begins, or that are set for one that runs: RLIMIT_CPU
// and RLIMIT_NOFILE. `pid` 0 is the caller. errno, 0 for success.
int set_kernel_limits(pid_t pid, const os::internal::keeper_protocol::Limits& limits);

}  // namespace venvoy::keeper
