// A child process, born and buried by the keeper (design D15).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "os/event.hpp"
#include "os/fd.hpp"

namespace venvoy::os {

// What a process and all that it starts may use; 0 is no limit.
struct ProcessLimits {
  // Bytes of resident memory, of all together. Where the kernel does not keep it they are looked at a few times per
  // second: for a moment it can be more.
  std::uint64_t memory = 0;
  std::chrono::microseconds processor_time{0};  // of all together
  std::uint64_t open_files = 0;                 // of each process; who wants more gets EMFILE

  bool any() const noexcept { return memory != 0 || processor_time.count() != 0 || open_files != 0; }
};

// That a process was killed for a limit.
struct ExceededLimit {
  enum class Kind { memory, processor_time };
  Kind kind = Kind::memory;
  // What it used, with all that it had started: bytes, microseconds.
  std::uint64_t used = 0;
};

// How a process ended.
struct ExitInfo {
  enum class Kind {
    exited,       // number: the exit code
    signalled,    // number: the signal
    not_started,  // number: errno of the step of the start that failed
    lost,         // the keeper died and nobody knows
  };
  Kind kind = Kind::exited;
  int number = 0;
  // Of the process and the descendants that it has waited for.
  std::int64_t user_microseconds = 0;
  std::int64_t system_microseconds = 0;
  std::int64_t max_resident_kib = 0;
  // Why it was killed, if that was for a limit.
  std::optional<ExceededLimit> exceeded = {};
  // What else is known of the reason, for people.
  std::string note = {};
  // Its limit on memory was kept by the kernel (a cgroup), not by a look at it a few times per second.
  bool memory_by_kernel = false;

  bool ok() const noexcept { return kind == Kind::exited && number == 0; }
  // "exit code 3", "signal 9 (SIGKILL)", "could not be started: No such file or directory", "…".
  std::string text() const;
};

struct ChildSpec {
  std::filesystem::path program;         // absolute, or relative to the working directory; PATH is not searched
  std::vector<std::string> arguments;    // without the program's own name
  std::string name;                      // argv[0]; empty: the program
  std::vector<std::string> environment;  // "NAME=value", complete
  std::filesystem::path working_directory;
  // The child's ends; an empty one is /dev/null. They are closed here once they are on their way.
  Fd standard_input;
  Fd standard_output;
  Fd standard_error;
  // Passed on under their numbers 3, 4, …
  std::vector<Fd> more;
  ProcessLimits limits;
};

namespace internal {
struct ChildState;
struct WatchState;
}  // namespace internal

// A started process: its own session and process group, its descendants are killed when it has ended. A handle; the
// last one to go kills the group if the process still runs.
class Child {
 public:
  Child() = default;

  // 0 until the keeper has answered, and for a child that could not be started.
  pid_t pid() const noexcept;
  // Set when the process has ended, its group is gone and the keeper has said so.
  const std::optional<ExitInfo>& exit() const noexcept;
  // Fires together with exit(). Not of a default-made handle.
  Event& ended() noexcept;

  // To the whole group; nothing happens if the process has ended.
  void signal(int number) noexcept;
  void kill() noexcept;

 private:
  friend class Keeper;
  explicit Child(std::shared_ptr<internal::ChildState> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<internal::ChildState> state_;
};

// Holds a process that a child has forked, and all that it starts, to limits. A handle: the watch ends with it.
class LimitWatch {
 public:
  LimitWatch() = default;

  explicit operator bool() const noexcept { return state_ != nullptr; }
  // Ends the watch of a process that has ended: calls `settled`, once and later, with what is known of why. Not when
  // the handle has gone before.
  void settle(std::function<void(std::optional<ExceededLimit>)> settled);

 private:
  friend class Keeper;
  explicit LimitWatch(std::shared_ptr<internal::WatchState> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<internal::WatchState> state_;
};

}  // namespace venvoy::os
