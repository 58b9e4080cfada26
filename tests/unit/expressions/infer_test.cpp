#include "expressions/infer.hpp"

#include <string>
#include <utility>
#include <vector>

#include "fixture.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::expressions;
using Catch::ContainsSubstring;
using schema::TypePtr;

TEST_CASE("the types of expressions that type") {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"1", "integer"},
      {"1.5", "float"},
      {"\"a\"", "string"},
      {"true", "bool"},
      {"$", "scope"},
      {"i", "integer"},
      {"$.r", "ref"},
      {"$.r.name", "string"},
      {"$.opt", "integer"},
      {"$.x", "any"},
      {"$.x.a.b", "any"},
      {"$.x[1]", "any"},
      {"$.x[$.l]", "any"},
      {"$.m[\"one\"]", "integer"},
      {"$.l[$.i]", "integer"},
      {"$.items[0].name", "string"},
      {"-$.i", "integer"},
      {"!$.b", "bool"},
      {"$.i + 1", "integer"},
      {"$.f ^ 2.0", "float"},
      {"$.s + \"a\"", "string"},
      {"$.s <= \"a\"", "bool"},
      {"$.b == true", "bool"},
      {"$.b || false", "bool"},
      {"splitString($.s, \",\")", "list"},
      {"bindConstants($.items, $.r)[0].constant.name", "string"},
      {"toUpper($.color)", "string"},
  };
  for (const auto& [text, expected] : table) CHECK(type_of(text) == expected);
}

TEST_CASE("constraints stay with a property and its negation, operators drop them") {
  const auto limits = [](std::string_view text) {
    const TypePtr type = infer(parse(text), root_type(), builtin_functions());
    return type->as<schema::IntegerType>()->max;
  };
  CHECK(limits("$.limited") == 10);
  CHECK(limits("-$.limited") == 10);
  CHECK_FALSE(limits("$.limited + $.limited").has_value());
}

TEST_CASE("the root may be an object or any") {
  schema::ObjectType object;
  object.id = "O";
  schema::Property property;
  property.type = schema::bool_type();
  object.properties.emplace_back("a", property);
  CHECK(infer(parse("$.a"), schema::make_type(object), builtin_functions())->id() == schema::TypeId::boolean);
  CHECK(infer(parse("b.c[1]"), schema::any_type(), builtin_functions())->id() == schema::TypeId::any);
}

TEST_CASE("what does not type names the part, its types and its place") {
  struct Row {
    std::string text;
    std::vector<std::string> fragments;
    std::size_t offset;
  };
  const std::vector<Row> table = {
      {"$.r.nam", {"object Item does not have a property named \"nam\", did you mean 'name'?", "'free', 'name'"}, 4},
      {"nope", {"does not have a property named \"nope\"", "'nope'"}, 0},
      {"$.s.x", {"cannot evaluate expression identifier x on data type string", "'$.s.x'"}, 4},
      {"$.m.one", {"on data type map"}, 4},
      {"$[0]", {"bracket ([]) access is not supported for object"}, 2},
      {"$.i[0]", {"bracket ([])", "integer given"}, 4},
      {"$.m[1]", {"'integer'", "'string'", "$.m[1]"}, 4},
      {"$.m[$.color]", {"'enum_string'"}, 4},
      {"$.l[\"a\"]", {"'integer'", "'string'", "$.l["}, 4},
      {"$.l[$.x]", {"'any'"}, 4},
      {"-true", {"attempted negation operation", "\"bool\"", "'-true'"}, 0},
      {"-1 == -1", {"attempted negation operation"}, 0},
      {"!5", {"attempted 'not' operation", "\"integer\"", "'!5'"}, 0},
      {"1 ! 2", {"'!' cannot stand between two values"}, 0},
      {"!=true", {"'!=' needs a value on its left"}, 0},
      {"true && 5", {"for binary operation \"&&\"", "'true && 5'", "right side '5'"}, 8},
      {"$.l == $.l", {"for binary operation", "'$.l == $.l'"}, 0},
      {"1 + $.x", {"\"any\"", "right side '$.x'"}, 4},
      {"\"1\" == 1", {"left (string) and right (integer) types do not match"}, 0},
      {"(1 + 2) * (1.5 - 1)",
       {"left (float) and right (integer)", "'1.5 - 1' of the expression '(1 + 2) * (1.5 - 1)'"},
       11},
      {"reverse(\"abc\")", {"could not find function 'reverse'"}, 0},
      {"tolower(\"abc\")", {"could not find function 'tolower', did you mean 'toLower'?"}, 0},
      {"1 + abs(1.0, 2.0)", {"invalid call to function 'abs'. Expected 1 args, got 2 args", "abs(float) float"}, 4},
      {"toLower(5)", {"arg/param type compatibility for function 'toLower' at 0-index 0", "'5'"}, 8},
      {"getEnvVar($.s, $.l)", {"at 0-index 1", "'$.l'"}, 15},
      {"bindConstants($.x, 1)", {"at 0-index 0"}, 14},
      {"abs($.i)", {"integer", "float"}, 4},
  };
  for (const Row& row : table) {
    const ExpressionError error = type_error(row.text);
    for (const std::string& fragment : row.fragments) CHECK_THAT(error.message(), ContainsSubstring(fragment));
    CHECK(error.offset() == row.offset);
  }
}

TEST_CASE("an argument is compared before the next one is typed") {
  CHECK_THAT(type_error("getEnvVar(1, nope)").message(), ContainsSubstring("0-index 0"));
  CHECK_THAT(type_error("nope1(nope2)").message(), ContainsSubstring("could not find function 'nope1'"));
  CHECK_THAT(type_error("abs(nope, 1)").message(), ContainsSubstring("Expected 1 args"));
}

TEST_CASE("hints at what was meant") {
  CHECK_THAT(type_error("$.my-step").hint(), ContainsSubstring("'my-step'"));
  CHECK_THAT(type_error("007").hint(), ContainsSubstring("leading zero"));
  CHECK_THAT(type_error("abs").hint(), ContainsSubstring("call it with parentheses"));
  CHECK_THAT(type_error("1 + 1.5").hint(), ContainsSubstring("intToFloat()"));
  CHECK_THAT(type_error("\"n=\" + 1").hint(), ContainsSubstring("intToString()"));
  CHECK_THAT(type_error("1 ! 2").hint(), ContainsSubstring("'!='"));
}

TEST_CASE("TestHandleTypeSchemaCombine: bindConstants names its objects after its arguments, the first a list") {
  const auto object = [](std::string_view text) {
    const TypePtr type = infer(parse(text), root_type(), builtin_functions());
    return schema::object_of(type->as<schema::ListType>()->items);
  };
  CHECK(object("bindConstants($.items, $.r)")->id == "Item__Item");
  CHECK(object("bindConstants($.l, \"c\")")->id == "integer__string");
  CHECK(object("bindConstants(bindConstants($.l, 1), $.x)")->id == "integer__integer__any");
  CHECK(object("bindConstants($.l, splitString(\"\", \"\"))")->id == "integer__list_string");
  const schema::ObjectPtr bound = object("bindConstants($.l, $.limited)");
  CHECK(bound->id_unenforced);
  REQUIRE(bound->find("constant"));
  CHECK_FALSE(bound->find("constant")->required);
  CHECK(bound->find("constant")->type->as<schema::IntegerType>()->max == 10);
  CHECK_FALSE(bound->find("item")->required);
  CHECK_THAT(type_error("bindConstants($.s, 1)").message(), ContainsSubstring("at 0-index 0"));
  CHECK_THAT(type_error("bindConstants($.l)").message(), ContainsSubstring("Expected 2 args, got 1 args"));
}

TEST_CASE("TestBuildSchemaNames: each list around a type is in the name of what bindConstants makes") {
  for (const auto& [innermost, name] : {std::pair<TypePtr, std::string>(schema::integer_type(), "integer"),
                                        std::pair<TypePtr, std::string>(root_type(), "Root")}) {
    TypePtr type = innermost;
    std::string expected = name;
    for (int lists = 1; lists <= 3; ++lists) {
      type = schema::make_type(schema::ListType{type, {}, {}});
      expected = "list_" + expected;
      schema::ObjectType object;
      object.id = "O";
      schema::Property property;
      property.type = type;
      object.properties.emplace_back("l", property);
      const TypePtr bound = infer(parse("bindConstants($.l, $.l)"), schema::make_type(object), builtin_functions());
      CHECK(schema::object_of(bound->as<schema::ListType>()->items)->id == expected.substr(5) + "__" + expected);
    }
  }
}

TEST_CASE("other functions can be offered") {
  Functions functions;
  functions.add(
      {"answer", {}, schema::integer_type(), [](std::span<const schema::Value>) { return schema::Value(42); }});
  const Expression expression = parse("answer() + 1");
  CHECK(infer(expression, root_type(), functions)->id() == schema::TypeId::integer);
  CHECK(evaluate(expression, document(), functions) == schema::Value(43));
  CHECK(functions.find("answer")->signature() == "answer() integer");
  CHECK(builtin_functions().find("bindConstants")->signature() == "bindConstants(list, any) dynamic");
  CHECK(builtin_functions().names().size() == 19);
}
