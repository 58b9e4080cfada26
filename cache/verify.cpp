// Reading the store again, byte for byte.
#include <unistd.h>

#include "cache/collect.hpp"
#include "cache/internal/directory_lock.hpp"
#include "cache/internal/ready_file.hpp"
#include "cache/internal/store_state.hpp"

namespace venvoy::cache {
namespace {

// Judged by the file alone: one that cannot be read is damage too.
bool was_published(const Entry& entry) {
  return (entry.bucket == Bucket::env || entry.bucket == Bucket::wheel) &&
         ::access((entry.path / internal::ready_file).c_str(), F_OK) == 0;
}

}  // namespace

std::vector<Damage> verify(const Store& store, OnDamageFound on_damage, const CancelToken& cancel) {
  std::vector<Damage> result;
  for (Entry& entry : list(store)) {
    cancel.check();
    if (!was_published(entry)) continue;
    // Held while we read, so that nobody removes it; gone already is no damage.
    const auto lock = internal::DirectoryLock::try_lock(entry.path, os::LockMode::shared);
    if (!lock) continue;
    auto paths = internal::damaged_paths(entry.path, lock->directory(), cancel);
    if (paths.empty()) continue;
    if (on_damage == OnDamageFound::retire) ::unlinkat(lock->directory(), internal::ready_file, 0);
    result.push_back({std::move(entry), std::move(paths)});
  }
  return result;
}

}  // namespace venvoy::cache
