// The type that data has by itself.
#pragma once

#include "schema/type.hpp"
#include "schema/value.hpp"

namespace venvoy::schema {

// Numbers, booleans and texts have their types, a map whose keys are all texts is an object with a property for each
// (its id is not enforced), one whose keys are all integers a map. A list has the type of its items where they agree.
// Everything else is `any`: null, bytes, a list of different things. Throws an Error (limit) beyond the depth of
// check_limits.
TypePtr type_of_data(const Value& data);

}  // namespace venvoy::schema
