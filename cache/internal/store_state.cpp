#include "cache/internal/store_state.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "cache/internal/listing.hpp"
#include "cache/internal/ready_file.hpp"
#include "cache/internal/root.hpp"
#include "os/files.hpp"

namespace venvoy::cache::internal {

namespace fs = std::filesystem;

Statistics Counters::read() const {
  return {.hits = hits,
          .misses = misses,
          .gaps = gaps,
          .builds = builds,
          .waits = waits,
          .swept = swept,
          .evicted = evicted};
}

StoreState::StoreState(fs::path workdir, uid_t uid, const Clock& clock, Logger logger)
    : workdir_(std::move(workdir)),
      root_(root_in(workdir_, uid)),
      uid_(uid),
      clock_(clock),
      logger_(std::move(logger)) {
  for (const Bucket each : all_buckets) bucket(each);
  root_lock_ = os::open_file(root_, O_RDONLY | O_DIRECTORY);
  // If it fails, because a cleaner is at work this very moment, nothing is lost but the protection.
  ::flock(root_lock_.get(), LOCK_SH | LOCK_NB);
}

StoreState::~StoreState() {
  if (!engine_lock_) return;
  try {
    os::remove_tree(engine_path_);
  } catch (const std::exception& error) {
    logger_.debug("'{}' stays until the next sweep: {}", engine_path_.string(), error.what());
  }
}

fs::path StoreState::bucket(Bucket bucket) const {
  fs::path path = root_ / folder_of(bucket);
  if (::access(path.c_str(), F_OK) == 0) return path;
  ensure_root(workdir_, root_, uid_);
  os::make_directory(path, 0700);
  return path;
}

fs::path StoreState::lock_file(Bucket bucket, std::string_view name) const {
  return this->bucket(Bucket::lock) / fmt::format("{}-{}", name_of(bucket), name);
}

fs::path StoreState::engine_directory() {
  const std::lock_guard lock(engine_mutex_);
  // A cleaner of /tmp may have removed it while it was empty. While it is there it is locked, even if its `lease` is
  // not.
  if (!engine_lock_ || ::access(engine_path_.c_str(), F_OK) != 0) engine_path_ = make_engine_directory();
  return engine_path_;
}

fs::path StoreState::make_engine_directory() {
  sweep_work();
  for (;;) {
    fs::path path = bucket(Bucket::work) / os::random_name();
    engine_lock_ = DirectoryLock::make(path);
    if (engine_lock_) return path;
  }
}

fs::path StoreState::new_work_path() {
  return engine_directory() / std::to_string(++work_number_);
}

void StoreState::sweep_work() {
  for (const fs::path& path : entries_of(bucket(Bucket::work)))
    if (remove_if_free(*this, path)) ++counters_.swept;
}

bool remove_if_free(StoreState& store, const fs::path& path) noexcept {
  try {
    const auto lock = DirectoryLock::try_lock(path, os::LockMode::exclusive);
    if (!lock) return false;
    // First, so that nobody takes for whole what a kill leaves half removed.
    ::unlinkat(lock->directory(), ready_file, 0);
    os::remove_tree(path);
    return true;
  } catch (const std::exception& error) {
    // On NFS a removed file that is open, as our `lease` was, keeps its directory until it is closed.
    if (::rmdir(path.c_str()) == 0) return true;
    store.logger().debug("'{}' stays for now: {}", path.string(), error.what());
    return false;
  }
}

}  // namespace venvoy::cache::internal
