#include "cli/log_output.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "base/clock.hpp"

namespace venvoy::cli {
namespace {

constexpr std::string_view reset = "\x1b[0m";

std::string_view color_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "\x1b[0;2m";
    case LogLevel::info:
      return "\x1b[0m";
    case LogLevel::warning:
      return "\x1b[1;33m";
    case LogLevel::error:
      return "\x1b[1;31m";
  }
  return "";
}

class SpdlogSink final : public LogSink {
 public:
  explicit SpdlogSink(const LogOptions& options)
      : options_(options), logger_("venvoy", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger_.set_pattern("%v");
    logger_.set_level(spdlog::level::trace);
    logger_.flush_on(spdlog::level::trace);
  }

  bool enabled(LogLevel level) const noexcept override { return level >= options_.level; }

  void write(LogLevel level, std::string_view labels, std::string_view message) override {
    std::string line = options_.form == LogForm::go
                           ? fmt::format("{}\t{}\t{}\t{}", rfc3339_local_seconds(system_clock().wall()), to_text(level),
                                         labels, message)
                           : fmt::format("{}: {}", to_text(level), message);
    if (options_.color) line = fmt::format("{}{}{}", color_of(level), line, reset);
    if (!options_.screen) return logger_.info("{}", line);
    line += '\n';
    if (level >= LogLevel::warning)
      options_.screen->write(line);
    else
      options_.screen->write_soon(line);
  }

 private:
  LogOptions options_;
  spdlog::logger logger_;
};

class MaskedSink final : public LogSink {
 public:
  MaskedSink(std::shared_ptr<LogSink> sink, std::shared_ptr<const report::Masker> masker)
      : sink_(std::move(sink)), masker_(std::move(masker)) {}
  bool enabled(LogLevel level) const noexcept override { return sink_->enabled(level); }
  void write(LogLevel level, std::string_view labels, std::string_view message) override {
    sink_->write(level, labels, masker_->masked_text(message));
  }

 private:
  std::shared_ptr<LogSink> sink_;
  std::shared_ptr<const report::Masker> masker_;
};

}  // namespace

std::shared_ptr<LogSink> masked_sink(std::shared_ptr<LogSink> sink, std::shared_ptr<const report::Masker> masker) {
  if (!masker) return sink;
  return std::make_shared<MaskedSink>(std::move(sink), std::move(masker));
}

std::shared_ptr<LogSink> make_log_sink(const LogOptions& options) {
  return std::make_shared<SpdlogSink>(options);
}

}  // namespace venvoy::cli
