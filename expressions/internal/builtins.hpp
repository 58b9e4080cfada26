// What the built-in functions do, each on values of the kinds that its signature promises.
#pragma once

#include <span>

#include "schema/type.hpp"
#include "schema/value.hpp"

namespace venvoy::expressions {

using Arguments = std::span<const schema::Value>;

schema::Value int_to_float(Arguments arguments);
schema::Value float_to_int(Arguments arguments);
schema::Value int_to_string(Arguments arguments);
schema::Value float_to_string(Arguments arguments);
schema::Value float_to_formatted_string(Arguments arguments);
schema::Value bool_to_string(Arguments arguments);
schema::Value string_to_int(Arguments arguments);
schema::Value string_to_float(Arguments arguments);
schema::Value string_to_bool(Arguments arguments);

schema::Value split_string(Arguments arguments);
schema::Value read_file(Arguments arguments);
schema::Value get_env_var(Arguments arguments);

schema::Value bind_constants(Arguments arguments);
schema::TypePtr bind_constants_type(std::span<const schema::TypePtr> arguments);

}  // namespace venvoy::expressions
