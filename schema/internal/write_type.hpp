// Parts of the wire form that types and plugin schemas share.
#pragma once

#include <optional>

#include "schema/type.hpp"
#include "schema/value.hpp"

namespace venvoy::schema {

Value write_display(const Display& display);
// Adds the field `display` if there is one.
void set_display(Map& map, const std::optional<Display>& display);

}  // namespace venvoy::schema
