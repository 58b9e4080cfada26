#include "vectors/encoding.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace venvoy::test {

using schema::Given;
using schema::Kind;
using schema::List;
using schema::Map;
using schema::TypeId;
using schema::TypePtr;
using schema::Value;

const Value& field(const Value& mapping, std::string_view name) {
  if (mapping.kind() != Kind::map) throw VectorProblem("not a mapping: " + schema::describe(mapping));
  if (const Value* found = mapping.find(name)) return *found;
  throw VectorProblem("there is no field '" + std::string(name) + "' in " + schema::describe(mapping));
}

const std::string& text_field(const Value& mapping, std::string_view name) {
  const Value& value = field(mapping, name);
  if (value.kind() != Kind::text) throw VectorProblem("the field '" + std::string(name) + "' is no text");
  return value.as_text();
}

void check_fields(const Value& mapping, std::initializer_list<std::string_view> known) {
  if (mapping.kind() != Kind::map) throw VectorProblem("not a mapping: " + schema::describe(mapping));
  for (const auto& [key, value] : mapping.as_map())
    if (std::find(known.begin(), known.end(), key.as_text()) == known.end())
      throw VectorProblem("unknown field '" + key.as_text() + "'");
}

namespace {

[[noreturn]] void refuse(const Value& encoded) {
  throw VectorProblem("unknown kind of value: " + schema::describe(encoded));
}

const Value& contents(const Value& encoded, Kind kind) {
  const Value& value = field(encoded, "v");
  if (value.kind() != kind) refuse(encoded);
  return value;
}

template <class Number>
Number number(const std::string& text) {
  Number value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size())
    throw VectorProblem("'" + text + "' is no number");
  return value;
}

double float_value(const std::string& text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "+Inf") return std::numeric_limits<double>::infinity();
  if (text == "-Inf") return -std::numeric_limits<double>::infinity();
  return number<double>(text);
}

// The values of one piece.
std::optional<Value> decode_scalar(const std::string& kind, const Value& encoded) {
  check_fields(encoded, {"t", "v"});
  if (kind == "null") {
    check_fields(encoded, {"t"});
    return Value();
  }
  if (kind == "int") return number<std::int64_t>(contents(encoded, Kind::text).as_text());
  if (kind == "float") return float_value(contents(encoded, Kind::text).as_text());
  if (kind == "string") return contents(encoded, Kind::text);
  if (kind == "bool") return contents(encoded, Kind::boolean);
  return std::nullopt;
}

// [key, value]
std::pair<Value, Value> pair_of(const Value& pair) {
  if (pair.kind() != Kind::list || pair.as_list().size() != 2)
    throw VectorProblem("no pair: " + schema::describe(pair));
  return {pair.as_list()[0], pair.as_list()[1]};
}

Value decode_list(const Value& encoded) {
  List list;
  for (const Value& item : contents(encoded, Kind::list).as_list()) list.push_back(decode_value(item));
  return list;
}

Value decode_object(const Value& encoded) {
  Map map;
  for (const auto& [key, value] : contents(encoded, Kind::map).as_map()) map.insert(key, decode_value(value));
  return map;
}

Value decode_map(const Value& encoded) {
  Map map;
  for (const Value& entry : contents(encoded, Kind::list).as_list()) {
    const auto [key, value] = pair_of(entry);
    if (!map.insert(decode_value(key), decode_value(value))) throw VectorProblem("a map has a key twice");
  }
  return map;
}

}  // namespace

Value decode_value(const Value& encoded) {
  const std::string& kind = text_field(encoded, "t");
  if (auto scalar = decode_scalar(kind, encoded)) return *scalar;
  if (kind == "list") return decode_list(encoded);
  if (kind == "object") return decode_object(encoded);
  if (kind == "map") return decode_map(encoded);
  refuse(encoded);
}

namespace {

Given given(decltype(Given::form) form) {
  Given result;
  result.form = std::move(form);
  return result;
}

Given::Entry entry(Value key, const Value& encoded, const TypeOf& type_of) {
  Given::Entry result;
  result.key = std::move(key);
  result.optional = text_field(encoded, "t") == "optional_expr";
  result.value = decode_given(encoded, type_of);
  return result;
}

Given given_one_of(const Value& encoded, const TypeOf& type_of) {
  check_fields(encoded, {"t", "discriminator", "options"});
  Given::OneOf one_of;
  one_of.discriminator = text_field(encoded, "discriminator");
  const Value& options = field(encoded, "options");
  if (options.kind() != Kind::map) refuse(encoded);
  for (const auto& [key, value] : options.as_map()) one_of.options.push_back(entry(key, value, type_of));
  return given(std::move(one_of));
}

}  // namespace

Given decode_given(const Value& encoded, const TypeOf& type_of) {
  const std::string& kind = text_field(encoded, "t");
  if (kind == "oneof_expr") return given_one_of(encoded, type_of);
  if (auto scalar = decode_scalar(kind, encoded)) return given(*scalar);
  if (kind == "expr" || kind == "optional_expr") return given(type_of(contents(encoded, Kind::text).as_text()));
  if (kind == "list") {
    Given::Items items;
    for (const Value& item : contents(encoded, Kind::list).as_list()) items.push_back(decode_given(item, type_of));
    return given(std::move(items));
  }
  Given::Entries entries;
  if (kind == "object") {
    for (const auto& [key, value] : contents(encoded, Kind::map).as_map())
      entries.push_back(entry(key, value, type_of));
  } else if (kind == "map") {
    for (const Value& pair : contents(encoded, Kind::list).as_list())
      entries.push_back(entry(decode_value(pair_of(pair).first), pair_of(pair).second, type_of));
  } else {
    refuse(encoded);
  }
  return given(std::move(entries));
}

namespace {

bool same_float(double left, double right, double relative_tolerance) {
  if (std::isnan(left) || std::isnan(right)) return std::isnan(left) && std::isnan(right);
  if (left == right) return std::signbit(left) == std::signbit(right);
  if (std::isinf(left) || std::isinf(right)) return false;
  return std::fabs(left - right) <= relative_tolerance * std::max(std::fabs(left), std::fabs(right));
}

}  // namespace

bool same_value(const Value& left, const Value& right, double relative_tolerance) {
  const auto same = [&](const Value& one, const Value& other) { return same_value(one, other, relative_tolerance); };
  if (left.kind() != right.kind()) return false;
  switch (left.kind()) {
    case Kind::floating:
      return same_float(left.as_float(), right.as_float(), relative_tolerance);
    case Kind::list:
      return std::equal(left.as_list().begin(), left.as_list().end(), right.as_list().begin(), right.as_list().end(),
                        same);
    case Kind::map:
      break;
    default:
      return left == right;
  }
  const Map& other = right.as_map();
  return left.as_map().size() == other.size() &&
         std::all_of(left.as_map().begin(), left.as_map().end(), [&](const Map::Entry& item) {
           const Value* match = other.find(item.key);
           return match && same(item.value, *match);
         });
}

namespace {

template <class Limited>
void add_limits(Map& map, const Limited& type) {
  if (type.min) map.insert("min", Value(*type.min));
  if (type.max) map.insert("max", Value(*type.max));
}

// An object whose id is not enforced is known by its properties, any other by its id.
void add_object(Map& map, const schema::ObjectType& object) {
  if (!object.id_unenforced) return;
  map.insert("id_unenforced", true);
  Map properties;
  for (const auto& [name, property] : object.properties)
    properties.insert(name, Map{{"required", property.required}, {"type", encode_type(property.type)}});
  map.insert("properties", std::move(properties));
}

void add_members(Map& map, const schema::OneOfMembers& one_of) {
  map.insert("discriminator", one_of.discriminator);
  Map types;
  for (const auto& [key, type] : one_of.types)
    types.insert(key.kind() == Kind::integer ? Value(std::to_string(key.as_integer())) : key, encode_type(type));
  map.insert("types", std::move(types));
}

}  // namespace

Value encode_type(const TypePtr& type) {
  Map map = {{"id", type->name()}};
  if (const auto* integer = type->as<schema::IntegerType>()) add_limits(map, *integer);
  if (const auto* floating = type->as<schema::FloatType>()) add_limits(map, *floating);
  if (const auto* string = type->as<schema::StringType>()) {
    add_limits(map, *string);
    if (string->pattern) map.insert("pattern", string->pattern->source());
  }
  if (const auto* list = type->as<schema::ListType>()) {
    add_limits(map, *list);
    map.insert("items", encode_type(list->items));
  }
  if (const auto* keyed = type->as<schema::MapType>()) {
    add_limits(map, *keyed);
    map.insert("keys", encode_type(keyed->keys));
    map.insert("values", encode_type(keyed->values));
  }
  if (const schema::ObjectPtr object = schema::object_of(type)) {
    map.insert("object", object->id);
    if (type->id() == TypeId::object) add_object(map, *object);
  }
  if (const auto* one_of = type->one_of()) add_members(map, *one_of);
  return map;
}

}  // namespace venvoy::test
