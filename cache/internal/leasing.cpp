#include "cache/internal/leasing.hpp"

#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "cache/internal/ready_file.hpp"

namespace venvoy::cache::internal {
namespace {

namespace fs = std::filesystem;

// A ready directory is locked exclusively only by somebody who looks whether it is used, or who is about to remove it:
// for a moment. Beyond this time something is wrong with him, and the directory is as good as absent.
constexpr int reader_patience_milliseconds = 2000;

bool has_ready_file(const fs::path& path) {
  return ::access((path / ready_file).c_str(), F_OK) == 0;
}

// What is wrong with it; nothing if it is whole.
std::optional<std::string> find_fault(const DirectoryLock& lock, const std::optional<Ready>& ready,
                                      const std::string& key) {
  if (!ready || ready->key != key) return fmt::format("{} is not readable", ready_file);
  // A lock on a file that was put in the place of the first one does not meet the locks on the first one.
  if (lock.lease_inode() != ready->lease_inode) return fmt::format("'{}' is gone or another file", lease_file);
  if (const auto gap = first_gap(lock.directory(), ready->files)) return fmt::format("'{}' is gone or changed", *gap);
  return std::nullopt;
}

}  // namespace

std::optional<DirectoryLock> lock_ready_directory(const fs::path& path) {
  for (int waited = 0; waited < reader_patience_milliseconds && has_ready_file(path); ++waited) {
    if (auto lock = DirectoryLock::try_lock(path, os::LockMode::shared)) return lock;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return std::nullopt;
}

CheckedOut check_out(const std::shared_ptr<StoreState>& store, const fs::path& path, const std::string& key,
                     unsigned generation, OnDamage on_damage, std::unique_ptr<HeldLease>& lease) {
  auto lock = lock_ready_directory(path);
  if (!lock) return CheckedOut::absent;
  const auto text = read_in(lock->directory(), ready_file);
  if (!text && !has_ready_file(path)) return CheckedOut::absent;
  auto ready = text ? parse_ready(*text) : std::nullopt;
  if (const auto fault = find_fault(*lock, ready, key)) {
    ++store->counters().gaps;
    store->logger().info("'{}' must be made again: {}", path.string(), *fault);
    if (on_damage == OnDamage::mark) ::unlinkat(lock->directory(), ready_file, 0);
    return CheckedOut::damaged;
  }
  lock->touch(store->clock().wall());
  lease.reset(new HeldLease{store, path, key, generation, std::move(*lock), std::move(ready->details)});
  return CheckedOut::leased;
}

}  // namespace venvoy::cache::internal
