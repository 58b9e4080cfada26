// A client and a stand-in of a plugin at the two ends of two socket pairs, in one event loop.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "atp/client.hpp"
#include "atp/pipe_channel.hpp"
#include "base/log.hpp"
#include "support/catch.hpp"

namespace venvoy::test {

// Longer than anything here takes; a test that gets there has failed.
inline constexpr std::chrono::seconds patience{30};

class LogLines final : public LogSink {
 public:
  bool enabled(LogLevel) const noexcept override { return true; }
  void write(LogLevel level, std::string_view, std::string_view message) override;
  // How many lines of this level contain the text.
  int count(LogLevel level, std::string_view text) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::pair<LogLevel, std::string>> lines_;
};

// What has become of something awaited.
struct Outcome {
  bool done = false;
  std::optional<atp::RunResult> result;
  std::optional<ErrorCode> code;
  std::string text;
  std::string hint;
  bool lost = false;

  void fail(std::exception_ptr failure);
};

// The plugin's side, without any rules: it sends what a test wants.
class FakePlugin {
 public:
  FakePlugin(const boost::asio::any_io_executor& executor, os::Fd from_engine, os::Fd to_engine);

  boost::asio::awaitable<void> send(std::string bytes);
  // The next item from the engine; nothing at the end of the stream.
  boost::asio::awaitable<std::optional<schema::Value>> receive();
  // Takes the null and sends a hello.
  boost::asio::awaitable<void> say_hello(std::int64_t version = 3);
  void close_input() { input_.close(); }
  void close_output() { output_.close(); }

 private:
  boost::asio::posix::stream_descriptor input_;
  boost::asio::posix::stream_descriptor output_;
  atp::CborReader reader_;
};

class Session {
 public:
  explicit Session(atp::ClientOptions options = {});

  // Runs both coroutines to their end, and what is left behind then. The client is destroyed when the engine's side has
  // ended, so the plugin's side may wait for that.
  template <class PluginSide, class EngineSide>
  void play(PluginSide& plugin_side, EngineSide& engine_side) {
    running_ = 2;
    boost::asio::co_spawn(context, plugin_side(), [this](std::exception_ptr failure) { side_ended(failure); });
    boost::asio::co_spawn(context, engine_side(), [this](std::exception_ptr failure) {
      client.reset();
      side_ended(failure);
    });
    run();
  }

  // Starts a run without waiting for it. The outcome lives as long as the session.
  Outcome& start_run(const std::string& run_id, schema::Value input = schema::Map{{"n", "A"}});
  // Starts something else.
  Outcome& start(boost::asio::awaitable<void> work);
  boost::asio::awaitable<void> until(const bool& done);
  boost::asio::awaitable<void> sleep(std::chrono::milliseconds time);

  boost::asio::io_context context;
  std::shared_ptr<LogLines> log = std::make_shared<LogLines>();
  std::optional<FakePlugin> plugin;
  std::optional<atp::PipeChannel> channel;
  std::optional<atp::Client> client;

 private:
  void side_ended(std::exception_ptr failure);
  void run();

  std::vector<std::unique_ptr<Outcome>> outcomes_;
  int running_ = 0;
  std::exception_ptr failure_;
};

// Both ends of a stream socket.
std::pair<os::Fd, os::Fd> make_socket_pair();

// The work done message that a plugin sends for a run.
std::string work_done(const std::string& run_id, const std::string& output_id = "ok");

// Awaits something that must fail.
template <class Result>
boost::asio::awaitable<Outcome> outcome_of(boost::asio::awaitable<Result> work) {
  Outcome outcome;
  try {
    co_await std::move(work);
  } catch (...) {
    outcome.fail(std::current_exception());
  }
  outcome.done = true;
  co_return outcome;
}

}  // namespace venvoy::test
