// What an expression reads, by its text alone: for expressions that cannot be typed.
#pragma once

#include <functional>
#include <string_view>

#include "expressions/expression.hpp"

namespace venvoy::workflow::internal {

// `$.steps` or `steps`.
bool is_steps(const expressions::Tree& tree, const expressions::Node& node);

// Whether it reads `$.steps.STEP` of a step that the question is true for.
bool reads_step(const expressions::Expression& expression, const std::function<bool(std::string_view step)>& question);

// Whether it reads `$.input`.
bool reads_input(const expressions::Expression& expression);

}  // namespace venvoy::workflow::internal
