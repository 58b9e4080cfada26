// Two pieces of work at the same time.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "os/event.hpp"

namespace venvoy::os {

struct OtherWork {
  explicit OtherWork(const boost::asio::any_io_executor& executor) : done(executor) {}
  Event done;
  std::exception_ptr failure;
};

// What `work` gives; `other` goes on beside it. Both are waited for, also when one of them fails, so that they may use
// what the caller keeps alive. Throws what `work` has thrown, or else what `other` has. `other` is not told when the
// awaiting coroutine is cancelled.
template <class Result>
boost::asio::awaitable<Result> both(boost::asio::awaitable<Result> work, boost::asio::awaitable<void> other) {
  namespace asio = boost::asio;
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto beside = std::make_shared<OtherWork>(executor);
  asio::co_spawn(executor, std::move(other), [beside](std::exception_ptr failure) {
    beside->failure = failure;
    beside->done.fire();
  });
  std::optional<Result> result;
  std::exception_ptr failure;
  try {
    result.emplace(co_await std::move(work));
  } catch (...) {
    failure = std::current_exception();
  }
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  const auto quietly = asio::as_tuple(asio::use_awaitable);
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!beside->done.fired()) co_await beside->done.wait(quietly);
  co_await asio::this_coro::throw_if_cancelled(throws);
  if (!failure) failure = beside->failure;
  if (failure) std::rethrow_exception(failure);
  co_return std::move(*result);
}

}  // namespace venvoy::os
