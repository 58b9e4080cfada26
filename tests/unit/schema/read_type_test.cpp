// Reading and writing the schema language (spec/protocol-and-schema.md section 3).
#include "schema/read_type.hpp"

#include "schema_support.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

using namespace venvoy;
using namespace venvoy::schema;
using namespace venvoy::schema::test;

namespace {

const std::string seconds =
    "{'base_unit': {'name_short_singular': 's', 'name_short_plural': 's', 'name_long_singular': 'second', "
    "'name_long_plural': 'seconds'}, 'multipliers': {'60': {'name_short_singular': 'm', 'name_short_plural': 'm', "
    "'name_long_singular': 'minute', 'name_long_plural': 'minutes'}}}";

// Every form with all its fields.
const std::vector<std::string> all_forms = {
    "{'type_id': 'any'}",
    "{'type_id': 'bool'}",
    "{'type_id': 'pattern'}",
    "{'type_id': 'string'}",
    "{'type_id': 'string', 'min': 1, 'max': 5, 'pattern': '^a+$'}",
    "{'type_id': 'integer'}",
    "{'type_id': 'integer', 'min': -5, 'max': 5, 'units': " + seconds + "}",
    "{'type_id': 'float', 'min': -0.5, 'max': 0.5, 'units': " + seconds + "}",
    "{'type_id': 'enum_string', 'values': {'a': {'name': 'A', 'description': 'The A', 'icon': '<svg/>'}, 'b': {}}}",
    "{'type_id': 'enum_integer', 'values': {'1': {'name': 'One'}}, 'units': " + seconds + "}",
    "{'type_id': 'list', 'items': {'type_id': 'list', 'items': {'type_id': 'any'}}, 'min': 0, 'max': 3}",
    "{'type_id': 'map', 'keys': {'type_id': 'integer'}, 'values': {'type_id': 'any'}, 'min': 0, 'max': 3}",
    "{'type_id': 'map', 'keys': {'type_id': 'enum_string', 'values': {'a': {}}}, 'values': {'type_id': 'any'}}",
    "{'type_id': 'map', 'keys': {'type_id': 'enum_integer', 'values': {'1': {}}}, 'values': {'type_id': 'any'}}",
    "{'type_id': 'object', 'id': 'A', 'properties': {}, 'id_unenforced': true}",
    "{'type_id': 'object', 'id': 'A', 'properties': {'a b.c': {'type': {'type_id': 'string'}, 'display': {'name': "
    "'N'}, "
    "'required': false, 'required_if': ['b'], 'required_if_not': ['c', 'd'], 'conflicts': ['e'], 'default': '5', "
    "'examples': ['1', '2'], 'disabled': true, 'disabled_reason': 'because'}}}",
    "{'type_id': 'ref', 'id': 'A', 'display': {'name': 'N'}, 'namespace': 'n'}",
    "{'type_id': 'ref', 'id': 'A'}",
    "{'type_id': 'scope', 'objects': {'A': {'id': 'A', 'properties': {}}}, 'root': 'A'}",
    "{'type_id': 'one_of_string', 'discriminator_field_name': 'k', 'discriminator_inlined': true, 'types': {'a': "
    "{'type_id': 'object', 'id': 'A', 'properties': {'k': {'type': {'type_id': 'string'}, 'required': true}}}}}",
    "{'type_id': 'one_of_int', 'discriminator_field_name': 'k', 'discriminator_inlined': false, 'types': {'1': "
    "{'type_id': 'ref', 'id': 'A'}}}",
};

// The keys of maps in JSON are texts; those that stand for integers become such when types are written.
Value with_integer_keys(const Value& value) {
  if (value.kind() == Kind::list) {
    List list;
    for (const Value& item : value.as_list()) list.push_back(with_integer_keys(item));
    return list;
  }
  if (value.kind() != Kind::map) return value;
  Map map;
  for (const auto& [key, item] : value.as_map()) {
    const bool number = !key.as_text().empty() && key.as_text().find_first_not_of("0123456789") == std::string::npos;
    map.set(number ? Value(std::int64_t{std::stoll(key.as_text())}) : key, with_integer_keys(item));
  }
  return map;
}

// The mismatches of a schema, a line each.
std::string findings(const std::string& json, SchemaOrigin origin = SchemaOrigin::user) {
  std::string lines;
  for (const std::string& line : mismatches_of([&] { read_type(from_json(json), {.origin = origin, .warn = {}}); }))
    lines += line + "\n";
  return lines;
}

}  // namespace

TEST_CASE("what is written is what was read", "[read_type]") {
  for (const std::string& form : all_forms) {
    CAPTURE(form);
    const Value written = write_type(*type(form));
    CHECK(written == with_integer_keys(from_json(form)));
    CHECK(write_type(*read_type(written)) == written);
  }
}

TEST_CASE("flags are always written and empty fields never", "[read_type]") {
  CHECK(write_type(*type("{'type_id': 'one_of_string', 'discriminator_field_name': 'k'}")) ==
        from_json("{'type_id': 'one_of_string', 'discriminator_field_name': 'k', 'discriminator_inlined': false, "
                  "'types': {}}"));
  CHECK(write_type(*object("{'a': {'type': {'type_id': 'any'}, 'required_if': [], 'disabled': false}}")) ==
        from_json("{'type_id': 'scope', 'objects': {'A': {'id': 'A', 'properties': {'a': {'type': {'type_id': 'any'}, "
                  "'required': true}}}}, 'root': 'A'}"));
}

TEST_CASE("scopes and objects are read without type_id too", "[read_type]") {
  CHECK(type("{'objects': {'A': {'id': 'A', 'properties': {}}}, 'root': 'A'}")->id() == TypeId::scope);
  CHECK(type("{'id': 'A', 'properties': {}}")->id() == TypeId::object);
  const Value scope_data = from_json("{'objects': {'A': {'id': 'A', 'properties': {}}}, 'root': 'A'}");
  const TypePtr scope_type = read_scope(scope_data);
  CHECK(write_scope(*scope_type->as<ScopeType>()) == scope_data);
}

TEST_CASE("fields go through the coercions of data", "[read_type]") {
  const TypePtr lengths = type("{'type_id': 'string', 'min': '5 chars', 'max': '10'}");
  CHECK(lengths->as<StringType>()->min == 5);
  CHECK(lengths->as<StringType>()->max == 10);
  CHECK(type("{'type_id': 'integer', 'min': '-5'}")->as<IntegerType>()->min == -5);
  CHECK(type("{'type_id': 'float', 'min': '1e2'}")->as<FloatType>()->min == 100.0);
  CHECK(type("{'type_id': 'list', 'items': {'type_id': 'any'}, 'max': 3.0}")->as<ListType>()->max == 3);
  CHECK_FALSE(object_of(object("{'a': {'type': {'type_id': 'any'}, 'required': 'no'}}"))->find("a")->required);
  const TypePtr numbers = type("{'type_id': 'enum_integer', 'values': {'-3': {}}}");
  CHECK(numbers->as<EnumIntegerType>()->values.front().first == -3);
}

TEST_CASE("a null written in a file is a text where a text is expected", "[read_type]") {
  const auto with_default = [](const Value& value) {
    return read_type(
        Map{{"id", "A"}, {"properties", Map{{"a", Map{{"type", Map{{"type_id", "string"}}}, {"default", value}}}}}});
  };
  CHECK_FALSE(object_of(with_default(Value::written_null("null")))->find("a")->default_value);
  CHECK(*object_of(with_default(Value::written_null("~")))->find("a")->default_value == Value("~"));
  CHECK(*object_of(with_default(Value::written_null("")))->find("a")->default_value == Value(""));
  CHECK(mismatches_of([&] {
          read_type(Map{{"type_id", "integer"}, {"min", Value::written_null("~")}});
        }) == std::vector<std::string>{"Validation failed for 'min': null cannot be converted to an integer"});
}

TEST_CASE("defaults are JSON, exactly", "[read_type]") {
  struct DefaultRow {
    std::string type_id;
    std::string text;
    Value value;
  };
  const std::vector<DefaultRow> rows = {
      {"integer", "5", 5},
      {"integer", "9007199254740993", std::int64_t{9007199254740993}},
      {"float", "1.5", 1.5},
      {"bool", "true", true},
      {"any", "{\"a\": [1, null]}", from_json("{'a': [1, null]}")},
      {"string", "\"x\"", "x"},
      {"string", "5", "5"},
      {"string", "5.00", "5.00"},
      {"string", " 1e3 ", "1e3"},
      {"string", "hello", "hello"},
      {"string", "", ""},
      {"string", "true", true},
      {"pattern", "5", "5"},
  };
  for (const DefaultRow& row : rows) {
    CAPTURE(row.type_id, row.text);
    const TypePtr of = read_type(Map{
        {"id", "A"}, {"properties", Map{{"a", Map{{"type", Map{{"type_id", row.type_id}}}, {"default", row.text}}}}}});
    const Property& property = *object_of(of)->find("a");
    CHECK(property.default_text == row.text);
    REQUIRE(property.default_value);
    CHECK(*property.default_value == row.value);
  }
  CHECK(findings("{'id': 'A', 'properties': {'a': {'type': {'type_id': 'integer'}, 'default': 'hello'}}}") ==
        "Validation failed for 'properties' -> '[a]' -> 'default': Default value 'hello' is not a valid JSON\n");
}

TEST_CASE("the errors of a schema have their paths", "[read_type]") {
  const std::vector<std::string> schemas = {
      "'text'",
      "{'id': 'A'}",
      "{'type_id': 'int'}",
      "{'type_id': 5}",
      "{'type_id': 'bool', 'min': 1}",
      "{'type_id': 'integer', 'mim': 1}",
      "{'type_id': 'integer', 'min': 'x', 'max': null}",
      "{'type_id': 'integer', 'units': {}}",
      "{'type_id': 'integer', 'units': {'base_unit': {}, 'multipliers': {'1': {}}}}",
      "{'type_id': 'string', 'min': -1, 'max': '5 metres', 'pattern': 'a('}",
      "{'type_id': 'float', 'min': []}",
      "{'type_id': 'enum_string', 'values': {}}",
      "{'type_id': 'enum_string'}",
      "{'type_id': 'enum_string', 'values': {'a': {'name': ''}, 'b': 'c'}}",
      "{'type_id': 'enum_integer', 'values': {'x': {}, '1': {}, '01': {}}}",
      "{'type_id': 'list'}",
      "{'type_id': 'list', 'items': {'type_id': 'list', 'items': 5}, 'min': -1}",
      "{'type_id': 'map', 'keys': {'type_id': 'float'}, 'values': {'type_id': 'any'}}",
      "{'type_id': 'map', 'keys': {'type_id': 'string'}}",
      "{'type_id': 'ref'}",
      "{'type_id': 'ref', 'id': 'a b'}",
      "{'type_id': 'one_of_string', 'types': {'a': {'type_id': 'string'}}}",
      "{'type_id': 'one_of_int', 'discriminator_field_name': 'k', 'types': {'a': {'type_id': 'ref', 'id': 'A'}}}",
      "{'type_id': 'object', 'properties': {'': {'type': {'type_id': 'any'}}}}",
      "{'type_id': 'object', 'id': 'A', 'properties': {'a': {'required': 'maybe', 'conflicts': 'b', 'requird_if': "
      "[]}}}",
      "{'root': 'A', 'objects': {'A': {'id': 'A', 'properties': {'a': {'type': {'type_id': 'string', 'min': -1}}}}}}",
      "{'root': 'A', 'objects': {'A': {'id': 'B', 'properties': {}}}}",
      "{'root': 'Nowhere', 'objects': {'Root': {'id': 'Root', 'properties': {}}}}",
      "{'root': 'Rot', 'objects': {'Root': {'id': 'Root', 'properties': {}}}}",
      "{'root': 'A', 'objects': {}}",
      "{'objects': {'A': {'id': 'A', 'properties': {}}}}",
      "{'root': 'A', 'objects': {'A': {'id': 'A', 'properties': {}, 'type_id': 'object'}}}",
      "{'root': 'A', 'objects': {'a b': {'id': 'A', 'properties': {}}, 'A': {'id': 'A', 'properties': {}}}}",
      "{'root': 'A', 'objects': {'A': {'id': 'A', 'properties': {'r': {'type': {'type_id': 'ref', 'id': 'Absent'}}}}}}",
      "{'root': 'A', 'objects': {'A': {'id': 'A', 'properties': {'l': {'type': {'type_id': 'list', 'items': "
      "{'type_id': "
      "'map', 'keys': {'type_id': 'string'}, 'values': {'type_id': 'one_of_string', 'discriminator_field_name': 'k', "
      "'types': {'x': {'type_id': 'ref', 'id': 'Absent'}}}}}}}}}}",
  };
  std::string text;
  for (const std::string& schema : schemas) text += schema + "\n" + findings(schema) + "\n";
  CHECK_GOLDEN("schema/read_errors.txt", text);
}

TEST_CASE("discriminators and members must go together", "[read_type]") {
  const auto with = [](const std::string& id, bool inlined, const std::string& member, const std::string& field) {
    return "{'root': 'A', 'objects': {'A': {'id': 'A', 'properties': {'x': {'type': {'type_id': '" + id +
           "', 'discriminator_field_name': 'k', 'discriminator_inlined': " + (inlined ? "true" : "false") +
           ", 'types': {'1': " + member + "}}}}}, 'B': {'id': 'B', 'properties': {" +
           (field.empty() ? "" : "'k': {'type': " + field + "}") + "}}}}";
  };
  const std::string text = "{'type_id': 'string'}";
  const std::string number = "{'type_id': 'integer'}";
  const std::string words = "{'type_id': 'enum_string', 'values': {'1': {}}}";
  const std::string numbers = "{'type_id': 'enum_integer', 'values': {'1': {}}}";
  const std::string ref = "{'type_id': 'ref', 'id': 'B'}";
  const std::string path =
      "Validation failed for 'objects' -> '[A]' -> 'properties' -> '[x]' -> 'type' -> 'types' -> '[1]': ";
  for (const std::string& id : std::vector<std::string>{"one_of_string", "one_of_int"}) {
    const bool by_text = id == "one_of_string";
    CHECK(findings(with(id, false, ref, "")) == "");
    CHECK(findings(with(id, false, ref, text)) ==
          path +
              "object id \"B\" has conflicting field \"k\"; either remove that field or set inline to true for the " +
              id + "\n");
    CHECK(findings(with(id, true, ref, "")) ==
          path +
              "object id \"B\" needs discriminator field \"k\"; either add that field or set inline to false for the " +
              id + "\n");
    CHECK((findings(with(id, true, ref, text)) == "") == by_text);
    CHECK((findings(with(id, true, ref, words)) == "") == by_text);
    CHECK((findings(with(id, true, ref, number)) == "") == !by_text);
    CHECK((findings(with(id, true, ref, numbers)) == "") == !by_text);
    CHECK(findings(with(id, true, ref, "{'type_id': 'bool'}")) ==
          path +
              "the type of object id B's discriminator field \"k\" does not match the one-of's discriminator type; "
              "expected " +
              (by_text ? "string" : "integer") + " got bool\n");
    // Members in place, also outside of a scope.
    const std::string in_place = "{'type_id': 'object', 'id': 'C', 'properties': {}}";
    CHECK(findings(with(id, true, in_place, "")).find("object id \"C\" needs discriminator field") !=
          std::string::npos);
    CHECK(findings("{'type_id': '" + id +
                   "', 'discriminator_field_name': 'k', 'discriminator_inlined': true, 'types': "
                   "{'1': " +
                   in_place + "}}")
              .find("'types' -> '[1]': object id \"C\" needs") != std::string::npos);
    const std::string nested =
        "{'type_id': 'scope', 'root': 'C', 'objects': {'C': {'id': 'C', 'properties': {'k': "
        "{'type': {'type_id': 'any'}}}}}}";
    CHECK(findings(with(id, false, nested, "")).find("object id \"C\" has conflicting field") != std::string::npos);
  }
}

TEST_CASE("unknown fields and nulls of plugins become warnings", "[read_type]") {
  std::vector<std::string> warnings;
  const ReadOptions lenient = {.origin = SchemaOrigin::plugin,
                               .warn = [&](const std::string& text) { warnings.push_back(text); }};
  const std::string schema =
      "{'root': 'A', 'objects': {'A': {'id': 'A', 'news': 1, 'properties': {'a': {'type': {'type_id': 'string', 'min': "
      "null, 'pattern': '(?=x)'}, 'display': null, 'required': null}}}}}";
  const TypePtr of = type(schema, lenient);
  CHECK(
      warnings ==
      std::vector<std::string>{
          "'objects' -> '[A]': the unknown field 'news' is passed over",
          "'objects' -> '[A]' -> 'properties' -> '[a]' -> 'type': null for 'min' is taken as absent",
          "'objects' -> '[A]' -> 'properties' -> '[a]' -> 'type' -> 'pattern': Invalid pattern (invalid perl operator: "
          "(?=); texts are not checked against it",
          "'objects' -> '[A]' -> 'properties' -> '[a]': null for 'display' is taken as absent",
          "'objects' -> '[A]' -> 'properties' -> '[a]': null for 'required' is taken as absent"});
  CHECK(unserialized(of, Map{{"a", "anything"}}) == double_quoted("{'a':'anything'}"));
  CHECK(object_of(of)->find("a")->required);
  // Nobody has to listen.
  CHECK_NOTHROW(type(schema, {.origin = SchemaOrigin::plugin, .warn = {}}));
  // A user is told.
  CHECK(mismatches_of([&] { type(schema); }).size() == 5);
  CHECK(findings("{'type_id': 'integer', 'mim': 1}") ==
        "Validation failed: Invalid parameter 'mim', expected one of: type_id, min, max, units, did you mean 'min'?\n");
  // Not all is forgiven.
  CHECK(findings("{'type_id': 'ref', 'id': null}", SchemaOrigin::plugin) ==
        "Validation failed for 'id': This field is required\n");
}

TEST_CASE("references stand for the objects of their own scope", "[read_type]") {
  const TypePtr outer = scope(
      "{'A': {'id': 'A', 'properties': {'own': {'type': {'type_id': 'ref', 'id': 'B'}}, 'nested': {'type': {'type_id': "
      "'scope', 'root': 'B', 'objects': {'B': {'id': 'B', 'properties': {'inner': {'type': {'type_id': 'ref', 'id': "
      "'B'}}}}}}}}}, 'B': {'id': 'B', 'properties': {'outer': {'type': {'type_id': 'any'}}}}}");
  const ObjectPtr root = object_of(outer);
  CHECK(object_of(root->find("own")->type)->find("outer"));
  const ObjectPtr nested = object_of(root->find("nested")->type);
  CHECK(nested->find("inner"));
  CHECK(object_of(nested->find("inner")->type) == nested);
  CHECK(unlinked_references(*outer).empty());
  // A nested scope does not see the outer one.
  CHECK(
      findings("{'root': 'A', 'objects': {'A': {'id': 'A', 'properties': {'n': {'type': {'type_id': 'scope', 'root': "
               "'B', 'objects': {'B': {'id': 'B', 'properties': {'r': {'type': {'type_id': 'ref', 'id': 'A'}}}}}}}}}}}")
          .find("Referenced object 'A' not found in scope with namespace \"\"; available: B") != std::string::npos);
}

TEST_CASE("references to other namespaces are linked later", "[read_type]") {
  const TypePtr schema = scope(
      "{'A': {'id': 'A', 'properties': {'m': {'type': {'type_id': 'map', 'keys': {'type_id': 'string'}, 'values': "
      "{'type_id': 'list', 'items': {'type_id': 'ref', 'id': 'X', 'namespace': 'n'}}}}, 'n': {'type': {'type_id': "
      "'scope', 'root': 'B', 'objects': {'B': {'id': 'B', 'properties': {'x': {'type': {'type_id': 'ref', 'id': 'X', "
      "'namespace': 'n'}}, 'z': {'type': {'type_id': 'ref', 'id': 'Z', 'namespace': 'o'}}}}}}}}}}");
  const auto paths = [&] {
    std::vector<std::string> result;
    for (const UnlinkedReference& reference : unlinked_references(*schema)) {
      std::string path = reference.name_space + ":" + reference.id;
      for (const std::string& segment : reference.path) path += " " + segment;
      result.push_back(path);
    }
    return result;
  };
  CHECK(paths() == std::vector<std::string>{"n:X objects [A] properties [m] type values items",
                                            "n:X objects [A] properties [n] type objects [B] properties [x] type",
                                            "o:Z objects [A] properties [n] type objects [B] properties [z] type"});
  const TypePtr other = scope(
      "{'A': {'id': 'A', 'properties': {}}, 'X': {'id': 'X', 'properties': {'y': {'type': "
      "{'type_id': 'integer'}}}}}");
  const auto& objects = other->as<ScopeType>()->objects;
  CHECK(apply_namespace(*schema, "n", objects).empty());
  CHECK(paths() == std::vector<std::string>{"o:Z objects [A] properties [n] type objects [B] properties [z] type"});
  CHECK(
      verdict(apply_namespace(*schema, "o", objects)) ==
      "ERR for 'objects' -> '[A]' -> 'properties' -> '[n]' -> 'type' -> 'objects' -> '[B]' -> 'properties' -> '[z]' -> "
      "'type': Referenced object 'Z' not found in scope with namespace \"o\"; available: A, X");
  CHECK(unserialized(schema, from_json("{'m': {'k': [{'y': '5'}]}, 'n': {'x': {'y': 1}, 'z': {}}}"))
            .starts_with("ERR for 'n' -> 'z': Referenced object 'Z'"));
}

TEST_CASE("one-of rules are checked when a namespace is linked", "[read_type]") {
  const TypePtr schema = scope(
      "{'A': {'id': 'A', 'properties': {'x': {'type': {'type_id': 'one_of_string', 'discriminator_field_name': 'k', "
      "'types': {'a': {'type_id': 'ref', 'id': 'X', 'namespace': 'n'}}}}}}}");
  const TypePtr other = scope(
      "{'A': {'id': 'A', 'properties': {}}, 'X': {'id': 'X', 'properties': {'k': {'type': "
      "{'type_id': 'integer'}}}}}");
  CHECK(verdict(apply_namespace(*schema, "m", other->as<ScopeType>()->objects)) == "ok");
  CHECK(verdict(apply_namespace(*schema, "n", other->as<ScopeType>()->objects))
            .find("'types' -> '[a]': object id \"X\" has conflicting field \"k\"") != std::string::npos);
}

TEST_CASE("the objects of a type without scope may be given", "[read_type]") {
  const TypePtr list = type("{'type_id': 'list', 'items': {'type_id': 'ref', 'id': 'X'}}");
  CHECK(unlinked_references(*list).size() == 1);
  const TypePtr other = scope("{'A': {'id': 'A', 'properties': {}}, 'X': {'id': 'X', 'properties': {}}}");
  CHECK(apply_namespace(*list, "", other->as<ScopeType>()->objects).empty());
  CHECK(unserialized(list, List{Map{}}) == "[{}]");
  // A reference does not keep its object alive.
  const TypePtr lost = type("{'type_id': 'ref', 'id': 'X'}");
  {
    const TypePtr short_lived = scope("{'A': {'id': 'A', 'properties': {}}, 'X': {'id': 'X', 'properties': {}}}");
    CHECK(apply_namespace(*lost, "", short_lived->as<ScopeType>()->objects).empty());
    CHECK(lost->as<RefType>()->linked());
  }
  CHECK_FALSE(lost->as<RefType>()->linked());
  CHECK(unserialized(lost, Map{}).starts_with("ERR: Referenced object 'X' not found"));
}
