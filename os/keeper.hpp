// The engine's end of the keeper, the program that owns all child processes (design D15).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>

#include "os/child.hpp"
#include "os/fd.hpp"

namespace venvoy::os {

namespace internal {
class KeeperConnection;
}

// Where the keeper's program lies: $VENVOY_KEEPER if set, else `libexec/venvoy/venvoy-keeper` in the folder of the
// program or library that contains this code, or in one of the two above. Throws an Error (environment) that lists the
// places.
std::filesystem::path find_keeper_program();

// A file that is installed beside the keeper's program. Throws an Error (environment) if it or the keeper is not there.
std::filesystem::path find_support_file(std::string_view name);

// One keeper: the process that starts the others, and its guard (keeper_main.cpp). All calls on its executor's thread.
// When the object goes, or this process dies in whatever way, the keeper kills and reaps everything that it has
// started, and what those have started, and ends. Handles of children may outlive it (they are `lost` then), but like
// everything with timers no longer than the executor's context.
//
// An io_context's run() returns when only an idle Keeper is left.
class Keeper {
 public:
  // Starts the program. `child_file_limit` is the soft limit on open files (RLIMIT_NOFILE) of the processes that it
  // starts: a program that has raised its own limit names the old one here. Throws an Error (start).
  explicit Keeper(const boost::asio::any_io_executor& executor,
                  const std::filesystem::path& program = find_keeper_program(),
                  std::uint64_t child_file_limit = soft_file_limit());
  // A keeper on another machine, behind this end of the channel that a link carries there (internal/link_protocol.hpp).
  // Pids, paths and limits are those of that machine; nothing is waited for at the end.
  Keeper(const boost::asio::any_io_executor& executor, Fd channel, std::uint64_t child_file_limit = soft_file_limit());
  // Waits until the keeper has buried everything and ended: a matter of milliseconds, with thousands of processes on a
  // busy machine of seconds.
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  // Starts a process. Returns at once; a failure to start is an exit() of kind not_started. Throws an Error (start)
  // only when the keeper itself is gone.
  Child start(ChildSpec spec);

  // Holds a process that one of the children has forked, and all that it starts, to limits from now on. Whoever exceeds
  // its memory or processor time is killed.
  LimitWatch watch(pid_t pid, const ProcessLimits& limits);

  // Of the guard, the process that the engine has started; 0 when it has ended, and of one on another machine.
  pid_t pid() const noexcept;

  // It has ended, by itself or by close(), as far as is known: nothing can be started any more.
  bool is_gone() const noexcept;

 private:
  std::shared_ptr<internal::KeeperConnection> connection_;
};

}  // namespace venvoy::os
