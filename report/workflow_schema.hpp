// Workflow files and configurations as JSON Schema, for the YAML language servers of editors.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "report/schema_json.hpp"
#include "schema/plugin_schema.hpp"
#include "schema/value.hpp"

namespace venvoy::report {

// A plugin whose inputs are to be filled in.
struct SchemaPlugin {
  std::string source;  // as workflows write it
  std::shared_ptr<const schema::PluginSchema> schema;
};

// The form of a workflow file (spec/workflow.md section 3). Steps that use one of the plugins are held to its steps and
// their inputs; wherever a value stands, an expression may stand. A language server sees `!expr TEXT` as TEXT, so an
// expression is what looks like one.
schema::Value workflow_json_schema(const std::vector<SchemaPlugin>& plugins, const JsonSchemaOptions& options);

// The form of a configuration file, from the type by which it is read.
schema::Value configuration_json_schema(const schema::TypePtr& configuration, const JsonSchemaOptions& options);

}  // namespace venvoy::report
