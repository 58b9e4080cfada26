#include "os/file_lock.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>

#include <fmt/format.h>

#include "base/error.hpp"

namespace venvoy::os {
namespace {

using namespace std::chrono_literals;
constexpr std::chrono::milliseconds shortest_pause = 1ms;
constexpr std::chrono::milliseconds longest_pause = 100ms;

enum class Missing { make, leave };

[[noreturn]] void fail(int error, const std::filesystem::path& path) {
  throw system_error(error, fmt::format("cannot lock '{}'", path.string()));
}

// Empty if it is not there and shall not be made.
Fd open_lock_file(const std::filesystem::path& path, Missing missing) {
  const int flags = O_RDWR | O_CLOEXEC | O_NOCTTY | (missing == Missing::make ? O_CREAT : 0);
  for (;;) {
    Fd file(::open(path.c_str(), flags, 0600));
    if (file) return file;
    if (errno == EINTR) continue;
    if (errno == ENOENT && missing == Missing::leave) return {};
    fail(errno, path);
  }
}

bool lock_at_once(const Fd& file, const std::filesystem::path& path, LockMode mode) {
  for (;;) {
    if (::flock(file.get(), (mode == LockMode::shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0) return true;
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) fail(errno, path);
  }
}

// Whether the path still means the file that we have locked; a lock on a removed file keeps nobody out.
bool is_current(const Fd& file, const std::filesystem::path& path) {
  struct stat ours, theirs;
  if (::fstat(file.get(), &ours) != 0) fail(errno, path);
  if (::stat(path.c_str(), &theirs) != 0) return false;
  return ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

// The file with the lock on it, or nothing if somebody else has the lock or the file may not be made.
Fd try_path(const std::filesystem::path& path, LockMode mode, Missing missing) {
  for (;;) {
    Fd file = open_lock_file(path, missing);
    if (!file || !lock_at_once(file, path, mode)) return {};
    if (is_current(file, path)) return file;
  }
}

}  // namespace

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  if (this != &other) {
    release();
    file_ = std::move(other.file_);
  }
  return *this;
}

void FileLock::release() noexcept {
  // Not left to close(2): a process that is being forked at this moment has a copy of the descriptor until it execs.
  if (file_) ::flock(file_.get(), LOCK_UN);
  file_.reset();
}

FileLock FileLock::wait(const std::filesystem::path& path, LockMode mode, const CancelToken& cancel) {
  for (std::chrono::milliseconds pause = shortest_pause;; pause = std::min(2 * pause, longest_pause)) {
    cancel.check();
    if (Fd file = try_path(path, mode, Missing::make)) return FileLock(std::move(file));
    std::this_thread::sleep_for(pause);
  }
}

std::optional<FileLock> FileLock::try_lock(const std::filesystem::path& path, LockMode mode) {
  if (Fd file = try_path(path, mode, Missing::make)) return FileLock(std::move(file));
  return std::nullopt;
}

std::optional<FileLock> FileLock::try_lock_existing(const std::filesystem::path& path, LockMode mode) {
  if (Fd file = try_path(path, mode, Missing::leave)) return FileLock(std::move(file));
  return std::nullopt;
}

}  // namespace venvoy::os
