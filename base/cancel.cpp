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
  // Ours may be the last share: the lock must not go with it before it is open.
  const std::shared_ptr<State> state = std::move(state_);
  if (!state) return;
  // After a cancel the callbacks run with the lock held (see cancel), so none of them is running when we get here.
  std::lock_guard lock(state->mutex);
  state->callbacks.erase(place_);
}

void CancelSource::cancel() {
  // A callback may destroy this.
  const std::shared_ptr<CancelToken::State> state = state_;
  std::lock_guard lock(state->mutex);
  if (state->cancelled.exchange(true, std::memory_order_acq_rel)) return;
  for (const auto& callback : state->callbacks) callback();
}

}  // namespace venvoy
