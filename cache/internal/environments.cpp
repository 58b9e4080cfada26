// How environments are shared (design D4).
//
// Three locks, all flock(2), all let go by the kernel when their holder dies:
//   lock-v1/env-<key>   exclusive while somebody builds or collects the key: one builder at a time. Waited for.
//   <generation>/ and <generation>/lease: exclusive for its builder and its remover, shared for its users. Only tried.
// and one commit: ready.json, renamed into place as the last act of a build, unlinked as the first act of a removal.
//
// Killed at any instant, in the order of a build:
// - before ready.json: a directory without ready.json and without a lock. The next builder removes it.
// - after it: a whole environment. Older generations stay until somebody leases, builds or collects.
// - while removing: again a directory without ready.json.
// Two builders: the second waits, looks again, and leases what the first has made. If a cleaner of /tmp removes the
// lock file under the first, both build, each in a directory of its own, since neither can lock the other's directory;
// the later number wins, the earlier one goes when it is free.
// Builder and user: the builder shares its locks before ready.json appears, so there is no instant at which a ready
// environment could be removed under it. Users look for ready.json before they lock, so they never wait for a build.
// User and remover: whoever has the lock of the directory decides. Both check after locking that the path still leads
// to what they have locked, so a lock on something removed or replaced counts for nothing.
// Last users who leave together: each lets go first and only then tries to remove, so the last one to let go meets at
// most other removers.
// A cleaner removes files of an environment: the check of the next lease fails and unlinks ready.json, so the next
// builder makes a new generation; the old directory goes when nobody uses it. If it removes `lease`, users still hold
// the directory itself. If it removes a generation that is being built, publish() notices.
#include "cache/internal/environments.hpp"

#include <algorithm>
#include <charconv>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "cache/internal/building.hpp"
#include "cache/internal/leasing.hpp"
#include "cache/internal/listing.hpp"
#include "cache/internal/open_file.hpp"
#include "cache/internal/ready_file.hpp"
#include "os/file_lock.hpp"
#include "os/files.hpp"

namespace venvoy::cache::internal {
namespace {

namespace fs = std::filesystem;

// Names that a cleaner or another builder takes away under us before one is locked.
constexpr int most_attempts = 100;

// 0 for a name that is not a generation's.
unsigned number_of(const std::string& name) {
  unsigned number = 0;
  const char* const end = name.data() + name.size();
  const auto read = std::from_chars(name.data(), end, number);
  return read.ec == std::errc() && read.ptr == end && name.front() != '0' ? number : 0;
}

void count_wait(StoreState& store, const Key& key) {
  ++store.counters().waits;
  store.logger().debug("waiting for another builder of {}", key.hex());
}

os::FileLock wait_for_builders(StoreState& store, const Key& key, const CancelToken& cancel) {
  const fs::path path = store.lock_file(Bucket::env, key.hex());
  if (auto lock = os::FileLock::try_lock(path, os::LockMode::exclusive)) return std::move(*lock);
  count_wait(store, key);
  return os::FileLock::wait(path, os::LockMode::exclusive, cancel);
}

void make_environment_directory(StoreState& store, const fs::path& environment) {
  const fs::path parent = environment.parent_path();
  store.bucket(Bucket::env);
  // Others remove them when they are empty; whether they are there now shows when the generation is made.
  make_directory_if_possible(parent);
  make_directory_if_possible(environment);
}

unsigned newest_in(const fs::path& environment) {
  const auto generations = generations_in(environment);
  return generations.empty() ? 0 : generations.front().number;
}

std::unique_ptr<HeldBuilding> begin_generation(const std::shared_ptr<StoreState>& store, const Key& key,
                                               os::FileLock lock, const CancelToken& cancel) {
  const fs::path environment = environment_path(*store, key.hex());
  // Asked before the sweep: a path that somebody may still have in mind gets no new content.
  unsigned number = newest_in(environment);
  sweep_generations(*store, environment);
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    make_environment_directory(*store, environment);
    number = 1 + std::max(number, newest_in(environment));
    const fs::path path = environment / std::to_string(number);
    if (auto directory = DirectoryLock::make(path))
      return std::unique_ptr<HeldBuilding>(
          new HeldBuilding{store, key, path, number, std::move(lock), std::move(*directory), cancel});
  }
  throw Error(ErrorCode::environment,
              fmt::format("directories in '{}' disappear as they are made", environment.string()))
      .with_hint("something removes files there; choose another directory with `workdir` in the configuration");
}

}  // namespace

fs::path environment_path(const StoreState& store, const std::string& key) {
  return store.root() / folder_of(Bucket::env) / key.substr(0, 2) / key;
}

std::vector<Generation> generations_in(const fs::path& environment) {
  std::vector<Generation> generations;
  for (const fs::path& path : entries_of(environment)) {
    const unsigned number = number_of(path.filename().string());
    if (number == 0) continue;
    const bool ready = ::access((path / ready_file).c_str(), F_OK) == 0;
    generations.push_back({number, path, ready});
  }
  std::sort(generations.begin(), generations.end(),
            [](const Generation& a, const Generation& b) { return a.number > b.number; });
  return generations;
}

bool is_superseded(const std::vector<Generation>& generations, unsigned number) {
  return std::any_of(generations.begin(), generations.end(),
                     [number](const Generation& other) { return other.ready && other.number > number; });
}

void sweep_generations(StoreState& store, const fs::path& environment, unsigned below) {
  const auto generations = generations_in(environment);
  for (const Generation& each : generations)
    if (each.number < below && (!each.ready || is_superseded(generations, each.number)))
      if (remove_if_free(store, each.path)) ++store.counters().swept;
}

void remove_empty_environment(const fs::path& environment) noexcept {
  if (::rmdir(environment.c_str()) == 0) ::rmdir(environment.parent_path().c_str());
}

std::optional<Lease> lease_environment(const std::shared_ptr<StoreState>& store, const Key& key) {
  const fs::path environment = environment_path(*store, key.hex());
  auto generations = generations_in(environment);
  // One that was replaced and removed after the directory had been read is in the listing, and its successor is not.
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    for (const Generation& each : generations) {
      if (!each.ready) continue;
      std::unique_ptr<HeldLease> lease;
      if (check_out(store, each.path, key.hex(), each.number, OnDamage::mark, lease) != CheckedOut::leased) continue;
      // The last user of an older one may have been killed before he could remove it.
      sweep_generations(*store, environment, each.number);
      return Lease(std::move(lease));
    }
    auto now = generations_in(environment);
    if (now == generations) break;
    generations = std::move(now);
  }
  return std::nullopt;
}

namespace {

// What is ready, unless it is to be built again in any case.
std::optional<Lease> look(const std::shared_ptr<StoreState>& store, const Key& key, WhenReady when_ready) {
  if (when_ready == WhenReady::rebuild) return std::nullopt;
  auto lease = lease_environment(store, key);
  if (lease) ++store->counters().hits;
  return lease;
}

// With the builders' lock in hand: whoever had it before us may have built it.
std::variant<Lease, Building> look_again_or_begin(const std::shared_ptr<StoreState>& store, const Key& key,
                                                  WhenReady when_ready, os::FileLock lock, const CancelToken& cancel) {
  if (auto lease = look(store, key, when_ready)) return std::move(*lease);
  cancel.check();
  return Building(begin_generation(store, key, std::move(lock), cancel));
}

}  // namespace

std::variant<Lease, Building> lease_or_build(const std::shared_ptr<StoreState>& store, const Key& key,
                                             WhenReady when_ready, const CancelToken& cancel) {
  if (auto lease = look(store, key, when_ready)) return std::move(*lease);
  if (when_ready == WhenReady::use) ++store->counters().misses;
  return look_again_or_begin(store, key, when_ready, wait_for_builders(*store, key, cancel), cancel);
}

std::optional<std::variant<Lease, Building>> try_lease_or_build(const std::shared_ptr<StoreState>& store,
                                                                const Key& key, WhenReady when_ready, int attempt,
                                                                const CancelToken& cancel) {
  if (auto lease = look(store, key, when_ready)) return std::move(*lease);
  if (attempt == 0 && when_ready == WhenReady::use) ++store->counters().misses;
  auto lock = os::FileLock::try_lock(store->lock_file(Bucket::env, key.hex()), os::LockMode::exclusive);
  if (lock) return look_again_or_begin(store, key, when_ready, std::move(*lock), cancel);
  if (attempt == 0) count_wait(*store, key);
  return std::nullopt;
}

void retire_environment(const std::shared_ptr<StoreState>& store, const Key& key) {
  const fs::path environment = environment_path(*store, key.hex());
  auto generations = generations_in(environment);
  // Oldest first: otherwise an older one would be the newest for a moment.
  std::reverse(generations.begin(), generations.end());
  for (const Generation& each : generations) {
    // Under a lock, so that it is still the one that was listed.
    if (const auto lock = lock_ready_directory(each.path)) ::unlinkat(lock->directory(), ready_file, 0);
    if (remove_if_free(*store, each.path)) ++store->counters().swept;
  }
  remove_empty_environment(environment);
}

}  // namespace venvoy::cache::internal
