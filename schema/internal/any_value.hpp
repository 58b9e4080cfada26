// Free data: what `any` reads (spec/protocol-and-schema.md 4.15).
#pragma once

#include "schema/internal/trail.hpp"
#include "schema/value.hpp"

namespace venvoy::schema {

// The value as `any` reads it: nulls written in a file become their texts, bytes a list of integers; a value without
// either is returned as it is, sharing everything. Invalid and too deep parts become mismatches.
Value read_free_value(const Value& data, const Trail& where, Findings& findings);

// Bytes as the list of integers which the Go engine takes them for (2.2).
List integers_of(const Bytes& bytes);

}  // namespace venvoy::schema
