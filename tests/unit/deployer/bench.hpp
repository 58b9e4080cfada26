// A loop, a keeper and a store, in which real Python scripts play plugins.
#pragma once

#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/log.hpp"
#include "cache/store.hpp"
#include "deployer/internal/python_process.hpp"
#include "os/keeper.hpp"
#include "support/temporary_dir.hpp"

namespace venvoy::deployer::test {

class LogLines final : public LogSink {
 public:
  bool enabled(LogLevel) const noexcept override { return true; }
  void write(LogLevel, std::string_view, std::string_view message) override;
  bool has(std::string_view text) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

struct Bench {
  Bench();
  ~Bench();

  // Runs a coroutine to its end on the loop.
  template <class T>
  T run(boost::asio::awaitable<T> work) {
    std::optional<T> result;
    std::exception_ptr failure;
    boost::asio::co_spawn(io, std::move(work), [&](std::exception_ptr thrown, T value) {
      failure = thrown;
      if (!thrown) result.emplace(std::move(value));
      io.stop();
    });
    turn();
    if (failure) std::rethrow_exception(failure);
    return std::move(*result);
  }
  void close(PluginProcess& process);
  void turn();
  template <class Condition>
  bool within(std::chrono::milliseconds limit, Condition condition) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition() && std::chrono::steady_clock::now() < end) {
      io.restart();
      io.run_for(std::chrono::milliseconds(10));
    }
    return condition();
  }

  LaunchRequest request_in(const std::filesystem::path& where) const;
  // The script runs as `python -m plugin --atp` would; `import cbor` gives it encode and read.
  std::unique_ptr<internal::PythonProcess> start(std::string_view script, const PythonLimits& limits = {});
  // The Error of the handshake; the test fails if there is none.
  Error handshake_error(std::string_view script, const PythonLimits& limits = {});

  boost::asio::io_context io;
  boost::asio::thread_pool pool{2};
  venvoy::test::TemporaryDir folder;
  os::Keeper keeper{io.get_executor()};
  cache::Store store;
  Launcher* launcher = nullptr;             // null: each script gets a Python of its own
  std::shared_ptr<StderrLogs> stderr_logs;  // none, unless a test makes them
  std::shared_ptr<LogLines> log = std::make_shared<LogLines>();
};

}  // namespace venvoy::deployer::test
