// A plugin's inputs as JSON Schema 2020-12: for editors, and for programs that make inputs.
#pragma once

#include <optional>
#include <string>

#include "schema/plugin_schema.hpp"
#include "schema/value.hpp"

namespace venvoy::report {

inline constexpr const char* json_schema_dialect = "https://json-schema.org/draft/2020-12/schema";

// Where a document has the schema of an expression, if types are written with them.
inline constexpr const char* expression_definition = "#/$defs/expression";

struct JsonSchemaOptions {
  // The fields of all objects written into one document; beyond that an Error (limit).
  std::size_t max_fields = 1'000'000;
};

// A JSON Schema for the input of one step: self-contained, with the step's id as its `$id`. It accepts what the engine
// accepts when it is written as data of its own kind (a number for an integer), texts with units, and the words for
// booleans; other conversions (spec/protocol-and-schema.md section 4) are left out, since nobody should write them.
schema::Value json_schema(const schema::StepSchema& step, const JsonSchemaOptions& options);

// The same for all steps: a document for an object with the inputs of steps under the ids of the steps. The schema of
// each step stands in `$defs`, complete in itself.
schema::Value json_schema(const schema::PluginSchema& plugin, const JsonSchemaOptions& options);

// A type as a part of a larger document, in which it will stand at `place`, a reference such as "#/$defs/settings".
// `with_expressions`: each value may be what expression_definition says instead.
schema::Value json_schema_part(const schema::TypePtr& type, const std::string& place, bool with_expressions,
                               const JsonSchemaOptions& options);

}  // namespace venvoy::report
