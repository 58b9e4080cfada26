// Schemas made to hurt: deep, wide, endless and broken at random places.
#include <random>

#include "schema/plugin_schema.hpp"
#include "schema_support.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::schema;
using namespace venvoy::schema::test;

namespace {

Value list_of(Value items) {
  return Map{{"type_id", "list"}, {"items", std::move(items)}};
}

Value object_with(Value properties) {
  return Map{{"id", "A"}, {"properties", std::move(properties)}};
}

Value scope_with(Value properties) {
  return Map{{"root", "A"}, {"objects", Map{{"A", object_with(std::move(properties))}}}};
}

Value property_of(Value type) {
  return Map{{"type", std::move(type)}};
}

std::vector<std::string> findings(const Value& schema, ReadOptions options = {}) {
  return mismatches_of([&] { read_type(schema, options); });
}

// All parts of a value, to be replaced one after the other.
std::size_t count_parts(const Value& value) {
  std::size_t count = 1;
  if (value.kind() == Kind::list)
    for (const Value& item : value.as_list()) count += count_parts(item);
  if (value.kind() == Kind::map)
    for (const auto& [key, item] : value.as_map()) count += count_parts(item);
  return count;
}

Value with_replaced(const Value& value, std::size_t& place, const Value& replacement) {
  if (place-- == 0) return replacement;
  if (value.kind() == Kind::list) {
    List list;
    for (const Value& item : value.as_list()) list.push_back(with_replaced(item, place, replacement));
    return list;
  }
  if (value.kind() != Kind::map) return value;
  Map map;
  for (const auto& [key, item] : value.as_map()) map.set(key, with_replaced(item, place, replacement));
  return map;
}

}  // namespace

TEST_CASE("types may nest to the limit and no deeper", "[hostile]") {
  const auto nested = [](int depth) {
    Value type = Map{{"type_id", "any"}};
    for (int level = 1; level < depth; ++level) type = list_of(type);
    return type;
  };
  CHECK(findings(nested(200)).empty());
  const auto text = findings(nested(201));
  REQUIRE(text.size() == 1);
  CHECK(text[0].ends_with("types nest deeper than 200 levels"));
  CHECK(findings(nested(5), {.warn = {}, .max_depth = 4}).size() == 1);
  CHECK(findings(nested(5000)).size() == 1);
  Value objects = Map{{"type_id", "any"}};
  for (int level = 0; level < 1000; ++level)
    objects = Map{{"type_id", "object"}, {"id", "A"}, {"properties", Map{{"a", property_of(objects)}}}};
  CHECK(findings(objects).size() == 1);
  Value scopes = Map{{"type_id", "any"}};
  for (int level = 0; level < 1000; ++level) {
    Map scope = scope_with(Map{{"a", property_of(scopes)}}).take_map();
    scope.set("type_id", "scope");
    scopes = std::move(scope);
  }
  CHECK(findings(scopes).size() == 1);
}

TEST_CASE("a schema has a limited number of types", "[hostile]") {
  Map properties;
  for (int index = 0; index < 1000; ++index)
    properties.set("p" + std::to_string(index), property_of(Map{{"type_id", "bool"}}));
  const Value schema = scope_with(properties);
  // The scope and its object count too.
  CHECK(findings(schema, {.warn = {}, .max_types = 1002}).empty());
  const auto text = findings(schema, {.warn = {}, .max_types = 1001});
  REQUIRE(text.size() == 1);
  CHECK(text[0].ends_with("the schema has more than 1001 types"));
}

TEST_CASE("many objects, properties and references are linked in time", "[hostile]") {
  constexpr int count = 20000;
  Map objects;
  for (int index = 0; index < count; ++index) {
    const std::string next = "O" + std::to_string((index + 1) % count);
    objects.set("O" + std::to_string(index),
                Map{{"id", "O" + std::to_string(index)},
                    {"properties", Map{{"next", property_of(Map{{"type_id", "ref"}, {"id", next}})}}}});
  }
  const TypePtr circle = read_type(Map{{"root", "O0"}, {"objects", objects}});
  CHECK(unlinked_references(*circle).empty());
  CHECK(object_of(object_of(circle)->find("next")->type)->id == "O1");
  Map properties;
  Map given;
  for (int index = 0; index < count; ++index) {
    properties.set("p" + std::to_string(index), property_of(Map{{"type_id", "integer"}}));
    given.set("p" + std::to_string(index), "5");
  }
  const TypePtr wide = read_type(scope_with(properties));
  CHECK(unserialize(*wide, given).as_map().size() == count);
  CHECK(incompatibilities(*wide, *wide).empty());
  given.set("zz", "5");
  CHECK(mismatches_of([&] { unserialize(*wide, given); }).size() == 1);
}

TEST_CASE("messages stay short whatever a schema says", "[hostile]") {
  const std::string huge(1 << 20, 'x');
  Map properties;
  for (int index = 0; index < 5000; ++index)
    properties.set("property " + std::to_string(index), property_of(Map{{"type_id", "bool"}}));
  for (const std::string& text : mismatches_of([&] {
         unserialize(*read_type(scope_with(properties)), Map{{huge, 1}});
       }))
    CHECK(text.size() < 3000);
  for (const Value& schema :
       {Value(Map{{"type_id", huge}}), Value(Map{{"type_id", "bool"}, {huge, 1}}),
        Value(Map{{"type_id", "ref"}, {"id", huge}}), Value(Map{{"type_id", "string"}, {"pattern", huge + "("}}),
        Value(Map{{"type_id", "integer"}, {"min", huge}}),
        scope_with(Map{{huge, property_of(Map{{"type_id", huge}})}})}) {
    const auto text = findings(schema);
    REQUIRE_FALSE(text.empty());
    CHECK(text[0].size() < 2000);
  }
}

TEST_CASE("warnings about a plugin's schema are limited", "[hostile]") {
  Map schema = {{"type_id", "bool"}};
  for (int index = 0; index < 10000; ++index) schema.set("field " + std::to_string(index), 1);
  int warnings = 0;
  read_type(schema, {.origin = SchemaOrigin::plugin, .warn = [&](const std::string&) { ++warnings; }});
  CHECK(warnings == 50);
}

TEST_CASE("a schema with any part replaced is read or refused", "[hostile]") {
  const std::string scope_text =
      "{'root': 'A', 'objects': {'A': {'id': 'A', 'properties': {'l': {'type': {'type_id': 'list', 'items': "
      "{'type_id': "
      "'ref', 'id': 'B'}, 'min': 1}, 'display': {'name': 'L'}, 'required_if': ['m'], 'default': '[]'}, 'm': {'type': "
      "{'type_id': 'map', 'keys': {'type_id': 'enum_integer', 'values': {'1': {}}}, 'values': {'type_id': 'float', "
      "'units': "
      "{'base_unit': {'name_short_singular': 's', 'name_short_plural': 's', 'name_long_singular': 's', "
      "'name_long_plural': "
      "'s'}, 'multipliers': {'60': {'name_short_singular': 'm', 'name_short_plural': 'm', 'name_long_singular': 'm', "
      "'name_long_plural': 'm'}}}}}}, 'o': {'type': {'type_id': 'one_of_string', 'discriminator_field_name': 'k', "
      "'types': "
      "{'b': {'type_id': 'ref', 'id': 'B'}}}}}}, 'B': {'id': 'B', 'properties': {'s': {'type': {'type_id': 'string', "
      "'pattern': 'x', 'max': 5}}}}}}";
  const Value schema = from_json("{'steps': {'s': {'id': 's', 'input': " + scope_text +
                                 ", 'outputs': {'o': {'schema': " + scope_text + "}}}}}");
  const std::vector<Value> replacements = {nullptr,
                                           Value::written_null(""),
                                           true,
                                           -1,
                                           std::int64_t{1} << 62,
                                           0.5,
                                           "",
                                           "x",
                                           "A",
                                           "ref",
                                           List{},
                                           List{nullptr},
                                           Map{},
                                           Map{{1, 1}},
                                           Bytes(2),
                                           Value::invalid("unknown tag")};
  const Value input = from_json("{'l': [{'s': 'x'}], 'm': {'1': '5m'}, 'o': {'k': 'b', 's': 'x'}}");
  const std::size_t parts = count_parts(schema);
  std::size_t refused = 0;
  for (std::size_t part = 0; part < parts; ++part) {
    for (const Value& replacement : replacements) {
      std::size_t place = part;
      const Value broken = with_replaced(schema, place, replacement);
      CHECK_NOTHROW(mismatches_of([&] { read_plugin_schema(broken, {.origin = SchemaOrigin::user, .warn = {}}); }));
      try {
        const auto read = read_plugin_schema(broken, {.origin = SchemaOrigin::plugin, .warn = {}});
        const Value written = write_plugin_schema(*read);
        CHECK(write_plugin_schema(*read_plugin_schema(written, {})) == written);
        for (const auto& [id, step] : read->steps) {
          mismatches_of([&, input_type = step.input] { unserialize(*input_type, input); });
          CHECK(incompatibilities(*step.input, *step.input).empty());
        }
      } catch (const MismatchError& error) {
        ++refused;
        CHECK_FALSE(error.mismatches().empty());
      }
    }
  }
  CHECK(refused > parts * replacements.size() / 2);
}
