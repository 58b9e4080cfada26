#include "deployer/internal/python_process.hpp"

#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

namespace venvoy::deployer::internal {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// A plugin that has answered gets this long to end by itself.
constexpr std::chrono::milliseconds polite_end = 3s;
// A plugin whose stream has broken gets this long to die of the same cause, so that its exit code can be told.
constexpr std::chrono::milliseconds own_death = 2s;
// What is still on its way in the pipe of standard error when the process is gone.
constexpr std::chrono::milliseconds last_words = 1s;

atp::ClientOptions client_options(const PythonLimits& limits, const Logger& logger) {
  atp::ClientOptions options;
  options.hello_timeout = limits.hello_timeout;
  options.logger = logger.with("source", "atp-client");
  return options;
}

}  // namespace

PythonProcess::PythonProcess(const ProcessSurroundings& surroundings, cache::WorkDir work_dir, Launched launched,
                             Logger logger)
    : executor_(surroundings.executor),
      pool_(surroundings.pool),
      logger_(logger.with("source", "deployer")),
      work_dir_(std::make_unique<cache::WorkDir>(std::move(work_dir))),
      process_(std::move(launched.process)),
      channel_(std::move(launched.channel)),
      errors_(executor_, std::move(launched.standard_error), surroundings.limits.stderr_tail,
              [log = logger_](std::string_view line) { log.debug("python plugin module stderr: {}", line); }),
      client_(*channel_, executor_, client_options(surroundings.limits, logger)) {}

PythonProcess::~PythonProcess() {
  client_.close();
  process_->kill();
  // Removing a tree may take long; the loop must not.
  if (work_dir_)
    asio::post(pool_, [folder = std::shared_ptr<cache::WorkDir>(std::move(work_dir_))] { folder->remove(); });
}

asio::awaitable<atp::Hello> PythonProcess::handshake() {
  std::optional<Error> failure;
  try {
    co_return co_await client_.handshake();
  } catch (const Error& error) {
    failure = error;
  }
  const Error told = co_await explained(std::move(*failure));
  throw told;
}

asio::awaitable<StepAnswer> PythonProcess::run(std::string run_id, std::string step_id, schema::Value input) {
  std::optional<Error> failure;
  bool lost = false;
  try {
    atp::RunResult result = co_await client_.run(std::move(run_id), std::move(step_id), std::move(input));
    StepAnswer answer{std::move(result.output_id), std::move(result.output_data)};
    co_return answer;
  } catch (const atp::ConnectionLost& error) {
    failure = error;
    lost = true;
  } catch (const Error& error) {
    failure = error;
    lost = error.code() == ErrorCode::protocol;
  }
  if (!lost) throw *failure;
  const Error told = co_await explained(std::move(*failure));
  throw told;
}

asio::awaitable<void> PythonProcess::signal(std::string run_id, std::string signal_id, schema::Value data) {
  try {
    co_await client_.send_signal(std::move(run_id), std::move(signal_id), std::move(data));
  } catch (const Error& error) {
    logger_.warning("the signal could not be sent: {}", error.what());
  }
}

void PythonProcess::kill() noexcept {
  process_->kill();
}

asio::awaitable<void> PythonProcess::close() {
  const bool polite = co_await finish_politely();
  if (polite) co_await wait_for_end(polite_end);
  if (!process_->exit()) {
    logger_.debug("killing plugin process with pid {}", process_->pid());
    process_->kill();
  }
  while (!process_->ended().fired()) {
    boost::system::error_code ignored;
    auto token = asio::redirect_error(asio::use_awaitable, ignored);
    co_await process_->ended().wait(token);
  }
  client_.close();
}

// False when the plugin does not close its end in time.
asio::awaitable<bool> PythonProcess::finish_politely() {
  using namespace asio::experimental::awaitable_operators;
  if (process_->exit()) co_return true;
  asio::steady_timer timer(executor_, polite_end);
  try {
    auto outcome = co_await (client_.finish() || timer.async_wait(asio::use_awaitable));
    co_return outcome.index() == 0;
  } catch (const std::exception& error) {
    logger_.debug("the plugin did not end in order: {}", error.what());
    co_return false;
  }
}

asio::awaitable<void> PythonProcess::wait_for_end(std::chrono::milliseconds limit) {
  using namespace asio::experimental::awaitable_operators;
  if (process_->ended().fired()) co_return;
  asio::steady_timer timer(executor_, limit);
  boost::system::error_code ended;
  boost::system::error_code timed_out;
  auto ended_token = asio::redirect_error(asio::use_awaitable, ended);
  auto timer_token = asio::redirect_error(asio::use_awaitable, timed_out);
  co_await (process_->ended().wait(ended_token) || timer.async_wait(timer_token));
}

asio::awaitable<Error> PythonProcess::explained(Error error) {
  co_await wait_for_end(own_death);
  const std::optional<os::ExitInfo> own_end = process_->exit();
  process_->kill();
  if (!errors_.ended().fired()) {
    using namespace asio::experimental::awaitable_operators;
    asio::steady_timer timer(executor_, last_words);
    boost::system::error_code read;
    boost::system::error_code timed_out;
    auto read_token = asio::redirect_error(asio::use_awaitable, read);
    auto timer_token = asio::redirect_error(asio::use_awaitable, timed_out);
    co_await (errors_.ended().wait(read_token) || timer.async_wait(timer_token));
  }
  std::string text = error.what();
  if (own_end) text += fmt::format(": the plugin ended without a result ({})", own_end->text());
  const std::string words = errors_.tail();
  if (!words.empty()) text += fmt::format("; the last it wrote to standard error:\n{}", words);
  Error result(error.code(), std::move(text));
  co_return result.with_hint(error.hint());
}

}  // namespace venvoy::deployer::internal
