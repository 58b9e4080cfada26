// Upper and lower case, code point by code point (spec/expressions.md 8.1).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace venvoy::expressions {

// The simple mappings of Unicode: no locale, no special casing. Bytes that are not part of valid UTF-8 become U+FFFD.
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);

// Bytes of the first code point of a text that is not empty; 1 for a byte that is not part of valid UTF-8.
std::size_t code_point_length(std::string_view text) noexcept;

}  // namespace venvoy::expressions
