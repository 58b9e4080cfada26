#include "base/cancel.hpp"

namespace venvoy {

CancelToken::Registration CancelToken::on_cancel(std::function<void()> on_cancel) const {
  Registration registration;
  if (!state_) return registration;
  std::unique_lock lock(state_->mutex);
  if (state_->cancelled.load(std::memory_order_acquire)) {
    lock.unlock();
    on_cancel();
    return registration;
  }
  registration.place_ = state_->callbacks.insert(state_->callbacks.end(), std::move(on_cancel));
  registration.state_ = state_;
  return registration;
}

CancelToken::Registration& CancelToken::Registration::operator=(Registration&& other) noexcept {
  if (this == &other) return *this;
  release();
  state_ = std::move(other.state_);
  place_ = other.place_;
  return *this;
}

void CancelToken::Registration::release() noexcept {
  if (!state_) return;
  // After a cancel the callbacks run with the lock held (see cancel), so none of them is running when we get here.
  std::lock_guard lock(state_->mutex);
  state_->callbacks.erase(place_);
  state_.reset();
}

void CancelSource::cancel() {
  std::lock_guard lock(state_->mutex);
  if (state_->cancelled.exchange(true, std::memory_order_acq_rel)) return;
  for (const auto& callback : state_->callbacks) callback();
}

}  // namespace venvoy
