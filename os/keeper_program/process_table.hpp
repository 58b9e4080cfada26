// The processes of the keeper: those that it has started, and what these have left behind.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <sys/resource.h>
#include <sys/types.h>
#include <vector>

#include "os/keeper_program/channel.hpp"
#include "os/keeper_program/limit_table.hpp"

namespace venvoy::keeper {

// Every started process is a sub-reaper (see start.cpp): its descendants cannot become children of the keeper while it
// lives. So a child of the keeper that the keeper has not started belonged to a process that has ended, and is killed.
class ProcessTable {
 public:
  ProcessTable(Channel& channel, LimitTable& limits, int null_device)
      : channel_(channel), limits_(limits), null_device_(null_device) {}

  void start(Channel::Incoming incoming);
  void signal(std::uint64_t token, int number);

  // The descriptors of starts whose outcome is not known yet; readable when it is.
  std::vector<int> outcomes() const;
  void look_for_outcomes();

  // Waits for everything that has ended, kills what that has left behind, and tells the engine of an end once all is
  // gone.
  void reap();
  // When reap() should be called although nothing ends; -1: need not. Milliseconds.
  int milliseconds_to_next_reap() const;

  // Kills and reaps all descendants, in one go.
  void kill_everything();

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Process {
    std::uint64_t token = 0;
    Descriptor outcome = {};              // empty: known
    bool failed = false;                  // and the engine knows it
    std::vector<int> early_signals = {};  // came before its process group was there
  };

  void settle(pid_t pid, Process& process);
  bool reap_one();
  void note_end(const Process& process, int status, const rusage& usage);
  void kill_leftovers();
  void report_ends();
  std::optional<Time> held_back_until() const;

  Channel& channel_;
  LimitTable& limits_;
  int null_device_;
  std::map<pid_t, Process> processes_;
  std::map<std::uint64_t, pid_t> by_token_;
  std::map<pid_t, Time> leftovers_;                         // and when they were killed
  std::vector<os::internal::keeper_protocol::Reply> ends_;  // not yet reported
};

}  // namespace venvoy::keeper
