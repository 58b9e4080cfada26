// Waiting until something has changed.
#pragma once

#include <chrono>
#include <optional>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace venvoy::workflow::internal {

// One coroutine waits at a time, on the loop's thread, in a loop around a condition of its own: `while (!condition)
// co_await change.wait();`. Nothing is lost between the question and the wait, since both happen on one thread.
class Change {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit Change(const boost::asio::any_io_executor& executor) : timer_(executor) {}

  void notify() { timer_.cancel(); }

  // Returns after a notify, at `until` at the latest, and when the coroutine is cancelled.
  boost::asio::awaitable<void> wait(std::optional<TimePoint> until = std::nullopt) {
    timer_.expires_at(until.value_or(TimePoint::max()));
    boost::system::error_code woken;
    auto token = boost::asio::redirect_error(boost::asio::use_awaitable, woken);
    co_await timer_.async_wait(token);
  }

 private:
  boost::asio::steady_timer timer_;
};

}  // namespace venvoy::workflow::internal
