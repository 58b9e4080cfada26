// A directory to build in, for as long as a coroutine runs.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include "cache/work_dir.hpp"
#include "os/on_pool.hpp"
#include "venv/internal/job.hpp"

namespace venvoy::venv::internal {

using SharedWorkDir = std::shared_ptr<cache::WorkDir>;

// Makes a work directory, runs the coroutine that `body` gives for it, and removes the directory, whatever became of
// the coroutine, before this completes. What a killed engine leaves is swept by the next one.
template <class Result>
boost::asio::awaitable<Result> with_scratch(const Job& job,
                                            std::function<boost::asio::awaitable<Result>(std::filesystem::path)> body) {
  boost::asio::thread_pool& pool = job.services.pool;
  Work<SharedWorkDir> make = [&job](const CancelToken&) {
    return std::make_shared<cache::WorkDir>(job.services.store.make_work_dir());
  };
  const SharedWorkDir scratch = co_await os::on_pool<SharedWorkDir>(pool, job.cancel, std::move(make));
  std::optional<Result> result;
  std::exception_ptr failure;
  try {
    result.emplace(co_await body(scratch->path()));
  } catch (...) {
    failure = std::current_exception();
  }
  Work<bool> remove = [&scratch](const CancelToken&) {
    scratch->remove();
    return true;
  };
  const CancelToken not_to_be_cancelled;
  co_await os::on_pool<bool>(pool, not_to_be_cancelled, std::move(remove));
  if (failure) std::rethrow_exception(failure);
  co_return std::move(*result);
}

}  // namespace venvoy::venv::internal
