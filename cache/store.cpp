#include "cache/store.hpp"

#include <unistd.h>

#include "base/error.hpp"
#include "cache/internal/environments.hpp"
#include "cache/internal/root.hpp"
#include "cache/internal/staged.hpp"
#include "cache/internal/store_state.hpp"

namespace venvoy::cache {

Store Store::open(const StoreOptions& options) {
  const auto workdir = std::filesystem::absolute(options.workdir).lexically_normal();
  const auto root = internal::root_in(workdir, options.uid);
  internal::ensure_root(workdir, root, options.uid);
  try {
    require_usable_file_system(root, options.shared_store, options.file_system);
  } catch (const Error&) {
    ::rmdir(root.c_str());  // leaves nothing behind if it was made for this
    throw;
  }
  return Store(std::make_shared<internal::StoreState>(workdir, options.uid, *options.clock, options.logger));
}

const std::filesystem::path& Store::path() const noexcept {
  return state_->root();
}

std::filesystem::path Store::bucket(Bucket bucket) const {
  return state_->bucket(bucket);
}

std::filesystem::path Store::lock_file(Bucket bucket, std::string_view name) const {
  return state_->lock_file(bucket, name);
}

std::optional<Lease> Store::lease(const Key& key) const {
  auto lease = internal::lease_environment(state_, key);
  ++(lease ? state_->counters().hits : state_->counters().misses);
  return lease;
}

std::variant<Lease, Building> Store::lease_or_build(const Key& key, WhenReady when_ready,
                                                    const CancelToken& cancel) const {
  return internal::lease_or_build(state_, key, when_ready, cancel);
}

std::optional<std::variant<Lease, Building>> Store::try_lease_or_build(const Key& key, WhenReady when_ready,
                                                                       int attempt, const CancelToken& cancel) const {
  return internal::try_lease_or_build(state_, key, when_ready, attempt, cancel);
}

void Store::retire(const Key& key) const {
  internal::retire_environment(state_, key);
}

std::optional<Lease> Store::lease_wheel(const Key& key) const {
  return lease_staged(Bucket::wheel, key);
}

Staging Store::stage_wheel(const Key& key, const CancelToken& cancel) const {
  return internal::stage(state_, Bucket::wheel, key, cancel);
}

std::optional<Lease> Store::lease_tool(const Key& key) const {
  return lease_staged(Bucket::tool, key);
}

Staging Store::stage_tool(const Key& key, const CancelToken& cancel) const {
  return internal::stage(state_, Bucket::tool, key, cancel);
}

std::optional<Lease> Store::lease_staged(Bucket bucket, const Key& key) const {
  auto lease = internal::lease_staged(state_, bucket, key);
  ++(lease ? state_->counters().hits : state_->counters().misses);
  return lease;
}

WorkDir Store::make_work_dir() const {
  return WorkDir(state_);
}

Statistics Store::statistics() const {
  return state_->counters().read();
}

}  // namespace venvoy::cache
