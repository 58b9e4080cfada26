// Findings about a document: many at once, each with its place.
#pragma once

#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/position.hpp"

namespace venvoy {

enum class Severity { warning, error };

// One thing that is wrong with, or doubtful about, a file that somebody wrote. Issues are data: they are collected and
// shown together, and only the caller decides that they end the work.
struct Issue {
  Severity severity = Severity::error;
  Position at;
  std::string text;
  // What to do about it; may be empty.
  std::string hint;
  // Of the failure behind it: tells what is wrong with the file from what could not be looked at.
  ErrorCode code = ErrorCode::document;
};

using Issues = std::vector<Issue>;

inline bool has_errors(const Issues& issues) {
  for (const Issue& issue : issues)
    if (issue.severity == Severity::error) return true;
  return false;
}

}  // namespace venvoy
