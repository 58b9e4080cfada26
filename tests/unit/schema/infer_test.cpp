// The types of literals and mixtures: the rows of the list `inference` of the conformance vectors, and what they leave
// open.
#include "base/error.hpp"
#include "schema_support.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::schema;
using namespace venvoy::schema::test;

namespace {

const std::string limits = "'type_id':'integer','min':-9223372036854775808,'max':9223372036854775807";

// The wire form of the type, with single quotes and without what says nothing here; or "ERR " and the whole error.
std::string inferred(const Given& value) {
  try {
    std::string text = write_json(write_type(*infer_type(value, "inferred")), {.indent = 0});
    for (char& letter : text)
      if (letter == '"') letter = '\'';
    return text;
  } catch (const Error& error) {
    return std::string("ERR ") + error.what();
  }
}

std::string object_of_properties(const std::string& properties) {
  return "{'type_id':'object','id':'inferred','properties':{" + properties + "},'id_unenforced':true}";
}

Given list(Given::Items items) {
  return {std::move(items), {}};
}
Given mapping(Given::Entries entries) {
  return {std::move(entries), {}};
}

}  // namespace

TEST_CASE("TestInfer: the types of the conformance vectors", "[infer]") {
  const TypePtr main = scope(
      "{'A': {'id': 'A', 'properties': {'r': {'type': {'type_id': 'ref', 'id': 'Item'}}, 'o': {'type': {'type_id': "
      "'object', 'id': 'Inline', 'properties': {}}}}}, 'Item': {'id': 'Item', 'properties': {}}}");
  const TypePtr ref = object_of(main)->find("r")->type;
  const TypePtr inline_object = object_of(main)->find("o")->type;
  const TypePtr integers = make_type(ListType{integer_type(), {}, {}});
  const TypePtr map_of_refs = make_type(MapType{string_type(), ref, {}, {}});
  const TypePtr limited = make_type(IntegerType{1, 10, nullptr});
  const TypePtr pairs = make_type(ListType{inline_object, {}, {}});
  const std::string ref_text = "{'type_id':'ref','id':'Item'}";
  struct Row {
    const char* id;
    Given value;
    std::string type;
  };
  const std::vector<Row> rows = {
      {"I0001", given("text"), "{'type_id':'string'}"},
      {"I0002", given(5), "{" + limits + "}"},
      {"I0003", given(true), "{'type_id':'bool'}"},
      {"I0004", given(List{}), "{'type_id':'list','items':{'type_id':'string'}}"},
      {"I0005", given(List{1, 2}), "{'type_id':'list','items':{" + limits + "}}"},
      {"I0006", given(List{1, "b"}), "ERR mismatching types in list (expected: integer, found: string)"},
      {"I0007", given(List{Map{{"a", 1}}, Map{{"b", "x"}}}),
       "{'type_id':'list','items':" + object_of_properties("'a':{'type':{" + limits + "},'required':true}") + "}"},
      {"I0008", given(Map{}), object_of_properties("")},
      {"I0009", given(Map{{"a", Map{{"b", "c"}}}}),
       object_of_properties("'a':{'type':" + object_of_properties("'b':{'type':{'type_id':'string'},'required':true}") +
                            ",'required':true}")},
      {"I0010", mapping({}), object_of_properties("")},
      {"I0011", given(Map{{1, "one"}, {2, "two"}}),
       "{'type_id':'map','keys':{" + limits + "},'values':{'type_id':'string'}}"},
      {"I0012", given(Map{{1, "one"}, {2, 2}}), "ERR type mismatch in map type (expected: string, found: integer)"},
      {"I0013", given(Map{{1.5, "x"}}), "ERR unsupported type for map keys: float"},
      {"I0014", given(Map{{1, "y"}, {"a", "x"}}),
       "ERR failed to infer map key type (mismatching types in list (expected: integer, found: string))"},
      {"I0015", given(List{nullptr}),
       "ERR failed to infer type for item 0 (unsupported type for workflow outputs: null)"},
      {"I0016", given(Map{{"a", nullptr}}),
       "ERR failed to infer property a type (unsupported type for workflow outputs: null)"},
      {"I0017", given(integer_type()), "{'type_id':'integer'}"},
      {"I0018", given(integers), "{'type_id':'list','items':{'type_id':'integer'}}"},
      {"I0019", given(ref), ref_text},
      {"I0020", given(map_of_refs), "{'type_id':'map','keys':{'type_id':'string'},'values':" + ref_text + "}"},
      {"I0021", given(any_type()), "{'type_id':'any'}"},
      {"I0022", given(integer_type()), "{'type_id':'integer'}"},
      {"I0023", given(main), write_json(write_type(*main), {.indent = 0})},
      {"I0024", given(pairs), "{'type_id':'list','items':{'type_id':'object','id':'Inline','properties':{}}}"},
      {"I0025", given(make_type(StringType{{}, {}, Pattern("^\\d+\\.\\d*$")})),
       "{'type_id':'string','pattern':'^\\\\d+\\\\.\\\\d*$'}"},
      {"I0026", given(make_type(StringType{{}, {}, Pattern("^true|false$")})),
       "{'type_id':'string','pattern':'^true|false$'}"},
      {"I0027", list({given(integer_type()), given(integer_type())}),
       "{'type_id':'list','items':{'type_id':'integer'}}"},
      {"I0028", list({given(integer_type()), given(float_type())}),
       "ERR mismatching types in list (expected: integer, found: float)"},
      {"I0029", list({given(limited), given(integer_type())}),
       "{'type_id':'list','items':{'type_id':'integer','min':1,'max':10}}"},
      {"I0030", list({given(ref), given(inline_object)}),
       "ERR mismatching types in list (expected: ref, found: object)"},
      {"I0031", list({given(integer_type()), given(3)}), "{'type_id':'list','items':{'type_id':'integer'}}"},
      {"I0032", mapping({entry("a", given(integer_type())), entry("b", given(string_type()))}),
       object_of_properties(
           "'a':{'type':{'type_id':'integer'},'required':true},'b':{'type':{'type_id':'string'},'required':true}")},
      {"I0033", mapping({entry("a", given(integer_type()), true)}),
       object_of_properties("'a':{'type':{'type_id':'integer'},'required':false}")},
      {"I0034", Given{Given::OneOf{"result", {entry("p", given(ref)), entry("q", given(inline_object))}}, {}},
       "{'type_id':'one_of_string','discriminator_field_name':'result','discriminator_inlined':false,'types':{'p':" +
           ref_text + ",'q':{'type_id':'object','id':'Inline','properties':{}}}}"},
  };
  REQUIRE(rows.size() == 34);
  for (const Row& row : rows) {
    CAPTURE(row.id);
    std::string expected = row.type;
    for (char& letter : expected)
      if (letter == '"') letter = '\'';
    CHECK(inferred(row.value) == expected);
  }
}

TEST_CASE("types of other literals", "[infer]") {
  CHECK(inferred(given(1.5)) == "{'type_id':'float'}");
  CHECK(inferred(given(Value::written_null("null"))) == "{'type_id':'string'}");
  CHECK(inferred(given(Bytes(2))) == "ERR unsupported type for workflow outputs: bytes");
  CHECK(inferred(given(Value::invalid("unknown tag"))) == "ERR unsupported type for workflow outputs: unknown tag");
  CHECK(inferred(given(Map{{true, 1}})) == "ERR unsupported type for map keys: bool");
  CHECK(inferred(given(make_type(PatternType()))) == "{'type_id':'pattern'}");
}

TEST_CASE("an expression without a type decides nothing", "[infer]") {
  CHECK(inferred(given(TypePtr())) == "{'type_id':'any'}");
  CHECK(inferred(list({given(TypePtr()), given("x")})) == "{'type_id':'list','items':{'type_id':'string'}}");
  CHECK(inferred(list({given("x"), given(TypePtr())})) == "{'type_id':'list','items':{'type_id':'string'}}");
  CHECK(inferred(list({given(TypePtr())})) == "{'type_id':'list','items':{'type_id':'any'}}");
}

TEST_CASE("options must be objects without the discriminator", "[infer]") {
  const auto choice = [](Given option) { return Given{Given::OneOf{"kind", {entry("a", std::move(option))}}, {}}; };
  CHECK(inferred(choice(given("x"))) == "ERR type of OneOf option is not an object");
  CHECK(inferred(choice(given(string_type()))) == "ERR type of OneOf option is not an object");
  CHECK(inferred(choice(list({}))) == "ERR type of OneOf option is not an object");
  CHECK(inferred(choice(mapping({entry("kind", given("x"))}))) ==
        "ERR object id \"inferred\" has conflicting field \"kind\"; remove that field or choose another discriminator");
  CHECK(inferred(choice(given(object("{'kind': {'type': {'type_id': 'any'}}}")))) ==
        "ERR object id \"A\" has conflicting field \"kind\"; remove that field or choose another discriminator");
}

TEST_CASE("an error stands at the node that has no type", "[infer]") {
  const auto at = [](int line, int column) { return Position{"w.yaml", line, column}; };
  const auto place = [&](const Given& value) {
    try {
      infer_type(value, "inferred");
    } catch (const Error& error) {
      return error.position();
    }
    return Position();
  };
  const Given bad_item{Given::Items{Given{Value("a"), at(2, 5)}, Given{integer_type(), at(3, 5)}}, at(2, 3)};
  CHECK(place(bad_item) == at(3, 5));
  const Given in_entry{Given::Entries{{Value("l"), bad_item, false, at(2, 1)}}, at(1, 1)};
  CHECK(place(in_entry) == at(3, 5));
  const Given null_entry{Given::Entries{{Value("n"), Given{Value(), {}}, false, at(4, 1)}}, at(1, 1)};
  CHECK(place(null_entry) == at(4, 1));
  const Given choice{Given::OneOf{"kind", {{Value("a"), Given{Value("x"), at(6, 7)}, false, at(6, 2)}}}, at(5, 1)};
  CHECK(place(choice) == at(6, 7));
  CHECK(inferred(in_entry) ==
        "ERR failed to infer property l type (mismatching types in list (expected: string, found: integer))");
}

TEST_CASE("inferred types fit what they were inferred for", "[infer]") {
  const TypePtr expected = object(
      "{'n': {'type': {'type_id': 'integer'}}, 'l': {'type': {'type_id': 'list', 'items': "
      "{'type_id': 'string'}}}}");
  const Given value = mapping({entry("n", given(integer_type())), entry("l", list({given("a")}))});
  CHECK(incompatibilities(*expected, *infer_type(value, "x")).empty());
}

TEST_CASE("mixtures nested too deep have no type", "[infer]") {
  CHECK(inferred(nested_items(2000)).find("nested deeper than 512 levels") != std::string::npos);
}
