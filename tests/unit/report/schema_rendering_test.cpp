// A plugin's schema as JSON Schema and as a reference text.
#include "base/error.hpp"
#include "report/schema_json.hpp"
#include "report/schema_markdown.hpp"
#include "schema/json.hpp"
#include "schema/plugin_schema.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

using namespace venvoy;
using schema::Value;

namespace {

// Every type, every rule between fields, objects that refer to themselves, names that are markup.
constexpr std::string_view every_type = R"({"steps": {
  "everything": {"id": "everything", "display": {"name": "Everything", "description": "One field\nof *each* type."},
    "input": {"root": "Input", "objects": {
      "Input": {"id": "Input", "properties": {
        "anything": {"type": {"type_id": "any"}, "required": false},
        "flag": {"type": {"type_id": "bool"}, "default": "true"},
        "text": {"type": {"type_id": "string", "min": 1, "max": 5, "pattern": "^a|b`+$"},
                 "display": {"name": "Text", "description": "A <b>text</b> | more."}, "examples": ["\"ab\"", "no JSON"]},
        "elsewhere": {"type": {"type_id": "string", "pattern": "(?=a)b"}, "required": false},
        "expression": {"type": {"type_id": "pattern"}, "required": false},
        "count": {"type": {"type_id": "integer", "min": -3}, "required": false, "required_if": ["flag", "text"]},
        "duration": {"type": {"type_id": "integer", "max": 90, "units": {
            "base_unit": {"name_short_singular": "s", "name_short_plural": "s", "name_long_singular": "second", "name_long_plural": "seconds"},
            "multipliers": {"60": {"name_short_singular": "m", "name_short_plural": "m", "name_long_singular": "minute", "name_long_plural": "minutes"}}}},
          "required": false, "conflicts": ["ratio"]},
        "ratio": {"type": {"type_id": "float", "min": 0.5, "max": 1.5}, "required": false, "required_if_not": ["duration", "color"]},
        "color": {"type": {"type_id": "enum_string", "values": {"red": {"name": "Red"}, "blue": {}}}, "required": false},
        "level": {"type": {"type_id": "enum_integer", "values": {"1": {"name": "Low"}, "2": {}}}, "required": false},
        "few": {"type": {"type_id": "list", "items": {"type_id": "string"}, "min": 1, "max": 3}, "required": false},
        "by_number": {"type": {"type_id": "map", "keys": {"type_id": "integer"}, "values": {"type_id": "any"}, "max": 2}, "required": false},
        "by_level": {"type": {"type_id": "map", "keys": {"type_id": "enum_integer", "values": {"1": {}}}, "values": {"type_id": "bool"}}, "required": false},
        "place": {"type": {"type_id": "ref", "id": "Place", "display": {"name": "Where"}}, "required": false},
        "inner": {"type": {"type_id": "scope", "root": "Place", "objects": {"Place": {"id": "Place", "properties": {}}}}, "required": false},
        "shape": {"type": {"type_id": "one_of_string", "discriminator_field_name": "kind", "discriminator_inlined": false,
          "types": {"round": {"type_id": "ref", "id": "Circle"}, "a/b": {"type_id": "ref", "id": "Place"}}}, "required": false},
        "choice": {"type": {"type_id": "one_of_int", "discriminator_field_name": "n", "discriminator_inlined": true,
          "types": {"1": {"type_id": "ref", "id": "Numbered"}}}, "required": false},
        "old": {"type": {"type_id": "any"}, "required": false, "disabled": true, "disabled_reason": "gone"},
        "a.b/c~d `|`": {"type": {"type_id": "bool"}, "required": false}}},
      "Place": {"id": "Place", "properties": {"next": {"type": {"type_id": "ref", "id": "Place"}, "required": false}}},
      "Circle": {"id": "Circle", "properties": {"radius": {"type": {"type_id": "float"}}}},
      "Numbered": {"id": "Numbered", "properties": {"n": {"type": {"type_id": "integer"}}}}}},
    "outputs": {
      "success": {"schema": {"root": "Out", "objects": {"Out": {"id": "Out", "properties": {}}}}, "error": false},
      "error": {"schema": {"root": "Out", "objects": {"Out": {"id": "Out", "properties": {"error": {"type": {"type_id": "string"}}}}}},
                "error": true, "display": {"description": "What went wrong."}}},
    "signal_handlers": {"cancel": {"id": "cancel", "data_schema": {"root": "cancelInput", "objects": {"cancelInput": {"id": "cancelInput", "properties": {}}}}}},
    "signal_emitters": {}},
  "other": {"id": "other", "input": {"root": "Input", "objects": {"Input": {"id": "Input", "properties": {}}}}, "outputs": {}}}})";

std::shared_ptr<const schema::PluginSchema> plugin(std::string_view json = every_type) {
  schema::ReadOptions options;
  options.origin = schema::SchemaOrigin::plugin;
  return schema::read_plugin_schema(schema::read_json(json), options);
}

}  // namespace

TEST_CASE("every type as JSON Schema") {
  CHECK_GOLDEN("report/every-type.jsonschema.json", schema::write_json(report::json_schema(*plugin(), {})) + "\n");
}

TEST_CASE("the schema of one step is complete in itself") {
  const auto schema = plugin();
  const Value whole = report::json_schema(*schema, {});
  const Value step = report::json_schema(*schema->find("everything"), {});
  CHECK(*whole.find("$defs")->find("everything") == step);
  CHECK(step.find("$id")->as_text() == "everything");
}

TEST_CASE("every type as reference text") {
  CHECK_GOLDEN("report/every-type.md", report::schema_markdown(*plugin(), "A *plugin*"));
  CHECK(report::schema_markdown(schema::PluginSchema(), "Empty") == "# Empty\n\nThe plugin has no steps.\n");
}

TEST_CASE("a schema that multiplies is refused") {
  // 60 unions of 60 members, each with the fields of an object of 60.
  schema::Map fields;
  for (int index = 0; index < 60; ++index)
    fields.set("f" + std::to_string(index), schema::Map{{"type", schema::Map{{"type_id", "bool"}}}});
  schema::Map members;
  for (int index = 0; index < 60; ++index)
    members.set("m" + std::to_string(index), schema::Map{{"type_id", "ref"}, {"id", "Wide"}});
  schema::Map unions;
  for (int index = 0; index < 60; ++index)
    unions.set("u" + std::to_string(index),
               schema::Map{{"type", schema::Map{{"type_id", "one_of_string"},
                                                {"discriminator_field_name", "d" + std::to_string(index)},
                                                {"types", members}}}});
  const Value input =
      schema::Map{{"root", "A"},
                  {"objects", schema::Map{{"A", schema::Map{{"id", "A"}, {"properties", unions}}},
                                          {"Wide", schema::Map{{"id", "Wide"}, {"properties", fields}}}}}};
  const Value data = schema::Map{
      {"steps", schema::Map{{"s", schema::Map{{"id", "s"}, {"input", input}, {"outputs", schema::Map()}}}}}};
  const auto schema = schema::read_plugin_schema(data, {});
  CHECK_NOTHROW(report::json_schema(*schema, {}));
  try {
    report::json_schema(*schema, {.max_fields = 100'000});
    FAIL("it was written");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::limit);
  }
  CHECK(report::schema_markdown(*schema, "x").size() < 1'000'000);
}
