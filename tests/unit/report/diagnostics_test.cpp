#include "report/diagnostics.hpp"

#include "support/catch.hpp"

namespace venvoy::report {
namespace {

// The lines of a diagnostic that show the file.
std::string shown(const std::string& file, int line, int column) {
  DiagnosticStyle style;
  style.source = [&](const std::string&) { return std::optional(file); };
  const std::string text = render(Issue{Severity::error, {"f.yaml", line, column}, "wrong", {}}, style);
  const std::string head = "error: wrong\n";
  REQUIRE(text.substr(0, head.size()) == head);
  return text.substr(text.find('\n', head.size()) + 1);
}

TEST_CASE("the caret stands under the column, whatever is before it") {
  struct Row {
    const char* what;
    std::string file;
    int line;
    int column;
    std::string expected;
  };
  const std::vector<Row> rows = {
      {"the first column", "step: helo\n", 1, 1, "  |\n1 | step: helo\n  | ^\n"},
      {"in a line", "a: 1\nstep: helo\n", 2, 7, "  |\n2 | step: helo\n  |       ^\n"},
      {"tabs stay tabs", "\ta\tbc\n", 1, 4, "  |\n1 | \ta\tbc\n  | \t \t^\n"},
      {"letters beyond ASCII", "gr\u00fc\u00df: x\n", 1, 7, "  |\n1 | gr\u00fc\u00df: x\n  |       ^\n"},
      {"wide characters take two cells", "\u65e5\u672c: x\n", 1, 5, "  |\n1 | \u65e5\u672c: x\n  |       ^\n"},
      {"pictures too", "\U0001F600x\n", 1, 2, "  |\n1 | \U0001F600x\n  |   ^\n"},
      {"accents that join take none", "e\u0301x\n", 1, 3, "  |\n1 | e\u0301x\n  |  ^\n"},
      {"just after the end", "ab\n", 1, 3, "  |\n1 | ab\n  |   ^\n"},
      {"far after the end", "ab\n", 1, 30, "  |\n1 | ab\n  |   ^\n"},
      {"an empty line", "a:\n\nb\n", 2, 1, "  |\n2 | \n  | ^\n"},
      {"a carriage return is no character", "ab\r\ncd\r\n", 1, 3, "  |\n1 | ab\n  |   ^\n"},
      {"the last line has no line end", "a\nbc", 2, 2, "  |\n2 | bc\n  |  ^\n"},
      {"the column is not known", "ab\n", 1, 0, "  |\n1 | ab\n"},
      {"a terminal obeys nothing in the file", "a\x1b[31mb\n", 1, 7, "  |\n1 | a?[31mb\n  |       ^\n"},
      {"bytes that are no text", "a\xffz\n", 1, 3, "  |\n1 | a\ufffdz\n  |   ^\n"},
      {"the margin is as wide as the number", std::string(11, '\n') + "ab\n", 12, 2, "   |\n12 | ab\n   |  ^\n"},
      {"no such line", "ab\n", 9, 1, ""},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    CHECK(shown(row.file, row.line, row.column) == row.expected);
  }
}

TEST_CASE("a long line is cut around the caret, between characters") {
  std::string line;
  for (int index = 0; index < 400; ++index) line += "\u00fc";
  const std::string text = shown(line + "!" + line + "\n", 1, 401);
  const auto caret_line = text.rfind("  | ");
  const std::string shown_line = text.substr(4, text.find('\n', 4) - 4);
  CHECK(text.size() < 500);
  CHECK(text.find("\ufffd") == std::string::npos);
  // As many letters before the mark as spaces before the caret.
  const std::size_t before = text.find('!') - text.find("1 | ") - 4;
  CHECK(text.substr(caret_line) == "  | " + std::string(before / 2, ' ') + "^\n");
}

TEST_CASE("a diagnostic without a file has no excerpt, and its hint keeps its lines") {
  const DiagnosticStyle style;
  CHECK(render(Issue{Severity::warning, {}, "odd", "first\nsecond"}, style) ==
        "warning: odd\n   = help: first\n   =       second\n");
  CHECK(render(Issue{Severity::error, {"gone.yaml", 3, 4}, "wrong", {}}, style) ==
        "error: wrong\n  --> gone.yaml:3:4\n");
  CHECK(one_line(Issue{Severity::error, {"f.yaml", 3, 4}, "wrong", "h"}) == "f.yaml:3:4: wrong");
}

TEST_CASE("an error is rendered with its frames, its place and its hint") {
  Error error(ErrorCode::document, "inner");
  error.add_frame("outer").at({"f.yaml", 2, 1}).with_hint("do this");
  CHECK(render(error, DiagnosticStyle{}) == "error: outer (inner)\n  --> f.yaml:2:1\n   = help: do this\n");
}

TEST_CASE("colours are there when asked for, and only then") {
  DiagnosticStyle style;
  style.source = [](const std::string&) { return std::optional<std::string>("ab\n"); };
  const Issue issue{Severity::error, {"f.yaml", 1, 2}, "wrong", "help"};
  const std::string plain = render(issue, style);
  style.color = true;
  std::string painted = render(issue, style);
  CHECK(plain.find('\x1b') == std::string::npos);
  CHECK(painted != plain);
  // The same text below the paint.
  for (std::size_t start; (start = painted.find("\x1b[")) != std::string::npos;)
    painted.erase(start, painted.find('m', start) - start + 1);
  CHECK(painted == plain);
}

}  // namespace
}  // namespace venvoy::report
