// The directory that all engines of a user on a machine share (design D4). It holds only what can be made again.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <variant>

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "cache/bucket.hpp"
#include "cache/file_system.hpp"
#include "cache/key.hpp"
#include "cache/lease.hpp"
#include "cache/statistics.hpp"
#include "cache/work_dir.hpp"

namespace venvoy::cache {

struct StoreOptions {
  std::filesystem::path workdir;         // must exist
  uid_t uid = 0;                         // the user whose store it is
  bool shared_store = false;             // network file systems with working locks are welcome
  Logger logger = {};                    // why something is built anew or could not be removed
  const Clock* clock = &system_clock();  // must outlive everything that comes from the store
  FileSystemProbe file_system = {};      // tests give their own
};

enum class WhenReady {
  use,      // take what is there
  rebuild,  // build a new generation beside it, in any case: policy Always. Who wants this once asks for it once
};

// A handle: copies are the same open store. Every function may be called from any thread. All block; none takes longer
// than a few system calls unless it says so. All may throw an Error (io) when the file system refuses.
class Store {
 public:
  // Makes or opens `<workdir>/venvoy-<uid>/`. Throws an Error (environment) with a hint when the directory cannot be
  // made, is not that user's alone, or is on a file system where locks do not hold.
  static Store open(const StoreOptions& options);

  const std::filesystem::path& path() const noexcept;
  // The folder of a bucket; it exists.
  std::filesystem::path bucket(Bucket bucket) const;
  // The lock of an entry, for os::FileLock. Whoever works in a mirror of the bucket git holds it under the mirror's
  // file name, shared or exclusive, and touches that file to note the use; environments, wheels and tools take
  // theirs themselves.
  std::filesystem::path lock_file(Bucket bucket, std::string_view name) const;

  // Records: small files in the buckets refs, verdict, python and schema, replaced in one step. A name has letters,
  // digits, '.', '_' and '-' and does not start with '.'. One that is empty or cannot be read is absent.
  std::optional<std::string> read_record(Bucket bucket, std::string_view name) const;
  void write_record(Bucket bucket, std::string_view name, std::string_view contents) const;
  void remove_record(Bucket bucket, std::string_view name) const;

  // The newest generation of an environment that is ready and has lost nothing. Never waits for a builder.
  std::optional<Lease> lease(const Key& key) const;
  // That, or the right to build it: then nobody else is building it and nobody has built it while we waited. Waits for
  // other builders, as long as they take. Throws an Error (cancelled).
  std::variant<Lease, Building> lease_or_build(const Key& key, WhenReady when_ready, const CancelToken& cancel) const;
  // The same without waiting: nothing if somebody else is building. For callers whose threads must not be spent on
  // waiting; they ask again. Counts a wait or a miss only if `attempt` is 0. `cancel` is that of the building.
  std::optional<std::variant<Lease, Building>> try_lease_or_build(const Key& key, WhenReady when_ready, int attempt,
                                                                  const CancelToken& cancel) const;

  // Makes an environment absent: nobody leases it any more, and it is removed now or when its last user leaves.
  void retire(const Key& key) const;

  // Wheels: directories that are staged and renamed.
  std::optional<Lease> lease_wheel(const Key& key) const;
  Staging stage_wheel(const Key& key, const CancelToken& cancel) const;
  // What builders need and no plugin sees: the same.
  std::optional<Lease> lease_tool(const Key& key) const;
  Staging stage_tool(const Key& key, const CancelToken& cancel) const;

  // The first one sweeps what killed engines have left.
  WorkDir make_work_dir() const;

  Statistics statistics() const;

  // For the collector; nobody else can see the type.
  internal::StoreState& state() const noexcept { return *state_; }

 private:
  explicit Store(std::shared_ptr<internal::StoreState> state) : state_(std::move(state)) {}
  std::optional<Lease> lease_staged(Bucket bucket, const Key& key) const;

  std::shared_ptr<internal::StoreState> state_;
};

}  // namespace venvoy::cache
