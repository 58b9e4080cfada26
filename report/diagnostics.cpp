#include "report/diagnostics.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "report/internal/display_width.hpp"

namespace venvoy::report {

using internal::printable;

namespace {

constexpr std::string_view reset = "\x1b[0m";
constexpr std::string_view bold = "\x1b[1m";
constexpr std::string_view red = "\x1b[1;31m";
constexpr std::string_view yellow = "\x1b[1;33m";
constexpr std::string_view blue = "\x1b[1;34m";

// Longer lines are cut around the caret.
constexpr std::size_t max_shown_line = 160;

std::string painted(std::string_view text, std::string_view color, const DiagnosticStyle& style) {
  return style.color ? fmt::format("{}{}{}", color, text, reset) : std::string(text);
}

bool continues_code_point(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// The byte at which the code point of a column (from 1) starts.
std::size_t byte_of_column(std::string_view line, int column) {
  std::size_t byte = 0;
  for (int at = 1; at < column && byte < line.size(); ++at) {
    ++byte;
    while (byte < line.size() && continues_code_point(line[byte])) ++byte;
  }
  return byte;
}

// Spaces as wide as the text. Tabs stay tabs, so that what follows them stands where it stands in the text.
std::string spaces_under(std::string_view text) {
  std::string space;
  std::size_t start = 0;
  for (std::size_t tab; (tab = text.find('\t', start)) != std::string_view::npos; start = tab + 1) {
    space.append(internal::display_width(text.substr(start, tab - start)), ' ');
    space += '\t';
  }
  space.append(internal::display_width(text.substr(start)), ' ');
  return space;
}

// A part of a long line around the caret, which moves with it.
std::string_view cut_around(std::string_view line, std::size_t& caret) {
  if (line.size() <= max_shown_line) return line;
  std::size_t start = caret > max_shown_line / 2 ? caret - max_shown_line / 2 : 0;
  while (start < line.size() && continues_code_point(line[start])) ++start;
  std::size_t end = std::min(line.size(), start + max_shown_line);
  while (end < line.size() && continues_code_point(line[end])) ++end;
  caret -= start;
  return line.substr(start, end - start);
}

// The line with a caret under its column; nothing if the file or line is not there.
std::string excerpt(const Position& at, const DiagnosticStyle& style) {
  if (!at.known() || !style.source) return {};
  const auto text = style.source(at.file);
  if (!text) return {};
  const auto lines = split_lines(*text);
  if (static_cast<std::size_t>(at.line) > lines.size()) return {};
  std::string_view line = lines[static_cast<std::size_t>(at.line) - 1];
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::size_t caret = byte_of_column(line, at.column);
  line = cut_around(line, caret);
  const std::string number = std::to_string(at.line);
  const std::string margin(number.size(), ' ');
  const std::string bar = painted("|", blue, style);
  std::string result =
      fmt::format("{} {}\n{} {} {}\n", margin, bar, painted(number, blue, style), bar, printable(line));
  if (at.column > 0)
    result += fmt::format("{} {} {}{}\n", margin, bar, spaces_under(printable(line.substr(0, caret))),
                          painted("^", red, style));
  return result;
}

std::string render(std::string_view kind, std::string_view color, std::string_view text, const Position& at,
                   const std::string& hint, const DiagnosticStyle& style) {
  std::string result = fmt::format("{}{} {}\n", painted(kind, color, style), painted(":", bold, style), text);
  if (!at.text().empty()) result += fmt::format("  {} {}\n", painted("-->", blue, style), at.text());
  result += excerpt(at, style);
  std::string_view label = "help:";
  for (const std::string_view line : split_lines(hint))
    result += fmt::format("   {} {} {}\n", painted("=", blue, style), std::exchange(label, "     "), line);
  return result;
}

}  // namespace

std::string render(const Issue& issue, const DiagnosticStyle& style) {
  const bool is_error = issue.severity == Severity::error;
  return render(is_error ? "error" : "warning", is_error ? red : yellow, issue.text, issue.at, issue.hint, style);
}

std::string render(const Error& error, const DiagnosticStyle& style) {
  return render("error", red, error.what(), error.position(), error.hint(), style);
}

std::string one_line(const Issue& issue) {
  const std::string place = issue.at.text();
  return place.empty() ? issue.text : fmt::format("{}: {}", place, issue.text);
}

}  // namespace venvoy::report
