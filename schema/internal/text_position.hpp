// From a byte of a text to its line and column.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/position.hpp"

namespace venvoy::schema {

inline constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

// The text without the byte order mark at its start.
std::string_view without_byte_order_mark(std::string_view text) noexcept;

// Walks to byte after byte of a text and knows line and column there, both from 1. A step costs as much as it is long,
// except back over a line feed: then it costs the length of the line where it ends.
class TextCursor {
 public:
  explicit TextCursor(std::string_view text) : text_(text) {}
  // An offset past the end means the end.
  void move_to(std::size_t offset);
  int line() const noexcept { return line_; }
  int column() const noexcept { return column_; }

 private:
  std::string_view text_;
  std::size_t offset_ = 0;
  int line_ = 1;
  int column_ = 1;
};

// The position of the byte at `offset` (at most the size of the text), by reading the text up to there.
Position position_at(std::string_view text, std::size_t offset, const std::string& file);

}  // namespace venvoy::schema
