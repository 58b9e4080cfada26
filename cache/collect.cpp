// Making room. Who removes an entry holds its lock in lock-v1, so nobody is building it, and then finds its directory
// unlocked, so nobody is using it; both are only tried. See internal/environments.cpp for the whole argument.
#include "cache/collect.hpp"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"
#include "cache/internal/choose.hpp"
#include "cache/internal/directory_lock.hpp"
#include "cache/internal/environments.hpp"
#include "cache/internal/listing.hpp"
#include "cache/internal/store_state.hpp"
#include "os/file_lock.hpp"
#include "os/files.hpp"

namespace venvoy::cache {
namespace {

namespace fs = std::filesystem;
using os::FileLock;
using os::LockMode;

bool is_there(const fs::path& path) {
  struct stat status;
  return ::lstat(path.c_str(), &status) == 0;
}

// Where an entry of a bucket with locks lies, all its generations together.
fs::path place_of(const internal::StoreState& store, Bucket bucket, const std::string& name) {
  return bucket == Bucket::env ? internal::environment_path(store, name) : store.bucket(bucket) / name;
}

class Remover {
 public:
  explicit Remover(const Store& store) : store_(store.state()) {}

  // False if somebody uses it.
  bool remove(const Entry& entry) {
    if (!remove_by_kind(entry)) return false;
    ++(entry.state == Entry::State::ready ? store_.counters().evicted : store_.counters().swept);
    return true;
  }

  // Locks of things that are no more: of failed builds, and of what was removed just now.
  void remove_spare_locks() {
    for (const Bucket bucket : {Bucket::env, Bucket::wheel, Bucket::tool, Bucket::git}) {
      const std::string prefix = std::string(name_of(bucket)) + "-";
      for (const fs::path& path : internal::entries_of(store_.bucket(Bucket::lock)))
        if (path.filename().string().starts_with(prefix)) remove_if_spare(bucket, path, prefix.size());
    }
  }

 private:
  bool remove_by_kind(const Entry& entry) {
    if (entry.bucket == Bucket::work) return internal::remove_if_free(store_, entry.path);
    if (!counts_for_size(entry.bucket)) return ::unlink(entry.path.c_str()) == 0;
    // Before the lock, which may come to be only now: the use of a mirror is noted at its lock file.
    if (entry.bucket == Bucket::git && was_used_again(entry)) return false;
    const auto lock = FileLock::try_lock(store_.lock_file(entry.bucket, entry.name), LockMode::exclusive);
    if (!lock) return false;
    if (entry.bucket == Bucket::git) return remove_mirror(entry.path);
    if (was_used_again(entry)) return false;
    if (!internal::remove_if_free(store_, entry.path)) return false;
    if (entry.bucket == Bucket::env) internal::remove_empty_environment(entry.path.parent_path());
    return true;
  }

  // Since the list was made.
  bool was_used_again(const Entry& entry) const {
    const fs::path noted =
        entry.bucket == Bucket::git ? store_.lock_file(entry.bucket, entry.name) : entry.path / internal::lease_file;
    return internal::time_of_change(noted) > entry.last_used;
  }

  // Moved out of the way first: half a mirror must not be found under its name.
  bool remove_mirror(const fs::path& path) {
    fs::path aside;
    try {
      aside = store_.new_work_path();
    } catch (const Error&) {
      // A full disk has no room for a new folder. Without its configuration it is no repository.
      ::unlink((path / "config").c_str());
      os::remove_tree(path);
      return true;
    }
    if (::rename(path.c_str(), aside.c_str()) != 0) return false;
    os::remove_tree(aside);
    return true;
  }

  // Whoever waits for the lock sees that its file has gone, and takes the lock on a new one.
  void remove_if_spare(Bucket bucket, const fs::path& path, std::size_t prefix) {
    if (is_there(place_of(store_, bucket, path.filename().string().substr(prefix)))) return;
    if (const auto lock = FileLock::try_lock_existing(path, LockMode::exclusive)) ::unlink(path.c_str());
  }

  internal::StoreState& store_;
};

PruneReport take(const Store& store, const std::vector<Entry>& entries, const internal::Choice& choice, bool dry_run,
                 const CancelToken& cancel) {
  PruneReport report;
  Remover remover(store);
  for (const Entry& entry : entries) report.bytes_left += entry.bytes;
  for (const std::size_t index : choice.in_use) report.in_use.push_back(entries[index]);
  for (const std::size_t index : choice.remove) {
    cancel.check();
    const bool removed = dry_run || remover.remove(entries[index]);
    (removed ? report.removed : report.in_use).push_back(entries[index]);
    if (removed) report.bytes_freed += entries[index].bytes;
  }
  report.bytes_left -= report.bytes_freed;
  if (!dry_run) remover.remove_spare_locks();
  return report;
}

}  // namespace

PruneReport prune(const Store& store, const PruneOptions& options, const CancelToken& cancel) {
  const std::vector<Entry> entries = list(store);
  const auto choice = internal::choose(entries, options, store.state().clock().wall());
  return take(store, entries, choice, options.dry_run, cancel);
}

bool remove(const Store& store, const Entry& entry) {
  return Remover(store).remove(entry);
}

PruneReport clear(const Store& store, const CancelToken& cancel) {
  const std::vector<Entry> entries = list(store);
  return take(store, entries, internal::choose_all(entries, store.state().clock().wall()), false, cancel);
}

}  // namespace venvoy::cache
