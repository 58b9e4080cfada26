// A place for one plugin process to work in.
#pragma once

#include <filesystem>
#include <memory>
#include <utility>

namespace venvoy::cache {

namespace internal {
class StoreState;
}

// `work-v1/<engine>/<number>/`, mode 0700; removed with everything in it by the destructor. Making one is one mkdir(2),
// or one rename(2) of one that was left empty and has been kept aside. `work-v1/<engine>/` is locked for as long as the
// engine lives; when it was killed, a later engine finds the lock free and removes the whole directory.
class WorkDir {
 public:
  WorkDir(WorkDir&& other) noexcept = default;
  WorkDir& operator=(WorkDir&& other) noexcept;
  ~WorkDir() { remove(); }

  const std::filesystem::path& path() const noexcept { return path_; }
  // Before the destructor does it. Blocks while it removes; never fails: what a process that still runs keeps alive is
  // swept later.
  void remove() noexcept;

 private:
  friend class Store;
  explicit WorkDir(std::shared_ptr<internal::StoreState> store);

  std::shared_ptr<internal::StoreState> store_;
  std::filesystem::path path_;
};

}  // namespace venvoy::cache
