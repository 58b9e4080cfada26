// The name of a policy (spec/governance.md 8.2).
#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace venvoy::governance {

// `name:version-tag`, at most 255 bytes. Compared byte by byte.
struct RuleId {
  static constexpr std::size_t max_bytes = 255;

  std::string name;
  std::string version;
  std::string release_tag;

  // Splits at the first ':' and the first '-' after it. Throws an Error (usage) that says what is wrong.
  static RuleId parse(std::string_view text);
  std::string text() const { return name + ":" + version + "-" + release_tag; }

  friend auto operator<=>(const RuleId&, const RuleId&) = default;
};

}  // namespace venvoy::governance
