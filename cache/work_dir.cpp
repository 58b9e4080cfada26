#include "cache/work_dir.hpp"

#include "base/error.hpp"
#include "cache/internal/store_state.hpp"
#include "os/files.hpp"

namespace venvoy::cache {

WorkDir::WorkDir(std::shared_ptr<internal::StoreState> store) : store_(std::move(store)) {
  path_ = store_->new_work_path();
  if (!store_->reuse_as(path_)) os::make_directory(path_, 0700);
}

WorkDir& WorkDir::operator=(WorkDir&& other) noexcept {
  if (this == &other) return *this;
  remove();
  store_ = std::move(other.store_);
  path_ = std::move(other.path_);
  return *this;
}

void WorkDir::remove() noexcept {
  if (!store_) return;
  try {
    if (!store_->keep_for_reuse(path_)) os::remove_tree(path_);
  } catch (const std::exception& error) {
    store_->logger().debug("'{}' stays until the next sweep: {}", path_.string(), error.what());
  }
  store_.reset();
}

}  // namespace venvoy::cache
