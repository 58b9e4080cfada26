// Writing YAML as the Go engine writes its result document (spec/workflow.md 1.5), byte for byte.
#pragma once

#include <string>

#include "schema/value.hpp"

namespace venvoy::schema {

struct YamlWriteOptions {
  // The Go engine sorts the keys of mappings by the bytes of their text; files for people keep their order.
  bool sort_keys = true;
  int indent = 4;  // 2, 4, 6 or 8; anything else becomes the next of these that is less, or 2
};

// One document, with a line feed at its end, without markers. Bytes become `!!binary`. Throws an Error (schema) for an
// invalid value. The bytes differ from the Go engine's only where its own cannot be read back as what they were: line
// feeds and tabs at the start of a text of several lines, U+2028 and U+2029, numbers beyond its range, a key `<<` with
// a mapping or list.
std::string write_yaml(const Value& value, const YamlWriteOptions& options = {});

// The shortest decimal digits that read back exactly, never with an exponent, with ".0" for a whole number; ".nan",
// ".inf", "-.inf".
std::string yaml_float(double value);

}  // namespace venvoy::schema
