// Tree and types to type (spec/expressions.md section 5).
#pragma once

#include "expressions/expression.hpp"
#include "expressions/functions.hpp"
#include "schema/type.hpp"

namespace venvoy::expressions {

// The type of the expression where `$` has the type `root`: a scope, an object or `any`. The result may contain
// references; whoever uses it keeps `root`. Throws an ExpressionError (document) that names the part of the expression
// that is wrong.
schema::TypePtr infer(const Expression& expression, const schema::TypePtr& root, const Functions& functions);

}  // namespace venvoy::expressions
