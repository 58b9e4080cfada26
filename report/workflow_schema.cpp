#include "report/workflow_schema.hpp"

#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "schema/json.hpp"

namespace venvoy::report {
namespace {

using schema::List;
using schema::Map;
using schema::Value;

// Everything but the plugins. The keys are those of workflow/document.cpp and schema/read_type.cpp; a test compares.
constexpr std::string_view form_text = R"json({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Workflow",
  "type": "object",
  "additionalProperties": false,
  "required": ["version", "input", "steps"],
  "oneOf": [
    {"required": ["outputs"], "not": {"required": ["output"]}},
    {"required": ["output"], "not": {"anyOf": [{"required": ["outputs"]}, {"required": ["outputSchema"]}]}}
  ],
  "properties": {
    "version": {
      "description": "Version of the workflow language.",
      "type": "string", "pattern": "^v[0-9]+\\.[0-9]+\\.[0-9]+$", "default": "v0.2.0"
    },
    "input": {"description": "What a run is given: objects, and which of them is the whole.", "$ref": "#/$defs/scope"},
    "steps": {
      "description": "The steps by their ids. They run as parallel as what they need of each other allows.",
      "type": "object", "minProperties": 1,
      "propertyNames": {"$ref": "#/$defs/id"},
      "additionalProperties": {"$ref": "#/$defs/step"}
    },
    "outputs": {
      "description": "The outputs by their ids. The first that can be made is the result.",
      "type": "object", "minProperties": 1,
      "propertyNames": {"$ref": "#/$defs/id"}
    },
    "output": {"description": "The old form of `outputs` with the one output `success`."},
    "outputSchema": {
      "description": "Types of the outputs; without them they are inferred.",
      "type": "object",
      "additionalProperties": {
        "type": "object", "required": ["schema"], "additionalProperties": false,
        "properties": {
          "schema": {"$ref": "#/$defs/scope"},
          "error": {"$ref": "#/$defs/flag"},
          "display": {"$ref": "#/$defs/display"}
        }
      }
    }
  },
  "$defs": {
    "id": {"type": "string", "pattern": "^[$@a-zA-Z0-9_-]+$", "minLength": 1, "maxLength": 255},
    "expression": {
      "anyOf": [
        {"type": "string", "pattern": "[$(]|^\\s*[\"'`!]|^\\s*-?[0-9.]+\\s*([-+*/%^<>=].*)?$"},
        {"type": "object", "required": ["discriminator", "one_of"], "additionalProperties": false,
         "properties": {"discriminator": {"type": "string", "minLength": 1}, "one_of": {"type": "object", "minProperties": 1}}}
      ]
    },
    "step": {
      "type": "object",
      "properties": {"kind": {"description": "A step of a plugin (the default), or a loop over a sub-workflow.", "enum": ["plugin", "foreach"]}},
      "if": {"properties": {"kind": {"const": "foreach"}}, "required": ["kind"]},
      "then": {"$ref": "#/$defs/foreach_step"},
      "else": {"$ref": "#/$defs/plugin_step"}
    },
    "plugin_step": {
      "type": "object", "additionalProperties": false, "required": ["plugin"],
      "properties": {
        "kind": {"const": "plugin"},
        "plugin": {
          "description": "Which plugin, by its reference.",
          "anyOf": [
            {"type": "string", "minLength": 1},
            {"type": "object", "additionalProperties": false, "required": ["src", "deployment_type"],
             "properties": {
               "deployment_type": {"type": "string", "minLength": 1, "examples": ["python"]},
               "src": {"type": "string", "minLength": 1, "description": "NAME@git+URL[@VERSION][#subdirectory=DIR], NAME==VERSION or ./FOLDER"}
             }}
          ]
        },
        "step": {"type": "string", "minLength": 1, "description": "Which step of the plugin. Can be left out if it has only one."},
        "input": {"description": "What the step is given."},
        "deploy": {"description": "Another configuration of the deployer, for this step."},
        "enabled": {"description": "The step runs only if this is true."},
        "stop_if": {"description": "The step is asked to end as soon as this is there and not false."},
        "wait_for": {"description": "What must be there before the step begins; its value does not matter."},
        "closure_wait_timeout": {"description": "Milliseconds that the step may take to end when it is asked to."}
      }
    },
    "foreach_step": {
      "type": "object", "additionalProperties": false, "required": ["kind", "workflow", "items"],
      "properties": {
        "kind": {"const": "foreach"},
        "workflow": {"type": "string", "minLength": 1, "description": "The workflow file to run for each item."},
        "items": {"description": "The inputs of the runs.", "anyOf": [{"type": "array"}, {"$ref": "#/$defs/expression"}]},
        "parallelism": {"description": "How many runs go on at a time (1).", "anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]},
        "enabled": {"description": "The loop runs only if this is true."},
        "wait_for": {"description": "What must be there before the loop begins; its value does not matter."}
      }
    },
    "scope": {
      "type": "object", "required": ["root", "objects"], "additionalProperties": false,
      "properties": {
        "root": {"description": "Which of the objects is the whole.", "$ref": "#/$defs/id"},
        "objects": {"type": "object", "propertyNames": {"$ref": "#/$defs/id"}, "additionalProperties": {"$ref": "#/$defs/object"}}
      }
    },
    "object": {
      "type": "object", "required": ["id", "properties"], "additionalProperties": false,
      "properties": {
        "id": {"description": "The same as its key.", "$ref": "#/$defs/id"},
        "properties": {"$ref": "#/$defs/object_properties"},
        "id_unenforced": {"$ref": "#/$defs/flag"}
      }
    },
    "object_properties": {
      "type": "object", "additionalProperties": {
        "type": "object", "required": ["type"], "additionalProperties": false,
        "properties": {
          "type": {"$ref": "#/$defs/type"},
          "display": {"$ref": "#/$defs/display"},
          "required": {"description": "Whether it must be given (true).", "$ref": "#/$defs/flag"},
          "required_if": {"$ref": "#/$defs/names"},
          "required_if_not": {"$ref": "#/$defs/names"},
          "conflicts": {"$ref": "#/$defs/names"},
          "default": {"description": "As a JSON text: '\"World\"', '3', 'true'.", "type": ["string", "number", "boolean"]},
          "examples": {"description": "JSON texts.", "type": "array", "items": {"type": ["string", "number", "boolean"]}},
          "disabled": {"$ref": "#/$defs/flag"},
          "disabled_reason": {"type": "string"}
        }
      }
    },
    "type": {
      "type": "object", "required": ["type_id"], "additionalProperties": false,
      "properties": {
        "type_id": {"enum": ["any", "bool", "enum_integer", "enum_string", "float", "integer", "list", "map", "object",
                             "one_of_int", "one_of_string", "pattern", "ref", "scope", "string"]},
        "min": {"$ref": "#/$defs/amount"},
        "max": {"$ref": "#/$defs/amount"},
        "pattern": {"type": "string"},
        "units": {"type": "object"},
        "values": {"description": "Of a map: the type of its values. Of an enum: the values."},
        "keys": {"$ref": "#/$defs/type"},
        "items": {"$ref": "#/$defs/type"},
        "id": {"$ref": "#/$defs/id"},
        "namespace": {"type": "string"},
        "display": {"$ref": "#/$defs/display"},
        "properties": {"$ref": "#/$defs/object_properties"},
        "id_unenforced": {"$ref": "#/$defs/flag"},
        "root": {"$ref": "#/$defs/id"},
        "objects": {"type": "object", "additionalProperties": {"$ref": "#/$defs/object"}},
        "discriminator_field_name": {"type": "string"},
        "discriminator_inlined": {"$ref": "#/$defs/flag"},
        "types": {"type": "object", "additionalProperties": {"$ref": "#/$defs/type"}}
      },
      "allOf": [
        {"if": {"properties": {"type_id": {"const": "list"}}}, "then": {"required": ["items"]}},
        {"if": {"properties": {"type_id": {"const": "map"}}}, "then": {"required": ["keys", "values"], "properties": {"values": {"$ref": "#/$defs/type"}}}},
        {"if": {"properties": {"type_id": {"enum": ["enum_string", "enum_integer"]}}}, "then": {"required": ["values"], "properties": {"values": {"type": "object", "minProperties": 1}}}},
        {"if": {"properties": {"type_id": {"const": "ref"}}}, "then": {"required": ["id"]}},
        {"if": {"properties": {"type_id": {"const": "object"}}}, "then": {"required": ["id", "properties"]}},
        {"if": {"properties": {"type_id": {"const": "scope"}}}, "then": {"required": ["root", "objects"]}},
        {"if": {"properties": {"type_id": {"enum": ["one_of_string", "one_of_int"]}}}, "then": {"required": ["discriminator_field_name"]}}
      ]
    },
    "display": {
      "type": ["object", "null"], "additionalProperties": false,
      "properties": {"name": {"type": "string"}, "description": {"type": "string"}, "icon": {"type": "string"}}
    },
    "names": {"type": ["array", "null"], "items": {"type": "string"}},
    "amount": {"anyOf": [{"type": "number"}, {"type": "string", "pattern": "[0-9]"}]},
    "flag": {"anyOf": [{"type": "boolean"}, {"enum": ["yes", "y", "on", "true", "enable", "enabled", "1", 1,
                                                      "no", "n", "off", "false", "disable", "disabled", "0", 0]}]}
  }
})json";

// The steps that this is about: those of one plugin, and of one of its steps if one is given.
Value condition(const std::string& source, const std::string* step) {
  const Map by_text{{"const", source}};
  const Map by_map{{"type", "object"}, {"required", List{"src"}}, {"properties", Map{{"src", Map{{"const", source}}}}}};
  Map properties{{"plugin", Map{{"anyOf", List{by_text, by_map}}}}};
  List required{"plugin"};
  if (step) {
    properties.set("step", Map{{"const", *step}});
    required.emplace_back("step");
  }
  return Map{{"properties", std::move(properties)}, {"required", std::move(required)}};
}

Value rule(Value when, Map properties, List required) {
  Map then{{"properties", std::move(properties)}};
  if (!required.empty()) then.set("required", std::move(required));
  return Map{{"if", std::move(when)}, {"then", std::move(then)}};
}

}  // namespace

Value workflow_json_schema(const std::vector<SchemaPlugin>& plugins, const JsonSchemaOptions& options) {
  Map document = schema::read_json(form_text).take_map();
  Map definitions = document.find_or_add("$defs").take_map();
  List rules;
  std::size_t number = 0;
  for (const SchemaPlugin& plugin : plugins) {
    const auto ids = plugin.schema->step_ids();
    const bool one_step = ids.size() == 1;
    rules.push_back(rule(condition(plugin.source, nullptr), Map{{"step", Map{{"enum", List(ids.begin(), ids.end())}}}},
                         one_step ? List() : List{"step"}));
    for (const auto& [id, step] : plugin.schema->steps) {
      const std::string name = fmt::format("input_{}", ++number);
      const std::string place = "#/$defs/" + name;
      Map input = json_schema_part(step.input, place, true, options).take_map();
      if (step.display && step.display->description) input.set("description", *step.display->description);
      definitions.set(name, std::move(input));
      rules.push_back(rule(condition(plugin.source, one_step ? nullptr : &id), Map{{"input", Map{{"$ref", place}}}},
                           List{"input"}));
    }
  }
  if (!rules.empty()) {
    Map step = definitions.find_or_add("plugin_step").take_map();
    step.set("allOf", std::move(rules));
    definitions.set("plugin_step", std::move(step));
  }
  document.set("$defs", std::move(definitions));
  return document;
}

Value configuration_json_schema(const schema::TypePtr& configuration, const JsonSchemaOptions& options) {
  Map document{{"$schema", json_schema_dialect}, {"title", "Configuration of venvoy"}};
  const Value part = json_schema_part(configuration, "#", false, options);
  for (const auto& [key, value] : part.as_map()) document.set(key, value);
  return document;
}

}  // namespace venvoy::report
