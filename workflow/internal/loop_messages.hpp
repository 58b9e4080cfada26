// The other name of a loop's errors.
#pragma once

#include <functional>
#include <string_view>

#include "expressions/expression.hpp"

namespace venvoy::workflow::internal {

// The expression with `$.steps.LOOP.failed.error.messages` read as `….errors`: the Go engine's schema and its data
// disagree about the name, and workflows may use either (spec/workflow.md 4.5). The text stays as it was written.
expressions::Expression with_messages_as_errors(const expressions::Expression& expression,
                                                const std::function<bool(std::string_view step)>& is_loop);

}  // namespace venvoy::workflow::internal
