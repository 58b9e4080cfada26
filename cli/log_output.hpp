// Log lines on standard error.
#pragma once

#include <memory>

#include "base/log.hpp"
#include "cli/screen.hpp"
#include "report/masker.hpp"

namespace venvoy::cli {

enum class LogForm {
  go,      // "<time>\t<level>\t<labels>\t<message>" (spec/workflow.md 1.6)
  people,  // "warning: <message>"
};

struct LogOptions {
  LogForm form = LogForm::people;
  LogLevel level = LogLevel::warning;
  bool color = false;
  // Where the lines go if live lines may be drawn there too; null: to standard error itself.
  std::shared_ptr<Screen> screen = nullptr;
};

std::shared_ptr<LogSink> make_log_sink(const LogOptions& options);

// The same sink with every message through the masker; the sink itself if that is null.
std::shared_ptr<LogSink> masked_sink(std::shared_ptr<LogSink> sink, std::shared_ptr<const report::Masker> masker);

}  // namespace venvoy::cli
