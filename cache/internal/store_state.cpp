#include "cache/internal/store_state.hpp"

#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "cache/internal/listing.hpp"
#include "cache/internal/ready_file.hpp"
#include "cache/internal/root.hpp"
#include "os/files.hpp"

namespace venvoy::cache::internal {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t max_spare = 64;
// A directory that has held much stays large on some file systems.
constexpr off_t max_spare_bytes = off_t{64} << 10;

// Whether a working directory is still what it was when it was made: empty, and for its user alone.
bool is_as_made(const fs::path& path) noexcept {
  const int number = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (number < 0) return false;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(number), &::closedir);
  if (!directory) {
    ::close(number);
    return false;
  }
  struct stat status;
  if (::fstat(number, &status) != 0 || status.st_size > max_spare_bytes) return false;
  if ((status.st_mode & 07777) != 0700 || status.st_uid != ::geteuid()) return false;
  if (::flistxattr(number, nullptr, 0) > 0) return false;
  errno = 0;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") return false;
  }
  return errno == 0;
}

}  // namespace

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

bool StoreState::keep_for_reuse(const fs::path& work_path) noexcept {
  if (!is_as_made(work_path)) return false;
  try {
    const std::lock_guard lock(spare_mutex_);
    if (spare_.size() >= max_spare) return false;
    fs::path spare = work_path.parent_path() / fmt::format("spare-{}", work_path.filename().string());
    spare_.reserve(max_spare);
    if (::rename(work_path.c_str(), spare.c_str()) != 0) return false;
    spare_.push_back(std::move(spare));
    return true;
  } catch (const std::exception&) {  // no memory
    return false;
  }
}

bool StoreState::reuse_as(const fs::path& work_path) noexcept {
  const std::lock_guard lock(spare_mutex_);
  while (!spare_.empty()) {
    const fs::path spare = std::move(spare_.back());
    spare_.pop_back();
    // It is not there when a cleaner has removed it.
    if (::rename(spare.c_str(), work_path.c_str()) == 0) return true;
  }
  return false;
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
