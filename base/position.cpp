#include "base/position.hpp"

#include <fmt/format.h>

namespace venvoy {

std::string Position::text() const {
  if (!known()) return file;
  if (column <= 0) return fmt::format("{}:{}", file, line);
  return fmt::format("{}:{}:{}", file, line, column);
}

}  // namespace venvoy
