// Wheels and tools are staged in the engine's own work directory, so what a killed engine leaves is swept with it, and
// renamed to wheel-v1/<key> under lock-v1/wheel-<key>. Nobody but the holder of that lock takes a name in wheel-v1
// away, so a damaged directory is set aside once, and never the good one that has taken its place. Of tools the same.
#include "cache/internal/staged.hpp"

#include <stdio.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "cache/internal/building.hpp"
#include "cache/internal/leasing.hpp"
#include "cache/internal/listing.hpp"
#include "cache/internal/ready_file.hpp"
#include "cache/manifest.hpp"
#include "os/files.hpp"

namespace venvoy::cache {
namespace internal {
namespace {

namespace fs = std::filesystem;

fs::path path_of(const StoreState& store, Bucket bucket, const std::string& key) {
  return store.bucket(bucket) / key;
}

DirectoryLock lock_staging(const os::StagingDir& staging) {
  if (auto lock = DirectoryLock::adopt(staging.path())) return std::move(*lock);
  throw Error(ErrorCode::environment, fmt::format("'{}' was removed", staging.path().string()));
}

// Somebody may be using it, so it is not simply removed.
void set_aside(StoreState& store, const fs::path& damaged) {
  const fs::path aside = damaged.parent_path() / (retired_prefix + os::random_name());
  ::rename(damaged.c_str(), aside.c_str());
  for (const fs::path& path : entries_of(damaged.parent_path()))
    if (path.filename().string().starts_with(retired_prefix) && remove_if_free(store, path)) ++store.counters().swept;
}

}  // namespace

HeldStaging::HeldStaging(std::shared_ptr<StoreState> its_store, Bucket its_bucket, Key its_key, CancelToken its_cancel)
    : store(std::move(its_store)),
      bucket(its_bucket),
      key(std::move(its_key)),
      cancel(std::move(its_cancel)),
      staging(store->engine_directory()),
      lock(lock_staging(staging)) {}

std::optional<Lease> lease_staged(const std::shared_ptr<StoreState>& store, Bucket bucket, const Key& key) {
  std::unique_ptr<HeldLease> lease;
  check_out(store, path_of(*store, bucket, key.hex()), key.hex(), 0, OnDamage::leave, lease);
  if (!lease) return std::nullopt;
  return Lease(std::move(lease));
}

Staging stage(const std::shared_ptr<StoreState>& store, Bucket bucket, const Key& key, const CancelToken& cancel) {
  return Staging(std::make_unique<HeldStaging>(store, bucket, key, cancel));
}

}  // namespace internal

Staging::Staging(std::unique_ptr<internal::HeldStaging> held) noexcept : held_(std::move(held)) {}
Staging::Staging(Staging&&) noexcept = default;
Staging& Staging::operator=(Staging&&) noexcept = default;
Staging::~Staging() = default;

const std::filesystem::path& Staging::path() const noexcept {
  return held_->staging.path();
}

Lease Staging::publish(const Manifest& manifest) {
  const auto held = std::move(held_);  // discards on every way out but the last
  const std::shared_ptr<internal::StoreState>& store = held->store;
  const std::string ready =
      internal::write_hashes(*store, held->staging.path(), held->key, manifest, held->lock, held->cancel);
  internal::write_file(held->staging.path() / internal::ready_file, ready);
  held->lock.touch(store->clock().wall());
  held->lock.share();
  const auto name_lock =
      os::FileLock::wait(store->lock_file(held->bucket, held->key.hex()), os::LockMode::exclusive, held->cancel);
  if (auto lease = internal::lease_staged(store, held->bucket, held->key)) return std::move(*lease);
  const auto target = internal::path_of(*store, held->bucket, held->key.hex());
  internal::set_aside(*store, target);
  if (held->staging.publish(target) == os::StagingDir::Published::by_another)
    throw Error(ErrorCode::environment, fmt::format("'{}' is in the way", target.string()));
  ++store->counters().builds;
  return Lease(std::unique_ptr<internal::HeldLease>(
      new internal::HeldLease{store, target, held->key.hex(), 0, std::move(held->lock), manifest.details}));
}

}  // namespace venvoy::cache
