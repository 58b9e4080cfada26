#include "expressions/infer.hpp"

#include "expressions/internal/type_walk.hpp"

namespace venvoy::expressions {

schema::TypePtr infer(const Expression& expression, const schema::TypePtr& root, const Functions& functions) {
  return node_types(expression.tree(), root, functions).back();
}

}  // namespace venvoy::expressions
