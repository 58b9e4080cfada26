#include "cli/findings.hpp"

namespace venvoy::cli {
namespace {

// A failure to reach what a file names says nothing about the file.
bool could_not_look(ErrorCode code) {
  switch (code) {
    case ErrorCode::network:
    case ErrorCode::authentication:
    case ErrorCode::environment:
    case ErrorCode::cancelled:
    case ErrorCode::io:
    case ErrorCode::internal:
      return true;
    default:
      return false;
  }
}

schema::Value to_value(const Issue& issue) {
  schema::Map map{{"severity", issue.severity == Severity::error ? "error" : "warning"}, {"text", issue.text}};
  if (issue.at.known()) {
    map.insert("file", issue.at.file);
    map.insert("line", issue.at.line);
    map.insert("column", issue.at.column);
  }
  if (!issue.hint.empty()) map.insert("hint", issue.hint);
  return map;
}

}  // namespace

void Findings::add(const Issue& issue) {
  talk_.issue(issue);
  any_ = true;
  looked_ = looked_ || !could_not_look(issue.code);
  list_.push_back(to_value(issue));
}

void Findings::add(const Error& error) {
  add(Issue{Severity::error, error.position(), error.what(), error.hint(), error.code()});
}

CheckExit Findings::exit() const noexcept {
  if (!any_) return CheckExit::clean;
  return looked_ ? CheckExit::findings : CheckExit::could_not_look;
}

}  // namespace venvoy::cli
