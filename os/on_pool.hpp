// Blocking work on a thread pool, awaited by a coroutine.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/cancel.hpp"
#include "base/error.hpp"
#include "os/event.hpp"

namespace venvoy::os {

template <class Result>
struct PoolJob {
  explicit PoolJob(const boost::asio::any_io_executor& executor) : done(executor) {}

  void run(const std::function<Result(const CancelToken&)>& work) noexcept {
    try {
      result = work(cancel.token());
    } catch (...) {
      failure = std::current_exception();
    }
  }
  Result take() {
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
  }

  Event done;
  CancelSource cancel;
  std::optional<Result> result;
  std::exception_ptr failure;
};

// The token that `work` gets is cancelled with `cancel` and with the coroutine; either way the work is waited for, so
// that it may use what the caller keeps alive. What it throws is thrown here.
template <class Result>
boost::asio::awaitable<Result> on_pool(boost::asio::thread_pool& pool, CancelToken cancel,
                                       std::function<Result(const CancelToken&)> work) {
  namespace asio = boost::asio;
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  cancel.check();
  if (cancellation.cancelled() != asio::cancellation_type::none) throw Error(ErrorCode::cancelled, "cancelled");
  const auto job = std::make_shared<PoolJob<Result>>(executor);
  const auto registration = cancel.on_cancel([job] { job->cancel.cancel(); });
  asio::post(pool, [executor, job = job, work = std::move(work)]() mutable {
    job->run(work);
    work = nullptr;  // what it holds goes before the caller goes on
    // The job leaves this thread for good: its timer, and the exception that it may hold, end on the loop's. (`job =
    // job` above, since a plain copy of a const variable could not be moved.)
    asio::post(executor, [job = std::move(job)] { job->done.fire(); });
  });
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  const auto quietly = asio::as_tuple(asio::use_awaitable);
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!job->done.fired()) {
    co_await job->done.wait(quietly);
    if (!job->done.fired()) job->cancel.cancel();
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
  co_return job->take();
}

}  // namespace venvoy::os
