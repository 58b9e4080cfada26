// Constructs that mean something else than they look like (spec/expressions.md section 12).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "expressions/expression.hpp"

namespace venvoy::expressions {

struct Warning {
  // The byte in the original text at which the construct stands.
  std::size_t offset = 0;
  std::string text;
};

// The rules of the language that are kept for compatibility and that surprise, where the expression meets one: prefix
// operators that take more than their neighbour, chained powers, bare names, comments. In the order of the text.
std::vector<Warning> surprising_rules(const Expression& expression);

}  // namespace venvoy::expressions
