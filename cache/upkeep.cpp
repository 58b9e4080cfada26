#include "cache/upkeep.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "cache/internal/listing.hpp"
#include "cache/internal/store_state.hpp"
#include "os/file_lock.hpp"
#include "os/files.hpp"

namespace venvoy::cache {
namespace {

namespace fs = std::filesystem;

// Its time is that of the last upkeep.
fs::path mark_of(const Store& store) {
  return store.path() / "pruned";
}

void set_mark(const Store& store) {
  const WallTime now = store.state().clock().wall();
  const fs::path mark = mark_of(store);
  os::write_file_atomically(mark, rfc3339_utc(now) + "\n");
  const std::int64_t seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  const timespec both[2] = {{seconds, 0}, {seconds, 0}};
  ::utimensat(AT_FDCWD, mark.c_str(), both, 0);
}

bool is_due(const Store& store) {
  const fs::path mark = mark_of(store);
  const WallTime last = internal::time_of_change(mark);
  if (last == WallTime()) {
    set_mark(store);
    return false;
  }
  const WallTime now = store.state().clock().wall();
  // A time to come is that of a clock that was wrong.
  return now - last >= upkeep_interval || last - now >= upkeep_interval;
}

std::string counted(std::size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string text_of(const PruneReport& report) {
  std::size_t environments = 0, wheels = 0, tools = 0, mirrors = 0, others = 0;
  for (const Entry& entry : report.removed)
    ++(entry.bucket == Bucket::env     ? environments
       : entry.bucket == Bucket::wheel ? wheels
       : entry.bucket == Bucket::tool  ? tools
       : entry.bucket == Bucket::git   ? mirrors
                                       : others);
  std::vector<std::string> parts;
  if (environments > 0) parts.push_back(counted(environments, "environment", "environments"));
  if (wheels > 0) parts.push_back(counted(wheels, "wheel", "wheels"));
  if (tools > 0) parts.push_back(counted(tools, "tool", "tools"));
  if (mirrors > 0) parts.push_back(counted(mirrors, "mirror", "mirrors"));
  if (others > 0) parts.push_back(counted(others, "small file", "small files"));
  return fmt::format("{}, {:.1f} MB", fmt::join(parts, ", "), static_cast<double>(report.bytes_freed) / 1e6);
}

void do_upkeep(const Store& store, PruneOptions options, const CancelToken& cancel) {
  if (!is_due(store)) return;
  const auto lock = os::FileLock::try_lock(store.lock_file(Bucket::work, "upkeep"), os::LockMode::exclusive);
  if (!lock || !is_due(store)) return;
  options.dry_run = true;
  const PruneReport plan = prune(store, options, CancelToken());
  PruneReport done;
  for (const Entry& entry : plan.removed) {
    if (remove(store, entry)) {
      store.state().logger().debug("removed '{}'", entry.path.string());
      done.bytes_freed += entry.bytes;
      done.removed.push_back(entry);
    }
    // Each engine removes something, however short its life is.
    if (cancel.cancelled()) break;
  }
  if (!done.removed.empty())
    store.state().logger().info("made room in the store, as cacheMaxAge and cacheMaxSize say: removed {}",
                                text_of(done));
  if (!cancel.cancelled()) set_mark(store);
}

}  // namespace

void keep_up(const Store& store, const PruneOptions& options, const CancelToken& cancel) noexcept {
  try {
    do_upkeep(store, options, cancel);
  } catch (const std::exception& error) {
    store.state().logger().debug("the store was not pruned: {}", error.what());
  }
}

}  // namespace venvoy::cache
