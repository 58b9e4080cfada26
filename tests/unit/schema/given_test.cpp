// Types that accept literals and mixtures of literals and types: the "Value" rules of spec/protocol-and-schema.md 4.x
// and spec/workflow.md 5.5, and the literals of appendix A.6 of the former.
#include "schema_support.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::schema;
using namespace venvoy::schema::test;

namespace {

std::string accepts(const TypePtr& expected, const Given& value) {
  return verdict(incompatibilities(*expected, value));
}

struct Row {
  std::string expected;
  Value literal;
  std::string result;
};

const std::string integer = "{'type_id': 'integer', 'min': 0, 'max': 100}";
const std::string text = "{'type_id': 'string', 'min': 2, 'max': 4, 'pattern': '^[a-z0-9]+$'}";
const std::string enum_text = "{'type_id': 'enum_string', 'values': {'1': {}, 'abc': {}}}";
const std::string enum_number = "{'type_id': 'enum_integer', 'values': {'1': {}, '65': {}}}";
const std::string integers = "{'type_id': 'list', 'items': {'type_id': 'integer'}, 'min': 1, 'max': 2}";
const std::string by_number =
    "{'type_id': 'map', 'keys': {'type_id': 'integer'}, 'values': {'type_id': 'bool'}, 'max': 2}";
const std::string by_text = "{'type_id': 'map', 'keys': {'type_id': 'string'}, 'values': {'type_id': 'bool'}}";
const std::string any = "{'type_id': 'any'}";

}  // namespace

TEST_CASE("literals are accepted where they can be read", "[given]") {
  const std::vector<Row> rows = {
      {"{'type_id': 'bool'}", "yes", "ok"},
      {"{'type_id': 'bool'}", true, "ok"},
      {"{'type_id': 'bool'}", "banana", "ERR: 'banana' is not a valid boolean value"},
      {"{'type_id': 'bool'}", List{}, "ERR: unsupported data type for 'bool' type: list"},
      {"{'type_id': 'integer'}", "5", "ok"},
      {integer, "5", "ok"},
      {integer, 5, "ok"},
      {integer, 5.0, "ok"},
      {integer, "101", "ERR: Must be at most 100"},
      {integer, "many", "ERR: 'many' is not a valid integer"},
      {integer, Map{}, "ERR: unsupported data type for 'integer' type: map"},
      {"{'type_id': 'float'}", 5, "ok"},
      {"{'type_id': 'float'}", "1e3", "ok"},
      {"{'type_id': 'float'}", "x", "ERR: 'x' is not a valid float"},
      {"{'type_id': 'string'}", 5, "ERR: unsupported data type for 'string' type: integer"},
      {text, "abc", "ok"},
      {text, "55", "ok"},
      {text, 55, "ERR: unsupported data type for 'string' type: integer"},
      {text, 1.5, "ERR: unsupported data type for 'string' type: float"},
      {text, true, "ERR: unsupported data type for 'string' type: bool"},
      {text, nullptr, "ERR: unsupported data type for 'string' type: null"},
      {text, Value::written_null("null"), "ok"},
      {text, Value::written_null(""), "ERR: String must be at least 2 characters, 0 given"},
      {text, "a", "ERR: String must be at least 2 characters, 1 given"},
      {text, "abcde", "ERR: String must be at most 4 characters, 5 given"},
      {text, "ABC", "ERR: String 'ABC' must match the pattern '^[a-z0-9]+$'"},
      {"{'type_id': 'pattern'}", "abc", "ok"},
      {"{'type_id': 'pattern'}", "a(", "ERR: Invalid pattern (missing ): a()"},
      {"{'type_id': 'pattern'}", 5, "ERR: unsupported data type for 'pattern' type: integer"},
      {enum_text, "abc", "ok"},
      {enum_text, "x", "ERR: 'x' is not a valid value, must be one of: '1', 'abc'"},
      {enum_text, 1, "ERR: unsupported data type for 'enum_string' type: integer"},
      {enum_number, 65, "ok"},
      {enum_number, "65", "ok"},
      {enum_number, 2, "ERR: '2' is not a valid value, must be one of: '1', '65'"},
      {enum_number, 1.7, "ERR: '1.7' (type float) is not a valid type for an 'integer' enum"},
      {enum_number, "A", "ERR: 'A' (type string) is not a valid type for an 'integer' enum"},
      {integers, List{"1", 2}, "ok"},
      {integers, List{"1", "x"}, "ERR for '[1]': 'x' is not a valid integer"},
      {integers, List{}, "ERR: Must have at least 1 items, 0 given"},
      {integers, List{1, 2, 3}, "ERR: Must have at most 2 items, 3 given"},
      {integers, "1", "ERR: Must be a list, string given"},
      {by_number, Map{{"1", "on"}, {2, "off"}}, "ok"},
      {by_number, Map{{"one", "on"}}, "ERR for '{one}': 'one' is not a valid integer"},
      {by_number, Map{{"1", "on"}, {"01", "on"}}, "ERR for '{01}': The key '01' is given twice"},
      {by_number, Map{{1, "x"}}, "ERR for '[1]': 'x' is not a valid boolean value"},
      {by_number, Map{{1, "on"}, {2, "on"}, {3, "on"}}, "ERR: Must have at most 2 items, 3 given"},
      {by_text, Map{{1, "on"}}, "ERR for '{1}': unsupported data type for 'string' type: integer"},
      {by_text, "x", "ERR: Must be a map, string given"},
      {by_text, Map{}, "ok"},
      {any, "a", "ok"},
      {any, nullptr, "ok"},
      {any, Value::invalid("unknown tag"), "ERR: unknown tag"},
      {any, List{1, 2}, "ok"},
      {any, List{}, "ok"},
      {any, List{1, "a"},
       "ERR for '[1]': types do not match between list items passed for any type integer != string; "
       "lists should have homogeneous types"},
      {any, List{List{1}, List{"a"}}, "ok"},
      {any, List{"a", Map{}}, "ERR for '[1]': types do not match between list items passed for any type string != map"},
      {any, List{Value::written_null("~"), "a"}, "ok"},
      {any, Map{{"a", 1}, {"b", "x"}}, "ok"},
      {any, Map{{1, 1}, {2, "x"}}, "ok"},
      {any, Map{{"a", 1}, {2, 1}}, "ERR: mismatched key types in map passed into 'any' type: string != integer"},
      {any, Map{{true, 1}}, "ERR: invalid key type for map passed into 'any' type (bool); should be string or integer"},
      {any, Map{{"a", List{1, true}}}, "ERR for '[a]' -> '[1]': types do not match"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.expected, describe(row.literal));
    const std::string result = accepts(type(row.expected), given(row.literal));
    CAPTURE(result);
    CHECK(result.substr(0, row.result.size()) == row.result);
    CHECK((result == "ok") == (row.result == "ok"));
  }
}

TEST_CASE("a literal structure and a written one are judged alike", "[given]") {
  const TypePtr expected = object(
      "{'l': {'type': {'type_id': 'list', 'items': {'type_id': 'integer'}}}, 'm': {'type': {'type_id': 'map', 'keys': "
      "{'type_id': 'string'}, 'values': {'type_id': 'bool'}}}}");
  const Value literal = from_json("{'l': ['1', 'x'], 'm': {'a': 'maybe'}, 'z': '1'}");
  const Given written{
      Given::Entries{entry("l", Given{Given::Items{given("1"), given("x")}, {}}),
                     entry("m", Given{Given::Entries{entry("a", given("maybe"))}, {}}), entry("z", given("1"))},
      {}};
  CHECK(sentences(incompatibilities(*expected, given(literal))) == sentences(incompatibilities(*expected, written)));
  CHECK(incompatibilities(*expected, written).size() == 3);
}

TEST_CASE("objects accept mixtures of literals and types", "[given]") {
  const TypePtr expected = object(
      "{'a': {'type': {'type_id': 'string'}}, 'b': {'type': {'type_id': 'integer'}, 'required': false}, 'c': {'type': "
      "{'type_id': 'integer'}, 'default': '1'}, 'd': {'type': {'type_id': 'string'}, 'required': false, 'disabled': "
      "true, 'disabled_reason': 'no cancel signal'}}");
  struct ObjectRow {
    Given::Entries entries;
    std::string result;
  };
  const std::vector<ObjectRow> rows = {
      {{entry("a", given(string_type())), entry("b", given("5"))}, "ok"},
      {{entry("a", given(string_type())), entry("b", given(5))}, "ok"},
      {{entry("a", given("x")), entry("b", given(integer_type()))}, "ok"},
      {{entry("a", given(TypePtr()))}, "ok"},
      {{entry("a", given(string_type()), true)}, "ok"},
      {{entry("a", given(5))}, "ERR for 'a': unsupported data type for 'string' type: integer"},
      {{entry("a", given(integer_type()))}, "ERR for 'a': unsupported data type for 'string' type: integer"},
      {{entry("b", given("5"))}, "ERR: could not find required field a"},
      {{entry("a", given("x")), entry("cc", given("5"))},
       "ERR: Invalid parameter 'cc', expected one of: a, b, c, d, did you mean 'c'?"},
      {{entry("a", given("x")), entry(1, given("5"))}, "ERR: Invalid parameter '1', expected one of: a, b, c, d"},
      {{entry("a", given("x")), entry("d", given("y"))},
       "ERR for 'd': error due to attempting to use disabled property: no cancel signal"},
      {{entry("a", given("x")), entry("d", given(integer_type()))},
       "ERR for 'd': unsupported data type for 'string' type: integer"},
      {{entry("a", given(Value::written_null("null")))}, "ok"},
      {{entry("a", given("x")), entry("b", given(Value::written_null("")))}, "ok"},
      {{entry("a", given("x")), entry("c", given(Value::written_null("")))}, "ok"},
      {{entry("a", given(Value()))}, "ERR for 'a': This field is required"},
  };
  for (const ObjectRow& row : rows) {
    const std::string result = accepts(expected, Given{row.entries, {}});
    CHECK(result == row.result);
  }
}

TEST_CASE("a required number that is written as null is missing", "[given]") {
  const TypePtr expected = object("{'n': {'type': {'type_id': 'integer'}}}");
  CHECK(accepts(expected, Given{Given::Entries{entry("n", given(Value::written_null("~")))}, {}}) ==
        "ERR for 'n': This field is required");
}

TEST_CASE("what is no mapping is accepted for an object of one property", "[given]") {
  const TypePtr one = object("{'a': {'type': {'type_id': 'list', 'items': {'type_id': 'string'}}}}");
  CHECK(accepts(one, Given{Given::Items{given("x"), given(string_type())}, {}}) == "ok");
  CHECK(accepts(one, Given{Given::Items{given(integer_type())}, {}}) ==
        "ERR for 'a' -> '[0]': unsupported data type for 'string' type: integer");
  const TypePtr text_only = object("{'a': {'type': {'type_id': 'string'}}}");
  CHECK(accepts(text_only, given("x")) == "ok");
  CHECK(accepts(text_only, given(Map{{"a", 5}})) == "ERR for 'a': unsupported data type for 'string' type: integer");
  CHECK(accepts(text_only, given(Value::written_null("~"))) == "ERR: Must be a map to convert to object, null given");
  CHECK(accepts(text_only, given(string_type())) == "ERR: unsupported data type for 'scope' type: string");
  const TypePtr two = object("{'a': {'type': {'type_id': 'string'}}, 'b': {'type': {'type_id': 'string'}}}");
  CHECK(accepts(two, given("x")) == "ERR: Must be a map to convert to object, string given");
  CHECK(accepts(two, Given{Given::Items{}, {}}) == "ERR: Must be a map to convert to object, list given");
  const TypePtr endless = scope("{'A': {'id': 'A', 'properties': {'a': {'type': {'type_id': 'ref', 'id': 'A'}}}}}");
  CHECK(accepts(endless, given("x")) != "ok");
  CHECK(accepts(endless, Given{Given::Items{given(string_type())}, {}}).find("Must be a map") != std::string::npos);
}

TEST_CASE("findings stand at the nearest place that is known", "[given]") {
  const TypePtr expected = object(
      "{'a': {'type': {'type_id': 'list', 'items': {'type_id': 'integer'}}}, 'b': {'type': {'type_id': 'string'}}}");
  const auto at = [](int line, int column) { return Position{"w.yaml", line, column}; };
  const Given written{
      Given::Entries{
          {Value("a"), Given{Given::Items{Given{Value("1"), at(2, 6)}, Given{Value("x"), at(2, 9)}}, at(2, 5)}, false,
           at(2, 2)},
          {Value("z"), Given{Value("x"), at(3, 6)}, false, at(3, 2)},
          {Value("a2"), Given{Value(List{1}), {}}, false, at(4, 2)}},
      at(1, 1)};
  const auto mismatches = incompatibilities(*expected, written);
  REQUIRE(mismatches.size() == 4);
  CHECK(mismatches[0].path == Path{"a", "[1]"});
  CHECK(mismatches[0].at == at(2, 9));
  CHECK(mismatches[1].at == at(3, 2));  // the unknown name
  CHECK(mismatches[2].at == at(4, 2));
  CHECK(mismatches[3].at == at(1, 1));  // the mapping that lacks something
  // Inside a literal value nothing is known but where it begins.
  const auto inner =
      incompatibilities(*type("{'type_id': 'list', 'items': {'type_id': 'bool'}}"), Given{Value(List{"x"}), at(7, 3)});
  REQUIRE(inner.size() == 1);
  CHECK(inner[0].at == at(7, 3));
}

TEST_CASE("mappings choose a member of a one-of", "[given]") {
  const auto with = [](const std::string& id, const std::string& keys, bool inlined = false) {
    const std::string field = inlined ? "'kind': {'type': {'type_id': 'string'}}, " : "";
    return type("{'type_id': '" + id + "', 'discriminator_field_name': 'kind', 'discriminator_inlined': " +
                std::string(inlined ? "true" : "false") + ", 'types': {" + keys +
                ": {'type_id': 'object', 'id': 'M', 'properties': {" + field +
                "'n': {'type': {'type_id': 'integer'}}}}}}");
  };
  const TypePtr by_word = with("one_of_string", "'a'");
  const TypePtr by_int = with("one_of_int", "'1'");
  const TypePtr inlined = with("one_of_string", "'a'", true);
  const auto choose = [](Given kind, Given n) {
    return Given{Given::Entries{entry("kind", std::move(kind)), entry("n", std::move(n))}, {}};
  };
  CHECK(accepts(by_word, choose(given("a"), given("5"))) == "ok");
  CHECK(accepts(by_word, choose(given("a"), given(integer_type()))) == "ok");
  CHECK(accepts(inlined, choose(given("a"), given("5"))) == "ok");
  CHECK(accepts(by_word, choose(given("a"), given("x"))) == "ERR for 'n': 'x' is not a valid integer");
  CHECK(accepts(by_word, choose(given("b"), given("5"))) ==
        "ERR: Invalid value for \"kind\", expected one of: a; 'b' given");
  CHECK(accepts(by_word, choose(given(string_type()), given("5"))) ==
        "ERR: Discriminator field 'kind' has invalid type string, expected a literal");
  CHECK(accepts(by_word, choose(given(TypePtr()), given("x"))) == "ok");
  CHECK(accepts(by_word, choose(given(1), given("5"))) ==
        "ERR: Discriminator field 'kind' has invalid type integer, expected string");
  CHECK(accepts(by_word, choose(given(List{}), given("5"))) ==
        "ERR: Discriminator field 'kind' has invalid type list, expected a literal");
  CHECK(accepts(by_int, choose(given("1"), given("5"))) == "ok");
  CHECK(accepts(by_int, choose(given(1), given("5"))) == "ok");
  CHECK(accepts(by_int, choose(given("x"), given("5"))) ==
        "ERR: Discriminator field 'kind' has invalid type string, expected integer");
  CHECK(accepts(by_int, choose(given(1.0), given("5"))) ==
        "ERR: Discriminator field 'kind' has invalid type float, expected integer");
  CHECK(accepts(by_word, Given{Given::Entries{entry("n", given("5"))}, {}}) ==
        "ERR: Missing discriminator field 'kind'");
  CHECK(accepts(by_word, given(Map{{"n", 5}})) == "ERR: Missing discriminator field 'kind' in '{'n': 5}'");
  CHECK(accepts(by_word, given("x")) == "ERR: Invalid type for one-of type: \"string\". Expected map.");
}

TEST_CASE("one-ofs of a workflow go where their options fit", "[given]") {
  const TypePtr item = object("{'n': {'type': {'type_id': 'integer'}}}");
  const TypePtr with_field = object("{'kind': {'type': {'type_id': 'integer'}}}");
  const TypePtr by_word = type(
      "{'type_id': 'one_of_string', 'discriminator_field_name': 'kind', 'types': {'a': {'type_id': 'object', 'id': "
      "'A', "
      "'properties': {'n': {'type': {'type_id': 'integer'}}}}, 'b': {'type_id': 'object', 'id': 'B', 'properties': "
      "{}}}}");
  const TypePtr by_int = type("{'type_id': 'one_of_int', 'discriminator_field_name': 'kind', 'types': {}}");
  const auto choice = [](std::vector<Given::Entry> options, std::string discriminator = "kind") {
    return Given{Given::OneOf{std::move(discriminator), std::move(options)}, {}};
  };
  const Given::Entries literal_n = {entry("n", given("5"))};
  CHECK(accepts(by_word, choice({entry("a", given(item))})) == "ok");
  CHECK(accepts(by_word, choice({entry("a", Given{literal_n, {}}), entry("b", Given{Given::Entries{}, {}})})) == "ok");
  CHECK(accepts(by_word, choice({entry("a", given(TypePtr()))})) == "ok");
  CHECK(accepts(by_word, choice({entry("c", given(item))})) ==
        "ERR for '[c]': Invalid value for \"kind\", expected one of: a, b; 'c' given");
  CHECK(accepts(by_word, choice({entry("b", given(item))})) ==
        "ERR for '[b]': validation failed for object schema ID B. ID A does not match.");
  CHECK(accepts(by_word, choice({entry("a", Given{Given::Entries{entry("n", given("x"))}, {}})})) ==
        "ERR for '[a]' -> 'n': 'x' is not a valid integer");
  CHECK(accepts(by_word, choice({entry("a", given(item))}, "sort")) ==
        "ERR: Discriminator field name 'sort' does not match the expected 'kind'");
  CHECK(accepts(by_int, choice({entry("a", given(item))})) ==
        "ERR: unsupported data type for 'one_of_int' type: one_of_string");
  CHECK(accepts(item, choice({entry("a", given(item))})) ==
        "ERR: unsupported data type for 'scope' type: one_of_string");
  CHECK(accepts(string_type(), choice({entry("a", given(item))})) ==
        "ERR: unsupported data type for 'string' type: one_of_string");
  CHECK(accepts(any_type(), choice({entry("a", given(item)), entry("z", Given{literal_n, {}})})) == "ok");
  // What is wrong with an option is wrong everywhere.
  CHECK(accepts(any_type(), choice({entry("a", given(string_type()))})) ==
        "ERR for '[a]': type of OneOf option is not an object");
  CHECK(accepts(any_type(), choice({entry("a", given("x"))})) ==
        "ERR for '[a]': type of OneOf option is not an object");
  CHECK(accepts(any_type(), choice({entry("a", given(with_field))})) ==
        "ERR for '[a]': object id \"A\" has conflicting field \"kind\"; remove that field or choose another "
        "discriminator");
  CHECK(accepts(any_type(), choice({entry("a", Given{Given::Entries{entry("kind", given("x"))}, {}})}))
            .find("conflicting field \"kind\"") != std::string::npos);
  CHECK(accepts(any_type(), choice({entry("a", Given{Given::Entries{entry("l", given(List{1, "x"}))}, {}})}))
            .find("homogeneous") != std::string::npos);
}

TEST_CASE("expressions in free data", "[given]") {
  const auto list = [](Given one, Given two) { return Given{Given::Items{std::move(one), std::move(two)}, {}}; };
  const TypePtr enum_type = type("{'type_id': 'enum_string', 'values': {'a': {}}}");
  const TypePtr item = object("{}");
  CHECK(accepts(any_type(), given(make_type(PatternType()))) == "ERR: unsupported data type for 'any' type: pattern");
  CHECK(accepts(any_type(), list(given("a"), given(string_type()))) == "ok");
  CHECK(accepts(any_type(), list(given(enum_type), given(string_type()))) == "ok");
  CHECK(accepts(any_type(), list(given(item), given(Map{}))) == "ok");
  CHECK(accepts(any_type(), list(given(any_type()), given(integer_type()))) == "ok");
  CHECK(accepts(any_type(), list(given(TypePtr()), given(integer_type()))) == "ok");
  CHECK(accepts(any_type(), list(given("5"), given(integer_type()))).starts_with("ERR for '[1]': types do not match"));
  CHECK(accepts(any_type(), Given{Given::Entries{entry("a", given(make_type(PatternType())))}, {}}) ==
        "ERR for '[a]': unsupported data type for 'any' type: pattern");
}

TEST_CASE("types within mixtures are judged by the strict rules", "[given]") {
  const TypePtr expected = type("{'type_id': 'list', 'items': {'type_id': 'float'}}");
  CHECK(accepts(expected, Given{Given::Items{given("1"), given(float_type())}, {}}) == "ok");
  CHECK(accepts(expected, Given{Given::Items{given(integer_type())}, {}}) ==
        "ERR for '[0]': unsupported data type for 'float' type: integer");
  CHECK(accepts(expected, given(make_type(ListType{float_type(), {}, {}}))) == "ok");
  CHECK(accepts(expected, given(any_type())) == "ERR: unsupported data type for 'list' type: any");
}

TEST_CASE("mixtures nested too deep are a mismatch", "[given]") {
  CHECK(accepts(any_type(), nested_items(2000)).find("nested deeper than 512 levels") != std::string::npos);
}
