#include "os/internal/launch_keeper.hpp"

#include <cerrno>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "base/error.hpp"
#include "os/internal/boost_process.hpp"

namespace venvoy::os::internal {
namespace {

namespace process = boost::process::v2;

// What Boost.Process does for us between fork and exec.
struct SocketAsStandardInput {
  int socket;

  template <class Launcher>
  boost::system::error_code on_exec_setup(Launcher&, const std::filesystem::path&, const char* const*) const {
    if (::dup2(socket, STDIN_FILENO) < 0) return {errno, boost::system::system_category()};
    return {};
  }
  // Boost would call exit(3), which runs the host's exit handlers a second time.
  template <class... Anything>
  void on_exec_error(Anything&&...) const noexcept {
    ::_exit(127);
  }
};

struct SocketPair {
  Fd ours, theirs;
};

SocketPair make_sockets() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    throw system_error(errno, "cannot make the socket to the keeper of processes", ErrorCode::start);
  const Fd low(ends[1]);
  // Above the standard three, which the host may have closed: dup2 of a descriptor to itself would keep close-on-exec.
  SocketPair pair{Fd(ends[0]), Fd(::fcntl(ends[1], F_DUPFD_CLOEXEC, 3))};
  if (!pair.theirs) throw system_error(errno, "cannot make the socket to the keeper of processes", ErrorCode::start);
  return pair;
}

void reap(pid_t pid) {
  if (pid > 0) ::waitpid(pid, nullptr, 0);
}

}  // namespace

LaunchedKeeper launch_keeper(const std::filesystem::path& program) {
  SocketPair sockets = make_sockets();
  // Its own context: the launcher tells the context about the fork, and the caller's may be in use on other threads.
  boost::asio::io_context context;
  process::posix::default_launcher launcher;
  const std::vector<std::string> no_arguments;
  boost::system::error_code error;
  try {
    auto launched =
        launcher(context.get_executor(), error, program, no_arguments, SocketAsStandardInput{sockets.theirs.get()});
    if (!error) launched.detach();
  } catch (const boost::system::system_error& failure) {  // no pidfd for the running process
    ::kill(launcher.pid, SIGKILL);
    error = failure.code();
  }
  LaunchedKeeper keeper{launcher.pid, Fd(error ? -1 : static_cast<int>(::syscall(SYS_pidfd_open, launcher.pid, 0))),
                        std::move(sockets.ours)};
  if (keeper.process) return keeper;
  if (!error) error.assign(errno, boost::system::system_category());
  keeper.socket.reset();
  reap(launcher.pid);
  throw system_error(error.value(), fmt::format("cannot start '{}'", program.string()), ErrorCode::start);
}

}  // namespace venvoy::os::internal
