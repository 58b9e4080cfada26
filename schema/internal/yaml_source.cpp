#include "schema/internal/yaml_source.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"

namespace venvoy::schema {
namespace {

constexpr std::string_view blanks = " \t";
constexpr std::string_view blanks_and_breaks = " \t\r\n";
// How far place_of_empty looks, so that many empty nodes in one long line or behind many comments stay quick.
constexpr int most_lines_of_comments = 100;
constexpr std::size_t longest_line = 4096;

char at(std::string_view text, std::size_t offset) {
  return offset < text.size() ? text[offset] : '\0';
}

bool is_one_of(std::string_view set, char symbol) {
  return symbol != '\0' && set.find(symbol) != std::string_view::npos;
}

std::size_t end_of_line(std::string_view text, std::size_t offset) {
  return std::min(text.find('\n', offset), text.size());
}

std::size_t end_of_property(std::string_view text, std::size_t offset) {
  if (text.substr(offset).starts_with("!<")) return std::min(text.find('>', offset), text.size() - 1) + 1;
  return std::min(text.find_first_of(text[offset] == '!' ? " \t\r\n,[]{}\"" : " \t\r\n,[]{}", offset), text.size());
}

// Over blanks, line breaks and comments.
std::size_t start_of_token(std::string_view text, std::size_t offset) {
  while (true) {
    offset = std::min(text.find_first_not_of(blanks_and_breaks, offset), text.size());
    if (at(text, offset) != '#') return offset;
    offset = end_of_line(text, offset);
  }
}

bool only_comment(std::string_view rest) {
  const std::size_t first = rest.find_first_not_of(blanks_and_breaks);
  return first == std::string_view::npos || rest[first] == '#';
}

// The start of the line that ends at `end`, or of its last bytes if it is long.
std::size_t start_of_line(std::string_view text, std::size_t end) {
  const std::size_t window = end - std::min(end, longest_line);
  const std::size_t line_break = text.substr(window, end - window).rfind('\n');
  return line_break == std::string_view::npos ? window : window + line_break + 1;
}

// The place behind the first indicator of a line behind which there is only a comment, which may contain others.
std::optional<std::size_t> before_comment(std::string_view line, char indicator) {
  for (std::size_t found = line.find(indicator); found != std::string_view::npos;
       found = line.find(indicator, found + 1))
    if (only_comment(line.substr(found + 1))) return found + 1;
  return std::nullopt;
}

}  // namespace

NodeStart skip_properties(std::string_view text, std::size_t offset) {
  NodeStart start{.properties_end = offset, .token = offset};
  while (is_one_of("!&", at(text, start.token))) {
    start.properties_end = end_of_property(text, start.token);
    start.token = start_of_token(text, start.properties_end);
  }
  return start;
}

bool has_tag(std::string_view text, std::size_t offset) {
  if (at(text, offset) == '&') offset = start_of_token(text, end_of_property(text, offset));
  return at(text, offset) == '!';
}

YamlNode::Style style_at(std::string_view text, std::size_t offset) {
  switch (at(text, offset)) {
    case '"':
    case '\'':
      return YamlNode::Style::quoted;
    case '|':
      return YamlNode::Style::literal;
    case '>':
      return YamlNode::Style::folded;
    default:
      return YamlNode::Style::plain;
  }
}

bool is_closed(std::string_view text, std::size_t offset) {
  const char quote = at(text, offset);
  for (++offset; offset < text.size(); ++offset) {
    if (quote == '"' && text[offset] == '\\')
      ++offset;
    else if (text[offset] == quote && (quote == '"' || at(text, offset + 1) != quote))
      return true;
    else if (text[offset] == quote)
      ++offset;
  }
  return false;
}

std::string_view plain_null_at(std::string_view text, std::size_t offset) {
  constexpr std::array<std::string_view, 4> nulls = {"~", "null", "Null", "NULL"};
  const std::string_view rest = text.substr(std::min(offset, text.size()));
  for (const std::string_view word : nulls)
    if (rest.starts_with(word) && (rest.size() == word.size() || is_one_of(" \t\r\n,?:[]{}", rest[word.size()])))
      return rest.substr(0, word.size());
  return {};
}

std::optional<std::size_t> place_of_empty(std::string_view text, std::size_t mark, char indicator) {
  // In the line of the mark nothing but blanks can stand between.
  const std::size_t before = text.substr(0, mark).find_last_not_of(blanks);
  if (before == std::string_view::npos) return std::nullopt;
  if (text[before] == indicator) return before + 1;
  if (text[before] != '\n') return std::nullopt;
  std::size_t end = before;
  for (int lines = 0; lines < most_lines_of_comments; ++lines) {
    const std::size_t start = start_of_line(text, end);
    const std::string_view line = text.substr(start, end - start);
    if (!only_comment(line)) {
      const auto found = before_comment(line, indicator);
      return found ? std::optional(start + *found) : std::nullopt;
    }
    if (start == 0) break;
    end = start - 1;
  }
  return std::nullopt;
}

std::vector<Continuation> continuations(std::string_view text, std::size_t start, std::string_view scalar) {
  std::vector<Continuation> lines;
  std::size_t offset = start;
  std::size_t byte = 0;
  while (byte < scalar.size() && offset < text.size()) {
    const std::string_view rest = text.substr(offset, scalar.size() - byte);
    const std::size_t blank = offset + std::min(rest.find_first_of(blanks_and_breaks), rest.size());
    const std::size_t next = std::min(text.find_first_not_of(blanks_and_breaks, blank), text.size());
    byte += blank - offset;
    offset = next;
    if (byte >= scalar.size()) break;
    if (text.substr(blank, next - blank).find('\n') == std::string_view::npos) {
      byte += next - blank;
      continue;
    }
    // A single break became a blank, more of them became line feeds, one fewer than they were.
    byte = scalar[byte] == ' ' ? byte + 1 : std::min(scalar.find_first_not_of('\n', byte), scalar.size());
    lines.push_back({.byte = byte, .offset = offset});
  }
  return lines;
}

LiteralStart literal_start(std::string_view text, std::size_t start, std::string_view scalar) {
  const auto next_line = [&](std::size_t offset) { return std::min(end_of_line(text, offset) + 1, text.size()); };
  const std::size_t first_line = next_line(start);
  std::size_t line = first_line;
  const std::size_t byte = std::min(scalar.find_first_not_of('\n'), scalar.size());
  for (std::size_t skipped = 0; skipped < byte; ++skipped) line = next_line(line);
  // The first line with content has the indentation in the file and not in the scalar.
  const std::string_view content = scalar.substr(byte, scalar.find('\n', byte) - byte);
  std::string_view written = text.substr(line, end_of_line(text, line) - line);
  if (written.ends_with('\r')) written.remove_suffix(1);
  return {.line = first_line, .indent = written.ends_with(content) ? written.size() - content.size() : 0};
}

void repair_escapes(std::string& scalar) {
  if (is_valid_utf8(scalar)) return;
  std::string repaired;
  repaired.reserve(scalar.size() + 16);
  std::string_view rest = scalar;
  while (!rest.empty()) {
    const auto first = static_cast<unsigned char>(rest.front());
    const std::size_t length = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (first == 0x85 || first == 0xA0) repaired += '\xC2';
    repaired += rest.substr(0, length);
    rest.remove_prefix(std::min(length, rest.size()));
  }
  scalar = std::move(repaired);
}

}  // namespace venvoy::schema
