#include "schema/type.hpp"

#include "base/error.hpp"
#include "schema_support.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::schema;
using namespace venvoy::schema::test;

TEST_CASE("type ids and their texts belong together", "[type]") {
  const std::vector<std::pair<TypePtr, std::string>> types = {{any_type(), "any"},
                                                              {bool_type(), "bool"},
                                                              {string_type(), "string"},
                                                              {make_type(PatternType()), "pattern"},
                                                              {integer_type(), "integer"},
                                                              {float_type(), "float"},
                                                              {make_type(EnumStringType()), "enum_string"},
                                                              {make_type(EnumIntegerType()), "enum_integer"},
                                                              {make_type(ListType()), "list"},
                                                              {make_type(MapType()), "map"},
                                                              {make_type(ObjectType()), "object"},
                                                              {make_type(RefType()), "ref"},
                                                              {make_type(ScopeType()), "scope"},
                                                              {make_type(OneOfStringType()), "one_of_string"},
                                                              {make_type(OneOfIntType()), "one_of_int"}};
  REQUIRE(types.size() == std::variant_size_v<Type::Form>);
  for (const auto& [type, name] : types) {
    CHECK(type->name() == name);
    CHECK(type_id_from(name) == type->id());
    CHECK((type->one_of() != nullptr) == name.starts_with("one_of"));
  }
  CHECK_FALSE(type_id_from("int"));
  CHECK_FALSE(type_id_from(""));
}

TEST_CASE("ids are made of few characters", "[type]") {
  CHECK(is_id("a"));
  CHECK(is_id("aZ09$@-_"));
  CHECK(is_id(std::string(255, 'x')));
  for (const std::string& text : {std::string(), std::string(256, 'x'), std::string("a b"), std::string("a.b"),
                                  std::string("ä"), std::string("a\n"), std::string("a\0b", 3), std::string("a:b")})
    CHECK_FALSE(is_id(text));
}

TEST_CASE("patterns are searched for", "[type]") {
  CHECK(Pattern("b").found_in("abc"));
  CHECK_FALSE(Pattern("^b").found_in("abc"));
  CHECK(Pattern("^ä.$").found_in("äö"));
  CHECK(Pattern("").found_in(""));
  CHECK_FALSE(Pattern("a").found_in("\xFF"));
  CHECK(Pattern("^(a|aa)+$").found_in(std::string(100000, 'a')));
}

TEST_CASE("a pattern that does not compile is found everywhere", "[type]") {
  for (const std::string& source :
       {std::string("a("), std::string("(?=x)"), std::string("(a)\\1"), std::string("a{1001}"),
        std::string(Pattern::max_length + 1, 'a'), std::string("((a{100}){100}){100}")}) {
    const Pattern pattern(source);
    CHECK_FALSE(pattern.compiles());
    CHECK(pattern.found_in("zzz"));
    CHECK(pattern.source() == source);
    CHECK_FALSE(pattern.problem().empty());
    CHECK(pattern.problem().size() < 300);
  }
  CHECK(Pattern("a").problem().empty());
}

TEST_CASE("objects are found behind types", "[type]") {
  const TypePtr scope_type = scope(
      "{'A': {'id': 'A', 'properties': {'r': {'type': {'type_id': 'ref', 'id': 'B'}}, 'i': {'type': {'type_id': "
      "'object', 'id': 'C', 'properties': {}}}}}, 'B': {'id': 'B', 'properties': {}}}");
  const ObjectPtr root = object_of(scope_type);
  REQUIRE(root);
  CHECK(root->id == "A");
  CHECK(object_of(root->find("r")->type)->id == "B");
  ObjectPtr inner = object_of(root->find("i")->type);
  CHECK(inner->id == "C");
  CHECK(object_of(string_type()) == nullptr);
  CHECK_THROWS_AS(object_of(make_type(RefType{"Z", "", {}})), Error);
  CHECK(root->property_names() == std::vector<std::string>{"r", "i"});
  CHECK(root->find("x") == nullptr);
  CHECK(scope_type->as<ScopeType>()->find("B")->id == "B");
  CHECK(scope_type->as<ScopeType>()->find("Z") == nullptr);
}

TEST_CASE("an object type keeps the type alive", "[type]") {
  Property property;
  property.type = string_type();
  TypePtr type = make_type(ObjectType{"A", {{"a", property}}, false});
  const ObjectPtr object = object_of(type);
  type.reset();
  CHECK(object->find("a")->type->id() == TypeId::string);
}

TEST_CASE("members of a one-of are found by kind and value of the key", "[type]") {
  OneOfIntType one_of;
  one_of.types = {{Value(1), string_type()}, {Value("1"), bool_type()}};
  CHECK((*one_of.find(Value(1)))->id() == TypeId::string);
  CHECK((*one_of.find(Value("1")))->id() == TypeId::boolean);
  CHECK(one_of.find(Value(2)) == nullptr);
}
