// What is in the store.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "cache/collect.hpp"
#include "cache/internal/directory_lock.hpp"
#include "cache/internal/environments.hpp"
#include "cache/internal/listing.hpp"
#include "cache/internal/lock_users.hpp"
#include "cache/internal/open_file.hpp"
#include "cache/internal/ready_file.hpp"
#include "cache/internal/record_names.hpp"
#include "cache/internal/store_state.hpp"
#include "os/file_lock.hpp"

namespace venvoy::cache {
namespace {

namespace fs = std::filesystem;
using internal::DirectoryLock;
using State = Entry::State;

class Lister {
 public:
  explicit Lister(const Store& store) : store_(store.state()) {}

  std::vector<Entry> list() {
    for (const fs::path& path : names(Bucket::git)) add_mirror(path);
    for (const Bucket bucket : {Bucket::refs, Bucket::verdict, Bucket::python})
      for (const fs::path& path : names(bucket)) add_record(bucket, path);
    for (const Bucket bucket : {Bucket::tool, Bucket::wheel})
      for (const fs::path& path : names(bucket)) describe(add(bucket, path), false);
    for (const fs::path& folder : names(Bucket::env))
      for (const fs::path& environment : internal::entries_of(folder)) add_environment(environment);
    for (const fs::path& path : names(Bucket::schema)) add_record(Bucket::schema, path);
    for (const fs::path& path : names(Bucket::work)) add_work(path);
    return std::move(entries_);
  }

 private:
  std::vector<fs::path> names(Bucket bucket) const { return internal::entries_of(store_.bucket(bucket)); }

  Entry& add(Bucket bucket, const fs::path& path) {
    Entry& entry = entries_.emplace_back();
    entry.bucket = bucket;
    entry.name = path.filename().string();
    entry.path = path;
    entry.created = entry.last_used = internal::time_of_change(path);
    return entry;
  }

  void add_record(Bucket bucket, const fs::path& path) {
    Entry& entry = add(bucket, path);
    entry.bytes = internal::tree_bytes(path);
    // Half-written by somebody; he may still be at it.
    if (!internal::is_record_name(entry.name)) entry.state = State::rubbish;
  }

  void add_mirror(const fs::path& path) {
    Entry& entry = add(Bucket::git, path);
    entry.bytes = internal::tree_bytes(path);
    if (!internal::is_record_name(entry.name)) {
      // About to become one, under the lock of a name that cannot be told from here.
      entry.state = State::rubbish;
      return;
    }
    const fs::path lock = store_.lock_file(Bucket::git, entry.name);
    entry.last_used = std::max(entry.last_used, internal::time_of_change(lock));
    struct stat status;
    if (::stat(lock.c_str(), &status) == 0)
      entry.in_use = !os::FileLock::try_lock_existing(lock, os::LockMode::exclusive);
    if (entry.in_use) entry.users = locks_.holders(lock);
  }

  void add_environment(const fs::path& environment) {
    const auto generations = internal::generations_in(environment);
    for (auto each = generations.rbegin(); each != generations.rend(); ++each) {
      Entry& entry = add(Bucket::env, each->path);
      entry.name = environment.filename().string();
      entry.generation = each->number;
      describe(entry, internal::is_superseded(generations, each->number));
    }
  }

  void add_work(const fs::path& path) {
    Entry& entry = add(Bucket::work, path);
    entry.bytes = internal::tree_bytes(path);
    look_at_locks(entry);
    entry.state = entry.in_use ? State::ready : State::rubbish;
  }

  void describe(Entry& entry, bool superseded) {
    const bool building = look_at_locks(entry);
    const WallTime used = internal::time_of_change(entry.path / internal::lease_file);
    if (used != WallTime()) entry.last_used = used;
    const os::Fd directory = internal::open_if_there(AT_FDCWD, entry.path.c_str(), O_RDONLY | O_DIRECTORY);
    const auto text = directory ? internal::read_in(directory.get(), internal::ready_file) : std::nullopt;
    const auto ready = text ? internal::parse_ready(*text) : std::nullopt;
    if (ready)
      take_over(entry, *ready, superseded);
    else
      entry.bytes = internal::tree_bytes(entry.path);
    if (!ready) entry.state = building ? State::building : State::rubbish;
  }

  static void take_over(Entry& entry, const internal::Ready& ready, bool superseded) {
    entry.state = superseded ? State::superseded : State::ready;
    entry.bytes = ready.bytes;
    entry.created = ready.created;
    entry.inputs = ready.inputs;
    entry.details = ready.details;
  }

  // True if it is locked exclusively, which only builders do for longer than a moment.
  bool look_at_locks(Entry& entry) {
    entry.in_use = !DirectoryLock::try_lock(entry.path, os::LockMode::exclusive);
    if (!entry.in_use) return false;
    entry.users = locks_.holders(entry.path / internal::lease_file);
    return !DirectoryLock::try_lock(entry.path, os::LockMode::shared);
  }

  internal::StoreState& store_;
  internal::LockTable locks_ = internal::LockTable::read();
  std::vector<Entry> entries_;
};

}  // namespace

std::vector<Entry> list(const Store& store) {
  return Lister(store).list();
}

}  // namespace venvoy::cache
