#include "os/event_waits.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace venvoy::os {

namespace asio = boost::asio;

asio::awaitable<void> wait_for_event(Event& event) {
  while (!event.fired()) {
    boost::system::error_code ignored;
    auto token = asio::redirect_error(asio::use_awaitable, ignored);
    co_await event.wait(token);
  }
}

asio::awaitable<void> wait_for_event(Event& event, std::chrono::milliseconds limit) {
  using namespace asio::experimental::awaitable_operators;
  if (event.fired()) co_return;
  auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, limit);
  boost::system::error_code ended;
  boost::system::error_code timed_out;
  auto ended_token = asio::redirect_error(asio::use_awaitable, ended);
  auto timer_token = asio::redirect_error(asio::use_awaitable, timed_out);
  co_await (event.wait(ended_token) || timer.async_wait(timer_token));
}

}  // namespace venvoy::os
