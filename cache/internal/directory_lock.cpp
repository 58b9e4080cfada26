#include "cache/internal/directory_lock.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>

#include <fmt/format.h>

#include "base/error.hpp"
#include "cache/internal/open_file.hpp"

namespace venvoy::cache::internal {
namespace {

namespace fs = std::filesystem;
using os::LockMode;

// How long a maker waits for somebody who only looks at what it has just made.
constexpr int lock_patience_milliseconds = 1000;

int flock_again(int file, int operation) {
  int result;
  do {
    result = ::flock(file, operation);
  } while (result != 0 && errno == EINTR);
  return result;
}

bool try_flock(const os::Fd& file, LockMode mode) {
  return flock_again(file.get(), (mode == LockMode::shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0;
}

// Not every file system locks directories; then the file has to do alone.
bool try_flock_directory(const os::Fd& directory, LockMode mode) {
  return try_flock(directory, mode) || errno != EWOULDBLOCK;
}

bool try_flock_lease(const os::Fd& lease, LockMode mode, const fs::path& path) {
  if (try_flock(lease, mode)) return true;
  if (errno != EWOULDBLOCK) throw system_error(errno, fmt::format("cannot lock '{}'", path.string()));
  return false;
}

os::Fd open_directory(const fs::path& path) {
  return open_if_there(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY);
}

bool same_file(int file, int parent, const char* name) {
  struct stat ours, theirs;
  return ::fstat(file, &ours) == 0 && ::fstatat(parent, name, &theirs, AT_SYMLINK_NOFOLLOW) == 0 &&
         ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

std::uint64_t inode_of(const os::Fd& file) {
  struct stat status;
  return file && ::fstat(file.get(), &status) == 0 ? status.st_ino : 0;
}

// Let go by hand and not only by close(2): a process that is being forked has a copy of the descriptor until it execs.
void unlock(os::Fd& file) noexcept {
  if (file) flock_again(file.get(), LOCK_UN);
  file.reset();
}

}  // namespace

std::optional<DirectoryLock> DirectoryLock::try_lock(const fs::path& path, LockMode mode) {
  DirectoryLock lock;
  lock.directory_ = open_directory(path);
  if (!lock.directory_ || !try_flock_directory(lock.directory_, mode)) return std::nullopt;
  lock.lease_ = open_if_there(lock.directory(), lease_file, O_RDWR);
  if (lock.lease_ && !try_flock_lease(lock.lease_, mode, path / lease_file)) return std::nullopt;
  lock.lease_inode_ = inode_of(lock.lease_);
  // Both may have been removed, or replaced, between open and flock.
  if (!lock.is_at(path)) return std::nullopt;
  return lock;
}

std::optional<DirectoryLock> DirectoryLock::make(const fs::path& path) {
  if (!make_directory_if_possible(path)) return std::nullopt;
  return adopt(path);
}

std::optional<DirectoryLock> DirectoryLock::adopt(const fs::path& path) {
  for (int waited = 0; waited < lock_patience_milliseconds; ++waited) {
    DirectoryLock lock;
    lock.directory_ = open_directory(path);
    if (!lock.directory_) return std::nullopt;
    if (try_flock_directory(lock.directory_, LockMode::exclusive)) {
      lock.lease_ = open_if_there(lock.directory(), lease_file, O_RDWR | O_CREAT);
      if (lock.lease_ && try_flock_lease(lock.lease_, LockMode::exclusive, path / lease_file)) {
        lock.lease_inode_ = inode_of(lock.lease_);
        if (lock.is_at(path)) return lock;
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return std::nullopt;
}

DirectoryLock& DirectoryLock::operator=(DirectoryLock&& other) noexcept {
  if (this == &other) return *this;
  release();
  directory_ = std::move(other.directory_);
  lease_ = std::move(other.lease_);
  lease_inode_ = other.lease_inode_;
  return *this;
}

void DirectoryLock::share() {
  flock_again(directory_.get(), LOCK_SH);
  if (flock_again(lease_.get(), LOCK_SH) != 0) throw system_error(errno, "cannot share a lock");
}

void DirectoryLock::release() noexcept {
  unlock(lease_);
  unlock(directory_);
}

bool DirectoryLock::is_at(const fs::path& path) const {
  if (!same_file(directory(), AT_FDCWD, path.c_str())) return false;
  return !lease_ || same_file(lease_.get(), directory(), lease_file);
}

void DirectoryLock::touch(std::chrono::sys_time<std::chrono::microseconds> now) const noexcept {
  const std::int64_t since_epoch = now.time_since_epoch().count();
  const timespec time{since_epoch / 1'000'000, since_epoch % 1'000'000 * 1000};
  const timespec both[2] = {time, time};
  if (lease_) ::futimens(lease_.get(), both);
}

}  // namespace venvoy::cache::internal
