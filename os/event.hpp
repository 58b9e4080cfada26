// Something that happens once, and that coroutines wait for.
#pragma once

#include <chrono>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace venvoy::os {

// Used on one executor only. Waiting is `co_await event.wait(token)`; it completes at once when the event has fired,
// and with operation_aborted both when it fires and when the waiter is cancelled: ask fired() afterwards.
class Event {
 public:
  explicit Event(const boost::asio::any_io_executor& executor)
      : timer_(executor, boost::asio::steady_timer::time_point::max()) {}

  bool fired() const noexcept { return fired_; }

  // Wakes everybody. Firing again does nothing.
  void fire() {
    if (fired_) return;
    fired_ = true;
    timer_.expires_at(boost::asio::steady_timer::time_point::min());
  }

  // Completes with an error_code that says nothing; see above.
  template <class Token>
  auto wait(Token&& token) {
    return timer_.async_wait(std::forward<Token>(token));
  }

 private:
  boost::asio::steady_timer timer_;
  bool fired_ = false;
};

}  // namespace venvoy::os
