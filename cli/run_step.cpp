#include "cli/run_step.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/error.hpp"

namespace venvoy::cli {

namespace asio = boost::asio;
using SharedProcess = std::shared_ptr<deployer::PluginProcess>;

namespace {

// As long as a step of a workflow gets that says nothing about it (`closure_wait_timeout`).
constexpr std::chrono::seconds time_to_answer{5};

// Ends a process that runs a step; nothing happens if it is gone by itself.
asio::awaitable<void> stop(std::weak_ptr<deployer::PluginProcess> weak, std::string run_id, bool can_cancel) {
  if (can_cancel) {
    if (const SharedProcess process = weak.lock()) co_await process->signal(run_id, "cancel", schema::Map());
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, time_to_answer);
    co_await timer.async_wait(asio::use_awaitable);
  }
  if (const SharedProcess process = weak.lock()) process->kill();
}

}  // namespace

asio::awaitable<deployer::StepAnswer> run_step(asio::any_io_executor executor, deployer::Plugin& plugin,
                                               const schema::StepSchema& step, schema::Value input, Logger logger,
                                               CancelToken cancel) {
  cancel.check();
  const SharedProcess process = co_await plugin.start(std::move(logger), nullptr);
  const std::string run_id = step.id;
  std::weak_ptr<deployer::PluginProcess> weak = process;
  const auto registration = cancel.on_cancel([executor, weak, run_id, can_cancel = step.can_cancel()] {
    asio::co_spawn(executor, stop(weak, run_id, can_cancel), asio::detached);
  });
  deployer::StepAnswer answer;
  std::optional<Error> failure;
  try {
    answer = co_await process->run(run_id, step.id, std::move(input));
  } catch (const Error& error) {
    failure = cancel.cancelled() ? Error(ErrorCode::cancelled, "the step was ended without a result") : error;
  }
  co_await process->close();
  if (failure) throw *failure;
  co_return answer;
}

}  // namespace venvoy::cli
