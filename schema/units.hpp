// Amounts with units: "5m30s" (spec/protocol-and-schema.md 4.14).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "schema/type.hpp"

namespace venvoy::schema {

// The amount in base units. Throws an Error (schema) in the words of 4.14 when the text is not of the grammar, has a
// fraction (parse_integer) or does not fit 64 bits.
std::int64_t parse_integer(const Units& units, std::string_view text);
double parse_float(const Units& units, std::string_view text);

// "5m30s", "0s", "-1m1s"; and "5 minutes 30 seconds".
std::string format_short(const Units& units, std::int64_t amount);
std::string format_short(const Units& units, double amount);
std::string format_long(const Units& units, std::int64_t amount);

// The units in which the lengths of texts may be written in a schema: "5 chars".
const Units& character_units();

}  // namespace venvoy::schema
