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
  return holds_directories(entry.bucket) && ::access((entry.path / internal::ready_file).c_str(), F_OK) == 0;
}

// The first fault that a lease stumbles over; see internal/leasing.cpp.
std::optional<std::string> gap_in(const internal::DirectoryLock& lock, const std::string& key) {
  const auto text = internal::read_in(lock.directory(), internal::ready_file);
  const auto ready = text ? internal::parse_ready(*text) : std::nullopt;
  if (!ready || ready->key != key) return internal::ready_file;
  if (lock.lease_inode() != ready->lease_inode) return internal::lease_file;
  return internal::first_gap(lock.directory(), ready->files);
}

}  // namespace

std::vector<Damage> find_gaps(const std::vector<Entry>& entries, const CancelToken& cancel) {
  std::vector<Damage> result;
  for (const Entry& entry : entries) {
    cancel.check();
    // Of a wheel that was set aside the name is no key.
    if (!was_published(entry) || entry.state == Entry::State::superseded || !Key::from_hex(entry.name)) continue;
    const auto lock = internal::DirectoryLock::try_lock(entry.path, os::LockMode::shared);
    if (!lock) continue;
    if (auto gap = gap_in(*lock, entry.name)) result.push_back({entry, {std::move(*gap)}});
  }
  return result;
}

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
