// Types that accept types: sections 4.10, 4.13, 4.16 and Appendix A.6 of spec/protocol-and-schema.md.
#include "schema_support.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::schema;
using namespace venvoy::schema::test;

namespace {

std::string accepts(const TypePtr& expected, const TypePtr& given) {
  return verdict(incompatibilities(*expected, *given));
}

std::string accepts(const std::string& expected, const std::string& given) {
  return accepts(type(expected), type(given));
}

TypePtr one_of(const std::string& type_id, const std::string& types, const std::string& name = "_type") {
  return type("{'type_id': '" + type_id + "', 'discriminator_field_name': '" + name + "', 'types': {" + types + "}}");
}

const std::string member_a =
    "'a': {'type_id': 'object', 'id': 'MA', 'properties': {'n': {'type': {'type_id': 'integer'}}}}";
const std::string member_b = "'b': {'type_id': 'object', 'id': 'MB', 'properties': {}}";

}  // namespace

// The whole matrix of 4.16. References are taken out of their scopes, which stay alive here.
TEST_CASE("every type accepts those of its row and no others", "[compatibility]") {
  const TypePtr outer =
      scope("{'A': {'id': 'A', 'properties': {'r': {'type': {'type_id': 'ref', 'id': 'A'}, 'required': false}}}}");
  const TypePtr reference = object_of(outer)->find("r")->type;
  const TypePtr plain = make_type(*object_of(outer));
  const std::vector<std::pair<std::string, TypePtr>> types = {
      {"bool", bool_type()},
      {"integer", integer_type()},
      {"float", float_type()},
      {"string", string_type()},
      {"pattern", make_type(PatternType())},
      {"enum_string", type("{'type_id': 'enum_string', 'values': {'1': {}}}")},
      {"enum_integer", type("{'type_id': 'enum_integer', 'values': {'1': {}}}")},
      {"list", make_type(ListType{string_type(), {}, {}})},
      {"map", make_type(MapType{string_type(), string_type(), {}, {}})},
      {"object", plain},
      {"ref", reference},
      {"scope", outer},
      {"one_of_string", one_of("one_of_string", member_a)},
      {"one_of_int", one_of("one_of_int", "'1': {'type_id': 'object', 'id': 'MA', 'properties': {}}")},
      {"any", any_type()}};
  const std::map<std::string, std::vector<std::string>> accepted = {
      {"bool", {"bool"}},
      {"integer", {"integer", "enum_integer"}},
      {"float", {"float"}},
      {"string", {"string", "enum_string"}},
      {"pattern", {"pattern"}},
      {"enum_string", {"enum_string"}},
      {"enum_integer", {"enum_integer"}},
      {"list", {"list"}},
      {"map", {"map"}},
      {"object", {"object", "ref", "scope"}},
      {"ref", {"object", "ref", "scope"}},
      {"scope", {"object", "ref", "scope"}},
      {"one_of_string", {"one_of_string"}},
      {"one_of_int", {"one_of_int"}},
      {"any",
       {"bool", "integer", "float", "string", "enum_string", "enum_integer", "list", "map", "object", "ref", "scope",
        "one_of_string", "one_of_int", "any"}}};
  REQUIRE(types.size() == std::variant_size_v<Type::Form>);
  for (const auto& [expected_name, expected] : types) {
    for (const auto& [given_name, given_type] : types) {
      CAPTURE(expected_name, given_name);
      const auto& row = accepted.at(expected_name);
      if (std::find(row.begin(), row.end(), given_name) != row.end()) {
        CHECK(accepts(expected, given_type) == "ok");
      } else {
        CHECK(accepts(expected, given_type) ==
              "ERR: unsupported data type for '" + expected_name + "' type: " + given_name);
      }
    }
  }
}

TEST_CASE("ranges are refused only if they cannot overlap", "[compatibility]") {
  struct RangeRow {
    std::string expected;
    std::string given;
    bool fits;
  };
  const std::vector<RangeRow> rows = {
      {"'min': 0, 'max': 10", "'min': 5, 'max': 15", true},
      {"'min': 0, 'max': 10", "'min': 11, 'max': 15", false},
      {"'min': 0, 'max': 10", "'min': 10, 'max': 15", true},
      {"'min': 5, 'max': 10", "'max': 4", false},
      {"'min': 0", "'min': 1, 'max': 5", true},
      {"'min': 0, 'max': 10", "'min': 1", true},
      {"'min': 6", "'min': 1, 'max': 5", false},
      {"'max': 3", "'min': 4", false},
      {"'max': 3", "'max': 4", true},
      {"'min': 3", "'min': 4", true},
      {"", "'min': 4", true},
      {"'max': 3", "", true},
  };
  for (const RangeRow& row : rows) {
    for (const std::string id : {"integer", "float", "string"}) {
      CAPTURE(id, row.expected, row.given);
      const auto with = [&](const std::string& range) {
        return type("{'type_id': '" + id + "'" + (range.empty() ? "" : ", " + range) + "}");
      };
      const std::string result = accepts(with(row.expected), with(row.given));
      if (row.fits) {
        CHECK(result == "ok");
      } else {
        CHECK(result.starts_with("ERR: mutually exclusive min/max values between '" + id + "' types: expected "));
      }
    }
    const auto map = [&](const std::string& range) {
      return type("{'type_id': 'map', 'keys': {'type_id': 'string'}, 'values': {'type_id': 'string'}" +
                  (range.empty() ? "" : ", " + range) + "}");
    };
    CHECK((accepts(map(row.expected), map(row.given)) == "ok") == row.fits);
    const auto list = [&](const std::string& range) {
      return type("{'type_id': 'list', 'items': {'type_id': 'string'}" + (range.empty() ? "" : ", " + range) + "}");
    };
    CHECK(accepts(list(row.expected), list(row.given)) == "ok");
  }
  CHECK(accepts("{'type_id': 'integer', 'min': 0, 'max': 10}", "{'type_id': 'integer', 'min': 11}") ==
        "ERR: mutually exclusive min/max values between 'integer' types: expected 0 to 10, given 11 or more");
}

TEST_CASE("an enum accepts enums with some of its keys", "[compatibility]") {
  const std::string a = "{'type_id': 'enum_string', 'values': {'a': {'name': 'A'}}}";
  const std::string other_name = "{'type_id': 'enum_string', 'values': {'a': {'name': 'X'}}}";
  const std::string ab = "{'type_id': 'enum_string', 'values': {'a': {'name': 'A'}, 'b': {'name': 'B'}}}";
  const std::string nameless = "{'type_id': 'enum_string', 'values': {'a': {}, 'z': {}}}";
  CHECK(accepts(ab, a) == "ok");
  CHECK(accepts(a, ab) == "ERR: 'b' is not a valid value, must be one of: 'a'");
  CHECK(accepts(a, other_name) == "ok");
  CHECK(accepts(a, nameless) == "ERR: 'z' is not a valid value, must be one of: 'a'");
  const std::string one = "{'type_id': 'enum_integer', 'values': {'1': {}}}";
  const std::string one_two = "{'type_id': 'enum_integer', 'values': {'1': {}, '2': {}}}";
  CHECK(accepts(one_two, one) == "ok");
  CHECK(accepts(one, one_two) == "ERR: '2' is not a valid value, must be one of: '1'");
}

TEST_CASE("lists and maps accept what their parts accept", "[compatibility]") {
  const std::string strings = "{'type_id': 'list', 'items': {'type_id': 'string'}}";
  const std::string anything = "{'type_id': 'list', 'items': {'type_id': 'any'}}";
  CHECK(accepts(strings, anything) == "ERR for '[*]': unsupported data type for 'string' type: any");
  CHECK(accepts(anything, strings) == "ok");
  const std::string map = "{'type_id': 'map', 'keys': {'type_id': 'string'}, 'values': {'type_id': 'integer'}}";
  const std::string keys = "{'type_id': 'map', 'keys': {'type_id': 'integer'}, 'values': {'type_id': 'integer'}}";
  const std::string values = "{'type_id': 'map', 'keys': {'type_id': 'string'}, 'values': {'type_id': 'bool'}}";
  CHECK(accepts(map, keys) == "ERR for '{*}': unsupported data type for 'string' type: integer");
  CHECK(accepts(map, values) == "ERR for '[*]': unsupported data type for 'integer' type: bool");
}

TEST_CASE("objects accept objects of their id and properties", "[compatibility]") {
  const auto with = [](const std::string& id, const std::string& properties, const std::string& more = "") {
    return type("{'type_id': 'object', 'id': '" + id + "', 'properties': {" + properties + "}" + more + "}");
  };
  const std::string text = "'a': {'type': {'type_id': 'string'}}";
  const std::string number = "'a': {'type': {'type_id': 'integer'}}";
  const std::string optional = "'a': {'type': {'type_id': 'string'}, 'required': false}";
  const std::string more = ", 'b': {'type': {'type_id': 'integer'}, 'required': false}";
  const std::string defaulted = ", 'b': {'type': {'type_id': 'integer'}, 'default': '5'}";
  const std::string disabled = "'a': {'type': {'type_id': 'string'}, 'disabled': true}";
  CHECK(accepts(with("A", text), with("B", text)) ==
        "ERR: validation failed for object schema ID A. ID B does not match.");
  CHECK(accepts(with("A", text), with("B", text, ", 'id_unenforced': true")) == "ok");
  CHECK(accepts(with("A", text, ", 'id_unenforced': true"), with("B", text)) == "ok");
  CHECK(accepts(with("A", text), with("A", text + more)) == "ERR: Invalid parameter 'b', expected one of: a");
  CHECK(accepts(with("A", text + more), with("A", text)) == "ok");
  CHECK(accepts(with("A", text), with("A", optional)) == "ok");
  CHECK(accepts(with("A", text), with("A", "")) == "ERR: could not find required field a");
  CHECK(accepts(with("A", text + defaulted), with("A", text)) == "ok");
  CHECK(accepts(with("A", text), with("A", number)) == "ERR for 'a': unsupported data type for 'string' type: integer");
  CHECK(accepts(with("A", disabled), with("A", text)) == "ok");
}

TEST_CASE("all that does not fit is reported", "[compatibility]") {
  const TypePtr expected = object(
      "{'a': {'type': {'type_id': 'string'}}, 'b': {'type': {'type_id': 'bool'}}, 'c': "
      "{'type': {'type_id': 'any'}}}");
  const TypePtr given_type = object("{'b': {'type': {'type_id': 'integer'}}, 'z': {'type': {'type_id': 'any'}}}");
  CHECK(sentences(incompatibilities(*expected, *given_type)) ==
        std::vector<std::string>{"Validation failed for 'b': unsupported data type for 'bool' type: integer",
                                 "Validation failed: Invalid parameter 'z', expected one of: a, b, c",
                                 "Validation failed: could not find required field a",
                                 "Validation failed: could not find required field c"});
}

TEST_CASE("a one-of accepts one-ofs with some of its members", "[compatibility]") {
  const TypePtr a = one_of("one_of_string", member_a);
  const TypePtr ab = one_of("one_of_string", member_a + ", " + member_b);
  CHECK(accepts(ab, a) == "ok");
  CHECK(accepts(a, ab) == "ERR for '[b]': Invalid value for \"_type\", expected one of: a; 'b' given");
  CHECK(accepts(a, one_of("one_of_string", member_a, "kind")) ==
        "ERR: Discriminator field name 'kind' does not match the expected '_type'");
  CHECK(accepts(a,
                one_of("one_of_string",
                       "'a': {'type_id': 'object', 'id': 'MA', 'properties': {'n': {'type': {'type_id': 'bool'}}}}")) ==
        "ERR for '[a]' -> 'n': unsupported data type for 'integer' type: bool");
  CHECK(accepts(a, one_of("one_of_string", "'a': {'type_id': 'object', 'id': 'X', 'properties': {}}")) ==
        "ERR for '[a]': validation failed for object schema ID MA. ID X does not match.");
  CHECK(accepts(a, one_of("one_of_string", "")) == "ok");
}

TEST_CASE("where a discriminator stands does not matter to one-ofs", "[compatibility]") {
  const auto with = [](bool inlined) {
    const std::string field = inlined ? ", 'kind': {'type': {'type_id': 'string'}}" : "";
    return type("{'type_id': 'one_of_string', 'discriminator_field_name': 'kind', 'discriminator_inlined': " +
                std::string(inlined ? "true" : "false") +
                ", 'types': {'a': {'type_id': 'object', 'id': 'M', 'properties': {'n': {'type': {'type_id': 'bool'}}" +
                field + "}}}}");
  };
  for (const bool expected : {false, true})
    for (const bool given_inlined : {false, true}) CHECK(accepts(with(expected), with(given_inlined)) == "ok");
}

TEST_CASE("scopes that refer to themselves are compared in finite time", "[compatibility]") {
  const auto list_of = [](const std::string& number) {
    return scope("{'A': {'id': 'A', 'properties': {'n': {'type': {'type_id': '" + number +
                 "'}}, 'next': {'type': {'type_id': 'ref', 'id': 'A'}, 'required': false}}}}");
  };
  CHECK(accepts(list_of("integer"), list_of("integer")) == "ok");
  CHECK(accepts(list_of("integer"), list_of("float")) ==
        "ERR for 'n': unsupported data type for 'integer' type: float");
  // Two scopes that refer to themselves in circles of different lengths.
  const auto circle = [](int length) {
    std::string objects;
    for (int index = 0; index < length; ++index) {
      const std::string id = index == 0 ? "A" : "B" + std::to_string(index);
      const std::string next = index + 1 == length ? "A" : "B" + std::to_string(index + 1);
      objects += (index == 0 ? "'" : ", '") + id + "': {'id': '" + id +
                 "', 'id_unenforced': true, 'properties': {'next': "
                 "{'type': {'type_id': 'ref', 'id': '" +
                 next + "'}}}}";
    }
    return scope("{" + objects + "}");
  };
  CHECK(accepts(circle(3), circle(5)) == "ok");
  CHECK(accepts(circle(7), circle(11)) == "ok");
  CHECK(accepts(circle(1000), circle(1001)).find("nested deeper than 512 levels") != std::string::npos);
}

TEST_CASE("a comparison of very many objects comes to an end", "[compatibility]") {
  // Every object has references to all others: the pairs of objects grow with the square.
  std::string objects;
  for (int index = 0; index < 400; ++index) {
    const std::string id = index == 0 ? "A" : "B" + std::to_string(index);
    objects += (index == 0 ? "'" : ", '") + id + "': {'id': '" + id + "', 'id_unenforced': true, 'properties': {";
    for (int other = 1; other < 8; ++other) {
      const std::string target = "B" + std::to_string((index * 31 + other * 57) % 399 + 1);
      objects += (other == 1 ? "'p" : ", 'p") + std::to_string(other) + "': {'type': {'type_id': 'ref', 'id': '" +
                 target + "'}}";
    }
    objects += "}}";
  }
  const TypePtr one = scope("{" + objects + "}");
  const TypePtr other = scope("{" + objects + "}");
  CHECK(accepts(one, other) == "ok");
  CHECK(incompatibilities(*one, *other).size() <= check_limits.max_mismatches);
}

TEST_CASE("references that are not linked are reported", "[compatibility]") {
  const TypePtr unlinked = object("{'a': {'type': {'type_id': 'ref', 'id': 'Z', 'namespace': 'n'}}}");
  const TypePtr linked = object("{'a': {'type': {'type_id': 'object', 'id': 'Z', 'properties': {}}}}");
  const std::string text = "ERR for 'a': Referenced object 'Z' not found in scope with namespace \"n\"";
  CHECK(accepts(unlinked, linked) == text);
  CHECK(accepts(linked, unlinked) == text);
}
