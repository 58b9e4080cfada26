// Errors and issues as people see them: what, where with the line and a caret, why, and what to do.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/issue.hpp"

namespace venvoy::report {

struct DiagnosticStyle {
  bool color = false;
  // The text of a file by the name that positions give it, to show the line; may be empty. Must not throw.
  std::function<std::optional<std::string>(const std::string& file)> source;
};

// Some lines, ending with a line feed:
//   error: the step 'helo' does not exist …
//     --> workflow.yaml:12:11
//      |
//   12 |     step: helo
//      |           ^
//      = help: …
std::string render(const Issue& issue, const DiagnosticStyle& style);
std::string render(const Error& error, const DiagnosticStyle& style);

// "workflow.yaml:12:11: text", one line without colour: for log lines.
std::string one_line(const Issue& issue);

}  // namespace venvoy::report
