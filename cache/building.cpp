#include "cache/internal/building.hpp"

#include <cerrno>
#include <fstream>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "cache/internal/environments.hpp"
#include "cache/internal/ready_file.hpp"
#include "cache/lease.hpp"
#include "cache/manifest.hpp"
#include "os/files.hpp"

namespace venvoy::cache {
namespace internal {

namespace fs = std::filesystem;

void write_file(const fs::path& path, std::string_view contents) {
  std::ofstream file(path, std::ios::binary);
  file.write(contents.data(), static_cast<std::streamsize>(contents.size()));
  file.close();
  if (!file) throw system_error(errno, fmt::format("cannot write '{}'", path.string()));
}

std::string write_hashes(StoreState& store, const fs::path& path, const Key& key, const Manifest& manifest,
                         const DirectoryLock& lock, const CancelToken& cancel) {
  ReadyTexts texts = describe_directory(path, key, manifest.details, store.clock().wall(), lock.lease_inode(), cancel);
  write_file(path / hashes_file, texts.hashes);
  return std::move(texts.ready);
}

namespace {

// A power cut must not leave a ready.json whose files are empty. One call for the whole file system: for an environment
// of 2,000 files it takes about 50 ms where fsync(2) of each takes 4 s, and it flushes the directories too. The price
// is that it also waits for what others have just written there.
void flush_file_system(const DirectoryLock& lock, const fs::path& path) {
  if (::syncfs(lock.directory()) != 0) throw system_error(errno, fmt::format("cannot flush '{}'", path.string()));
}

void require_in_place(const HeldBuilding& building) {
  if (building.lock.is_at(building.path)) return;
  throw Error(ErrorCode::environment,
              fmt::format("'{}' was removed while the environment was being built there", building.path.string()))
      .with_hint(
          "run it again; if something cleans that directory, choose another with `workdir` in the configuration");
}

void discard(HeldBuilding& building) noexcept {
  // It is there if the very last flush failed.
  ::unlinkat(building.lock.directory(), ready_file, 0);
  building.lock.release();
  remove_if_free(*building.store, building.path);
  remove_empty_environment(building.path.parent_path());
}

}  // namespace
}  // namespace internal

Building::Building(std::unique_ptr<internal::HeldBuilding> held) noexcept : held_(std::move(held)) {}
Building::Building(Building&&) noexcept = default;

Building& Building::operator=(Building&& other) noexcept {
  if (this == &other) return *this;
  if (held_) internal::discard(*held_);
  held_ = std::move(other.held_);
  return *this;
}

Building::~Building() {
  if (held_) internal::discard(*held_);
}

const std::filesystem::path& Building::path() const noexcept {
  return held_->path;
}
unsigned Building::generation() const noexcept {
  return held_->generation;
}

Lease Building::publish(const Manifest& manifest) {
  internal::HeldBuilding& building = *held_;
  const std::string ready =
      internal::write_hashes(*building.store, building.path, building.key, manifest, building.lock, building.cancel);
  internal::flush_file_system(building.lock, building.path);
  internal::require_in_place(building);
  // Before it can be seen: from its first moment on it is ours to use, and nobody's to remove.
  building.lock.touch(building.store->clock().wall());
  building.lock.share();
  os::write_file_atomically(building.path / internal::ready_file, ready);
  ++building.store->counters().builds;
  Lease lease(std::unique_ptr<internal::HeldLease>(
      new internal::HeldLease{building.store, building.path, building.key.hex(), building.generation,
                              std::move(building.lock), manifest.details}));
  const auto published = std::move(held_);
  { const os::FileLock next_builder_may_come = std::move(published->builder_lock); }
  internal::sweep_generations(*published->store, published->path.parent_path(), published->generation);
  return lease;
}

}  // namespace venvoy::cache
