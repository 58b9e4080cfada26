// Log lines on their way out. The library prints nothing itself: a program gives it a LogSink.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace venvoy {

enum class LogLevel { debug, info, warning, error };

std::string_view to_text(LogLevel level) noexcept;

// Where log lines end. May be called from any thread.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual bool enabled(LogLevel level) const noexcept = 0;
  // `labels` is "name=value" joined with ';', sorted by name (spec/workflow.md 1.6).
  virtual void write(LogLevel level, std::string_view labels, std::string_view message) = 0;
};

// A sink with labels. Cheap to copy; one without a sink drops everything, and no message is built for a level that
// nobody reads.
class Logger {
 public:
  Logger() = default;
  explicit Logger(std::shared_ptr<LogSink> sink) : sink_(std::move(sink)) {}

  // The same sink with one label more; a label of the same name is replaced.
  Logger with(std::string_view name, std::string_view value) const;

  bool enabled(LogLevel level) const noexcept { return sink_ && sink_->enabled(level); }
  void write(LogLevel level, std::string_view message) const {
    if (enabled(level)) sink_->write(level, labels_, message);
  }

  template <class... Arguments>
  void debug(fmt::format_string<Arguments...> format, Arguments&&... arguments) const {
    log(LogLevel::debug, format, std::forward<Arguments>(arguments)...);
  }
  template <class... Arguments>
  void info(fmt::format_string<Arguments...> format, Arguments&&... arguments) const {
    log(LogLevel::info, format, std::forward<Arguments>(arguments)...);
  }
  template <class... Arguments>
  void warning(fmt::format_string<Arguments...> format, Arguments&&... arguments) const {
    log(LogLevel::warning, format, std::forward<Arguments>(arguments)...);
  }
  template <class... Arguments>
  void error(fmt::format_string<Arguments...> format, Arguments&&... arguments) const {
    log(LogLevel::error, format, std::forward<Arguments>(arguments)...);
  }

 private:
  template <class... Arguments>
  void log(LogLevel level, fmt::format_string<Arguments...> format, Arguments&&... arguments) const {
    if (enabled(level)) sink_->write(level, labels_, fmt::format(format, std::forward<Arguments>(arguments)...));
  }

  std::shared_ptr<LogSink> sink_;
  std::vector<std::pair<std::string, std::string>> parts_;
  std::string labels_;
};

}  // namespace venvoy
