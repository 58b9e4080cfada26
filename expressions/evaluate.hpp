// Tree and data to value (spec/expressions.md section 6).
#pragma once

#include "expressions/expression.hpp"
#include "expressions/functions.hpp"
#include "schema/value.hpp"

namespace venvoy::expressions {

// The value of the expression on the data `root`, which `$` stands for. No schema is consulted. What the result has in
// common with `root` is shared, not copied. Throws an ExpressionError (evaluation) whose message names the part of the
// expression that failed.
schema::Value evaluate(const Expression& expression, const schema::Value& root, const Functions& functions);

}  // namespace venvoy::expressions
