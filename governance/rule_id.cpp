#include "governance/rule_id.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace venvoy::governance {
namespace {

bool is_alnum(char symbol) noexcept {
  return is_digit(symbol) || (symbol >= 'a' && symbol <= 'z') || (symbol >= 'A' && symbol <= 'Z');
}

bool consists_of(std::string_view text, std::string_view more) noexcept {
  return std::all_of(text.begin(), text.end(), [more](char symbol) { return is_alnum(symbol) || is_in(more, symbol); });
}

bool is_word(std::string_view text) noexcept {
  return !text.empty() && is_alnum(text.front()) && consists_of(text, "._-");
}

// A rule id is short, but what somebody sends in its place may be anything.
std::string shown(std::string_view text) {
  std::string result = to_valid_utf8(text.substr(0, 80));
  return text.size() > 80 ? result + "…" : result;
}

}  // namespace

RuleId RuleId::parse(std::string_view text) {
  const auto refuse = [text](std::string_view why) {
    return Error(ErrorCode::usage, fmt::format("'{}' is no rule id: {}", shown(text), why))
        .with_hint("a rule id is NAME:VERSION-TAG, such as acme.add-node:v0.0.12-stable");
  };
  if (text.size() > max_bytes) throw refuse(fmt::format("it has more than {} bytes", max_bytes));
  const std::size_t colon = text.find(':');
  if (colon == text.npos) throw refuse("there is no ':' after the name");
  const std::size_t dash = text.find('-', colon);
  if (dash == text.npos) throw refuse("there is no '-' between version and release tag");
  RuleId id{std::string(text.substr(0, colon)), std::string(text.substr(colon + 1, dash - colon - 1)),
            std::string(text.substr(dash + 1))};
  if (!is_word(id.name) || id.name.find("..") != id.name.npos)
    throw refuse("a name has letters, digits, '.', '_' and '-', starts with a letter or digit and has no '..'");
  if (id.version.empty() || !consists_of(id.version, "._+"))
    throw refuse("a version has letters, digits, '.', '_' and '+'");
  if (!is_word(id.release_tag))
    throw refuse("a release tag has letters, digits, '.', '_' and '-' and starts with a letter or digit");
  return id;
}

}  // namespace venvoy::governance
