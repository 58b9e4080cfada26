#include "os/fd.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.hpp"

namespace venvoy::os {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    number_ = std::exchange(other.number_, -1);
  }
  return *this;
}

void Fd::reset() noexcept {
  if (number_ < 0) return;
  const int kept = errno;  // destructors run between a failed call and the reading of its errno
  ::close(std::exchange(number_, -1));
  errno = kept;
}

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw system_error(errno, "cannot make a pipe");
  return {Fd(ends[0]), Fd(ends[1])};
}

Fd open_file(const std::filesystem::path& path, int flags, unsigned mode) {
  int number = -1;
  do {
    number = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (number < 0 && errno == EINTR);
  if (number < 0) {
    const int error = errno;
    throw system_error(error, "cannot open '" + path.string() + "'");
  }
  return Fd(number);
}

std::uint64_t soft_file_limit() noexcept {
  rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);  // cannot fail with these arguments
  return limit.rlim_cur;
}

std::uint64_t raise_file_limit() noexcept {
  rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const std::uint64_t old = std::exchange(limit.rlim_cur, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return old;
}

}  // namespace venvoy::os
