// Floats as text, the way Go's strconv writes and reads them (spec/expressions.md 8.1, spec/workflow.md 7.1).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace venvoy::expressions {

// `format` is one of b e E f g G x X; any other gives "%" and the character. `precision` is the number of digits, any
// negative one asks for the fewest that read back exactly. As long as the precision asks for: limit it before.
std::string format_float(double value, char format, std::int64_t precision);

enum class FloatProblem { none, syntax, range };

struct ParsedFloat {
  double value = 0;
  FloatProblem problem = FloatProblem::none;
};

// Decimal, or hexadecimal with a `p` exponent; `_` between digits; infinities and NaN by name. What is too small is 0,
// what is too large a problem.
ParsedFloat parse_float(std::string_view text);

}  // namespace venvoy::expressions
