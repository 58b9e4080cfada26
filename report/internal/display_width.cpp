#include "report/internal/display_width.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/text.hpp"

namespace venvoy::report::internal {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// Both sorted. Whole blocks of Unicode: a caret needs no more.
constexpr std::array<Range, 9> joining = {{{0x0300, 0x036F},
                                           {0x0483, 0x0489},
                                           {0x0591, 0x05BD},
                                           {0x064B, 0x065F},
                                           {0x200B, 0x200F},
                                           {0x20D0, 0x20FF},
                                           {0xFE00, 0xFE0F},
                                           {0xFE20, 0xFE2F},
                                           {0xFEFF, 0xFEFF}}};
constexpr std::array<Range, 14> wide = {{{0x1100, 0x115F},
                                         {0x2E80, 0x303E},
                                         {0x3041, 0x33FF},
                                         {0x3400, 0x4DBF},
                                         {0x4E00, 0x9FFF},
                                         {0xA000, 0xA4CF},
                                         {0xA960, 0xA97F},
                                         {0xAC00, 0xD7A3},
                                         {0xF900, 0xFAFF},
                                         {0xFE30, 0xFE6F},
                                         {0xFF00, 0xFF60},
                                         {0xFFE0, 0xFFE6},
                                         {0x1F300, 0x1FAFF},
                                         {0x20000, 0x3FFFD}}};

template <std::size_t Count>
bool is_among(const std::array<Range, Count>& ranges, std::uint32_t code) noexcept {
  const auto place =
      std::lower_bound(ranges.begin(), ranges.end(), code, [](const Range& r, std::uint32_t c) { return r.last < c; });
  return place != ranges.end() && place->first <= code;
}

std::size_t width_of(std::uint32_t code) noexcept {
  if (is_among(joining, code)) return 0;
  return is_among(wide, code) ? 2 : 1;
}

struct CodePoint {
  std::size_t bytes;
  std::size_t cells;
};

CodePoint code_point_at(std::string_view text, std::size_t at) noexcept {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  std::uint32_t code = length == 1 ? lead : lead & (0x7Fu >> length);
  for (std::size_t next = 1; next < length && at + next < text.size(); ++next)
    code = code << 6 | (static_cast<unsigned char>(text[at + next]) & 0x3F);
  return {length, width_of(code)};
}

}  // namespace

std::size_t display_width(std::string_view text) noexcept {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint next = code_point_at(text, at);
    width += next.cells;
    at += next.bytes;
  }
  return width;
}

std::string printable(std::string_view text) {
  std::string result;
  const std::string valid = to_valid_utf8(text);
  for (std::size_t at = 0; at < valid.size(); ++at) {
    const auto code = static_cast<unsigned char>(valid[at]);
    // U+0080 to U+009F are control characters too.
    const bool two = code == 0xC2 && at + 1 < valid.size() && static_cast<unsigned char>(valid[at + 1]) < 0xA0;
    const bool obeyed = two || (code < 0x20 && code != '\t') || code == 0x7F;
    result += obeyed ? '?' : valid[at];
    if (two) ++at;
  }
  return result;
}

std::string cut_to_width(std::string_view text, std::size_t cells, std::string_view mark) {
  if (display_width(text) <= cells) return std::string(text);
  if (cells == 0) return {};
  std::size_t end = 0;
  for (std::size_t width = 0; end < text.size();) {
    const CodePoint next = code_point_at(text, end);
    if (width + next.cells > cells - 1) break;
    width += next.cells;
    end += next.bytes;
  }
  return std::string(text.substr(0, end)) + std::string(mark);
}

}  // namespace venvoy::report::internal
