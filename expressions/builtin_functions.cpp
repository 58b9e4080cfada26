#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "expressions/functions.hpp"
#include "expressions/internal/builtins.hpp"
#include "expressions/internal/case_mapping.hpp"

namespace venvoy::expressions {

using schema::any_type;
using schema::bool_type;
using schema::float_type;
using schema::integer_type;
using schema::string_type;
using schema::TypePtr;
using schema::Value;

namespace {

TypePtr string_matching(std::string pattern) {
  schema::StringType type;
  type.pattern = schema::Pattern(std::move(pattern));
  return schema::make_type(std::move(type));
}

TypePtr list_of(TypePtr items) {
  schema::ListType type;
  type.items = std::move(items);
  return schema::make_type(std::move(type));
}

template <double (*function)(double)>
Value on_float(Arguments arguments) {
  return function(arguments[0].as_float());
}

template <std::string (*function)(std::string_view)>
Value on_text(Arguments arguments) {
  return function(arguments[0].as_text());
}

void add_conversions(Functions& functions) {
  // These patterns are part of the types, though not all results match them (12, number 15).
  const TypePtr plain_float = string_matching(R"(^\d+\.\d*$)");
  const TypePtr formatted_float = string_matching(R"(^-?(?:0[xX])?\d+(?:\.\d*)?(?:[pPeE][-+]\d{2,3})?$)");
  const TypePtr truth = string_matching("^true|false$");
  functions.add({"intToFloat", {integer_type()}, float_type(), int_to_float});
  functions.add({"floatToInt", {float_type()}, integer_type(), float_to_int});
  functions.add({"intToString", {integer_type()}, string_type(), int_to_string});
  functions.add({"floatToString", {float_type()}, plain_float, float_to_string});
  functions.add({"floatToFormattedString",
                 {float_type(), string_type(), integer_type()},
                 formatted_float,
                 float_to_formatted_string});
  functions.add({"boolToString", {bool_type()}, truth, bool_to_string});
  functions.add({"stringToInt", {string_type()}, integer_type(), string_to_int});
  functions.add({"stringToFloat", {string_type()}, float_type(), string_to_float});
  functions.add({"stringToBool", {string_type()}, bool_type(), string_to_bool});
}

void add_mathematics(Functions& functions) {
  functions.add({"ceil", {float_type()}, float_type(), on_float<std::ceil>});
  functions.add({"floor", {float_type()}, float_type(), on_float<std::floor>});
  functions.add({"round", {float_type()}, float_type(), on_float<std::round>});
  functions.add({"abs", {float_type()}, float_type(), on_float<std::fabs>});
}

void add_texts_and_lists(Functions& functions) {
  functions.add({"toLower", {string_type()}, string_type(), on_text<to_lower>});
  functions.add({"toUpper", {string_type()}, string_type(), on_text<to_upper>});
  functions.add({"splitString", {string_type(), string_type()}, list_of(string_type()), split_string});
  functions.add({"readFile", {string_type()}, string_type(), read_file});
  functions.add({"getEnvVar", {string_type(), string_type()}, string_type(), get_env_var});
  functions.add({"bindConstants", {list_of(any_type()), any_type()}, bind_constants_type, bind_constants});
}

Functions make_builtin_functions() {
  Functions functions;
  add_conversions(functions);
  add_mathematics(functions);
  add_texts_and_lists(functions);
  return functions;
}

}  // namespace

const Functions& builtin_functions() {
  static const Functions functions = make_builtin_functions();
  return functions;
}

}  // namespace venvoy::expressions
