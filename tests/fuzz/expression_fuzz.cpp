// Text of an expression: parsed, typed and evaluated on data and types that have something of every kind.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "expect.hpp"
#include "expressions/dependencies.hpp"
#include "expressions/evaluate.hpp"
#include "expressions/infer.hpp"
#include "expressions/lint.hpp"
#include "expressions/parse.hpp"
#include "schema/check.hpp"
#include "schema/json.hpp"
#include "schema/read_type.hpp"

namespace {

using namespace venvoy;

constexpr std::string_view type_text = R"({"root": "R", "objects": {"R": {"id": "R", "properties": {
  "i": {"type": {"type_id": "integer"}},
  "f": {"type": {"type_id": "float"}},
  "s": {"type": {"type_id": "string"}},
  "b": {"type": {"type_id": "bool"}},
  "l": {"type": {"type_id": "list", "items": {"type_id": "integer"}}},
  "m": {"type": {"type_id": "map", "keys": {"type_id": "string"}, "values": {"type_id": "integer"}}},
  "n": {"type": {"type_id": "map", "keys": {"type_id": "integer"}, "values": {"type_id": "string"}}},
  "o": {"type": {"type_id": "ref", "id": "R"}, "required": false},
  "a": {"type": {"type_id": "any"}}}}}})";

constexpr std::string_view data_text = R"({"i": 7, "f": 1.5, "s": "text", "b": true, "l": [1, 2, 3],
  "m": {"k": 1, "s": 2}, "o": {"i": 1, "s": "k", "l": []}, "a": {"x": [null, {"y": 2.0}]}})";

const schema::TypePtr& root_type() {
  static const schema::TypePtr type = schema::read_scope(schema::read_json(type_text));
  return type;
}

schema::Value make_data() {
  schema::Value data = schema::read_json(data_text);
  schema::Map map = data.take_map();
  map.set("n", schema::Map{{1, "one"}, {2, "two"}});
  return map;
}

// The built-in functions, with a readFile that looks at no file: a fuzzer would wait for ever at a device.
expressions::Functions make_functions() {
  expressions::Functions functions = expressions::builtin_functions();
  functions.add(
      {"readFile", {schema::string_type()}, schema::string_type(), [](std::span<const schema::Value> arguments) {
         return arguments[0];
       }});
  return functions;
}

void check_offset(const expressions::ExpressionError& error, std::string_view text) {
  if (error.offset()) fuzz::expect(*error.offset() <= text.size(), "an error stands inside the text");
}

void type(const expressions::Expression& expression, const schema::TypePtr& root,
          const expressions::Functions& functions) {
  try {
    expressions::infer(expression, root, functions);
    expressions::dependencies(expression, root, functions, expressions::engine_filter);
    expressions::dependencies(expression, root, functions, {.include_keys = true});
  } catch (const expressions::ExpressionError& error) {
    check_offset(error, expression.text());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const expressions::Functions functions = make_functions();
  static const schema::Value root = make_data();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::optional<expressions::Expression> expression;
  try {
    expression = expressions::parse(text);
  } catch (const expressions::ExpressionError& error) {
    check_offset(error, text);
    return 0;
  }
  for (const expressions::Warning& warning : expressions::surprising_rules(*expression))
    fuzz::expect(warning.offset <= text.size(), "a warning stands inside the text");
  type(*expression, root_type(), functions);
  type(*expression, schema::any_type(), functions);
  try {
    schema::describe(expressions::evaluate(*expression, root, functions));
  } catch (const expressions::ExpressionError& error) {
    check_offset(error, text);
  }
  return 0;
}
