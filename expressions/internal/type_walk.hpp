// The types of all parts of an expression, which typing and dependencies need.
#pragma once

#include <vector>

#include "expressions/functions.hpp"
#include "expressions/tree.hpp"
#include "schema/type.hpp"

namespace venvoy::expressions {

// For each node of the tree, at its position, its type; null for a function. Throws what infer() throws.
std::vector<schema::TypePtr> node_types(const Tree& tree, const schema::TypePtr& root, const Functions& functions);

}  // namespace venvoy::expressions
