// A schema and a document for the tests, and short ways through the library.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "expressions/dependencies.hpp"
#include "expressions/evaluate.hpp"
#include "expressions/infer.hpp"
#include "expressions/parse.hpp"
#include "schema/type.hpp"
#include "schema/value.hpp"

namespace venvoy::expressions {

// A scope with an object `Root`; fixture.cpp shows its properties.
const schema::TypePtr& root_type();
// Data of that type.
const schema::Value& document();

schema::Value value_of(std::string_view text);
// CHECKs that each expression has the value beside it.
void check_values(const std::vector<std::pair<std::string, schema::Value>>& table);
std::string type_of(std::string_view text);
// The paths, joined by ".", one after the other.
std::vector<std::string> paths_of(std::string_view text, const DependencyFilter& filter);

// The error that parsing, typing or evaluating gives. Fails the test if there is none.
ExpressionError parse_error(std::string_view text, const ParseLimits& limits = {});
ExpressionError type_error(std::string_view text);
ExpressionError evaluation_error(std::string_view text);

}  // namespace venvoy::expressions
