// What a Building and a Staging hold.
#pragma once

#include <filesystem>
#include <memory>

#include "base/cancel.hpp"
#include "cache/internal/directory_lock.hpp"
#include "cache/internal/leasing.hpp"
#include "cache/internal/store_state.hpp"
#include "cache/key.hpp"
#include "os/file_lock.hpp"
#include "os/staging_dir.hpp"

namespace venvoy::cache::internal {

struct HeldBuilding {
  std::shared_ptr<StoreState> store;
  Key key;
  std::filesystem::path path;
  unsigned generation;
  os::FileLock builder_lock;
  DirectoryLock lock;
  CancelToken cancel;
};

struct HeldStaging {
  HeldStaging(std::shared_ptr<StoreState> its_store, Bucket its_bucket, Key its_key, CancelToken its_cancel);

  std::shared_ptr<StoreState> store;
  Bucket bucket;
  Key key;
  CancelToken cancel;
  os::StagingDir staging;
  DirectoryLock lock;
};

// Writes hashes.json and gives back the text of ready.json for a directory that is filled. Blocks. Throws as
// Building::publish.
std::string write_hashes(StoreState& store, const std::filesystem::path& path, const Key& key, const Manifest& manifest,
                         const DirectoryLock& lock, const CancelToken& cancel);

// Writes a file that something else will flush to disk.
void write_file(const std::filesystem::path& path, std::string_view contents);

}  // namespace venvoy::cache::internal
