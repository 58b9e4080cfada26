#include "server/openapi.hpp"

#include <fmt/format.h>

#include "governance/actions.hpp"
#include "schema/json.hpp"
#include "server/routes.hpp"

namespace venvoy::server {
namespace {

using schema::List;
using schema::Map;
using schema::Value;

// What is sent and answered, as JSON Schema; the inputs of actions are added from their table.
constexpr std::string_view schemas_text = R"json({
"Refusal": {"type": "object", "required": ["success", "error"], "properties": {
  "success": {"const": false},
  "error": {"type": "object", "required": ["kind", "message"], "properties": {
    "kind": {"type": "string"}, "message": {"type": "string"}}}}},
"Health": {"type": "object", "required": ["status"], "properties": {"status": {"const": "ok"}}},
"RuleId": {"type": "string", "maxLength": 255, "description": "NAME:VERSION-TAG"},
"Rule": {"type": "object", "required": ["policyRuleURI"], "properties": {
  "policyRuleURI": {"$ref": "#/components/schemas/RuleId"}, "parameters": {"type": "object"},
  "changed_by": {"type": "string"}, "changed_at": {"type": "string"}}},
"RuleMap": {"type": "object", "propertyNames": {"$ref": "#/components/schemas/Action"},
  "additionalProperties": {"$ref": "#/components/schemas/Rule"}},
"Rules": {"type": "object", "required": ["success", "map", "revision"], "properties": {
  "success": {"const": true}, "map": {"$ref": "#/components/schemas/RuleMap"},
  "revision": {"type": "integer", "minimum": 0}}},
"Update": {"type": "object", "description": "By action. An empty text removes the rule.",
  "additionalProperties": {"anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/Rule"}]}},
"Updated": {"allOf": [{"$ref": "#/components/schemas/Rules"}, {"type": "object", "required": ["changed", "removed"],
  "properties": {"changed": {"type": "array", "items": {"$ref": "#/components/schemas/Action"}},
    "removed": {"type": "array", "items": {"$ref": "#/components/schemas/Action"}}}}]},
"AllRules": {"type": "object", "required": ["success", "revision", "network", "clusters", "actions"], "properties": {
  "success": {"const": true}, "revision": {"type": "integer", "minimum": 0},
  "network": {"$ref": "#/components/schemas/RuleMap"},
  "clusters": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/RuleMap"}},
  "actions": {"type": "array", "items": {"$ref": "#/components/schemas/Action"}}}},
"Check": {"type": "object", "required": ["input"], "properties": {
  "cluster_id": {"type": ["string", "null"]}, "input": {"$ref": "#/components/schemas/Input"}}},
"Decision": {"type": "object", "required": ["success", "allowed", "action", "decision_id"], "properties": {
  "success": {"const": true},
  "allowed": {"type": "boolean", "description": "False only with the header X-Governance-Compat: aios"},
  "action": {"$ref": "#/components/schemas/Action"}, "rule": {"$ref": "#/components/schemas/RuleId"},
  "decision_id": {"type": "string"}, "data": {"type": "object", "description": "The input after the decision"},
  "executed": {"type": "boolean", "description": "Whether a bound workflow was started"}, "run": {"type": "string"},
  "allowed_on_error": {"const": true}, "error": {"type": "object"}, "reason": {}, "message": {"type": "string"}}},
"Denial": {"type": "object", "required": ["success", "allowed", "action", "rule", "decision_id", "reason"],
  "properties": {"success": {"const": false}, "allowed": {"const": false},
    "action": {"$ref": "#/components/schemas/Action"}, "rule": {"$ref": "#/components/schemas/RuleId"},
    "decision_id": {"type": "string"}, "reason": {"description": "A text, or what the policy gave in its place"}}},
"Failure": {"type": "object", "required": ["success", "allowed", "action", "decision_id", "error"], "properties": {
  "success": {"const": false}, "allowed": {"const": false}, "action": {"$ref": "#/components/schemas/Action"},
  "rule": {"$ref": "#/components/schemas/RuleId"}, "decision_id": {"type": "string"},
  "error": {"type": "object", "required": ["kind", "message"], "properties": {
    "kind": {"enum": ["not_found", "fetch", "integrity", "install", "load", "policy_failed", "timeout", "limit",
      "crash", "bad_output", "remote_unreachable", "remote_http", "remote_bad_reply", "config"]},
    "message": {"type": "string"}}}}},
"Execution": {"type": "object", "required": ["policy_rule_uri", "input_data"], "properties": {
  "policy_rule_uri": {"$ref": "#/components/schemas/RuleId"}, "input_data": {}, "parameters": {"type": "object"}}},
"Executed": {"type": "object", "required": ["success", "data"], "properties": {
  "success": {"const": true}, "data": {"description": "What the policy returned"}, "stateful": {"const": false}}},
"NotExecuted": {"type": "object", "required": ["success", "message", "kind"], "properties": {
  "success": {"const": false}, "message": {"type": "string"}, "kind": {"type": "string"},
  "stateful": {"const": false}}},
"Command": {"type": "object", "required": ["action"], "properties": {
  "action": {"type": "string"}, "data": {"type": "object"}}},
"Decisions": {"type": "object", "required": ["success", "decisions"], "properties": {
  "success": {"const": true}, "decisions": {"type": "array", "items": {"type": "object",
    "required": ["ts", "decision_id", "actor", "action", "outcome"], "properties": {
      "outcome": {"enum": ["allow", "deny", "error", "allowed_on_error"]}}}}}},
"Mode": {"type": "object", "required": ["success", "mode", "decided_by"], "properties": {
  "success": {"const": true}, "mode": {"enum": ["local", "remote"]},
  "decided_by": {"enum": ["environment", "governance mode", "configuration", "default"]},
  "executor_id": {"type": "string"}, "warning": {"type": "string"}}},
"NewMode": {"type": "object", "required": ["mode"], "properties": {
  "mode": {"enum": ["local", "remote"]}, "executor_id": {"type": "string"}}},
"Submission": {"type": "object", "properties": {
  "workflow": {"type": "string", "description": "The text of a workflow"},
  "name": {"type": "string", "description": "A file below --workflows"}, "input": {}},
  "oneOf": [{"required": ["workflow"]}, {"required": ["name"]}]},
"Submitted": {"type": "object", "required": ["run"], "properties": {"run": {"type": "string"}}},
"Cancelling": {"type": "object", "required": ["run", "state"], "properties": {
  "run": {"type": "string"}, "state": {"$ref": "#/components/schemas/RunState"}}},
"RunState": {"enum": ["queued", "running", "succeeded", "failed", "cancelled", "denied"]},
"RunSummary": {"type": "object", "required": ["run", "state", "workflow", "started", "ended"], "properties": {
  "run": {"type": "string"}, "state": {"type": "string"}, "workflow": {"type": "string"},
  "actor": {"type": "string"}, "started": {"type": ["string", "null"]}, "ended": {"type": ["string", "null"]}}},
"Runs": {"type": "object", "required": ["runs"], "properties": {
  "runs": {"type": "array", "items": {"$ref": "#/components/schemas/RunSummary"}}}},
"Run": {"allOf": [{"$ref": "#/components/schemas/RunSummary"}, {"type": "object",
  "required": ["steps", "output_id", "output_data", "reason"], "properties": {
    "steps": {"type": "array", "items": {"type": "object", "required": ["id", "state"], "properties": {
      "id": {"type": "string"}, "state": {"type": "string"}, "plugin": {"type": "string"},
      "needs": {"type": "array", "items": {"type": "string"}}, "output_id": {"type": "string"},
      "error": {"type": "string"}, "started": {"type": ["string", "null"]}, "ended": {"type": ["string", "null"]}}}},
    "output_id": {"type": ["string", "null"]}, "output_data": {}, "reason": {"type": ["string", "null"]}}}]}
})json";

Map reference_to(std::string_view name) {
  return Map({{"$ref", fmt::format("#/components/schemas/{}", name)}});
}

Map schema_of_field(const governance::ActionField& field) {
  using governance::FieldKind;
  if (field.kind == FieldKind::any) return {};
  return Map({{"type", field.kind == FieldKind::text ? "string" : "object"}});
}

// The input of an action, as governance::check_input() wants it.
Map input_schema(const governance::Action& action) {
  Map properties;
  for (const auto* fields : {&action.subjects, &action.required, &action.context})
    for (const governance::ActionField& field : *fields) properties.set(field.name, schema_of_field(field));
  List required;
  for (const governance::ActionField& field : action.required) required.emplace_back(field.name);
  List one_of_them;
  for (const governance::ActionField& field : action.subjects)
    one_of_them.emplace_back(Map({{"required", List{Value(field.name)}}}));
  Map result({{"type", "object"}, {"title", action.name}, {"properties", std::move(properties)}});
  if (!required.empty()) result.set("required", std::move(required));
  if (!one_of_them.empty()) result.set("anyOf", std::move(one_of_them));
  return result;
}

Map all_schemas() {
  Map schemas = schema::read_json(schemas_text, "schemas").take_map();
  List names;
  List inputs;
  for (const governance::Action& action : governance::all_actions()) {
    names.emplace_back(action.name);
    inputs.emplace_back(input_schema(action));
  }
  schemas.set("Action", Map({{"enum", std::move(names)}}));
  schemas.set("Input", Map({{"description", "That of the action, by title"}, {"anyOf", std::move(inputs)}}));
  return schemas;
}

Map answer_of(int status, std::string_view what) {
  Map answer({{"description", status < 300 ? "done" : status < 400 ? "elsewhere" : "not done"}});
  if (what.empty()) return answer;
  const bool is_media_type = what.find('/') != what.npos;
  Map content;
  if (is_media_type)
    content.set(what, Map({{"schema", Map({{"type", "string"}})}}));
  else
    content.set("application/json", Map({{"schema", reference_to(what)}}));
  answer.set("content", std::move(content));
  return answer;
}

Map parameter(std::string_view name, const char* where) {
  Map result({{"name", name}, {"in", where}, {"schema", Map({{"type", "string"}})}});
  if (std::string_view(where) == "path") result.set("required", true);
  return result;
}

Map operation_of(const Route& route) {
  List parameters;
  for (std::size_t at = 0; (at = route.path.find('{', at)) != route.path.npos;) {
    const std::size_t end = route.path.find('}', at);
    parameters.emplace_back(parameter(route.path.substr(at + 1, end - at - 1), "path"));
    at = end;
  }
  for (const std::string_view name : route.query) parameters.emplace_back(parameter(name, "query"));
  for (const std::string_view name : route.headers) parameters.emplace_back(parameter(name, "header"));
  Map result({{"summary", route.summary}});
  if (!parameters.empty()) result.set("parameters", std::move(parameters));
  if (!route.body.empty())
    result.set("requestBody",
               Map({{"required", true},
                    {"content", Map({{"application/json", Map({{"schema", reference_to(route.body)}})}})}}));
  Map answers;
  for (const auto& [status, what] : route.answers) answers.set(std::to_string(status), answer_of(status, what));
  answers.set("default", answer_of(400, "Refusal"));
  result.set("responses", std::move(answers));
  if (route.operation == Operation::health) result.set("security", List());
  return result;
}

}  // namespace

Value openapi_document(std::string_view version) {
  Map paths;
  for (const Route& route : all_routes()) {
    const Value* known = paths.find(route.path);
    Map methods = known ? known->as_map() : Map();
    std::string method(route.method);
    for (char& symbol : method) symbol = static_cast<char>(std::tolower(static_cast<unsigned char>(symbol)));
    methods.set(method, operation_of(route));
    paths.set(route.path, std::move(methods));
  }
  const Map token({{"type", "http"}, {"scheme", "bearer"}});
  const Map cookie({{"type", "apiKey"}, {"in", "cookie"}, {"name", "venvoy_token"}});
  return Map({{"openapi", "3.1.0"},
              {"info", Map({{"title", "venvoy serve"}, {"version", version}})},
              {"security", List{Map({{"token", List()}}), Map({{"cookie", List()}})}},
              {"paths", std::move(paths)},
              {"components",
               Map({{"schemas", all_schemas()}, {"securitySchemes", Map({{"token", token}, {"cookie", cookie}})}})}});
}

}  // namespace venvoy::server
