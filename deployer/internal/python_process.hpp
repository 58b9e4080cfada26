// One plugin process with its session.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "atp/client.hpp"
#include "cache/work_dir.hpp"
#include "deployer/deployer.hpp"
#include "deployer/internal/stderr_reader.hpp"
#include "deployer/launcher.hpp"
#include "deployer/python_settings.hpp"

namespace venvoy::deployer::internal {

// What a process needs of the deployer that has made it; shared, since plugins outlive deployers.
struct ProcessSurroundings {
  boost::asio::any_io_executor executor;
  boost::asio::thread_pool& pool;
  PythonLimits limits;
  std::shared_ptr<StderrLogs> stderr_logs;  // may be null
};

class PythonProcess final : public PluginProcess {
 public:
  // `name`: of the plugin, for the log of its standard error.
  PythonProcess(const ProcessSurroundings& surroundings, const std::string& name, cache::WorkDir work_dir,
                Launched launched, Logger logger);
  ~PythonProcess() override;

  // Throws what atp::Client::handshake throws, with the process's end and last words in the message.
  boost::asio::awaitable<atp::Hello> handshake();

  // The modules that it has imported, a line each, if it was asked for them. Nothing if it does not tell soon: it tells
  // when it waits for work, or at its end.
  boost::asio::awaitable<std::optional<std::string>> imports();

  // Who hears of it from now on.
  void set_logger(const Logger& logger) { logger_ = logger.with("source", "deployer"); }
  bool has_ended() const noexcept { return process_->exit().has_value(); }

  boost::asio::awaitable<StepAnswer> run(std::string run_id, std::string step_id, schema::Value input) override;
  boost::asio::awaitable<void> signal(std::string run_id, std::string signal_id, schema::Value data) override;
  boost::asio::awaitable<void> close() override;
  void kill() noexcept override;
  std::string node() const override { return process_->node(); }
  void listen(Listener listener) override;

 private:
  void heard(LogLevel level, std::string_view line);
  // The error with how the process has ended, if it has, and what it said last.
  boost::asio::awaitable<Error> explained(Error error);
  boost::asio::awaitable<bool> finish_politely();
  void close_channel_after_end();
  void start_wall_timer();
  std::string end_text() const;

  boost::asio::any_io_executor executor_;
  boost::asio::thread_pool& pool_;
  Logger logger_;
  std::unique_ptr<cache::WorkDir> work_dir_;
  std::unique_ptr<RunningProcess> process_;
  std::unique_ptr<atp::ByteChannel> channel_;
  PythonLimits limits_;
  Listener listener_;
  // What was heard before there was a listener, up to the length of the tail.
  std::vector<std::pair<LogLevel, std::string>> early_;
  std::size_t early_bytes_ = 0;
  std::size_t early_limit_;
  StderrReader errors_;
  std::unique_ptr<StderrReader> imports_;  // may be null
  atp::Client client_;
  bool ran_too_long_ = false;
  // Shared, so that what they call can see whether this is still there.
  std::shared_ptr<boost::asio::steady_timer> wall_timer_, channel_timer_;
};

}  // namespace venvoy::deployer::internal
