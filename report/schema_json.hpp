// A plugin's inputs as JSON Schema 2020-12: for editors, and for programs that make inputs.
#pragma once

#include <optional>
#include <string>

#include "schema/plugin_schema.hpp"
#include "schema/value.hpp"

namespace venvoy::report {

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

}  // namespace venvoy::report
