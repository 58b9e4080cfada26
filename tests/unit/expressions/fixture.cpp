#include "fixture.hpp"

#include <functional>

#include "schema/json.hpp"
#include "schema/read_type.hpp"
#include "support/catch.hpp"

namespace venvoy::expressions {

namespace {

constexpr std::string_view schema_text = R"({
  "root": "Root",
  "objects": {
    "Root": {"id": "Root", "properties": {
      "i": {"type": {"type_id": "integer"}},
      "j": {"type": {"type_id": "integer"}},
      "zero": {"type": {"type_id": "integer"}},
      "limited": {"type": {"type_id": "integer", "min": 1, "max": 10}},
      "f": {"type": {"type_id": "float"}},
      "s": {"type": {"type_id": "string"}},
      "key": {"type": {"type_id": "string"}},
      "b": {"type": {"type_id": "bool"}},
      "color": {"type": {"type_id": "enum_string", "values": {"red": {"name": "Red"}}}},
      "l": {"type": {"type_id": "list", "items": {"type_id": "integer"}}},
      "m": {"type": {"type_id": "map", "keys": {"type_id": "string"}, "values": {"type_id": "integer"}}},
      "x": {"type": {"type_id": "any"}},
      "r": {"type": {"type_id": "ref", "id": "Item"}},
      "items": {"type": {"type_id": "list", "items": {"type_id": "ref", "id": "Item"}}},
      "opt": {"type": {"type_id": "integer"}, "required": false},
      "my-step": {"type": {"type_id": "integer"}},
      "1e5": {"type": {"type_id": "integer"}}
    }},
    "Item": {"id": "Item", "properties": {
      "name": {"type": {"type_id": "string"}},
      "free": {"type": {"type_id": "any"}, "required": false}
    }}
  }
})";

constexpr std::string_view document_text = R"({
  "i": 7, "j": 3, "zero": 0, "limited": 5, "f": 2.5, "s": "alpha", "key": "two", "b": true, "color": "red",
  "l": [10, 20, 30],
  "m": {"one": 1, "two": 2, "a.b": 3},
  "x": {"a": {"b": [1, null, {"c": "deep"}]}, "flag": true, "nothing": null, "key": "a"},
  "r": {"name": "ref"},
  "items": [{"name": "first", "free": {"y": 1}}, {"name": "second"}],
  "my-step": 1, "1e5": 99
})";

ExpressionError error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const ExpressionError& error) {
    return error;
  }
  FAIL("no error");
  throw std::logic_error("unreachable");
}

}  // namespace

const schema::TypePtr& root_type() {
  static const schema::TypePtr type = schema::read_scope(schema::read_json(schema_text));
  return type;
}

const schema::Value& document() {
  static const schema::Value value = schema::read_json(document_text);
  return value;
}

schema::Value value_of(std::string_view text) {
  return evaluate(parse(text), document(), builtin_functions());
}

void check_values(const std::vector<std::pair<std::string, schema::Value>>& table) {
  for (const auto& [text, expected] : table) {
    INFO(text);
    CHECK(value_of(text) == expected);
  }
}

std::string type_of(std::string_view text) {
  return std::string(infer(parse(text), root_type(), builtin_functions())->name());
}

std::vector<std::string> paths_of(std::string_view text, const DependencyFilter& filter) {
  std::vector<std::string> paths;
  for (const DependencyPath& path : dependencies(parse(text), root_type(), builtin_functions(), filter)) {
    std::string joined;
    for (const schema::Value& element : path.elements)
      joined += (joined.empty() ? "" : ".") +
                (element.kind() == schema::Kind::text ? element.as_text() : schema::describe(element));
    paths.push_back(joined);
  }
  return paths;
}

ExpressionError parse_error(std::string_view text, const ParseLimits& limits) {
  const ExpressionError error = error_of([&] { parse(text, limits); });
  CHECK(error.code() == ErrorCode::document);
  return error;
}

ExpressionError type_error(std::string_view text) {
  const Expression expression = parse(text);
  const ExpressionError error = error_of([&] { infer(expression, root_type(), builtin_functions()); });
  CHECK(error.code() == ErrorCode::document);
  const ExpressionError again =
      error_of([&] { dependencies(expression, root_type(), builtin_functions(), engine_filter); });
  CHECK(again.message() == error.message());
  return error;
}

ExpressionError evaluation_error(std::string_view text) {
  const ExpressionError error = error_of([&] { value_of(text); });
  CHECK(error.code() == ErrorCode::evaluation);
  return error;
}

}  // namespace venvoy::expressions
