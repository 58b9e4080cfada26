// Stores, keys and directories for tests.
#pragma once

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <stdlib.h>
#include <string>
#include <unistd.h>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "cache/manifest.hpp"
#include "cache/store.hpp"
#include "os/files.hpp"
#include "support/temporary_dir.hpp"

namespace venvoy::test {

namespace fs = std::filesystem;

// Time stands still unless it is moved.
class ManualClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point monotonic() const override { return {}; }
  WallTime wall() const override { return now_; }
  void advance(std::chrono::microseconds by) { now_ += by; }

 private:
  WallTime now_ = WallTime(std::chrono::hours(24 * 365 * 50));
};

// The same key as the helper's of that name.
inline cache::Key key(const std::string& name) {
  return cache::KeyBuilder{}.add("name", name).finish();
}

inline void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

inline std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A few files, a link and a folder.
inline void fill(const fs::path& path) {
  write(path / "bin/tool", "#!/bin/sh\n");
  write(path / "lib/package/module.py", "print('hello')\n");
  write(path / "lib/package/data", std::string(5000, 'd'));
  fs::create_symlink("tool", path / "bin/link");
}

// For loops of many builds, which on a busy disk would wait for everybody's data: in memory where there is a file
// system for that.
class FastDir {
 public:
  FastDir() {
    const fs::path memory = "/dev/shm";
    const fs::path parent = ::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path();
    std::string pattern = parent / "venvoy-test-XXXXXX";
    if (!mkdtemp(pattern.data())) throw std::runtime_error("cannot make " + pattern);
    path_ = pattern;
  }
  ~FastDir() { os::remove_tree(path_); }
  FastDir(const FastDir&) = delete;
  FastDir& operator=(const FastDir&) = delete;
  const fs::path& path() const noexcept { return path_; }

 private:
  fs::path path_;
};

template <class Directory>
struct BasicTestStore {
  Directory directory;
  ManualClock clock;
  cache::Store store = open();

  cache::Store open() const {
    return cache::Store::open({.workdir = directory.path(), .uid = geteuid(), .clock = &clock});
  }

  cache::Lease build(const std::string& name, cache::WhenReady when_ready = cache::WhenReady::rebuild) const {
    auto result = store.lease_or_build(key(name), when_ready, {});
    cache::Building building = std::move(std::get<cache::Building>(result));
    fill(building.path());
    return building.publish({.details = {{"made for", name}}});
  }

  cache::Lease build_wheel(const std::string& name) const {
    cache::Staging staging = store.stage_wheel(key(name), {});
    write(staging.path() / "thing-1.0.whl", "wheel of " + name);
    return staging.publish({.details = {{"made for", name}}});
  }

  fs::path environment(const std::string& name) const {
    return store.path() / "env-v1" / key(name).hex().substr(0, 2) / key(name).hex();
  }

  // Whether lease_or_build would build; what was begun is discarded.
  bool would_build(const std::string& name) const {
    return std::holds_alternative<cache::Building>(store.lease_or_build(key(name), cache::WhenReady::use, {}));
  }
};
using TestStore = BasicTestStore<TemporaryDir>;
using FastTestStore = BasicTestStore<FastDir>;

}  // namespace venvoy::test
