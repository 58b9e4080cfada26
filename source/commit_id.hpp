// The full name of a commit.
#pragma once

#include <algorithm>
#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace venvoy::source {

// 40 hexadecimal digits in lower case. That a repository has such a commit is not said.
class CommitId {
 public:
  // Takes upper case too, as git does; nothing for any other text.
  static std::optional<CommitId> parse(std::string_view text) {
    if (text.size() != 40) return std::nullopt;
    std::string digits(text);
    for (char& digit : digits) {
      if (digit >= 'A' && digit <= 'F') digit = static_cast<char>(digit - 'A' + 'a');
      if (!((digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f'))) return std::nullopt;
    }
    return CommitId(std::move(digits));
  }

  const std::string& text() const noexcept { return text_; }
  friend auto operator<=>(const CommitId&, const CommitId&) = default;

 private:
  explicit CommitId(std::string text) noexcept : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace venvoy::source
