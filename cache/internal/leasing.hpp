// Taking and giving back a lease; the same for environments, wheels and tools.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "cache/internal/directory_lock.hpp"
#include "cache/internal/store_state.hpp"
#include "cache/lease.hpp"

namespace venvoy::cache::internal {

struct HeldLease {
  std::shared_ptr<StoreState> store;
  std::filesystem::path path;
  std::string key;
  unsigned generation = 0;
  DirectoryLock lock;
  nlohmann::json details;
};

// The shared lock of a directory that is ready. Nothing if it is not, or if somebody keeps it to himself for longer
// than anybody should.
std::optional<DirectoryLock> lock_ready_directory(const std::filesystem::path& path);

enum class CheckedOut {
  leased,
  absent,   // not there, not ready, or busy for so long that it must be taken for that
  damaged,  // ready.json is there but the directory is not as it says
};
enum class OnDamage {
  mark,  // unlink ready.json, under the lock, so that everybody sees that it must be made again
  leave,
};

// Locks the directory, shared, and checks it. `lease` is set for `leased`.
CheckedOut check_out(const std::shared_ptr<StoreState>& store, const std::filesystem::path& path,
                     const std::string& key, unsigned generation, OnDamage on_damage,
                     std::unique_ptr<HeldLease>& lease);

}  // namespace venvoy::cache::internal
