// Text to tree (spec/expressions.md sections 2 to 4).
#pragma once

#include <cstddef>
#include <string_view>

#include "expressions/expression.hpp"

namespace venvoy::expressions {

struct ParseLimits {
  // Parentheses, brackets, calls and prefix operators that are open at the same time. Chains of operators and accesses
  // do not count: they may be as long as the text.
  int max_depth = 10'000;
  std::size_t max_bytes = 16u << 20;
};

// Throws an ExpressionError (document): "failed to parse expression: <text> (<what is wrong>)".
Expression parse(std::string_view text, const ParseLimits& limits = {});

}  // namespace venvoy::expressions
