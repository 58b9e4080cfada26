// What plain scalars mean by the core schema of YAML 1.2.2, section 10.3.2.
#pragma once

#include <string_view>

#include "schema/value.hpp"

namespace venvoy::schema {

bool is_core_null(std::string_view plain) noexcept;

// Null, a boolean, an integer, a float, or the text itself. Kind::invalid, with the reason, for an integer that does
// not fit 64 bits and for a float that is too large.
Value core_value(std::string_view plain);

}  // namespace venvoy::schema
