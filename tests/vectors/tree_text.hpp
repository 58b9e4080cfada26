// Trees of expressions as text.
#pragma once

#include <string>

#include "expressions/tree.hpp"

namespace venvoy::test {

// (+ (dot (root) i) (int 1)): the form that was made for the vectors; their header explains it.
std::string s_expression(const expressions::Tree& tree);

// ($.i) + (1): the form of spec/expressions.md 3.1.
std::string canonical_text(const expressions::Tree& tree);

}  // namespace venvoy::test
