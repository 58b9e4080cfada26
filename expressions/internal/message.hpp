// How messages show pieces of an expression.
#pragma once

#include <string>
#include <string_view>

#include "expressions/error.hpp"
#include "expressions/tree.hpp"
#include "schema/value.hpp"

namespace venvoy::expressions {

// Text as it fits into a message: on one line, valid UTF-8, the end of a long one cut off.
std::string excerpt(std::string_view text);

// The value of a key as messages show it: a text as it is.
std::string key_text(const schema::Value& key);

// `error` with " in '<source of the node>'" at the end of its message, and of which expression that is a part. It
// points to the name after a dot, the key in brackets, or the start of another node, unless it knows better.
ExpressionError located(const ExpressionError& error, const Tree& tree, const Node& node);

}  // namespace venvoy::expressions
