// An event loop with keeper and pool, for coroutines under test.
#pragma once

#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "os/keeper.hpp"

namespace venvoy::source::test {

struct Loop {
  boost::asio::io_context io;
  os::Keeper keeper{io.get_executor()};
  boost::asio::thread_pool pool{4};

  ~Loop() { pool.join(); }

  // Turns the loop until the coroutine has ended, and gives what it gives.
  template <class Result>
  Result run(boost::asio::awaitable<Result> work) {
    std::optional<Result> result;
    run(keep(std::move(work), result));
    return std::move(*result);
  }

  void run(boost::asio::awaitable<void> work) {
    std::exception_ptr failure;
    bool ended = false;
    boost::asio::co_spawn(io, std::move(work), [&](std::exception_ptr thrown) {
      failure = thrown;
      ended = true;
    });
    turn_until(ended);
    if (failure) std::rethrow_exception(failure);
  }

  template <class Result>
  static boost::asio::awaitable<void> keep(boost::asio::awaitable<Result> work, std::optional<Result>& result) {
    result = co_await std::move(work);
  }

  void turn_until(const bool& ended) {
    while (!ended) {
      io.restart();
      io.run_one();
    }
  }
};

}  // namespace venvoy::source::test
