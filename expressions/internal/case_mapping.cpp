#include "expressions/internal/case_mapping.hpp"

#include <algorithm>
#include <iterator>
#include <span>

#include "base/text.hpp"
#include "expressions/internal/case_tables.hpp"

namespace venvoy::expressions {

namespace {

char32_t map(char32_t code, std::span<const CaseRange> ranges) {
  const auto range = std::lower_bound(ranges.begin(), ranges.end(), code,
                                      [](const CaseRange& left, char32_t right) { return left.last < right; });
  if (range == ranges.end() || code < range->first || (code - range->first) % range->step != 0) return code;
  return static_cast<char32_t>(static_cast<std::int32_t>(code) + range->delta);
}

// `text` starts with a valid sequence of that many bytes.
char32_t decode(std::string_view text, std::size_t length) {
  constexpr unsigned char first_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t code = static_cast<unsigned char>(text[0]) & first_bits[length];
  for (std::size_t i = 1; i < length; ++i) code = (code << 6) | (static_cast<unsigned char>(text[i]) & 0x3F);
  return code;
}

void append(std::string& out, char32_t code) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

std::string mapped(std::string_view text, char first, char last, std::span<const CaseRange> ranges) {
  const std::string valid = to_valid_utf8(text);
  std::string out;
  out.reserve(valid.size());
  for (std::string_view rest = valid; !rest.empty();) {
    const std::size_t length = code_point_length(rest);
    if (length == 1) {
      out += rest[0] >= first && rest[0] <= last ? static_cast<char>(rest[0] ^ 0x20) : rest[0];
    } else {
      append(out, map(decode(rest, length), ranges));
    }
    rest.remove_prefix(length);
  }
  return out;
}

}  // namespace

std::string to_lower(std::string_view text) {
  return mapped(text, 'A', 'Z', to_lower_ranges);
}
std::string to_upper(std::string_view text) {
  return mapped(text, 'a', 'z', to_upper_ranges);
}

std::size_t code_point_length(std::string_view text) noexcept {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  return length > 1 && text.size() >= length && is_valid_utf8(text.substr(0, length)) ? length : 1;
}

}  // namespace venvoy::expressions
