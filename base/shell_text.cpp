#include "base/shell_text.hpp"

namespace venvoy {

std::string shell_quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char symbol : text) {
    if (symbol == '\'')
      quoted += "'\\''";
    else
      quoted += symbol;
  }
  return quoted + "'";
}

}  // namespace venvoy
