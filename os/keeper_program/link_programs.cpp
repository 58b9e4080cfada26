#include "os/keeper_program/link_programs.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/keeper_program/link.hpp"

namespace venvoy::keeper {
namespace {

constexpr int input_of_head = 3;
constexpr int output_of_head = 4;
// A keeper kills; it does not wait for anybody.
constexpr int patience_with_own_keeper_ms = 5000;

struct OwnKeeper {
  pid_t pid = 0;  // 0: there is none
  Descriptor channel;
};

[[noreturn]] void become_keeper(int socket) {
  const int null_device = ::open("/dev/null", O_RDWR);
  // Our own output must not stay open in another process: its end is how the other side learns of ours.
  if (::dup2(socket, STDIN_FILENO) >= 0 && null_device >= 0 && ::dup2(null_device, STDOUT_FILENO) >= 0)
    ::execl("/proc/self/exe", "venvoy-keeper", nullptr);
  ::_exit(127);
}

OwnKeeper start_keeper() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return {};
  Descriptor ours(ends[0]);
  const Descriptor theirs(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return {};
  if (pid == 0) become_keeper(theirs.get());
  return {pid, std::move(ours)};
}

void wait_for(pid_t keeper) {
  const Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, keeper, 0)));
  pollfd end{process.get(), POLLIN, 0};
  int count = 0;
  do {
    count = ::poll(&end, 1, patience_with_own_keeper_ms);
  } while (count < 0 && errno == EINTR);
  if (count == 0) ::kill(keeper, SIGKILL);
  ::waitpid(keeper, nullptr, 0);
}

void prepare_process() {
  std::signal(SIGPIPE, SIG_IGN);
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

volatile std::sig_atomic_t was_told_to_end = 0;
// A signal that comes just before the link sleeps is noticed after this time.
constexpr int longest_sleep_ms = 500;

extern "C" void note_end(int) {
  was_told_to_end = 1;
}

void tell_failure(const Link& link) {
  if (!link.failure().empty()) std::fprintf(stderr, "venvoy-keeper: %s\n", link.failure().c_str());
}

// One that has been made by us, above the standard three.
Descriptor moved_up(int number) {
  return Descriptor(::fcntl(number, F_DUPFD_CLOEXEC, 3));
}

}  // namespace

int run_pilot(int argument_count, char** arguments) {
  prepare_process();
  // Slurm ends a step whose srun has gone by SIGTERM: time to give back what the job has.
  std::signal(SIGTERM, note_end);
  OwnKeeper keeper = start_keeper();
  if (keeper.pid == 0) {
    std::perror("venvoy-keeper: cannot start the keeper of processes");
    return 1;
  }
  bool was_lost = true;
  {
    Descriptor input = moved_up(STDIN_FILENO);
    Descriptor output = moved_up(STDOUT_FILENO);
    Link link(Link::Side::pilot, std::move(keeper.channel), std::move(input), std::move(output));
    while (was_told_to_end == 0 && link.step(longest_sleep_ms)) continue;
    tell_failure(link);
    was_lost = was_told_to_end != 0 || !link.failure().empty();
  }
  wait_for(keeper.pid);
  if (was_lost && argument_count > 0) {
    ::execvp(arguments[0], arguments);
    std::perror(arguments[0]);
  }
  return was_lost ? 1 : 0;
}

int run_head() {
  prepare_process();
  std::signal(SIGTERM, note_end);
  Link link(Link::Side::head, moved_up(STDIN_FILENO), Descriptor(input_of_head), Descriptor(output_of_head));
  ::close(STDIN_FILENO);
  link.on_hello = [](const Hello& hello) {
    std::string name;
    for (const char letter : hello.node)
      if (letter > ' ' && letter < '\x7f') name += letter;
    std::printf("%u %s\n", hello.processors, name.c_str());
    std::fflush(stdout);
  };
  while (link.step(longest_sleep_ms))
    if (was_told_to_end != 0) link.close();
  tell_failure(link);
  return link.failure().empty() ? 0 : 1;
}

}  // namespace venvoy::keeper
