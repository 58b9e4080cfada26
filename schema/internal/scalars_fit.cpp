// Which scalar types go where which others stand.
#include <algorithm>
#include <optional>
#include <set>
#include <type_traits>

#include <fmt/format.h>

#include "schema/internal/comparison.hpp"
#include "schema/internal/unserializer.hpp"
#include "schema/internal/wording.hpp"

namespace venvoy::schema {
namespace {

template <class Number>
std::string range_text(const std::optional<Number>& min, const std::optional<Number>& max) {
  if (min && max) return fmt::format("{} to {}", *min, *max);
  return min ? fmt::format("{} or more", *min) : fmt::format("{} or less", *max);
}

// Ranges are refused only if they cannot overlap, and only bounds that exist are compared (4.16).
template <class Expected, class Given>
std::string range_problem(std::string_view type, const Expected& expected, const Given& given) {
  const bool above = given.min && expected.max && *given.min > *expected.max;
  const bool below = given.max && expected.min && *given.max < *expected.min;
  if (!above && !below) return {};
  return fmt::format("mutually exclusive min/max values between '{}' types: expected {}, given {}", type,
                     range_text(expected.min, expected.max), range_text(given.min, given.max));
}

template <class Enum>
std::string subset_problem(const Enum& expected, const Enum& given) {
  std::set<std::remove_cvref_t<decltype(expected.values.front().first)>> keys;
  for (const auto& entry : expected.values) keys.insert(entry.first);
  for (const auto& entry : given.values)
    if (!keys.contains(entry.first)) return not_in_enum(Value(entry.first), key_texts(expected));
  return {};
}

bool reads(const Type& type, const Value& value) {
  Findings findings;
  Unserializer(false, findings).read(type, value, {});
  return findings.empty();
}

// Enums: a base type or another enum may read one of the keys, and then the value decides; what crosses to another kind
// of value (a bool) must read all of them.
template <class Enum>
bool reads_keys(const Type& expected, const Enum& given) {
  const auto reads_key = [&](const auto& entry) { return reads(expected, Value(entry.first)); };
  constexpr bool of_text = std::is_same_v<Enum, EnumStringType>;
  switch (expected.id()) {
    case TypeId::string:
    case TypeId::pattern:
    case TypeId::enum_string:
    case TypeId::enum_integer:
      return std::ranges::any_of(given.values, reads_key);
    case TypeId::integer:
    case TypeId::floating:
      if (!of_text) return std::ranges::any_of(given.values, reads_key);
      [[fallthrough]];
    default:
      return std::ranges::all_of(given.values, reads_key);
  }
}

// Kinds of values that the type reads, or may read, from a plain scalar type of another kind.
bool reads_kind(TypeId expected, TypeId given) {
  switch (expected) {
    case TypeId::string:
      return given == TypeId::integer || given == TypeId::floating || given == TypeId::pattern;
    case TypeId::pattern:
      return given == TypeId::string || given == TypeId::integer;
    case TypeId::floating:
      return given == TypeId::integer || given == TypeId::boolean;
    case TypeId::integer:
      return given == TypeId::boolean;
    case TypeId::enum_string:
      return given == TypeId::string || given == TypeId::pattern;
    case TypeId::enum_integer:
      return given == TypeId::string || given == TypeId::integer;
    default:
      return false;
  }
}

std::string same_kind_problem(const Type& expected, const Type& given) {
  if (const auto* type = expected.as<StringType>()) return range_problem("string", *type, *given.as<StringType>());
  if (const auto* type = expected.as<IntegerType>()) return range_problem("integer", *type, *given.as<IntegerType>());
  if (const auto* type = expected.as<FloatType>()) return range_problem("float", *type, *given.as<FloatType>());
  return {};
}

}  // namespace

std::string accept_problem(const Type& expected, const Type& given) {
  const TypeId to = expected.id();
  const TypeId from = given.id();
  if (to == TypeId::any) return from == TypeId::pattern ? unsupported("any", "pattern") : std::string();
  if (to == TypeId::enum_string && from == to)
    return subset_problem(*expected.as<EnumStringType>(), *given.as<EnumStringType>());
  if (to == TypeId::enum_integer && from == to)
    return subset_problem(*expected.as<EnumIntegerType>(), *given.as<EnumIntegerType>());
  if (from == to) return same_kind_problem(expected, given);
  const bool base_of_enum =
      (to == TypeId::string && from == TypeId::enum_string) || (to == TypeId::integer && from == TypeId::enum_integer);
  return base_of_enum ? std::string() : unsupported(expected.name(), given.name());
}

std::string read_problem(const Type& expected, const Type& given) {
  if (expected.id() == TypeId::any || given.id() == TypeId::any) return {};
  bool reads_some = reads_kind(expected.id(), given.id());
  if (const auto* keys = given.as<EnumStringType>()) reads_some = reads_keys(expected, *keys);
  if (const auto* keys = given.as<EnumIntegerType>()) reads_some = reads_keys(expected, *keys);
  const bool is_enum = given.id() == TypeId::enum_string || given.id() == TypeId::enum_integer;
  if (is_enum && !reads_some && expected.id() == given.id()) return "the enums have no value in common";
  if (!is_enum && expected.id() == given.id()) return same_kind_problem(expected, given);
  if (const auto* number = expected.as<FloatType>(); number && given.id() == TypeId::integer)
    return range_problem("float", *number, *given.as<IntegerType>());
  return reads_some ? std::string() : unsupported(expected.name(), given.name());
}

std::string conflicting_option(std::string_view object_id, std::string_view field) {
  return fmt::format("object id \"{}\" has conflicting field \"{}\"; remove that field or choose another discriminator",
                     object_id, field);
}

}  // namespace venvoy::schema
