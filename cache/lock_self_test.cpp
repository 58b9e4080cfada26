// The two-process self-test of locks for file systems that other machines use too (design D4).
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.hpp"
#include "cache/file_system.hpp"
#include "os/fd.hpp"
#include "os/files.hpp"

namespace venvoy::cache {
namespace {

constexpr int answer_milliseconds = 10'000;

// What the child says with one byte about one attempt to lock.
constexpr char locked = 'L', busy = 'B', broken = '!';

char attempt(int file) {
  if (::flock(file, LOCK_EX | LOCK_NB) == 0) return locked;
  return errno == EWOULDBLOCK ? busy : broken;
}

// After a fork of a program with threads: only calls that are safe in a signal handler. Each byte that comes is a wish
// to try; the end of the connection ends the child, which dies with the lock held.
[[noreturn]] void be_the_other(const char* path, int parent) {
  const int file = ::open(path, O_RDWR | O_CLOEXEC);
  char byte;
  while (::read(parent, &byte, 1) == 1) {
    const char answer = file < 0 ? broken : attempt(file);
    if (::send(parent, &answer, 1, MSG_NOSIGNAL) != 1) break;
  }
  ::_exit(0);
}

class OtherProcess {
 public:
  explicit OtherProcess(const std::string& lock_file) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
      throw system_error(errno, "cannot make a connection to test locks");
    connection_ = os::Fd(ends[0]);
    const os::Fd theirs(ends[1]);
    process_ = ::fork();
    if (process_ < 0) throw system_error(errno, "cannot start a process to test locks");
    if (process_ > 0) return;
    ::close(ends[0]);
    be_the_other(lock_file.c_str(), ends[1]);
  }
  ~OtherProcess() { end(); }
  OtherProcess(const OtherProcess&) = delete;
  OtherProcess& operator=(const OtherProcess&) = delete;

  char try_lock() {
    char answer = '?';
    if (::send(connection_.get(), &answer, 1, MSG_NOSIGNAL) != 1) return broken;
    pollfd wait{connection_.get(), POLLIN, 0};
    if (::poll(&wait, 1, answer_milliseconds) != 1) return broken;
    return ::read(connection_.get(), &answer, 1) == 1 ? answer : broken;
  }

  void end() noexcept {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    // ECHILD: the host program reaps whatever ends.
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) continue;
    process_ = -1;
  }

 private:
  pid_t process_ = -1;
  os::Fd connection_;
};

// Removed when the test is over, however it ends.
struct TestFile {
  explicit TestFile(const std::filesystem::path& directory)
      : path((directory / (".lock-test-" + os::random_name())).string()),
        file(os::open_file(path, O_RDWR | O_CREAT | O_EXCL)) {}
  ~TestFile() { ::unlink(path.c_str()); }
  TestFile(const TestFile&) = delete;
  TestFile& operator=(const TestFile&) = delete;

  std::string path;
  os::Fd file;
};

}  // namespace

bool locks_work_between_processes(const std::filesystem::path& directory) {
  const TestFile test(directory);
  const int file = test.file.get();
  OtherProcess other(test.path);
  if (attempt(file) != locked || other.try_lock() != busy) return false;
  if (::flock(file, LOCK_UN) != 0 || other.try_lock() != locked) return false;
  if (attempt(file) != busy) return false;
  other.end();
  return attempt(file) == locked;
}

}  // namespace venvoy::cache
