// Reading foreign data: Appendix A.4 and A.5 of spec/protocol-and-schema.md and the rules of its section 4.
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
  std::string result;  // JSON, or what the error begins with
};

const std::string seconds =
    "{'base_unit': {'name_short_singular': 's', 'name_short_plural': 's', 'name_long_singular': 'second', "
    "'name_long_plural': 'seconds'}, 'multipliers': {'60': {'name_short_singular': 'm', 'name_short_plural': 'm', "
    "'name_long_singular': 'minute', 'name_long_plural': 'minutes'}}}";

const std::string boolean = "{'type_id': 'bool'}";
const std::string integer = "{'type_id': 'integer'}";
const std::string floating = "{'type_id': 'float'}";
const std::string text = "{'type_id': 'string'}";
const std::string pattern = "{'type_id': 'pattern'}";
const std::string any = "{'type_id': 'any'}";
const std::string integers = "{'type_id': 'list', 'items': {'type_id': 'integer'}}";
const std::string integer_0_10 = "{'type_id': 'integer', 'min': 0, 'max': 10}";
const std::string float_0_2 = "{'type_id': 'float', 'min': 0, 'max': 2}";
const std::string seconds_integer = "{'type_id': 'integer', 'units': " + seconds + "}";
const std::string enum_text = "{'type_id': 'enum_string', 'values': {'1': {}, 'abc': {}}}";
const std::string enum_number = "{'type_id': 'enum_integer', 'values': {'1': {}, '5': {}}}";
const std::string integer_to_text = "{'type_id': 'map', 'keys': " + integer + ", 'values': " + text + "}";
const std::string text_to_integer = "{'type_id': 'map', 'keys': " + text + ", 'values': " + integer + "}";

constexpr double infinity = std::numeric_limits<double>::infinity();
const Bytes two_bytes = {std::byte{1}, std::byte{2}};

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.type, describe(row.data));
    const std::string result = unserialized(type(row.type), row.data);
    const std::string expected = double_quoted(row.result);
    CAPTURE(result, row.result);
    if (row.result.starts_with("ERR")) {
      CHECK(result.substr(0, row.result.size()) == row.result);
    } else {
      CHECK(result == expected);
    }
  }
}

}  // namespace

// Appendix A.4 with the rules of section 4: the tables from here to "any".
TEST_CASE("booleans", "[unserialize]") {
  check({
      {boolean, true, "true"},
      {boolean, 1, "true"},
      {boolean, "1", "true"},
      {boolean, "yes", "true"},
      {boolean, "YES", "true"},
      {boolean, "on", "true"},
      {boolean, "y", "true"},
      {boolean, "enable", "true"},
      {boolean, "Enabled", "true"},
      {boolean, "tRuE", "true"},
      {boolean, false, "false"},
      {boolean, 0, "false"},
      {boolean, "0", "false"},
      {boolean, "n", "false"},
      {boolean, "no", "false"},
      {boolean, "off", "false"},
      {boolean, "false", "false"},
      {boolean, "disable", "false"},
      {boolean, "disabled", "false"},
      {boolean, 2, "ERR: '2' is not a valid boolean value"},
      {boolean, "maybe", "ERR: 'maybe' is not a valid boolean value"},
      {boolean, " yes", "ERR: ' yes' is not a valid boolean value"},
      {boolean, "", "ERR: '' is not a valid boolean value"},
      {boolean, 1.0, "ERR: '1' is not a valid boolean value"},
      {boolean, nullptr, "ERR: 'null' is not a valid boolean value"},
      {boolean, List{}, "ERR: '[]' is not a valid boolean value"},
      {boolean, Value::invalid("too large"), "ERR: too large"},
  });
}

TEST_CASE("integers", "[unserialize]") {
  check({
      {integer, 5, "5"},
      {integer, "5", "5"},
      {integer, "-5", "-5"},
      {integer, "+5", "5"},
      {integer, "007", "7"},
      {integer, "9223372036854775807", "9223372036854775807"},
      {integer, "-9223372036854775808", "-9223372036854775808"},
      {integer, 1.0, "1"},
      {integer, -0x1p63, "-9223372036854775808"},
      {integer, true, "1"},
      {integer, false, "0"},
      {integer, " 5 ", "ERR: ' 5 ' is not a valid integer"},
      {integer, "5_0", "ERR: '5_0' is not a valid integer"},
      {integer, "5.0", "ERR: '5.0' is not a valid integer"},
      {integer, "1e2", "ERR: '1e2' is not a valid integer"},
      {integer, "0x10", "ERR: '0x10' is not a valid integer"},
      {integer, "", "ERR: '' is not a valid integer"},
      {integer, "+", "ERR: '+' is not a valid integer"},
      {integer, "+-5", "ERR: '+-5' is not a valid integer"},
      {integer, "--5", "ERR: '--5' is not a valid integer"},
      {integer, "many", "ERR: 'many' is not a valid integer"},
      {integer, "9223372036854775808", "ERR: '9223372036854775808' does not fit a 64-bit integer"},
      {integer, "-9223372036854775809", "ERR: '-9223372036854775809' does not fit a 64-bit integer"},
      {integer, 1.5, "ERR: float 1.5 cannot be converted to an integer"},
      {integer, 0x1p63, "ERR: float 9.22"},
      {integer, infinity, "ERR: float inf cannot be converted to an integer"},
      {integer, std::nan(""), "ERR: float nan cannot be converted to an integer"},
      {integer, nullptr, "ERR: null cannot be converted to an integer"},
      {integer, Value::written_null("null"), "ERR: null cannot be converted to an integer"},
      {integer, List{}, "ERR: list cannot be converted to an integer"},
      {integer, Map{}, "ERR: map cannot be converted to an integer"},
      {integer, two_bytes, "ERR: bytes cannot be converted to an integer"},
      {integer, Value::invalid("number is too large: 18446744073709551615"),
       "ERR: number is too large: 18446744073709551615"},
      {integer_0_10, -1, "ERR: Must be at least 0"},
      {integer_0_10, 11, "ERR: Must be at most 10"},
      {integer_0_10, "5", "5"},
      {integer_0_10, "11", "ERR: Must be at most 10"},
      {"{'type_id': 'integer', 'min': -5}", "-5", "-5"},
      {"{'type_id': 'integer', 'min': -5}", "-6", "ERR: Must be at least -5"},
      {seconds_integer, "5m", "300"},
      {seconds_integer, "5m30s", "330"},
      {seconds_integer, "5.0", "ERR: Failed to parse 5.0 as an integer, float found."},
      {seconds_integer, " 5 ", "5"},
      {seconds_integer, 5, "5"},
      {seconds_integer, -5, "-5"},
      {seconds_integer, "5d", "ERR: Cannot parse '5d' as 'seconds'"},
      {"{'type_id': 'integer', 'max': 90, 'units': " + seconds + "}", "2m", "ERR: Must be at most 90 (1m30s)"},
  });
}

TEST_CASE("floats", "[unserialize]") {
  check({
      {floating, 1, "1.0"},
      {floating, 1.5, "1.5"},
      {floating, "1e2", "100.0"},
      {floating, true, "1.0"},
      {floating, false, "0.0"},
      {floating, "5", "5.0"},
      {floating, "+5", "5.0"},
      {floating, "-2.50", "-2.5"},
      {floating, "5.", "5.0"},
      {floating, ".5", "0.5"},
      {floating, "-0.0", "-0.0"},
      {floating, "1e-400", "0.0"},
      {floating, "0.000000e999999999999999999999", "0.0"},
      {floating, "0x1.8p3", "12.0"},
      {floating, "-0X.8P0", "-0.5"},
      {floating, "0x1p-2000", "0.0"},
      {floating, "1_000.5", "1000.5"},
      {floating, "inf", "'Infinity'"},
      {floating, "-Infinity", "'-Infinity'"},
      {floating, "+INF", "'Infinity'"},
      {floating, "NaN", "'NaN'"},
      {floating, std::nan(""), "'NaN'"},
      {floating, std::numeric_limits<std::int64_t>::max(), "9.223372036854776e+18"},
      {floating, " 5 ", "ERR: ' 5 ' is not a valid float"},
      {floating, "many", "ERR: 'many' is not a valid float"},
      {floating, "-nan", "ERR: '-nan' is not a valid float"},
      {floating, "nan(1)", "ERR: 'nan(1)' is not a valid float"},
      {floating, "", "ERR: '' is not a valid float"},
      {floating, "+", "ERR: '+' is not a valid float"},
      {floating, ".", "ERR: '.' is not a valid float"},
      {floating, "1e", "ERR: '1e' is not a valid float"},
      {floating, "--1", "ERR: '--1' is not a valid float"},
      {floating, "1,5", "ERR: '1,5' is not a valid float"},
      {floating, "0x1.8", "ERR: '0x1.8' is not a valid float"},
      {floating, "0x", "ERR: '0x' is not a valid float"},
      {floating, "1__0", "ERR: '1__0' is not a valid float"},
      {floating, "_1", "ERR: '_1' is not a valid float"},
      {floating, "1e400", "ERR: '1e400' does not fit a 64-bit float"},
      {floating, "-1e99999999999999999999999", "ERR: '-1e99999999999999999999999' does not fit a 64-bit float"},
      {floating, nullptr, "ERR: null cannot be converted to a float"},
      {floating, List{}, "ERR: list cannot be converted to a float"},
      {float_0_2, std::nan(""), "'NaN'"},
      {float_0_2, -1, "ERR: Must be at least 0"},
      {float_0_2, "2.5", "ERR: Must be at most 2"},
      {"{'type_id': 'float', 'max': 1.5}", "1.6", "ERR: Must be at most 1.5"},
      {"{'type_id': 'float', 'units': " + seconds + "}", "1m1.5s", "61.5"},
  });
}

TEST_CASE("texts", "[unserialize]") {
  check({
      {text, "a", "'a'"},
      {text, "", "''"},
      {text, 5, "'5'"},
      {text, 1.5, "'1.5'"},
      {text, 0.1, "'0.1'"},
      {text, infinity, "'+Inf'"},
      {text, true, "ERR: bool cannot be converted to a string"},
      {text, nullptr, "ERR: null cannot be converted to a string"},
      {text, Value::written_null("null"), "'null'"},
      {text, Value::written_null("~"), "'~'"},
      {text, Value::written_null(""), "''"},
      {text, List{}, "ERR: list cannot be converted to a string"},
      {text, two_bytes, "ERR: bytes cannot be converted to a string"},
      {"{'type_id': 'string', 'max': 4}", "héé", "'héé'"},
      {"{'type_id': 'string', 'max': 4}", "abcde", "ERR: String must be at most 4 characters, 5 given"},
      {"{'type_id': 'string', 'min': 3}", "ab", "ERR: String must be at least 3 characters, 2 given"},
      {"{'type_id': 'string', 'min': 3}", 12345, "'12345'"},
      {"{'type_id': 'string', 'pattern': 'b'}", "abc", "'abc'"},
      {"{'type_id': 'string', 'pattern': '^[a-z]+$'}", "5m", "ERR: String '5m' must match the pattern '^[a-z]+$'"},
      // The order of the checks: min, max, pattern.
      {"{'type_id': 'string', 'min': 3, 'pattern': 'b'}", "a", "ERR: String must be at least 3"},
      {pattern, "^a+$", "'^a+$'"},
      {pattern, 1, "'1'"},
      {pattern, Value::written_null("null"), "'null'"},
      {pattern, "a(", "ERR: Invalid pattern ("},
      {pattern, true, "ERR: bool cannot be converted to a string"},
  });
}

TEST_CASE("enums", "[unserialize]") {
  check({
      {enum_text, 1, "'1'"},
      {enum_text, "abc", "'abc'"},
      {enum_text, "2", "ERR: '2' is not a valid value, must be one of: '1', 'abc'"},
      {enum_text, true, "ERR: bool cannot be converted to a string"},
      {"{'type_id': 'enum_string', 'values': {'null': {}}}", Value::written_null("null"), "'null'"},
      {enum_number, "5", "5"},
      {enum_number, 1.0, "1"},
      {enum_number, true, "1"},
      {enum_number, 2, "ERR: '2' is not a valid value, must be one of: '1', '5'"},
      {enum_number, "3", "ERR: '3' is not a valid value, must be one of: '1', '5'"},
      {enum_number, 1.5, "ERR: '1.5' (type float) is not a valid type for an 'integer' enum"},
      {enum_number, "yes", "ERR: 'yes' (type string) is not a valid type for an 'integer' enum"},
      // Sorted as text.
      {"{'type_id': 'enum_integer', 'values': {'10': {}, '9': {}}}", 1,
       "ERR: '1' is not a valid value, must be one of: "
       "'10', '9'"},
      {"{'type_id': 'enum_integer', 'values': {'60': {}}, 'units': " + seconds + "}", "1m", "60"},
  });
}

TEST_CASE("lists", "[unserialize]") {
  check({
      {integers, List{1, "2", 3.0}, "[1,2,3]"},
      {integers, List{}, "[]"},
      {integers, List{"a"}, "ERR for '[0]': 'a' is not a valid integer"},
      {integers, two_bytes, "[1,2]"},
      {"{'type_id': 'list', 'items': {'type_id': 'string'}}", two_bytes, "ERR: Must be a list, bytes given"},
      {integers, "5", "ERR: Must be a list, string given"},
      {integers, nullptr, "ERR: Must be a list, null given"},
      {integers, List{1, nullptr}, "ERR for '[1]': null cannot be converted to an integer"},
      {integers, Map{}, "ERR: Must be a list, map given"},
      {"{'type_id': 'list', 'items': {'type_id': 'string'}}", List{Value::written_null("~")}, "['~']"},
      {"{'type_id': 'list', 'items': {'type_id': 'integer'}, 'min': 1, 'max': 2}", List{},
       "ERR: Must have at least 1 items, 0 given"},
      {"{'type_id': 'list', 'items': {'type_id': 'integer'}, 'min': 1, 'max': 2}", List{1, 2, 3},
       "ERR: Must have at most 2 items, 3 given"},
  });
}

TEST_CASE("maps", "[unserialize]") {
  check({
      {text_to_integer, Map{{"a", "5"}}, "{'a':5}"},
      {text_to_integer, Map{{1, 5}}, "{'1':5}"},
      {integer_to_text, Map{{"-3", "a"}, {1, "b"}}, "{'-3':'a','1':'b'}"},
      {integer_to_text, Map{{"one", "a"}}, "ERR for '{one}': 'one' is not a valid integer"},
      {text_to_integer, Map{{"a", "b"}}, "ERR for '[a]': 'b' is not a valid integer"},
      {integer_to_text, Map{{"1", "a"}, {1, "b"}}, "ERR for '{1}': The key '1' is given twice"},
      {text_to_integer, "a", "ERR: Must be a map, string given"},
      {text_to_integer, List{}, "ERR: Must be a map, list given"},
      {"{'type_id': 'map', 'keys': {'type_id': 'string', 'min': 2}, 'values': {'type_id': 'string'}}", Map{{"x", "a"}},
       "ERR for '{x}': String must be at least 2 characters, 1 given"},
      {"{'type_id': 'map', 'keys': {'type_id': 'string'}, 'values': {'type_id': 'string'}, 'min': 1}", Map{},
       "ERR: Must have at least 1 items, 0 given"},
      {"{'type_id': 'map', 'keys': {'type_id': 'string'}, 'values': {'type_id': 'string'}, 'max': 1}",
       Map{{"a", "b"}, {"c", "d"}}, "ERR: Must have at most 1 items, 2 given"},
      {"{'type_id': 'map', 'keys': {'type_id': 'enum_string', 'values': {'red': {}}}, 'values': {'type_id': "
       "'integer'}}",
       Map{{"red", 1}}, "{'red':1}"},
      {"{'type_id': 'map', 'keys': {'type_id': 'enum_integer', 'values': {'1': {}}}, 'values': {'type_id': 'integer'}}",
       Map{{"1", 1}}, "{'1':1}"},
  });
  const Value keys = unserialize(*type(integer_to_text), Map{{"7", "a"}});
  CHECK(keys.as_map().find(Value(7)));
}

TEST_CASE("any", "[unserialize]") {
  check({
      {any, nullptr, "null"},
      {any, Value::written_null("null"), "'null'"},
      {any, Value::written_null(""), "''"},
      {any, List{1, "a"}, "[1,'a']"},
      {any, two_bytes, "[1,2]"},
      {any, List{Map{{"a", Value::written_null("~")}}, two_bytes}, "[{'a':'~'},[1,2]]"},
      {any, Map{{1, "a"}, {"b", nullptr}}, "{'1':'a','b':null}"},
      {any, Value::invalid("number is too large: 18446744073709551615"),
       "ERR: number is too large: 18446744073709551615"},
      {any, List{1, Map{{"a", Value::invalid("unknown tag")}}}, "ERR for '[1]' -> '[a]': unknown tag"},
  });
  const Value keys = unserialize(*any_type(), Map{{1, "a"}});
  CHECK(keys.as_map().find(Value(1)));
}

// Appendix A.2, rows 19, 20, 24 and 32: numbers beyond 64 bits, simple values, times and tags.
TEST_CASE("what was invalid on the wire fits no type", "[unserialize]") {
  const Value data = Value::invalid("a value with the CBOR tag 32 fits no type");
  const TypePtr outer =
      scope("{'A': {'id': 'A', 'properties': {'r': {'type': {'type_id': 'ref', 'id': 'A'}, 'required': false}}}}");
  const std::vector<TypePtr> types = {
      type(boolean),
      type(integer),
      type(floating),
      type(text),
      type(pattern),
      type(any),
      type(enum_text),
      type(enum_number),
      type(integers),
      type(text_to_integer),
      outer,
      object_of(outer)->find("r")->type,
      make_type(*object_of(outer)),
      type("{'type_id': 'one_of_string', 'discriminator_field_name': '_type', 'types': {}}"),
      type("{'type_id': 'one_of_int', 'discriminator_field_name': '_type', 'types': {}}"),
  };
  REQUIRE(types.size() == std::variant_size_v<Type::Form>);
  for (const TypePtr& expected : types) {
    CAPTURE(std::string(expected->name()));
    CHECK(unserialized(expected, data) == "ERR: a value with the CBOR tag 32 fits no type");
  }
}

TEST_CASE("free data is not copied", "[unserialize]") {
  const Value value = List{1, Map{{"a", "b"}}};
  CHECK(&unserialize(*any_type(), value).as_list() == &value.as_list());
}

// Appendix A.5.
TEST_CASE("objects", "[unserialize]") {
  const std::string one = "{'a': {'type': {'type_id': 'string'}, 'required': false}}";
  const std::string two = "{'a': {'type': {'type_id': 'string'}}, 'b': {'type': {'type_id': 'string'}}}";
  const std::string rules =
      "{'a': {'type': {'type_id': 'integer'}, 'required': false}, 'c': {'type': {'type_id': 'integer'}, 'required': "
      "false}, 'b': {'type': {'type_id': 'string'}, 'required': false, ";
  const std::string disabled =
      "{'a': {'type': {'type_id': 'string'}, 'required': false, 'disabled': true, 'disabled_reason': 'because'}}";
  struct ObjectRow {
    std::string properties;
    Value data;
    std::string result;
  };
  const std::vector<ObjectRow> rows = {
      {"{'a': {'type': {'type_id': 'string'}}}", Map{}, "ERR for 'a': This field is required"},
      {one, Map{{"a", nullptr}}, "{}"},
      {one, Map{{"a", Value::written_null("null")}}, "{'a':'null'}"},
      {"{'a': {'type': {'type_id': 'string'}}}", Map{{"a", nullptr}}, "ERR for 'a': This field is required"},
      {"{'a': {'type': {'type_id': 'integer'}, 'required': false}}", Map{{"a", Value::written_null("~")}}, "{}"},
      {"{'a': {'type': {'type_id': 'integer'}}}", Map{{"a", Value::written_null("~")}},
       "ERR for 'a': This field is required"},
      {"{'a': {'type': {'type_id': 'integer'}, 'default': '5'}}", Map{{"a", nullptr}}, "{'a':5}"},
      {"{'a': {'type': {'type_id': 'any'}}}", Map{{"a", nullptr}}, "{'a':null}"},
      {one, "str", "{'a':'str'}"},
      {one, 5, "{'a':'5'}"},
      {one, nullptr, "ERR: Must be a map to convert to object, null given"},
      {one, List{1},
       "ERR for 'a': error while unserializing single inlined property a for object A (\"list cannot be "
       "converted to a string\"); fix the property or specify the object as a map"},
      {two, "str", "ERR: Must be a map to convert to object, string given"},
      {"{}", "str", "ERR: Must be a map to convert to object, string given"},
      {"{'a': {'type': {'type_id': 'integer'}, 'default': '5'}, 'b': {'type': {'type_id': 'string'}, 'default': "
       "'\\'x\\''}}",
       Map{}, "{'a':5,'b':'x'}"},
      {"{'a': {'type': {'type_id': 'string'}, 'default': '5'}}", Map{}, "{'a':'5'}"},
      {"{'a': {'type': {'type_id': 'string'}, 'default': ' 5.00 '}}", Map{}, "{'a':'5.00'}"},
      {"{'a': {'type': {'type_id': 'string'}, 'default': 'hello'}}", Map{}, "{'a':'hello'}"},
      {"{'a': {'type': {'type_id': 'string'}, 'required': false, 'default': 'null'}}", Map{}, "{}"},
      {"{'a': {'type': {'type_id': 'integer'}, 'default': '9007199254740993'}}", Map{}, "{'a':9007199254740993}"},
      {"{'a': {'type': {'type_id': 'integer', 'max': 3}, 'default': '5'}}", Map{}, "ERR for 'a': Must be at most 3"},
      {"{'a': {'type': {'type_id': 'integer', 'max': 3}, 'default': '5'}}", Map{{"a", 1}}, "{'a':1}"},
      {"{'a': {'type': {'type_id': 'integer'}, 'required': false, 'default': '\\'many\\''}}", Map{},
       "ERR for 'a': 'many' is not a valid integer"},
      {"{'a': {'type': {'type_id': 'integer'}, 'default': '5'}, 'b': {'type': {'type_id': 'string'}, 'required': "
       "false, "
       "'required_if': ['a']}}",
       Map{}, "ERR for 'b': This field is required because 'a' is set"},
      {rules + "'required_if_not': ['a', 'c']}}", Map{},
       "ERR for 'b': This field is required because none of 'a', 'c' are set"},
      {rules + "'required_if_not': ['a', 'c']}}", Map{{"c", 1}}, "{'c':1}"},
      {rules + "'required_if_not': ['a']}}", Map{}, "ERR for 'b': This field is required because 'a' is not set"},
      {rules + "'required_if': ['a', 'c']}}", Map{{"c", 1}}, "ERR for 'b': This field is required because 'c' is set"},
      {rules + "'required_if': ['a', 'c']}}", Map{{"c", nullptr}}, "{}"},
      {rules + "'conflicts': ['a']}}", Map{{"a", 1}, {"b", "x"}},
       "ERR for 'b': Field conflicts 'a', set one of the two, not both"},
      {rules + "'conflicts': ['a']}}", Map{{"a", nullptr}, {"b", "x"}}, "{'b':'x'}"},
      {rules + "'conflicts': ['a']}}", Map{{"c", 1}, {"b", "x"}}, "{'c':1,'b':'x'}"},
      {disabled, Map{{"a", "x"}}, "ERR for 'a': error due to attempting to use disabled property: because"},
      {disabled, Map{}, "{}"},
      {"{'a': {'type': {'type_id': 'string'}, 'required': false, 'disabled': true, 'default': 'x'}}", Map{}, "{}"},
      {"{'a': {'type': {'type_id': 'string'}, 'required': false, 'disabled': true}}", Map{{"a", "x"}},
       "ERR for 'a': error due to attempting to use disabled property"},
      {"{'l': {'type': {'type_id': 'list', 'items': {'type_id': 'map', 'keys': {'type_id': 'string'}, 'values': "
       "{'type_id': 'integer', 'min': 3}}}}}",
       Map{{"l", List{Map{{"k", 1}}}}}, "ERR for 'l' -> '[0]' -> '[k]': Must be at least 3"},
      {"{'m': {'type': {'type_id': 'map', 'keys': {'type_id': 'string', 'min': 2}, 'values': {'type_id': 'string'}}}}",
       Map{{"m", Map{{"x", "a"}}}}, "ERR for 'm' -> '{x}': String must be at least 2 characters, 1 given"},
      {two, Map{{"a", "x"}, {"c", "y"}, {"b", "z"}}, "ERR: Invalid parameter 'c', expected one of: a, b"},
      {two, Map{{"a", "x"}, {1, "y"}, {"b", "z"}}, "ERR: Invalid parameter '1', expected one of: a, b"},
      {"{'name': {'type': {'type_id': 'string'}}, 'age': {'type': {'type_id': 'integer'}}}", Map{{"nam", "x"}},
       "ERR: Invalid parameter 'nam', expected one of: name, age, did you mean 'name'?"},
      {"{}", Map{{"a", "x"}}, "ERR: Invalid parameter 'a', none is expected here"},
      // In the order of the declaration.
      {two, Map{{"b", "x"}, {"a", "y"}}, "{'a':'y','b':'x'}"},
  };
  for (const ObjectRow& row : rows) {
    CAPTURE(row.properties, describe(row.data));
    const std::string result = unserialized(object(row.properties), row.data);
    CAPTURE(result);
    CHECK(result == (row.result.starts_with("ERR") ? row.result : double_quoted(row.result)));
  }
}

// Appendix A.5.
TEST_CASE("one-ofs", "[unserialize]") {
  const auto with = [](const std::string& one_of) {
    return scope(
        "{'A': {'id': 'A', 'properties': {'x': {'type': " + one_of +
        "}, 'y': {'type': {'type_id': 'any'}, 'required': false}}}, 'B': {'id': 'B', 'properties': {'b': {'type': "
        "{'type_id': 'integer'}}}}, 'C': {'id': 'C', 'properties': {}}, 'D': {'id': 'D', 'properties': "
        "{'_type': {'type': {'type_id': 'enum_string', 'values': {'d': {}}}}, 'n': {'type': {'type_id': "
        "'integer'}}}}, 'T': {'id': 'T', 'properties': {'b': {'type': {'type_id': 'string'}}}}}");
  };
  const TypePtr of_texts = with(
      "{'type_id': 'one_of_string', 'discriminator_field_name': '_type', 'types': {'b': {'type_id': 'ref', 'id': 'T'}, "
      "'c': {'type_id': 'ref', 'id': 'C'}}}");
  const TypePtr by_text = with(
      "{'type_id': 'one_of_string', 'discriminator_field_name': '_type', 'types': {'b': {'type_id': 'ref', 'id': 'B'}, "
      "'c': {'type_id': 'ref', 'id': 'C'}}}");
  const TypePtr by_number = with(
      "{'type_id': 'one_of_int', 'discriminator_field_name': '_type', 'types': {'1': {'type_id': 'ref', 'id': 'B'}, "
      "'2': "
      "{'type_id': 'ref', 'id': 'C'}}}");
  const TypePtr inlined = with(
      "{'type_id': 'one_of_string', 'discriminator_field_name': '_type', 'discriminator_inlined': true, 'types': {'d': "
      "{'type_id': 'ref', 'id': 'D'}}}");
  const TypePtr empty = with("{'type_id': 'one_of_int', 'discriminator_field_name': '_type'}");
  struct OneOfRow {
    TypePtr type;
    Value data;
    std::string result;
  };
  const std::vector<OneOfRow> rows = {
      {of_texts, Map{{"_type", "b"}, {"b", "1"}}, "{'x':{'_type':'b','b':'1'}}"},
      {by_text, Map{{"b", "1"}, {"_type", "b"}}, "{'x':{'_type':'b','b':1}}"},
      {by_text, Map{{"_type", "c"}}, "{'x':{'_type':'c'}}"},
      {by_text, Map{{"b", "1"}}, "ERR for 'x': Missing discriminator field '_type' in '{'b': '1'}'"},
      {by_text, Map{{"_type", nullptr}}, "ERR for 'x': Missing discriminator field '_type'"},
      {by_text, Map{{"_type", "z"}}, "ERR for 'x': Invalid value for \"_type\", expected one of: b, c"},
      {by_text, Map{{"_type", true}},
       "ERR for 'x': Invalid type bool for field _type, expected string (bool cannot be converted to a string)"},
      {by_text, Map{{"_type", "b"}, {"b", "x"}}, "ERR for 'x' -> 'b': 'x' is not a valid integer"},
      {by_text, Map{{"_type", "b"}}, "ERR for 'x' -> 'b': This field is required"},
      {by_text, Map{{"_type", "c"}, {"b", 1}}, "ERR for 'x': Invalid parameter 'b'"},
      {by_text, "b", "ERR for 'x': Invalid type for one-of type: \"string\". Expected map."},
      {by_number, Map{{"_type", "1"}, {"b", "1"}}, "{'x':{'_type':1,'b':1}}"},
      {by_number, Map{{"_type", 2}}, "{'x':{'_type':2}}"},
      {by_number, Map{{"_type", true}, {"b", 1}}, "{'x':{'_type':1,'b':1}}"},
      {by_number, Map{{"_type", 3}}, "ERR for 'x': Invalid value for \"_type\", expected one of: 1, 2"},
      {by_number, Map{{"_type", "b"}},
       "ERR for 'x': Invalid type string for field _type, expected integer ('b' is not a valid integer)"},
      {inlined, Map{{"_type", "d"}, {"n", "3"}}, "{'x':{'_type':'d','n':3}}"},
      {inlined, Map{{"_type", "e"}, {"n", "3"}}, "ERR for 'x': Invalid value for \"_type\", expected one of: d"},
      {empty, Map{{"_type", 1}}, "ERR for 'x': Invalid value for \"_type\""},
  };
  for (const OneOfRow& row : rows) {
    CAPTURE(describe(row.data));
    const std::string result = unserialized(row.type, Map{{"x", row.data}});
    const std::string expected = row.result.starts_with("ERR") ? row.result : double_quoted(row.result);
    CAPTURE(result, expected);
    CHECK(result.substr(0, expected.size()) == expected);
  }
}

TEST_CASE("everything wrong is reported, in the order of the declaration", "[unserialize]") {
  const TypePtr schema = object(
      "{'a': {'type': {'type_id': 'integer'}}, 'b': {'type': {'type_id': 'list', 'items': {'type_id': 'bool'}}}, 'c': "
      "{'type': {'type_id': 'string'}}}");
  const Value data = Map{{"d", 1}, {"b", List{true, "x", "z"}}, {"a", "z"}, {"e", 2}};
  CHECK(mismatches_of([&] { unserialize(*schema, data); }) ==
        std::vector<std::string>{"Validation failed: Invalid parameter 'd', expected one of: a, b, c",
                                 "Validation failed: Invalid parameter 'e', expected one of: a, b, c",
                                 "Validation failed for 'a': 'z' is not a valid integer",
                                 "Validation failed for 'b' -> '[1]': 'x' is not a valid boolean value",
                                 "Validation failed for 'b' -> '[2]': 'z' is not a valid boolean value",
                                 "Validation failed for 'c': This field is required"});
}

TEST_CASE("no more mismatches are collected than the limit says", "[unserialize]") {
  const Value data = List(100000, Value("x"));
  CHECK(mismatches_of([&] { unserialize(*type(integers), data); }).size() == check_limits.max_mismatches);
}

TEST_CASE("the path is text and the sentence has it", "[unserialize]") {
  try {
    unserialize(*object("{'a': {'type': {'type_id': 'list', 'items': {'type_id': 'integer'}}}}"),
                Map{{"a", List{1, "x"}}});
    FAIL("accepted");
  } catch (const MismatchError& error) {
    REQUIRE(error.mismatches().size() == 1);
    CHECK(error.mismatches()[0].path == Path{"a", "[1]"});
    CHECK(error.code() == ErrorCode::schema);
    CHECK(error.message() == "Validation failed for 'a' -> '[1]': 'x' is not a valid integer");
    CHECK(error.message() == error.mismatches()[0].sentence());
  }
}

TEST_CASE("defaults may be left out", "[unserialize]") {
  const TypePtr schema = object(
      "{'a': {'type': {'type_id': 'integer'}, 'default': '5'}, 'b': {'type': {'type_id': 'integer'}, 'required': "
      "false}, 'c': {'type': {'type_id': 'integer'}, 'required': false, 'required_if_not': ['a']}}");
  CHECK(unserialized(schema, Map{}, false) == "{}");
  CHECK(unserialized(schema, Map{{"b", "1"}}, false) == "{\"b\":1}");
  CHECK(unserialized(schema, Map{}) == "{\"a\":5}");
}

TEST_CASE("recursive scopes read data of any shape", "[unserialize]") {
  const TypePtr tree = scope(
      "{'A': {'id': 'A', 'properties': {'name': {'type': {'type_id': 'string'}}, 'children': {'type': {'type_id': "
      "'list', 'items': {'type_id': 'ref', 'id': 'A'}}, 'required': false}}}}");
  CHECK(unserialized(tree, from_json("{'name': 'a', 'children': [{'name': 'b', 'children': []}, {'name': 5}]}")) ==
        double_quoted("{'name':'a','children':[{'name':'b','children':[]},{'name':'5'}]}"));
  CHECK(unserialized(tree, from_json("{'name': 'a', 'children': [{'name': 'b'}, {'nam': 5}]}")) ==
        "ERR for 'children' -> '[1]': Invalid parameter 'nam', expected one of: name, children, did you mean 'name'?");
}

TEST_CASE("an object of one property that is itself takes only maps", "[unserialize]") {
  const TypePtr endless = scope("{'A': {'id': 'A', 'properties': {'a': {'type': {'type_id': 'ref', 'id': 'A'}}}}}");
  CHECK(unserialized(endless, "x").find("Must be a map to convert to object, string given") != std::string::npos);
  const TypePtr through_list = scope(
      "{'A': {'id': 'A', 'properties': {'a': {'type': {'type_id': 'list', 'items': {'type_id': 'ref', 'id': 'A'}}}}}}");
  CHECK(unserialized(through_list, List{List{}}) == double_quoted("{'a':[{'a':[]}]}"));
  // One explanation is enough, however many shortcuts are inside.
  const std::string text = unserialized(through_list, List{List{List{"x"}}});
  CHECK(text.find("error while") == text.rfind("error while"));
}

TEST_CASE("data nested too deep is a mismatch", "[unserialize]") {
  const TypePtr nested = scope(
      "{'A': {'id': 'A', 'properties': {'a': {'type': {'type_id': 'any'}}, 'l': {'type': {'type_id': 'list', 'items': "
      "{'type_id': 'ref', 'id': 'A'}}, 'required': false}}}}");
  Value free = 1;
  for (int level = 0; level < 2000; ++level) free = List{free};
  CHECK(unserialized(nested, Map{{"a", free}}).find("nested deeper than 512 levels") != std::string::npos);
  Value typed = Map{{"a", 1}};
  for (int level = 0; level < 2000; ++level) typed = Map{{"a", 1}, {"l", List{typed}}};
  CHECK(unserialized(nested, typed).find("nested deeper than 512 levels") != std::string::npos);
}

TEST_CASE("defaults that fill themselves come to an end", "[unserialize]") {
  const TypePtr endless = scope(
      "{'A': {'id': 'A', 'properties': {'a': {'type': {'type_id': 'ref', 'id': 'A'}, 'default': '{}'}, 'b': {'type': "
      "{'type_id': 'ref', 'id': 'A'}, 'default': '{}'}}}}");
  CHECK(unserialized(endless, Map{}).find("nested deeper than 512 levels") != std::string::npos);
  // 2^30 objects, none of them nested deep.
  std::string objects = "{'A': {'id': 'A', 'properties': {'a': {'type': {'type_id': 'ref', 'id': 'O0'}}}}";
  for (int level = 0; level < 30; ++level) {
    const std::string id = "O" + std::to_string(level);
    const std::string next =
        "{'type': {'type_id': 'ref', 'id': 'O" + std::to_string(level + 1) + "'}, 'default': '{}'}";
    objects += ", '" + id + "': {'id': '" + id + "', 'properties': {'a': " + next + ", 'b': " + next + "}}";
  }
  const TypePtr wide = scope(objects + ", 'O30': {'id': 'O30', 'properties': {}}}");
  CHECK(unserialized(wide, Map{{"a", Map{}}}).find("more than 100000 default values") != std::string::npos);
}

TEST_CASE("a reference that is not linked is a mismatch", "[unserialize]") {
  const TypePtr schema = object("{'a': {'type': {'type_id': 'ref', 'id': 'Z', 'namespace': 'n'}}}");
  CHECK(unserialized(schema, Map{{"a", Map{}}}) ==
        "ERR for 'a': Referenced object 'Z' not found in scope with namespace \"n\"");
}

TEST_CASE("long data is cut in messages", "[unserialize]") {
  const TypePtr schema = type("{'type_id': 'string', 'pattern': '^b$'}");
  CHECK(unserialized(schema, std::string(1 << 20, 'a')).size() < 500);
  CHECK(unserialized(type(text_to_integer), Map{{std::string(1 << 20, 'k'), "x"}}).size() < 500);
  CHECK(unserialized(object("{'a': {'type': {'type_id': 'string'}}}"), Map{{std::string(1 << 20, 'k'), "x"}}).size() <
        500);
}
