// The order in which findings are told.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

#include "base/issue.hpp"

namespace venvoy::workflow::internal {

// By place: files in the order of their first finding, `first_file` before all others; findings at the same place stay
// as they are.
inline void sort_by_place(Issues& issues, const std::string& first_file) {
  std::map<std::string, std::size_t> files = {{first_file, 0}};
  for (const Issue& issue : issues) files.emplace(issue.at.file, files.size());
  const auto place = [&](const Issue& issue) {
    return std::tuple(files.at(issue.at.file), issue.at.line, issue.at.column);
  };
  std::stable_sort(issues.begin(), issues.end(),
                   [&](const Issue& left, const Issue& right) { return place(left) < place(right); });
}

}  // namespace venvoy::workflow::internal
