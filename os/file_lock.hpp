// Locks between processes: flock(2) on files, which the kernel lets go of when the holder dies.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>

#include "base/cancel.hpp"
#include "os/fd.hpp"

namespace venvoy::os {

enum class LockMode { shared, exclusive };

// A held lock; released by the destructor. The lock file is made if it is not there (0600) and stays. If it was removed
// or replaced while we waited, the lock is taken on the file that is there now.
class FileLock {
 public:
  // Waits until the lock is free. Blocks: call it on a pool thread. Throws an Error (cancelled) when the token is
  // cancelled, (io) when the file system refuses.
  [[nodiscard]] static FileLock wait(const std::filesystem::path& path, LockMode mode, const CancelToken& cancel);
  // Nothing if somebody else has it.
  [[nodiscard]] static std::optional<FileLock> try_lock(const std::filesystem::path& path, LockMode mode);
  // The same for a file that must exist already: nothing if it does not.
  [[nodiscard]] static std::optional<FileLock> try_lock_existing(const std::filesystem::path& path, LockMode mode);

  FileLock(FileLock&&) noexcept = default;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock() { release(); }

 private:
  void release() noexcept;
  explicit FileLock(Fd file) noexcept : file_(std::move(file)) {}
  Fd file_;
};

}  // namespace venvoy::os
