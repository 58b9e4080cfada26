#include "schema/internal/scalars.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "schema/internal/numbers.hpp"
#include "schema/internal/wording.hpp"
#include "schema/units.hpp"

namespace venvoy::schema {
namespace {

constexpr std::array<std::string_view, 7> true_words = {"1", "yes", "y", "on", "true", "enable", "enabled"};
constexpr std::array<std::string_view, 7> false_words = {"0", "no", "n", "off", "false", "disable", "disabled"};

Converted<bool> bool_from_text(const Value& value) {
  std::string word = value.as_text();
  std::ranges::transform(word, word.begin(), ascii_lower);
  if (std::ranges::find(true_words, word) != true_words.end()) return {true, {}};
  if (std::ranges::find(false_words, word) != false_words.end()) return {false, {}};
  return {std::nullopt, fmt::format("{} is not a valid boolean value", quoted(value))};
}

template <class T>
Converted<T> number_from(ParsedNumber<T> number, const Value& text, std::string_view type) {
  if (number.problem == NumberProblem::none) return {number.value, {}};
  if (number.problem == NumberProblem::out_of_range)
    return {std::nullopt, fmt::format("{} does not fit a 64-bit {}", quoted(text), type)};
  return {std::nullopt, fmt::format("{} is not a valid {}", quoted(text), type)};
}

template <class Parse>
auto amount_from(Parse parse, const Units& units, const Value& text) -> Converted<decltype(parse(units, ""))> {
  try {
    return {parse(units, text.as_text()), {}};
  } catch (const Error& error) {
    return {std::nullopt, error.message()};
  }
}

Converted<std::int64_t> integer_from_float(const Value& value) {
  const double number = value.as_float();
  if (is_integer(number)) return {static_cast<std::int64_t>(number), {}};
  return {std::nullopt, cannot_convert(value, "integer")};
}

// "10", or "90 (1m30s)" with units.
template <class T>
std::string limit_text(T limit, const Units* units) {
  return units ? fmt::format("{} ({})", limit, format_short(*units, limit)) : fmt::format("{}", limit);
}

// A NaN is neither below nor above anything, so it passes (4.5).
template <class Number, class T>
std::string range_problem(const Number& type, T value) {
  if (type.min && value < *type.min) return "Must be at least " + limit_text(*type.min, type.units.get());
  if (type.max && value > *type.max) return "Must be at most " + limit_text(*type.max, type.units.get());
  return {};
}

std::string float_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

}  // namespace

Converted<bool> to_bool(const Value& value) {
  switch (value.kind()) {
    case Kind::boolean:
      return {value.as_bool(), {}};
    case Kind::text:
      return bool_from_text(value);
    case Kind::integer:
      if (value.as_integer() == 0 || value.as_integer() == 1) return {value.as_integer() == 1, {}};
      break;
    case Kind::invalid:
      return {std::nullopt, value.invalid_reason()};
    default:
      break;
  }
  return {std::nullopt, fmt::format("{} is not a valid boolean value", quoted(value))};
}

Converted<std::int64_t> to_integer(const Value& value, const Units* units) {
  switch (value.kind()) {
    case Kind::integer:
      return {value.as_integer(), {}};
    case Kind::boolean:
      return {value.as_bool() ? 1 : 0, {}};
    case Kind::floating:
      return integer_from_float(value);
    case Kind::text:
      if (units) return amount_from(parse_integer, *units, value);
      return number_from(parse_integer_text(value.as_text()), value, "integer");
    default:
      return {std::nullopt, cannot_convert(value, "integer")};
  }
}

Converted<double> to_float(const Value& value, const Units* units) {
  switch (value.kind()) {
    case Kind::integer:
      return {static_cast<double>(value.as_integer()), {}};
    case Kind::boolean:
      return {value.as_bool() ? 1.0 : 0.0, {}};
    case Kind::floating:
      return {value.as_float(), {}};
    case Kind::text:
      if (units) return amount_from(parse_float, *units, value);
      return number_from(parse_float_text(value.as_text()), value, "float");
    default:
      return {std::nullopt, cannot_convert(value, "float")};
  }
}

Converted<Value> to_text_value(const Value& value) {
  switch (value.kind()) {
    case Kind::text:
      return {value, {}};
    case Kind::integer:
      return {Value(std::to_string(value.as_integer())), {}};
    case Kind::floating:
      return {Value(float_text(value.as_float())), {}};
    default:
      break;
  }
  if (const std::string* written = value.null_text()) return {Value(*written), {}};
  return {std::nullopt, cannot_convert(value, "string")};
}

std::string problem_with(const StringType& type, const Value& text) {
  if (type.min || type.max) {
    const auto length = static_cast<std::int64_t>(count_code_points(text.as_text()));
    if (type.min && length < *type.min)
      return fmt::format("String must be at least {} characters, {} given", *type.min, length);
    if (type.max && length > *type.max)
      return fmt::format("String must be at most {} characters, {} given", *type.max, length);
  }
  if (type.pattern && !type.pattern->found_in(text.as_text()))
    return fmt::format("String {} must match the pattern '{}'", quoted(text), shortened(type.pattern->source()));
  return {};
}

std::string problem_with(const IntegerType& type, std::int64_t value) {
  return range_problem(type, value);
}
std::string problem_with(const FloatType& type, double value) {
  return range_problem(type, value);
}

std::string problem_with(const EnumStringType& type, const Value& text) {
  for (const auto& [key, display] : type.values)
    if (key == text.as_text()) return {};
  return not_in_enum(text, key_texts(type));
}

std::string problem_with(const EnumIntegerType& type, std::int64_t value) {
  for (const auto& [key, display] : type.values)
    if (key == value) return {};
  return not_in_enum(Value(value), key_texts(type));
}

std::string problem_with(const PatternType&, const Value& text) {
  const Pattern pattern(text.as_text());
  return pattern.compiles() ? std::string() : fmt::format("Invalid pattern ({})", pattern.problem());
}

std::string size_problem(std::size_t size, std::optional<std::int64_t> min, std::optional<std::int64_t> max) {
  const auto count = static_cast<std::int64_t>(size);
  if (min && count < *min) return fmt::format("Must have at least {} items, {} given", *min, count);
  if (max && count > *max) return fmt::format("Must have at most {} items, {} given", *max, count);
  return {};
}

Value key_as(const Type& one_of, const Value& value) {
  if (one_of.id() == TypeId::one_of_string) return to_text_value(value).value.value_or(Value());
  const Converted<std::int64_t> number = to_integer(value);
  return number.value ? Value(*number.value) : Value();
}

bool takes_text(const Type& type) noexcept {
  const TypeId id = type.id();
  return id == TypeId::string || id == TypeId::enum_string || id == TypeId::pattern || id == TypeId::any;
}

bool counts_as_absent(const Value& value, const Type& type) noexcept {
  if (!value.is_null()) return false;
  return value.null_text() ? !takes_text(type) : type.id() != TypeId::any;
}

}  // namespace venvoy::schema
