// Asking work to stop, from any thread.
#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <mutex>

#include "base/error.hpp"

namespace venvoy {

// What a CancelSource hands to the work. Copies share the state; a default-made token is never cancelled.
class CancelToken {
 public:
  CancelToken() = default;

  bool cancelled() const noexcept { return state_ && state_->cancelled.load(std::memory_order_acquire); }

  // Throws an Error with code cancelled if the source has been asked to cancel.
  void check() const {
    if (cancelled()) throw Error(ErrorCode::cancelled, "cancelled");
  }

  // Keeps a callback registered as long as it lives.
  class Registration;
  // Calls `on_cancel` once, on the thread that cancels, or at once if that has happened. The callback must not throw
  // and must not destroy its own registration.
  [[nodiscard]] Registration on_cancel(std::function<void()> on_cancel) const;

 private:
  friend class CancelSource;
  struct State {
    std::atomic<bool> cancelled = false;
    std::mutex mutex;
    std::list<std::function<void()>> callbacks;
  };
  explicit CancelToken(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

class CancelToken::Registration {
 public:
  Registration() = default;
  Registration(Registration&& other) noexcept { *this = std::move(other); }
  Registration& operator=(Registration&& other) noexcept;
  ~Registration() { release(); }

 private:
  friend class CancelToken;
  void release() noexcept;
  std::shared_ptr<State> state_;
  std::list<std::function<void()>>::iterator place_;
};

// Owned by whoever may cancel.
class CancelSource {
 public:
  CancelSource() : state_(std::make_shared<CancelToken::State>()) {}
  CancelToken token() const { return CancelToken(state_); }
  bool cancelled() const noexcept { return state_->cancelled.load(std::memory_order_acquire); }
  // Safe to call more than once and from any thread, but not from a signal handler.
  void cancel();

 private:
  std::shared_ptr<CancelToken::State> state_;
};

}  // namespace venvoy
