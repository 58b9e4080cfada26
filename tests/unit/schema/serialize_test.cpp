// Checking and writing data that has the kinds of its type.
#include <cmath>

#include "schema_support.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::schema;
using namespace venvoy::schema::test;

namespace {

struct Row {
  std::string type;
  Value data;
  std::string serialized;  // JSON, or "ERR…"
  bool valid;              // as it is
};

const std::string boolean = "{'type_id': 'bool'}";
const std::string integer = "{'type_id': 'integer', 'max': 10}";
const std::string floating = "{'type_id': 'float', 'max': 10}";
const std::string text = "{'type_id': 'string', 'max': 3}";
const std::string pattern = "{'type_id': 'pattern'}";
const std::string enum_text = "{'type_id': 'enum_string', 'values': {'1': {}, 'abc': {}}}";
const std::string enum_number = "{'type_id': 'enum_integer', 'values': {'1': {}, '5': {}}}";
const std::string integers = "{'type_id': 'list', 'items': {'type_id': 'integer'}, 'max': 2}";
const std::string map = "{'type_id': 'map', 'keys': {'type_id': 'integer'}, 'values': {'type_id': 'string'}, 'max': 1}";

}  // namespace

TEST_CASE("values are written without loss or not at all", "[serialize]") {
  const std::vector<Row> rows = {
      {boolean, true, "true", true},
      {boolean, 1, "ERR: unsupported data type for 'bool' type: integer", false},
      {boolean, "true", "ERR: unsupported data type for 'bool' type: string", false},
      {integer, 5, "5", true},
      {integer, 11, "ERR: Must be at most 10", false},
      {integer, 5.0, "5", false},
      {integer, 1.9, "ERR: unsupported data type for 'integer' type: float", false},
      {integer, 1e300, "ERR: unsupported data type for 'integer' type: float", false},
      {integer, "5", "ERR: unsupported data type for 'integer' type: string", false},
      {integer, true, "ERR: unsupported data type for 'integer' type: bool", false},
      {floating, 1.5, "1.5", true},
      {floating, 11.0, "ERR: Must be at most 10", false},
      {floating, 5, "5.0", false},
      {"{'type_id': 'float'}", (std::int64_t{1} << 53) + 1, "ERR: unsupported data type for 'float' type: integer",
       false},
      {"{'type_id': 'float'}", std::numeric_limits<std::int64_t>::max(),
       "ERR: unsupported data type for 'float' type: integer", false},
      {floating, "1", "ERR: unsupported data type for 'float' type: string", false},
      {text, "abc", "'abc'", true},
      {text, "abcd", "ERR: String must be at most 3 characters, 4 given", false},
      {text, 65, "ERR: unsupported data type for 'string' type: integer", false},
      {pattern, "a+", "'a+'", true},
      {pattern, "a(", "ERR: Invalid pattern (missing ): a()", false},
      {enum_text, "abc", "'abc'", true},
      {enum_text, "x", "ERR: 'x' is not a valid value, must be one of: '1', 'abc'", false},
      {enum_text, 1, "ERR: unsupported data type for 'enum_string' type: integer", false},
      {enum_number, 5, "5", true},
      {enum_number, 1.0, "1", false},
      {enum_number, 1.7, "ERR: unsupported data type for 'enum_integer' type: float", false},
      {integers, List{1, 2}, "[1,2]", true},
      {integers, List{1, "2"}, "ERR for '[1]': unsupported data type for 'integer' type: string", false},
      {integers, List{1, 2, 3}, "ERR: Must have at most 2 items, 3 given", false},
      {integers, "x", "ERR: unsupported data type for 'list' type: string", false},
      {map, Map{{1, "a"}}, "{'1':'a'}", true},
      {map, Map{{"1", "a"}}, "ERR for '{1}': unsupported data type for 'integer' type: string", false},
      {map, Map{{1, "a"}, {2, "b"}}, "ERR: Must have at most 1 items, 2 given", false},
      {map, Map{{1.0, "a"}}, "{'1':'a'}", false},
      {map, List{}, "ERR: unsupported data type for 'map' type: list", false},
      {"{'type_id': 'any'}", List{nullptr, 1, Map{{2, "x"}}}, "[null,1,{'2':'x'}]", true},
      {"{'type_id': 'any'}", Value::invalid("unknown tag"), "ERR: unknown tag", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.type, describe(row.data));
    const TypePtr of = type(row.type);
    const std::string expected = row.serialized.starts_with("ERR") ? row.serialized : double_quoted(row.serialized);
    CHECK(outcome([&] { return serialize(*of, row.data); }) == expected);
    CHECK(mismatches_of([&] { validate(*of, row.data); }).empty() == row.valid);
  }
}

TEST_CASE("two keys that become one are refused when written", "[serialize]") {
  const TypePtr of = type("{'type_id': 'map', 'keys': {'type_id': 'integer'}, 'values': {'type_id': 'string'}}");
  CHECK(outcome([&] {
          return serialize(*of, Map{{1, "a"}, {1.0, "b"}});
        }) == "ERR for '{1}': The key '1' is given twice");
}

TEST_CASE("objects are written with their rules and without defaults", "[serialize]") {
  const TypePtr of = object(
      "{'a': {'type': {'type_id': 'integer'}}, 'b': {'type': {'type_id': 'integer'}, 'required': false, 'conflicts': "
      "['c']}, 'c': {'type': {'type_id': 'integer'}, 'required': false}, 'd': {'type': {'type_id': 'integer'}, "
      "'default': '5'}, 'e': {'type': {'type_id': 'integer'}, 'required': false, 'required_if_not': ['d']}}");
  const std::vector<std::pair<Value, std::string>> rows = {
      {Map{{"a", 1}}, "{'a':1}"},
      {Map{{"b", 2}, {"a", 1}}, "{'b':2,'a':1}"},
      {Map{{"a", 1}, {"b", nullptr}}, "{'a':1}"},
      {Map{{"b", 2}}, "ERR for 'a': This field is required"},
      {Map{{"a", nullptr}}, "ERR for 'a': This field is required"},
      {Map{{"a", 1}, {"b", 2}, {"c", 3}}, "ERR for 'b': Field conflicts 'c', set one of the two, not both"},
      {Map{{"a", 1}, {"z", 2}}, "ERR: Invalid parameter 'z', expected one of: a, b, c, d, e"},
      {Map{{"a", 1}, {2, 2}}, "ERR: Invalid parameter '2', expected one of: a, b, c, d, e"},
      {Map{{"a", "x"}}, "ERR for 'a': unsupported data type for 'integer' type: string"},
      {"x", "ERR: unsupported data type for 'scope' type: string"},
  };
  for (const auto& [value, result] : rows) {
    CAPTURE(describe(value));
    const std::string expected = result.starts_with("ERR") ? result : double_quoted(result);
    CHECK(outcome([&, value = value] { return serialize(*of, value); }) == expected);
    CHECK(mismatches_of([&, value = value] { validate(*of, value); }).empty() == !result.starts_with("ERR"));
  }
}

TEST_CASE("one-ofs are written with their discriminator", "[serialize]") {
  const auto with = [](const std::string& inlined, const std::string& id) {
    return scope(
        "{'A': {'id': 'A', 'properties': {'x': {'type': {'type_id': 'one_of_string', "
        "'discriminator_field_name': 'kind', 'discriminator_inlined': " +
        inlined + ", 'types': {'k': {'type_id': 'ref', 'id': '" + id +
        "'}}}}}}, 'B': {'id': 'B', 'properties': {'b': {'type': {'type_id': 'integer'}}}}, 'C': {'id': 'C', "
        "'properties': {'b': {'type': {'type_id': 'integer'}}, 'kind': {'type': {'type_id': 'string'}}}}}");
  };
  for (const TypePtr& of : {with("false", "B"), with("true", "C")}) {
    const Value good = Map{{"x", Map{{"kind", "k"}, {"b", 1}}}};
    CHECK(serialize(*of, good) == good);
    CHECK_NOTHROW(validate(*of, good));
    CHECK(serialize(*of, unserialize(*of, Map{{"x", Map{{"b", "1"}, {"kind", "k"}}}})) == good);
    const std::vector<std::pair<Value, std::string>> bad = {
        {Map{{"b", 1}}, "ERR for 'x': Missing discriminator field 'kind' in '{'b': 1}'"},
        {Map{{"kind", "z"}, {"b", 1}}, "ERR for 'x': Invalid value for \"kind\", expected one of: k; 'z' given"},
        {Map{{"kind", 1}, {"b", 1}}, "ERR for 'x': Invalid value for \"kind\", expected one of: k; '1' given"},
        {Map{{"kind", "k"}, {"b", "1"}}, "ERR for 'x' -> 'b': unsupported data type for 'integer' type: string"},
        {Map{{"kind", "k"}}, "ERR for 'x' -> 'b': This field is required"},
        {"x", "ERR for 'x': unsupported data type for 'one_of_string' type: string"},
    };
    for (const auto& [value, result] : bad) {
      const Value data = Map{{"x", value}};
      CHECK(outcome([&] { return serialize(*of, data); }) == result);
      CHECK_FALSE(mismatches_of([&] { validate(*of, data); }).empty());
    }
  }
}

TEST_CASE("what is read can be checked and written", "[serialize]") {
  const TypePtr of = scope(
      "{'A': {'id': 'A', 'properties': {'b': {'type': {'type_id': 'bool'}}, 'f': {'type': {'type_id': 'float'}}, 'm': "
      "{'type': {'type_id': 'map', 'keys': {'type_id': 'integer'}, 'values': {'type_id': 'ref', 'id': 'B'}}}, 'any': "
      "{'type': {'type_id': 'any'}}}}, 'B': {'id': 'B', 'properties': {'e': {'type': {'type_id': 'enum_integer', "
      "'values': {'1': {}}}}}}}");
  const Value read = unserialize(*of, from_json("{'b': 'yes', 'f': '3', 'm': {'7': {'e': '1'}}, 'any': [null, 1]}"));
  CHECK_NOTHROW(validate(*of, read));
  CHECK(serialize(*of, read) == read);
  CHECK(read.find("f")->as_float() == 3.0);
  CHECK(read.find("m")->as_map().find(Value(7)));
}

TEST_CASE("data that is too deep or wrong in very many places ends with an error", "[serialize]") {
  const TypePtr list = type(integers);
  Value free = 1;
  for (int level = 0; level < 2000; ++level) free = List{free};
  CHECK_THROWS_AS(validate(*any_type(), free), MismatchError);
  const Value many = List(100000, Value("x"));
  CHECK(mismatches_of([&] { validate(*list, many); }).size() == check_limits.max_mismatches);
}
