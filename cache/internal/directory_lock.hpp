// The lock of a directory that several processes use.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "os/fd.hpp"
#include "os/file_lock.hpp"

namespace venvoy::cache::internal {

// The file that locks a directory lies in it. Its time of modification is the directory's last use.
inline constexpr const char* lease_file = "lease";

// flock(2) twice: on the directory itself and on the file `lease` in it.
//
// Either would do on a local disk. The file is there because network file systems lock only what is open for writing.
// The directory is there because a cleaner of /tmp can remove the file, and then a lock on it keeps nobody out, but it
// cannot remove a directory that is not empty; and systemd-tmpfiles goes around directories that are locked.
// Users hold it shared; whoever builds or removes holds it exclusively. Nobody waits for it, so there is no order to
// keep; a remover or somebody who only looks may have it for a moment, so those who need it try again.
class DirectoryLock {
 public:
  // Nothing if somebody else's lock is in the way, or there is no such directory (a symbolic link is none). Throws an
  // Error (io) when descriptors or memory run out, or when locks do not work.
  static std::optional<DirectoryLock> try_lock(const std::filesystem::path& path, os::LockMode mode);
  // The directory and its `lease`, new and locked exclusively. Nothing if it is there already, if it was swept
  // before it was locked, or if its parent was: make that sure and take another name.
  static std::optional<DirectoryLock> make(const std::filesystem::path& path);
  // The same for a directory that is there and has no `lease`.
  static std::optional<DirectoryLock> adopt(const std::filesystem::path& path);

  DirectoryLock(DirectoryLock&& other) noexcept = default;
  DirectoryLock& operator=(DirectoryLock&& other) noexcept;
  ~DirectoryLock() { release(); }

  // From exclusive to shared. There may be a moment without a lock in between.
  void share();
  void release() noexcept;

  // The locked directory, for the *at() calls. Owned by the lock.
  int directory() const noexcept { return directory_.get(); }
  // The inode of `lease`; 0 if it was missing when the lock was taken.
  std::uint64_t lease_inode() const noexcept { return lease_inode_; }
  // Whether the path still leads to the directory and the file that are locked.
  bool is_at(const std::filesystem::path& path) const;
  // Notes a use in the time of modification of `lease`. Failures do not matter.
  void touch(std::chrono::sys_time<std::chrono::microseconds> now) const noexcept;

 private:
  DirectoryLock() = default;

  os::Fd directory_;
  os::Fd lease_;
  std::uint64_t lease_inode_ = 0;
};

}  // namespace venvoy::cache::internal
