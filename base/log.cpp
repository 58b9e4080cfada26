#include "base/log.hpp"

#include <algorithm>

namespace venvoy {

std::string_view to_text(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "";
}

Logger Logger::with(std::string_view name, std::string_view value) const {
  Logger result = *this;
  const auto place = std::lower_bound(result.parts_.begin(), result.parts_.end(), name,
                                      [](const auto& part, std::string_view wanted) { return part.first < wanted; });
  if (place != result.parts_.end() && place->first == name) {
    place->second = value;
  } else {
    result.parts_.emplace(place, name, value);
  }
  result.labels_.clear();
  for (const auto& [label, text] : result.parts_) {
    if (!result.labels_.empty()) result.labels_ += ';';
    result.labels_.append(label).append("=").append(text);
  }
  return result;
}

}  // namespace venvoy
