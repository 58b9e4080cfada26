#include "cache/lease.hpp"

#include <algorithm>

#include "cache/internal/environments.hpp"
#include "cache/internal/leasing.hpp"

namespace venvoy::cache {
namespace {

// The last one to leave a generation that nobody needs any more removes it.
void leave_generation(internal::StoreState& store, const std::filesystem::path& path, unsigned number) noexcept {
  const auto generations = internal::generations_in(path.parent_path());
  const auto ours = std::find_if(generations.begin(), generations.end(),
                                 [number](const internal::Generation& each) { return each.number == number; });
  if (ours == generations.end() || (ours->ready && !internal::is_superseded(generations, number))) return;
  if (!internal::remove_if_free(store, path)) return;
  ++store.counters().swept;
  internal::remove_empty_environment(path.parent_path());
}

}  // namespace

Lease::Lease(std::unique_ptr<internal::HeldLease> held) noexcept : held_(std::move(held)) {}
Lease::Lease(Lease&&) noexcept = default;

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  release();
  held_ = std::move(other.held_);
  return *this;
}

Lease::~Lease() {
  release();
}

const std::filesystem::path& Lease::path() const noexcept {
  return held_->path;
}
const std::string& Lease::key() const noexcept {
  return held_->key;
}
unsigned Lease::generation() const noexcept {
  return held_->generation;
}
const nlohmann::json& Lease::details() const noexcept {
  return held_->details;
}

void Lease::release() noexcept {
  if (!held_) return;
  held_->lock.touch(held_->store->clock().wall());
  held_->lock.release();
  if (held_->generation > 0) leave_generation(*held_->store, held_->path, held_->generation);
  held_.reset();
}

}  // namespace venvoy::cache
