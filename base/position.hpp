// Where in a text file something stands.
#pragma once

#include <compare>
#include <string>

namespace venvoy {

// A place in a file. `file` is the name as the user wrote it, relative to where the command runs (spec/command.md
// section 8, "positions"). Line and column count from 1, the column in code points; 0 means "not known".
struct Position {
  std::string file;
  int line = 0;
  int column = 0;

  bool known() const noexcept { return line > 0; }
  // "file:line:column", shortened by what is not known; empty if nothing is.
  std::string text() const;

  friend auto operator<=>(const Position&, const Position&) = default;
};

}  // namespace venvoy
