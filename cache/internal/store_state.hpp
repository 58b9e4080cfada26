// What all handles of an open store share.
#pragma once

#include <atomic>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "cache/bucket.hpp"
#include "cache/internal/directory_lock.hpp"
#include "cache/statistics.hpp"
#include "os/fd.hpp"

namespace venvoy::cache::internal {

struct Counters {
  std::atomic<std::uint64_t> hits = 0, misses = 0, gaps = 0, builds = 0, waits = 0, swept = 0, evicted = 0;
  Statistics read() const;
};

// Used from several threads. Leases, builders and work directories keep it alive.
class StoreState {
 public:
  StoreState(std::filesystem::path workdir, uid_t uid, const Clock& clock, Logger logger);
  ~StoreState();
  StoreState(const StoreState&) = delete;
  StoreState& operator=(const StoreState&) = delete;

  const std::filesystem::path& root() const noexcept { return root_; }
  const Clock& clock() const noexcept { return clock_; }
  const Logger& logger() const noexcept { return logger_; }
  Counters& counters() noexcept { return counters_; }

  // The bucket's folder; made if it is not there, since cleaners of /tmp remove empty directories.
  std::filesystem::path bucket(Bucket bucket) const;
  std::filesystem::path lock_file(Bucket bucket, std::string_view name) const;

  // This process's own directory in work-v1, made and locked at the first call. Everything in it that this process
  // leaves behind is swept by another one when the lock is free.
  std::filesystem::path engine_directory();
  // A path in it that has never been used.
  std::filesystem::path new_work_path();
  // Working directories that have been left as they were made are used again, under a new name: some file systems take
  // long to make a directory shortly after others have been removed (ext4 looks at each of them first).
  // False if this one cannot be; nothing has changed then.
  bool keep_for_reuse(const std::filesystem::path& work_path) noexcept;
  // Gives one of them that path; false if there is none.
  bool reuse_as(const std::filesystem::path& work_path) noexcept;
  // Removes the directories in work-v1 of engines that are no more.
  void sweep_work();

 private:
  std::filesystem::path make_engine_directory();

  std::filesystem::path workdir_;
  std::filesystem::path root_;
  uid_t uid_;
  const Clock& clock_;
  Logger logger_;
  Counters counters_;
  // A shared lock on the root for as long as the store is open, so that systemd-tmpfiles goes around it.
  os::Fd root_lock_;

  std::mutex engine_mutex_;
  std::filesystem::path engine_path_;
  std::optional<DirectoryLock> engine_lock_;
  std::atomic<std::uint64_t> work_number_ = 0;
  std::mutex spare_mutex_;
  std::vector<std::filesystem::path> spare_;
};

// Removes the directory if nobody has a lock on it; true if it is gone. Never throws: what cannot be removed now is
// rubbish that a later sweep meets again.
bool remove_if_free(StoreState& store, const std::filesystem::path& path) noexcept;

}  // namespace venvoy::cache::internal
