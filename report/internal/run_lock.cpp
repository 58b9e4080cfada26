#include "report/internal/run_lock.hpp"

#include <cerrno>
#include <fcntl.h>

#include "base/error.hpp"

namespace venvoy::report::internal {

namespace {

struct flock lock_on(std::int64_t number) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = number;
  lock.l_len = 1;
  return lock;
}

}  // namespace

void lock_run(const os::Fd& file, std::int64_t number) {
  // Of the open file and not of the process: a process may write several runs.
  struct flock lock = lock_on(number);
  if (::fcntl(file.get(), F_OFD_SETLK, &lock) != 0) throw system_error(errno, "cannot lock a run of the history");
}

bool is_run_locked(const os::Fd& file, std::int64_t number) noexcept {
  struct flock lock = lock_on(number);
  return ::fcntl(file.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace venvoy::report::internal
