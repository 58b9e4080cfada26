// venvoy-keeper: starts processes for an engine, and outlives it just long enough to bury them (design D15).
//
// One thread and no third-party code, so that parent-death signals and fork are safe here. It is started with one end
// of a socket pair as descriptor 0; internal/keeper_protocol.hpp tells what goes over it.
#include <csignal>
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/keeper_program/channel.hpp"
#include "os/keeper_program/process_table.hpp"

namespace venvoy::keeper {
namespace {

namespace protocol = os::internal::keeper_protocol;

constexpr int socket_number = 3;
// Requests taken in one round, so that ends are seen to in between.
constexpr int requests_per_round = 16;

bool is_engine_socket(int number) {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(number, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

// The socket to its own place, /dev/null to 0 and 1, nothing else but stderr.
bool arrange_descriptors() {
  if (::dup3(STDIN_FILENO, socket_number, O_CLOEXEC) < 0) return false;
  ::close_range(socket_number + 1, ~0u, 0);
  const int null_device = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null_device < 0) return false;
  for (const int number : {STDIN_FILENO, STDOUT_FILENO})
    if (::dup2(null_device, number) < 0) return false;
  // An engine without a stderr: the number must not be given to something else.
  return ::fcntl(STDERR_FILENO, F_GETFD) >= 0 || ::dup2(null_device, STDERR_FILENO) >= 0;
}

void raise_file_limit() {
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// Away from the engine's terminal, directory and signals. Returns a signalfd for SIGCHLD.
Descriptor detach() {
  ::setsid();
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) std::signal(number, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL);  // a host that ignores it hands that on, and nothing could be waited for
  raise_file_limit();
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGCHLD);
  if (::chdir("/") != 0 || ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return {};
  if (::sigprocmask(SIG_SETMASK, &ends, nullptr) != 0) return {};
  return Descriptor(::signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK));
}

// Readable when the engine has died, even if a process that it had forked still holds its end of the socket. Empty if
// that cannot be had.
Descriptor watch_engine(int socket) {
  ucred peer = {};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.pid <= 0) return {};
  return Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, peer.pid, 0)));
}

class Keeper {
 public:
  Keeper(Descriptor ends, Descriptor engine) : ends_(std::move(ends)), engine_(std::move(engine)) {}

  void run() {
    while (!channel_.closed() && wait()) {
      forget_signals();
      processes_.look_for_outcomes();
      processes_.reap();
      for (int i = 0; i < requests_per_round && take_request(); ++i) continue;
      channel_.flush();
    }
  }

  void kill_everything() { processes_.kill_everything(); }

 private:
  // Sleeps until there is something to do; false when the engine has gone.
  bool wait() {
    const short wanted = channel_.wants_to_send() ? POLLIN | POLLOUT : POLLIN;
    std::vector<pollfd> sources{{channel_.socket(), wanted, 0}, {engine_.get(), POLLIN, 0}, {ends_.get(), POLLIN, 0}};
    for (const int outcome : processes_.outcomes()) sources.push_back({outcome, POLLIN, 0});
    ::poll(sources.data(), sources.size(), processes_.milliseconds_to_next_reap());
    return (sources[0].revents & (POLLHUP | POLLERR)) == 0 && sources[1].revents == 0;
  }

  void forget_signals() {
    signalfd_siginfo info;
    while (::read(ends_.get(), &info, sizeof info) == sizeof info) continue;
  }

  bool take_request() {
    std::optional<Channel::Incoming> incoming = channel_.receive();
    if (!incoming) return false;
    const protocol::Request& request = incoming->request;
    if (request.kind == protocol::RequestKind::signal) {
      processes_.signal(request.token, request.number);
    } else if (request.kind == protocol::RequestKind::start) {
      processes_.start(std::move(*incoming));
    }
    return true;
  }

  Channel channel_{socket_number};
  Descriptor ends_, engine_;
  ProcessTable processes_{channel_, STDIN_FILENO};
};

int keep() {
  Descriptor ends = detach();
  if (!ends) return 1;
  Keeper keeper(std::move(ends), watch_engine(socket_number));
  try {
    keeper.run();
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "venvoy-keeper: %s\n", failure.what());
  }
  keeper.kill_everything();
  return 0;
}

}  // namespace
}  // namespace venvoy::keeper

int main() {
  if (!venvoy::keeper::is_engine_socket(STDIN_FILENO)) {
    std::fputs("venvoy-keeper is started by venvoy, not by hand\n", stderr);
    return 2;
  }
  return venvoy::keeper::arrange_descriptors() ? venvoy::keeper::keep() : 1;
}
