// venvoy-keeper: starts processes for an engine, and outlives it just long enough to bury them (design D15).
//
// It is two processes, each with one thread and no third-party code, so that parent-death signals and fork are safe
// here. The engine starts the guard, which starts the keeper and then only waits. The keeper does the work. Both are
// sub-reapers: what a killed keeper leaves behind comes to the guard, which kills it; a keeper without a guard ends as
// if the engine had gone. So no single SIGKILL, nor one to the engine and one of the two at once, leaves anything.
//
// The program is started with one end of a socket pair as descriptor 0; internal/keeper_protocol.hpp tells what goes
// over it. With --stdio and --link it is one of the two ends of a link to another machine (keeper_program/link.hpp).
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/keeper_program/channel.hpp"
#include "os/keeper_program/limit_table.hpp"
#include "os/keeper_program/link_programs.hpp"
#include "os/keeper_program/own_children.hpp"
#include "os/keeper_program/process_table.hpp"

namespace venvoy::keeper {
namespace {

namespace protocol = os::internal::keeper_protocol;

constexpr int socket_number = 3;
// Requests taken in one round, so that ends are seen to in between.
constexpr int requests_per_round = 16;
// Of the guard, with a keeper whose engine has gone.
constexpr int patience_with_keeper_ms = 2000;

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

bool become_sub_reaper() {
  return ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0;
}

// Away from the engine's terminal, directory and signals.
bool detach() {
  ::setsid();
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) std::signal(number, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL);  // a host that ignores it hands that on, and nothing could be waited for
  raise_file_limit();
  sigset_t none;
  ::sigemptyset(&none);
  return ::chdir("/") == 0 && ::sigprocmask(SIG_SETMASK, &none, nullptr) == 0 && become_sub_reaper();
}

// A descriptor that is readable when a child has ended.
Descriptor watch_children() {
  sigset_t ends;
  ::sigemptyset(&ends);
  ::sigaddset(&ends, SIGCHLD);
  if (::sigprocmask(SIG_SETMASK, &ends, nullptr) != 0) return {};
  return Descriptor(::signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK));
}

// Readable when the process has died. Empty if that cannot be had.
Descriptor watch(pid_t pid) {
  return Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

// 0 if that cannot be known.
pid_t engine_behind(int socket) {
  ucred peer = {};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

// The same for the engine, even if a process that it had forked still holds its end of the socket.
Descriptor watch_engine(int socket) {
  const pid_t engine = engine_behind(socket);
  return engine > 0 ? watch(engine) : Descriptor();
}

class Keeper {
 public:
  Keeper(Descriptor ends, Descriptor engine, Descriptor guard)
      : ends_(std::move(ends)), engine_(std::move(engine)), guard_(std::move(guard)) {}

  void run() {
    while (!channel_.closed() && wait()) {
      forget_signals();
      processes_.look_for_outcomes();
      processes_.reap();
      limits_.look();
      for (int i = 0; i < requests_per_round && take_request(); ++i) continue;
      channel_.flush();
    }
  }

  void kill_everything() { processes_.kill_everything(); }

 private:
  // Sleeps until there is something to do; false when the engine or the guard has gone.
  bool wait() {
    const short wanted = channel_.wants_to_send() ? POLLIN | POLLOUT : POLLIN;
    std::vector<pollfd> sources{{channel_.socket(), wanted, 0},
                                {engine_.get(), POLLIN, 0},
                                {guard_.get(), POLLIN, 0},
                                {ends_.get(), POLLIN, 0}};
    for (const int outcome : processes_.outcomes()) sources.push_back({outcome, POLLIN, 0});
    ::poll(sources.data(), sources.size(),
           sooner(processes_.milliseconds_to_next_reap(), limits_.milliseconds_to_next_look()));
    return (sources[0].revents & (POLLHUP | POLLERR)) == 0 && sources[1].revents == 0 && sources[2].revents == 0;
  }

  void forget_signals() {
    signalfd_siginfo info;
    while (::read(ends_.get(), &info, sizeof info) == sizeof info) continue;
  }

  bool take_request() {
    std::optional<Channel::Incoming> incoming = channel_.receive();
    if (!incoming) return false;
    const protocol::Request& request = incoming->request;
    switch (request.kind) {
      case protocol::RequestKind::start:
        processes_.start(std::move(*incoming));
        break;
      case protocol::RequestKind::signal:
        processes_.signal(request.token, request.number);
        break;
      case protocol::RequestKind::watch:
        limits_.watch(request.token, request.number, request.limits);
        break;
      case protocol::RequestKind::unwatch:
        limits_.unwatch(request.token);
        break;
    }
    return true;
  }

  // Of two times to wait, where -1 is for ever.
  static int sooner(int a, int b) { return a < 0 || (b >= 0 && b < a) ? b : a; }

  Channel channel_{socket_number};
  Descriptor ends_, engine_, guard_;
  LimitTable limits_{channel_, engine_behind(socket_number), ::getppid()};
  ProcessTable processes_{channel_, limits_, STDIN_FILENO};
};

int keep(pid_t guard_pid) {
  Descriptor guard = watch(guard_pid);
  // Another parent: the guard died before the line above.
  if (!guard || ::getppid() != guard_pid || !become_sub_reaper()) return 1;
  Descriptor ends = watch_children();
  if (!ends) return 1;
  Keeper keeper(std::move(ends), watch_engine(socket_number), std::move(guard));
  try {
    keeper.run();
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "venvoy-keeper: %s\n", failure.what());
  }
  keeper.kill_everything();
  return 0;
}

// So that the two can be told apart in lists of processes.
void show_as(const char* name, char* first_argument) {
  ::prctl(PR_SET_NAME, name, 0, 0, 0);
  const std::size_t space = std::strlen(first_argument);
  if (space < std::strlen(name)) return;
  std::memset(first_argument, 0, space);
  std::memcpy(first_argument, name, std::strlen(name));
}

// Waits for the end of the keeper; one that outlives the engine, because it was stopped or hangs, is not waited for
// longer than `patience_with_keeper_ms`.
void wait_for(pid_t keeper, const Descriptor& engine) {
  const Descriptor end = watch(keeper);
  pollfd sources[] = {{end.get(), POLLIN, 0}, {engine.get(), POLLIN, 0}};
  while (end && ::poll(sources, 2, -1) < 0 && errno == EINTR) continue;
  if (end && sources[0].revents == 0) {
    while (::poll(sources, 1, patience_with_keeper_ms) < 0 && errno == EINTR) continue;
    if (sources[0].revents == 0) ::kill(keeper, SIGKILL);
  }
}

int guard(pid_t keeper, char* first_argument) {
  show_as("keeper-guard", first_argument);
  const Descriptor engine = watch_engine(socket_number);
  // The keeper's end is the only one: the engine notices at once when it is killed.
  ::close(socket_number);
  wait_for(keeper, engine);
  int status = 0;
  ::waitpid(keeper, &status, 0);
  kill_all_children();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace
}  // namespace venvoy::keeper

int main(int argc, char** argv) {
  using namespace venvoy::keeper;
  if (argc > 1 && std::strcmp(argv[1], "--stdio") == 0) return run_pilot(argc - 2, argv + 2);
  if (argc > 1 && std::strcmp(argv[1], "--link") == 0) return run_head();
  if (!is_engine_socket(STDIN_FILENO)) {
    std::fputs("venvoy-keeper is started by venvoy, not by hand\n", stderr);
    return 2;
  }
  if (!arrange_descriptors() || !detach()) return 1;
  const pid_t guard_pid = ::getpid();
  const pid_t keeper_pid = ::fork();
  if (keeper_pid < 0) return 1;
  return keeper_pid == 0 ? keep(guard_pid) : guard(keeper_pid, argv[0]);
}
