#include "deployer/internal/python_process.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "base/text.hpp"
#include "deployer/internal/limit_text.hpp"
#include "os/event_waits.hpp"

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
// A plugin whose end is known, but whose stream does not end, because somebody who is none of its descendants holds the
// pipe. The rest of a large answer is read long before that.
constexpr std::chrono::milliseconds patience_with_stream = 5s;

// Of the list of modules that a plugin has imported.
constexpr std::size_t longest_imports = std::size_t{1} << 20;

atp::ClientOptions client_options(const PythonLimits& limits, const Logger& logger,
                                  std::function<void(std::string_view)> on_line) {
  atp::ClientOptions options;
  options.on_debug_line = [on_line = std::move(on_line)](const std::string&, std::string_view line) { on_line(line); };
  options.hello_timeout = limits.hello_timeout;
  options.logger = logger.with("source", "atp-client");
  return options;
}

}  // namespace

PythonProcess::PythonProcess(const ProcessSurroundings& surroundings, const std::string& name, cache::WorkDir work_dir,
                             Launched launched, Logger logger)
    : executor_(surroundings.executor),
      pool_(surroundings.pool),
      logger_(logger.with("source", "deployer")),
      work_dir_(std::make_unique<cache::WorkDir>(std::move(work_dir))),
      process_(std::move(launched.process)),
      channel_(std::move(launched.channel)),
      limits_(surroundings.limits),
      early_limit_(surroundings.limits.stderr_tail),
      errors_(executor_, std::move(launched.standard_error), surroundings.limits.stderr_tail,
              surroundings.stderr_logs ? surroundings.stderr_logs->make_log(name) : nullptr,
              [this](std::string_view line) {
                logger_.debug("python plugin module stderr: {}", line);
                heard(LogLevel::info, line);
              }),
      client_(
          *channel_, executor_,
          client_options(surroundings.limits, logger, [this](std::string_view line) { heard(LogLevel::debug, line); })),
      wall_timer_(std::make_shared<asio::steady_timer>(executor_)),
      channel_timer_(std::make_shared<asio::steady_timer>(executor_)) {
  if (launched.imports)
    imports_ = std::make_unique<StderrReader>(executor_, std::move(launched.imports), longest_imports, nullptr,
                                              [](std::string_view) {});
  process_->ended().wait([this, alive = std::weak_ptr(channel_timer_)](boost::system::error_code) {
    if (!alive.expired() && process_->exit()) close_channel_after_end();
  });
}

PythonProcess::~PythonProcess() {
  client_.close();
  process_->kill();
  // Removing a tree may take long; the loop must not.
  if (work_dir_)
    asio::post(pool_, [folder = std::shared_ptr<cache::WorkDir>(std::move(work_dir_))] { folder->remove(); });
}

void PythonProcess::close_channel_after_end() {
  channel_timer_->expires_after(patience_with_stream);
  channel_timer_->async_wait([this, alive = std::weak_ptr(channel_timer_)](boost::system::error_code stopped) {
    if (!stopped && !alive.expired()) channel_->close();
  });
}

void PythonProcess::start_wall_timer() {
  if (!limits_.wall_time) return;
  wall_timer_->expires_after(*limits_.wall_time);
  wall_timer_->async_wait([this, alive = std::weak_ptr(wall_timer_)](boost::system::error_code stopped) {
    if (stopped || alive.expired() || process_->exit()) return;
    ran_too_long_ = true;
    process_->kill();
  });
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
  start_wall_timer();
  try {
    atp::RunResult result = co_await client_.run(std::move(run_id), std::move(step_id), std::move(input));
    wall_timer_->cancel();
    StepAnswer answer{std::move(result.output_id), std::move(result.output_data)};
    co_return answer;
  } catch (const atp::ConnectionLost& error) {
    failure = error;
    lost = true;
  } catch (const Error& error) {
    failure = error;
    lost = error.code() == ErrorCode::protocol;
  }
  wall_timer_->cancel();
  if (!lost) throw Error(failure->code(), with_file_limit(failure->what(), limits_)).with_hint(failure->hint());
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

void PythonProcess::heard(LogLevel level, std::string_view line) {
  if (listener_) return listener_(level, to_valid_utf8(line));
  if (early_bytes_ + line.size() > early_limit_) return;
  early_bytes_ += line.size();
  early_.emplace_back(level, to_valid_utf8(line));
}

void PythonProcess::listen(Listener listener) {
  listener_ = std::move(listener);
  for (const auto& [level, line] : std::exchange(early_, {})) listener_(level, line);
}

void PythonProcess::kill() noexcept {
  process_->kill();
}

asio::awaitable<void> PythonProcess::close() {
  const bool polite = co_await finish_politely();
  if (polite) co_await os::wait_for_event(process_->ended(), polite_end);
  if (!process_->exit()) {
    logger_.debug("killing plugin process with pid {}", process_->pid());
    process_->kill();
  }
  co_await os::wait_for_event(process_->ended());
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

asio::awaitable<std::optional<std::string>> PythonProcess::imports() {
  if (!imports_) co_return std::nullopt;
  co_await os::wait_for_event(imports_->ended(), last_words);
  if (!imports_->ended().fired()) co_return std::nullopt;
  co_return imports_->tail();
}

asio::awaitable<Error> PythonProcess::explained(Error error) {
  co_await os::wait_for_event(process_->ended(), own_death);
  const std::string end = end_text();
  const bool is_limit = ran_too_long_ || (process_->exit() && process_->exit()->exceeded);
  process_->kill();
  co_await os::wait_for_event(errors_.ended(), last_words);
  std::string text = is_limit ? end : error.what() + end;
  const std::string words = errors_.tail();
  if (!words.empty()) text += fmt::format("; the last it wrote to standard error{}:\n{}", errors_.log_note(), words);
  Error result(is_limit ? ErrorCode::limit : error.code(), with_file_limit(std::move(text), limits_));
  co_return result.with_hint(is_limit ? std::string() : error.hint());
}

// How it has ended by itself, or for a limit; nothing when it has not.
std::string PythonProcess::end_text() const {
  if (ran_too_long_) return wall_time_text(*limits_.wall_time);
  const std::optional<os::ExitInfo>& end = process_->exit();
  if (!end) return {};
  if (end->exceeded) return exceeded_text(*end->exceeded, limits_);
  return fmt::format(": the plugin ended without a result ({})", end->text());
}

}  // namespace venvoy::deployer::internal
