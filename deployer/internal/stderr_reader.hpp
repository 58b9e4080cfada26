// A plugin's standard error: read all the time, so that it never blocks the plugin, and kept as a tail.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "deployer/stderr_logs.hpp"
#include "os/event.hpp"
#include "os/fd.hpp"

namespace venvoy::deployer::internal {

class StderrReader {
 public:
  // Starts to read at once. Keeps the last `tail_limit` bytes, writes all to `log`, which may be null, and calls
  // `on_line` for each line. Reading ends with the stream, or with this object.
  StderrReader(const boost::asio::any_io_executor& executor, os::Fd stream, std::size_t tail_limit,
               std::unique_ptr<StderrLogs::Log> log, std::function<void(std::string_view)> on_line);
  ~StderrReader();
  StderrReader(const StderrReader&) = delete;
  StderrReader& operator=(const StderrReader&) = delete;

  // What has come last, from the start of a line where one starts in it.
  std::string tail() const;
  // " (more in '<file>')" if there is more than the tail, and a log; else nothing.
  std::string log_note() const;
  // Fires at the end of the stream.
  os::Event& ended() noexcept;

 private:
  struct State;
  static boost::asio::awaitable<void> read(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace venvoy::deployer::internal
