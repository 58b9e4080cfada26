// Inferred outputs against declared schemas (spec/workflow.md 3.8).
#include "schema_support.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::schema;
using namespace venvoy::schema::test;

namespace {

std::string reads(const TypePtr& declared, const TypePtr& given_type) {
  return verdict(unreadable_parts(*declared, *given_type));
}
std::string reads(const TypePtr& declared, const Given& value) {
  return verdict(unreadable_parts(*declared, value));
}

struct Named {
  std::string name;
  TypePtr type;
};

}  // namespace

TEST_CASE("scalars are read from the types whose values they read", "[readable]") {
  const std::vector<Named> types = {{"bool", bool_type()},
                                    {"integer", integer_type()},
                                    {"float", float_type()},
                                    {"string", string_type()},
                                    {"pattern", make_type(PatternType())},
                                    {"words", type("{'type_id': 'enum_string', 'values': {'yes': {}, 'banana': {}}}")},
                                    {"digits", type("{'type_id': 'enum_string', 'values': {'1': {}, '0': {}}}")},
                                    {"numbers", type("{'type_id': 'enum_integer', 'values': {'1': {}, '7': {}}}")},
                                    {"any", any_type()}};
  // Row: declared; the names of all that may be given.
  const std::map<std::string, std::vector<std::string>> readable = {
      {"bool", {"bool", "digits", "any"}},
      {"integer", {"integer", "bool", "digits", "numbers", "any"}},
      {"float", {"float", "integer", "bool", "digits", "numbers", "any"}},
      {"string", {"string", "integer", "float", "pattern", "words", "digits", "numbers", "any"}},
      {"pattern", {"pattern", "string", "integer", "words", "digits", "numbers", "any"}},
      {"words", {"string", "pattern", "words", "any"}},
      {"digits", {"string", "pattern", "digits", "numbers", "any"}},
      {"numbers", {"string", "integer", "digits", "numbers", "any"}},
      {"any", {"bool", "integer", "float", "string", "pattern", "words", "digits", "numbers", "any"}}};
  for (const Named& declared : types) {
    for (const Named& given_type : types) {
      CAPTURE(declared.name, given_type.name);
      const auto& row = readable.at(declared.name);
      const bool expected = std::find(row.begin(), row.end(), given_type.name) != row.end();
      const std::string result = reads(declared.type, given_type.type);
      CAPTURE(result);
      CHECK((result == "ok") == expected);
    }
  }
}

TEST_CASE("ranges that cannot meet are refused", "[readable]") {
  CHECK(reads(make_type(IntegerType{{}, 5, nullptr}), make_type(IntegerType{6, {}, nullptr})) != "ok");
  CHECK(reads(make_type(FloatType{{}, 5.0, nullptr}), make_type(IntegerType{6, {}, nullptr})) != "ok");
  CHECK(reads(make_type(FloatType{{}, 5.0, nullptr}), make_type(IntegerType{5, {}, nullptr})) == "ok");
  CHECK(reads(make_type(IntegerType{{}, 5, nullptr}), integer_type()) == "ok");
  CHECK(reads(make_type(IntegerType{8, {}, nullptr}),
              type("{'type_id': 'enum_integer', 'values': {'1': {}, '7': {}}}")) != "ok");
}

TEST_CASE("objects are read whatever they are called", "[readable]") {
  const auto with = [](const std::string& id, const std::string& properties) {
    return type("{'type_id': 'object', 'id': '" + id + "', 'properties': {" + properties + "}}");
  };
  const std::string message = "'message': {'type': {'type_id': 'string'}}";
  const std::string number = "'message': {'type': {'type_id': 'integer'}}";
  const std::string more = ", 'reason': {'type': {'type_id': 'string'}}";
  const std::string optional = "'message': {'type': {'type_id': 'string'}, 'required': false}";
  CHECK(reads(with("Result", message), with("other", message)) == "ok");
  CHECK(reads(with("Result", message), with("other", number)) == "ok");
  CHECK(reads(with("Result", number), with("other", message)) ==
        "ERR for 'message': unsupported data type for 'integer' type: string");
  CHECK(reads(with("Result", message), with("other", message + more)) ==
        "ERR: Invalid parameter 'reason', expected one of: message");
  CHECK(reads(with("Result", message + more), with("other", message)) == "ERR: could not find required field reason");
  CHECK(reads(with("Result", message), with("other", optional)) == "ok");
  CHECK(reads(with("Result", "'message': {'type': {'type_id': 'string'}, 'required': false, 'disabled': true}"),
              with("other", message)) == "ERR for 'message': error due to attempting to use disabled property");
  CHECK(reads(with("Result", message), any_type()) == "ok");
  CHECK(reads(with("Result", message), type("{'type_id': 'map', 'keys': {'type_id': 'string'}, 'values': {'type_id': "
                                            "'string'}}")) == "ERR: unsupported data type for 'object' type: map");
  // The value of its only property.
  CHECK(reads(with("Result", message), string_type()) == "ok");
  CHECK(reads(with("Result", number), string_type()) ==
        "ERR for 'message': unsupported data type for 'integer' type: string");
  CHECK(reads(with("Result", message + more), string_type()) == "ERR: unsupported data type for 'object' type: string");
  const TypePtr endless = scope("{'A': {'id': 'A', 'properties': {'a': {'type': {'type_id': 'ref', 'id': 'A'}}}}}");
  CHECK(reads(endless, string_type()).find("Must be a map") != std::string::npos);
}

TEST_CASE("maps are read from objects", "[readable]") {
  const TypePtr map =
      type("{'type_id': 'map', 'keys': {'type_id': 'string'}, 'values': {'type_id': 'string'}, 'max': 2}");
  CHECK(reads(map, object("{'a': {'type': {'type_id': 'integer'}}}")) == "ok");
  CHECK(reads(map, object("{'a': {'type': {'type_id': 'bool'}}}")) ==
        "ERR for 'a': unsupported data type for 'string' type: bool");
  CHECK(reads(map, object("{'a': {'type': {'type_id': 'string'}}, 'b': {'type': {'type_id': 'string'}}, 'c': {'type': "
                          "{'type_id': 'string'}}}")) == "ERR: Must have at most 2 items, 3 given");
  const TypePtr by_number =
      type("{'type_id': 'map', 'keys': {'type_id': 'integer'}, 'values': {'type_id': 'string'}, 'min': 1}");
  CHECK(reads(by_number, object("{'1': {'type': {'type_id': 'string'}}}")) == "ok");
  CHECK(reads(by_number, object("{'a': {'type': {'type_id': 'string'}}}")) ==
        "ERR for '{a}': 'a' is not a valid integer");
  CHECK(reads(by_number, object("{}")) == "ERR: Must have at least 1 items, 0 given");
  CHECK(reads(map, type("{'type_id': 'one_of_string', 'discriminator_field_name': 'k', 'types': {'a': {'type_id': "
                        "'object', 'id': 'A', 'properties': {'n': {'type': {'type_id': 'float'}}}}}}")) == "ok");
  CHECK(reads(map, string_type()) == "ERR: unsupported data type for 'map' type: string");
}

TEST_CASE("one-ofs are read by their keys", "[readable]") {
  const auto with = [](const std::string& id, const std::string& key, const std::string& object_id) {
    return type("{'type_id': '" + id + "', 'discriminator_field_name': 'k', 'types': {'" + key +
                "': {'type_id': 'object', 'id': '" + object_id +
                "', 'properties': {'n': {'type': {'type_id': "
                "'integer'}}}}}}");
  };
  CHECK(reads(with("one_of_string", "1", "A"), with("one_of_string", "1", "B")) == "ok");
  CHECK(reads(with("one_of_string", "1", "A"), with("one_of_int", "1", "B")) == "ok");
  CHECK(reads(with("one_of_int", "1", "A"), with("one_of_string", "1", "B")) == "ok");
  CHECK(reads(with("one_of_string", "1", "A"), with("one_of_string", "2", "B")) ==
        "ERR for '[2]': Invalid value for \"k\", expected one of: 1; '2' given");
  CHECK(reads(with("one_of_int", "1", "A"), with("one_of_string", "x", "B")) ==
        "ERR for '[x]': Invalid value for \"k\", expected one of: 1; 'x' given");
  const TypePtr declared = object("{'k': {'type': {'type_id': 'string'}}, 'n': {'type': {'type_id': 'float'}}}");
  CHECK(reads(declared, with("one_of_string", "1", "B")) == "ok");
  CHECK(reads(object("{'n': {'type': {'type_id': 'float'}}}"), with("one_of_string", "1", "B")) ==
        "ERR for '[1]': Invalid parameter 'k', expected one of: n");
}

TEST_CASE("literals of an output are read as the declared types", "[readable]") {
  const TypePtr declared = object(
      "{'n': {'type': {'type_id': 'integer', 'max': 5}}, 'l': {'type': {'type_id': 'list', 'items': {'type_id': "
      "'bool'}, "
      "'max': 1}, 'required': false}, 'o': {'type': {'type_id': 'one_of_string', 'discriminator_field_name': 'k', "
      "'types': {'a': {'type_id': 'object', 'id': 'M', 'properties': {'x': {'type': {'type_id': 'integer'}}}}}}, "
      "'required': false}}");
  const auto output = [](std::vector<Given::Entry> more) {
    more.insert(more.begin(), entry("n", given("5")));
    return Given{Given::Entries(std::move(more)), {}};
  };
  CHECK(reads(declared, output({})) == "ok");
  CHECK(reads(declared, Given{Given::Entries{entry("n", given("6"))}, {}}) == "ERR for 'n': Must be at most 5");
  CHECK(reads(declared, Given{Given::Entries{entry("n", given("x"))}, {}}) ==
        "ERR for 'n': 'x' is not a valid integer");
  CHECK(reads(declared, Given{Given::Entries{entry("n", given(string_type()))}, {}}) ==
        "ERR for 'n': unsupported data type for 'integer' type: string");
  CHECK(reads(declared, Given{Given::Entries{entry("n", given(integer_type()), true)}, {}}) == "ok");
  CHECK(reads(declared, output({entry("l", given(List{"yes"}))})) == "ok");
  CHECK(reads(declared, output({entry("l", given(List{"yes", "no"}))})) ==
        "ERR for 'l': Must have at most 1 items, 2 given");
  CHECK(reads(declared, output({entry("z", given("x"))})) == "ERR: Invalid parameter 'z', expected one of: n, l, o");
  const auto choice = [&](Given kind) {
    return output({entry("o", Given{Given::Entries{entry("k", std::move(kind)), entry("x", given("1"))}, {}})});
  };
  CHECK(reads(declared, choice(given("a"))) == "ok");
  CHECK(reads(declared, choice(given("b"))) == "ERR for 'o': Invalid value for \"k\", expected one of: a; 'b' given");
  CHECK(reads(declared, choice(given(string_type()))) == "ok");
  CHECK(reads(declared, choice(given(bool_type()))) ==
        "ERR for 'o': Discriminator field 'k' has invalid type bool, expected a literal");
  const auto one_of = [&](const std::string& key, const std::string& field) {
    const Given option{Given::Entries{entry(field, given("1"))}, {}};
    return output({entry("o", Given{Given::OneOf{"k", {entry(key, option)}}, {}})});
  };
  CHECK(reads(declared, one_of("a", "x")) == "ok");
  CHECK(reads(declared, one_of("b", "x")) ==
        "ERR for 'o' -> '[b]': Invalid value for \"k\", expected one of: a; 'b' given");
  CHECK(reads(declared, one_of("a", "y")) == "ERR for 'o' -> '[a]': Invalid parameter 'y', expected one of: x");
  // An integer from code reads as a text.
  CHECK(reads(string_type(), given(5)) == "ok");
  CHECK(reads(any_type(), given(List{1, "a"})) == "ok");
}

TEST_CASE("a one-of of a workflow is read as the object that it will be", "[readable]") {
  const TypePtr declared = object("{'k': {'type': {'type_id': 'string'}}, 'x': {'type': {'type_id': 'integer'}}}");
  const TypePtr map = type("{'type_id': 'map', 'keys': {'type_id': 'string'}, 'values': {'type_id': 'string'}}");
  const auto choice = [](const std::string& field) {
    return Given{Given::OneOf{"k", {entry("a", Given{Given::Entries{entry(field, given("1"))}, {}})}}, {}};
  };
  CHECK(reads(declared, choice("x")) == "ok");
  CHECK(reads(declared, choice("y")) == "ERR for '[a]': Invalid parameter 'y', expected one of: k, x");
  CHECK(reads(map, choice("x")) == "ok");
}

TEST_CASE("recursive types are read in finite time", "[readable]") {
  const auto chain = [](const std::string& id) {
    return scope("{'A': {'id': 'A', 'properties': {'n': {'type': {'type_id': '" + id +
                 "'}}, 'next': {'type': {'type_id': 'ref', 'id': 'A'}, 'required': false}}}}");
  };
  CHECK(reads(chain("string"), chain("integer")) == "ok");
  CHECK(reads(chain("integer"), chain("string")) == "ERR for 'n': unsupported data type for 'integer' type: string");
}
