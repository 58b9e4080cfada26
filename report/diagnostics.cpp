#include "report/diagnostics.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace venvoy::report {
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

// The byte at which the code point of a column (from 1) starts.
std::size_t byte_of_column(std::string_view line, int column) {
  std::size_t byte = 0;
  for (int at = 1; at < column && byte < line.size(); ++at) {
    ++byte;
    while (byte < line.size() && (static_cast<unsigned char>(line[byte]) & 0xC0) == 0x80) ++byte;
  }
  return byte;
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
  if (line.size() > max_shown_line) {
    const std::size_t cut = caret > max_shown_line / 2 ? caret - max_shown_line / 2 : 0;
    line = line.substr(cut, max_shown_line);
    caret -= cut;
  }
  // Tabs before the caret stay tabs, so that it stands under its character.
  std::string space;
  for (const char letter : to_valid_utf8(line.substr(0, caret)))
    if ((static_cast<unsigned char>(letter) & 0xC0) != 0x80) space += letter == '\t' ? '\t' : ' ';
  const std::string number = std::to_string(at.line);
  const std::string margin(number.size(), ' ');
  const std::string bar = painted("|", blue, style);
  std::string result =
      fmt::format("{} {}\n{} {} {}\n", margin, bar, painted(number, blue, style), bar, to_valid_utf8(line));
  if (at.column > 0) result += fmt::format("{} {} {}{}\n", margin, bar, space, painted("^", red, style));
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
