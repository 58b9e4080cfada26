// Log lines on standard error.
#pragma once

#include <memory>

#include "base/log.hpp"

namespace venvoy::cli {

enum class LogForm {
  go,      // "<time>\t<level>\t<labels>\t<message>" (spec/workflow.md 1.6)
  people,  // "warning: <message>"
};

struct LogOptions {
  LogForm form = LogForm::people;
  LogLevel level = LogLevel::warning;
  bool color = false;
};

std::shared_ptr<LogSink> make_log_sink(const LogOptions& options);

}  // namespace venvoy::cli
