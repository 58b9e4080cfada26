// Names of references that match a pattern.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace venvoy::source {

inline constexpr std::string_view branch_prefix = "refs/heads/";
inline constexpr std::string_view tag_prefix = "refs/tags/";
inline constexpr std::string_view keep_prefix = "refs/keep/";
inline constexpr std::string_view peeled_suffix = "^{}";

// A pattern is a full name, or a prefix with '*' at its end.
inline bool matches_any(const std::vector<std::string>& patterns, std::string_view name) {
  if (name.ends_with(peeled_suffix)) return false;
  for (const std::string_view pattern : patterns) {
    const bool open = pattern.ends_with("*");
    if (open ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : name == pattern) return true;
  }
  return false;
}

}  // namespace venvoy::source
