// Operators and accesses on values (spec/expressions.md 6.2 and 6.3).
#pragma once

#include <string>

#include "expressions/tree.hpp"
#include "schema/value.hpp"

namespace venvoy::expressions {

// These throw ExpressionErrors (evaluation) without an offset: the caller knows the place.
schema::Value apply_binary(Operator op, const schema::Value& left, const schema::Value& right);
schema::Value apply_unary(Operator op, const schema::Value& operand);

// `container[key]`, which is a part of `container` and lives as long.
const schema::Value& access(const schema::Value& container, const schema::Value& key);
// `container.name`. The error says absent() for a map that lacks the name.
const schema::Value& access(const schema::Value& container, const std::string& name);

}  // namespace venvoy::expressions
