#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.hpp"
#include "expressions/functions.hpp"
#include "expressions/internal/builtins.hpp"
#include "expressions/internal/case_mapping.hpp"
#include "expressions/internal/float_text.hpp"
#include "expressions/internal/message.hpp"
#include "expressions/internal/numbers.hpp"

namespace venvoy::expressions {

using schema::Value;

namespace {

ExpressionError conversion_failure(std::string message) {
  return ExpressionError(ErrorCode::evaluation, std::move(message));
}

ExpressionError unreadable(std::string_view function, std::string_view what, const std::string& text,
                           std::string_view problem) {
  return conversion_failure(std::string(function) + ": '" + excerpt(text) + "' is no " + std::string(what) + ": " +
                            std::string(problem));
}

}  // namespace

Value int_to_float(Arguments arguments) {
  return static_cast<double>(arguments[0].as_integer());
}

Value float_to_int(Arguments arguments) {
  const double value = arguments[0].as_float();
  if (std::isnan(value)) throw conversion_failure("attempted to convert a NaN float to an integer");
  if (std::isinf(value) && value > 0) return std::numeric_limits<std::int64_t>::max();
  return truncated(value);
}

Value int_to_string(Arguments arguments) {
  return std::to_string(arguments[0].as_integer());
}

Value float_to_string(Arguments arguments) {
  return format_float(arguments[0].as_float(), 'f', -1);
}

Value float_to_formatted_string(Arguments arguments) {
  const std::string& format = arguments[1].as_text();
  const std::int64_t precision = arguments[2].as_integer();
  if (format.empty())
    throw conversion_failure("floatToFormattedString: the format is empty; it is one of b, e, E, f, g, G, x, X");
  if (precision > max_format_precision)
    throw conversion_failure("floatToFormattedString: precision " + std::to_string(precision) +
                             " is above the limit of " + std::to_string(max_format_precision));
  return to_valid_utf8(format_float(arguments[0].as_float(), format[0], precision));
}

Value bool_to_string(Arguments arguments) {
  return arguments[0].as_bool() ? "true" : "false";
}

Value string_to_int(Arguments arguments) {
  const std::string& text = arguments[0].as_text();
  const bool plus = text.starts_with('+') && !text.starts_with("+-");
  const char* const end = text.data() + text.size();
  std::int64_t number = 0;
  const auto result = std::from_chars(text.data() + (plus ? 1 : 0), end, number);
  if (result.ec == std::errc::invalid_argument || result.ptr != end)
    throw unreadable("stringToInt", "integer", text, "invalid syntax");
  if (result.ec != std::errc()) throw unreadable("stringToInt", "integer", text, "value out of range");
  return number;
}

Value string_to_float(Arguments arguments) {
  const std::string& text = arguments[0].as_text();
  const ParsedFloat parsed = parse_float(text);
  if (parsed.problem == FloatProblem::syntax) throw unreadable("stringToFloat", "float", text, "invalid syntax");
  if (parsed.problem == FloatProblem::range) throw unreadable("stringToFloat", "float", text, "value out of range");
  return parsed.value;
}

Value string_to_bool(Arguments arguments) {
  const std::string& text = arguments[0].as_text();
  const std::string word = to_lower(text);
  if (word == "1" || word == "t" || word == "true") return true;
  if (word == "0" || word == "f" || word == "false") return false;
  throw unreadable("stringToBool", "bool", text, "invalid syntax");
}

}  // namespace venvoy::expressions
