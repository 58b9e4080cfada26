#include "schema/internal/text_position.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace venvoy::schema {

std::string_view without_byte_order_mark(std::string_view text) noexcept {
  return text.starts_with(byte_order_mark) ? text.substr(byte_order_mark.size()) : text;
}

void TextCursor::move_to(std::size_t offset) {
  offset = std::min(offset, text_.size());
  if (offset < offset_) {
    const std::string_view between = text_.substr(offset, offset_ - offset);
    line_ -= static_cast<int>(std::count(between.begin(), between.end(), '\n'));
    if (between.find('\n') == std::string_view::npos) {
      column_ -= static_cast<int>(count_code_points(between));
      offset_ = offset;
    } else {
      column_ = 1;
      offset_ = text_.substr(0, offset).rfind('\n') + 1;  // npos + 1 is the start of the text
    }
  }
  for (; offset_ < offset; ++offset_) {
    if (text_[offset_] == '\n') {
      ++line_;
      column_ = 1;
    } else if ((static_cast<unsigned char>(text_[offset_]) & 0xC0) != 0x80) {
      ++column_;
    }
  }
}

Position position_at(std::string_view text, std::size_t offset, const std::string& file) {
  TextCursor cursor(text);
  cursor.move_to(offset);
  return {file, cursor.line(), cursor.column()};
}

}  // namespace venvoy::schema
