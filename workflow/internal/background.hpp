// Work that goes on beside the coroutine that has started it.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>

namespace venvoy::workflow::internal {

// Starts a coroutine on the loop and keeps its result. Whoever owns this object waits for done() before anything that
// the work refers to goes away; on_done is not called after the object is gone.
template <class T>
class Background {
 public:
  Background(const boost::asio::any_io_executor& executor, boost::asio::awaitable<T> work,
             std::function<void()> on_done)
      : state_(std::make_shared<State>()) {
    state_->on_done = std::move(on_done);
    auto finish = [state = state_](std::exception_ptr error, T value) {
      state->error = error;
      if (!error) state->value.emplace(std::move(value));
      state->done = true;
      if (state->on_done) state->on_done();
    };
    boost::asio::co_spawn(executor, std::move(work),
                          boost::asio::bind_cancellation_slot(state_->cancel.slot(), std::move(finish)));
  }
  ~Background() { state_->on_done = nullptr; }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  bool done() const noexcept { return state_->done; }
  // Asks the work to stop where it waits; it still has to come to its end.
  void cancel() { state_->cancel.emit(boost::asio::cancellation_type::terminal); }
  // The result, once; throws what the work threw.
  T take() {
    if (state_->error) std::rethrow_exception(state_->error);
    return std::move(*state_->value);
  }

 private:
  struct State {
    boost::asio::cancellation_signal cancel;
    std::function<void()> on_done;
    std::exception_ptr error;
    std::optional<T> value;
    bool done = false;
  };
  std::shared_ptr<State> state_;
};

}  // namespace venvoy::workflow::internal
