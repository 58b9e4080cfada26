// The JSON border: text in, text out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "schema/value.hpp"

namespace venvoy::schema {

struct JsonLimits {
  std::size_t max_bytes = 64u << 20;
  int max_depth = 200;
};

// Reads one JSON document. Integers that fit 64 bits stay integers, others become floats. Keys keep their order; a key
// given twice is an error. Throws an Error (document, or limit) with line and column; `file` names the text.
Value read_json(std::string_view text, const std::string& file = {}, const JsonLimits& limits = {});

struct JsonWriteOptions {
  int indent = 2;  // spaces a level; 0 for one line without blanks
  bool sort_keys = false;
};

// Keys that are no text are written as their text. JSON has no bytes (written as base64 text), and no NaN or infinity
// (written as the texts "NaN", "Infinity", "-Infinity"). Throws an Error (schema) for an invalid value.
std::string write_json(const Value& value, const JsonWriteOptions& options = {});

}  // namespace venvoy::schema
