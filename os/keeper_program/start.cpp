#include "os/keeper_program/start.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <linux/close_range.h>
#include <span>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/keeper_program/limit_table.hpp"

namespace venvoy::keeper {
namespace {

namespace protocol = os::internal::keeper_protocol;

// A start block, mapped and checked; its pointers live as long as it does.
class Command {
 public:
  // errno, 0 for success.
  int read(const Descriptor& memfd);
  ~Command() {
    if (text_) ::munmap(const_cast<char*>(text_), size_);
  }
  Command() = default;
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  const protocol::StartBlock& header() const noexcept { return header_; }
  const char* directory() const noexcept { return strings_[0]; }
  const char* program() const noexcept { return strings_[1]; }
  char* const* arguments() const noexcept { return arguments_.data(); }
  char* const* environment() const noexcept { return environment_.data(); }

 private:
  int map(const Descriptor& memfd);
  int find_strings();

  const char* text_ = nullptr;
  std::size_t size_ = 0;
  protocol::StartBlock header_;
  std::vector<char*> strings_, arguments_, environment_;
};

int Command::read(const Descriptor& memfd) {
  if (const int error = map(memfd)) return error;
  std::memcpy(&header_, text_, sizeof header_);
  return find_strings();
}

int Command::map(const Descriptor& memfd) {
  // Sealed: it can neither change after the check nor shrink under the mapping.
  constexpr int needed = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
  const int seals = ::fcntl(memfd.get(), F_GET_SEALS);
  struct stat status;
  if (seals < 0 || ::fstat(memfd.get(), &status) != 0) return errno;
  if ((seals & needed) != needed) return EPERM;
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ < sizeof header_) return EBADMSG;
  if (size_ > protocol::max_start_block) return E2BIG;
  void* const mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, memfd.get(), 0);
  if (mapped == MAP_FAILED) return errno;
  text_ = static_cast<const char*>(mapped);
  return 0;
}

int Command::find_strings() {
  const char* const end = text_ + size_;
  for (const char* at = text_ + sizeof header_; at < end;) {
    const void* const nul = std::memchr(at, 0, static_cast<std::size_t>(end - at));
    if (!nul) return EBADMSG;
    strings_.push_back(const_cast<char*>(at));
    at = static_cast<const char*>(nul) + 1;
  }
  // All three fit: both counts are 32 bit.
  const std::uint64_t expected = std::uint64_t{2} + header_.arguments + header_.environment;
  if (strings_.size() != expected || header_.arguments == 0) return EBADMSG;
  const auto split = strings_.begin() + 2 + header_.arguments;
  arguments_.assign(strings_.begin() + 2, split);
  environment_.assign(split, strings_.end());
  arguments_.push_back(nullptr);
  environment_.push_back(nullptr);
  return 0;
}

// What becomes the child's descriptor 0, 1, 2, 3 …; empty if the request is not consistent.
std::vector<int> child_descriptors(const protocol::Request& request, std::span<const Descriptor> given,
                                   int null_device) {
  std::vector<int> result;
  for (unsigned number = 0; number < 3; ++number) {
    const bool is_given = (request.standard >> number) & 1;
    if (is_given && given.empty()) return {};
    result.push_back(is_given ? given.front().get() : null_device);
    if (is_given) given = given.subspan(1);
  }
  if (given.size() != request.more || given.size() > protocol::max_more) return {};
  for (const Descriptor& descriptor : given) result.push_back(descriptor.get());
  return result;
}

// From here to exec we are the child. Every step returns errno, 0 for success.

int step(bool succeeded) {
  return succeeded ? 0 : errno;
}

int become_own_session(pid_t keeper) {
  if (::setsid() < 0 || ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return errno;
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return errno;
  if (::getppid() != keeper) ::_exit(127);  // it died before the line above
  return 0;
}

int restore_signals() {
  struct sigaction standard = {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number <= SIGRTMAX; ++number) ::sigaction(number, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  return step(::sigprocmask(SIG_SETMASK, &none, nullptr) == 0);
}

int install_descriptors(std::vector<int>& sources, int& outcome) {
  const int count = static_cast<int>(sources.size());
  // First all sources above the targets, so that no dup2 hits one that is still needed.
  for (int& source : sources)
    if ((source = ::fcntl(source, F_DUPFD_CLOEXEC, count)) < 0) return errno;
  if ((outcome = ::fcntl(outcome, F_DUPFD_CLOEXEC, count)) < 0) return errno;
  for (int target = 0; target < count; ++target)
    if (::dup2(sources[static_cast<std::size_t>(target)], target) < 0) return errno;
  // The keeper's own descriptors close on exec anyhow; without this call (an old kernel) nothing is lost.
  ::close_range(static_cast<unsigned>(count), ~0u, CLOSE_RANGE_CLOEXEC);
  return 0;
}

int restore_file_limit(std::uint64_t soft) {
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return errno;
  limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
  return step(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

struct Bounds {
  const protocol::Limits& limits;
  int memory_group;
};

int join_group(int processes) {
  return processes < 0 ? 0 : step(::write(processes, "0", 1) == 1);
}

[[noreturn]] void run_child(const Command& command, const Bounds& bounds, std::vector<int>& sources, int outcome,
                            pid_t keeper) {
  int error = become_own_session(keeper);
  if (error == 0) error = restore_signals();
  if (error == 0) error = join_group(bounds.memory_group);
  if (error == 0) error = install_descriptors(sources, outcome);
  if (error == 0) error = restore_file_limit(command.header().file_limit);
  if (error == 0) error = set_kernel_limits(0, bounds.limits);
  if (error == 0) error = step(::chdir(command.directory()) == 0);
  if (error == 0) ::execve(command.program(), command.arguments(), command.environment());
  if (error == 0) error = errno;
  const ssize_t written = ::write(outcome, &error, sizeof error);
  ::_exit(written == sizeof error ? 127 : 126);
}

}  // namespace

Started start(const protocol::Request& request, std::vector<Descriptor> descriptors, const OpenFiles& files) {
  if (descriptors.empty()) return {.error = EBADMSG};
  Command command;
  if (const int error = command.read(descriptors.front())) return {.error = error};
  std::vector<int> sources = child_descriptors(request, std::span(descriptors).subspan(1), files.null_device);
  if (sources.empty()) return {.error = EBADMSG};
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return {.error = errno};
  Descriptor outcome(ends[0]), report(ends[1]);
  const pid_t keeper = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return {.error = errno};
  if (pid == 0) run_child(command, {request.limits, files.memory_group}, sources, report.get(), keeper);
  return {.pid = pid, .outcome = std::move(outcome)};
}

}  // namespace venvoy::keeper
