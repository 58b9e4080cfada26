// Wheels are staged in the engine's own work directory, so what a killed engine leaves is swept with it, and renamed to
// wheel-v1/<key> under lock-v1/wheel-<key>. Nobody but the holder of that lock takes a name in wheel-v1 away, so a
// damaged directory is set aside once, and never the good one that has taken its place.
#include "cache/internal/wheels.hpp"

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

fs::path wheel_path(const StoreState& store, const std::string& key) {
  return store.bucket(Bucket::wheel) / key;
}

DirectoryLock lock_staging(const os::StagingDir& staging) {
  if (auto lock = DirectoryLock::adopt(staging.path())) return std::move(*lock);
  throw Error(ErrorCode::environment, fmt::format("'{}' was removed", staging.path().string()));
}

// Somebody may be using it, so it is not simply removed.
void set_aside(StoreState& store, const fs::path& wheel) {
  const fs::path aside = wheel.parent_path() / (retired_prefix + os::random_name());
  ::rename(wheel.c_str(), aside.c_str());
  for (const fs::path& path : entries_of(wheel.parent_path()))
    if (path.filename().string().starts_with(retired_prefix) && remove_if_free(store, path)) ++store.counters().swept;
}

}  // namespace

HeldStaging::HeldStaging(std::shared_ptr<StoreState> its_store, Key its_key, CancelToken its_cancel)
    : store(std::move(its_store)),
      key(std::move(its_key)),
      cancel(std::move(its_cancel)),
      staging(store->engine_directory()),
      lock(lock_staging(staging)) {}

std::optional<Lease> lease_wheel(const std::shared_ptr<StoreState>& store, const Key& key) {
  std::unique_ptr<HeldLease> lease;
  check_out(store, wheel_path(*store, key.hex()), key.hex(), 0, OnDamage::leave, lease);
  if (!lease) return std::nullopt;
  return Lease(std::move(lease));
}

Staging stage_wheel(const std::shared_ptr<StoreState>& store, const Key& key, const CancelToken& cancel) {
  return Staging(std::make_unique<HeldStaging>(store, key, cancel));
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
      os::FileLock::wait(store->lock_file(Bucket::wheel, held->key.hex()), os::LockMode::exclusive, held->cancel);
  if (auto lease = internal::lease_wheel(store, held->key)) return std::move(*lease);
  const auto target = internal::wheel_path(*store, held->key.hex());
  internal::set_aside(*store, target);
  if (held->staging.publish(target) == os::StagingDir::Published::by_another)
    throw Error(ErrorCode::environment, fmt::format("'{}' is in the way", target.string()));
  ++store->counters().builds;
  return Lease(std::unique_ptr<internal::HeldLease>(
      new internal::HeldLease{store, target, held->key.hex(), 0, std::move(held->lock), manifest.details}));
}

}  // namespace venvoy::cache
