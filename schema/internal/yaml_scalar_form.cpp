#include "schema/internal/yaml_scalar_form.hpp"

#include <cstdint>
#include <iterator>

#include <fmt/format.h>

#include "base/text.hpp"
#include "schema/internal/plain_text.hpp"
#include "schema/internal/text_position.hpp"

namespace venvoy::schema {
namespace {

constexpr std::size_t longest_simple_key = 128;

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t bytes = 1;
};

// The first code point of valid UTF-8.
CodePoint first_code_point(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return {first, 1};
  const std::size_t bytes = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  std::uint32_t value = first & (0x7Fu >> bytes);
  for (std::size_t index = 1; index < bytes; ++index)
    value = value << 6 | (static_cast<unsigned char>(text[index]) & 0x3Fu);
  return {value, bytes};
}

// Whether a character can stand for itself. As in yaml.v3, except for U+2028 and U+2029: it prints them as the line
// breaks that they are in YAML 1.1, so that other readers get another text.
bool is_printable(std::uint32_t code) {
  if (code == '\n' || (code >= 0x20 && code <= 0x7E)) return true;
  return code >= 0xA0 && code <= 0xFFFD && code != 0xFEFF && code != 0x2028 && code != 0x2029;
}

bool has_unprintable(std::string_view text, bool tabs_too) {
  while (!text.empty()) {
    const CodePoint code = first_code_point(text);
    if (!is_printable(code.value) && (tabs_too || code.value != '\t')) return true;
    text.remove_prefix(code.bytes);
  }
  return false;
}

// Whether a text of one line means something else without quotes: it looks like an indicator, comment or marker.
bool has_indicator(std::string_view text) {
  if (text.starts_with("---") || text.starts_with("...") || is_in("#,[]{}&*!|>'\"%@`", text[0])) return true;
  const auto ends_or_blank = [&](std::size_t at) { return at == text.size() || is_in(" \t", text[at]); };
  if (is_in("?-", text[0]) && ends_or_blank(1)) return true;
  for (std::size_t colon = text.find(':'); colon != std::string_view::npos; colon = text.find(':', colon + 1))
    if (ends_or_blank(colon + 1)) return true;
  return text.find(" #") != std::string_view::npos;
}

void append_escape(std::string& out, std::uint32_t code) {
  switch (code) {
    case '\0':
      out += "\\0";
      return;
    case '\a':
      out += "\\a";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\v':
      out += "\\v";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\r':
      out += "\\r";
      return;
    case 0x1B:
      out += "\\e";
      return;
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case 0x85:
      out += "\\N";
      return;
    case 0xA0:
      out += "\\_";
      return;
    case 0x2028:
      out += "\\L";
      return;
    case 0x2029:
      out += "\\P";
      return;
    default:
      break;
  }
  if (code <= 0xFF) {
    fmt::format_to(std::back_inserter(out), "\\x{:02X}", code);
  } else if (code <= 0xFFFF) {
    fmt::format_to(std::back_inserter(out), "\\u{:04X}", code);
  } else {
    fmt::format_to(std::back_inserter(out), "\\U{:08X}", code);
  }
}

}  // namespace

ScalarForm form_of_text(std::string_view text) {
  if (text.find('\n') != std::string_view::npos) {
    // The end of a line would lose its blanks.
    const bool loses_blanks = text.ends_with(' ') || text.find(" \n") != std::string_view::npos;
    return loses_blanks || has_unprintable(text, false) ? ScalarForm::double_quoted : ScalarForm::literal;
  }
  if (!is_text_when_plain(text) || has_unprintable(text, true)) return ScalarForm::double_quoted;
  const bool is_plain = !text.starts_with(' ') && !text.ends_with(' ') && !has_indicator(text);
  return is_plain ? ScalarForm::plain : ScalarForm::single_quoted;
}

bool needs_question_mark(std::string_view text, std::string_view tag) {
  if (text.size() + tag.size() > longest_simple_key || text.find_first_of("\r\n") != std::string_view::npos)
    return true;
  for (const std::string_view line_break : {"\u0085", "\u2028", "\u2029"})
    if (text.find(line_break) != std::string_view::npos) return true;
  return false;
}

void append_single_quoted(std::string& out, std::string_view text) {
  out += '\'';
  for (const char byte : text) {
    if (byte == '\'') out += '\'';
    out += byte;
  }
  out += '\'';
}

void append_double_quoted(std::string& out, std::string_view text) {
  // yaml.v3 escapes everything in a text that starts with a byte order mark.
  const bool escape_all = text.starts_with(byte_order_mark);
  out += '"';
  while (!text.empty()) {
    const CodePoint code = first_code_point(text);
    if (escape_all || code.value == '"' || code.value == '\\' || code.value == '\n' || !is_printable(code.value)) {
      append_escape(out, code.value);
    } else {
      out += text.substr(0, code.bytes);
    }
    text.remove_prefix(code.bytes);
  }
  out += '"';
}

}  // namespace venvoy::schema
