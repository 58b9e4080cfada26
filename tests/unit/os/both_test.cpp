#include "os/both.hpp"

#include <chrono>
#include <stdexcept>
#include <string>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "support/catch.hpp"

using namespace venvoy;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

struct Both {
  asio::io_context io;
  asio::cancellation_signal cancel;
  std::string order, failure;
  int result = 0;

  asio::awaitable<void> pause(std::chrono::milliseconds length) {
    asio::steady_timer timer(co_await asio::this_coro::executor, length);
    co_await timer.async_wait(asio::use_awaitable);
  }
  asio::awaitable<int> work(std::chrono::milliseconds length, bool fails) {
    co_await pause(length);
    order += "work ";
    if (fails) throw std::runtime_error("the work has failed");
    co_return 7;
  }
  asio::awaitable<void> other(std::chrono::milliseconds length, bool fails) {
    co_await pause(length);
    order += "other ";
    if (fails) throw std::runtime_error("the other has failed");
  }
  void run(asio::awaitable<int> first, asio::awaitable<void> second) {
    asio::co_spawn(io, os::both(std::move(first), std::move(second)),
                   asio::bind_cancellation_slot(cancel.slot(), [this](std::exception_ptr thrown, int value) {
                     order += "end";
                     result = value;
                     try {
                       if (thrown) std::rethrow_exception(thrown);
                     } catch (const std::exception& error) {
                       failure = error.what();
                     }
                   }));
    io.run();
  }
};

}  // namespace

TEST_CASE("two pieces of work go on at the same time, and both are waited for") {
  Both both;
  SECTION("whichever is the first") {
    both.run(both.work(1ms, false), both.other(100ms, false));
    CHECK(both.order == "work other end");
    CHECK(both.result == 7);
  }
  SECTION("and the other way round") {
    both.run(both.work(100ms, false), both.other(1ms, false));
    CHECK(both.order == "other work end");
    CHECK(both.result == 7);
  }
  SECTION("also when one of them fails") {
    both.run(both.work(1ms, true), both.other(100ms, false));
    CHECK(both.order == "work other end");
    CHECK(both.failure == "the work has failed");
  }
  SECTION("and when it is the other") {
    both.run(both.work(100ms, false), both.other(1ms, true));
    CHECK(both.order == "other work end");
    CHECK(both.failure == "the other has failed");
  }
  SECTION("the failure of the work is told when both fail") {
    both.run(both.work(100ms, true), both.other(1ms, true));
    CHECK(both.failure == "the work has failed");
  }
  SECTION("and when the one who waits is cancelled") {
    asio::steady_timer timer(both.io, 20ms);
    timer.async_wait([&](boost::system::error_code) { both.cancel.emit(asio::cancellation_type::terminal); });
    both.run(both.work(10s, false), both.other(200ms, false));
    CHECK(both.order == "other end");
    CHECK_FALSE(both.failure.empty());
  }
}
