#include "schema/type.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "schema/internal/wording.hpp"

namespace venvoy::schema {
namespace {

constexpr std::array<std::string_view, std::variant_size_v<Type::Form>> type_names = {
    "any",  "bool", "string", "pattern", "integer", "float",         "enum_string", "enum_integer",
    "list", "map",  "object", "ref",     "scope",   "one_of_string", "one_of_int"};

template <class Entries, class Key>
auto* find_in(Entries& entries, const Key& key) noexcept {
  const auto found = std::ranges::find_if(entries, [&](const auto& entry) { return entry.first == key; });
  return found == entries.end() ? nullptr : &found->second;
}

}  // namespace

std::string_view to_text(TypeId id) noexcept {
  return type_names[static_cast<std::size_t>(id)];
}

std::optional<TypeId> type_id_from(std::string_view text) noexcept {
  const auto found = std::ranges::find(type_names, text);
  if (found == type_names.end()) return std::nullopt;
  return static_cast<TypeId>(found - type_names.begin());
}

const Property* ObjectType::find(std::string_view name) const noexcept {
  return find_in(properties, name);
}

std::vector<std::string> ObjectType::property_names() const {
  std::vector<std::string> names;
  names.reserve(properties.size());
  for (const auto& [name, property] : properties) names.push_back(name);
  return names;
}

ObjectPtr RefType::target() const {
  ObjectPtr object = link->target.lock();
  if (!object) throw Error(ErrorCode::schema, not_linked(*this));
  return object;
}

ObjectPtr ScopeType::find(std::string_view id) const noexcept {
  const ObjectPtr* object = find_in(objects, id);
  return object ? *object : nullptr;
}

const TypePtr* OneOfMembers::find(const Value& key) const noexcept {
  return find_in(types, key);
}

const OneOfMembers* Type::one_of() const noexcept {
  if (const auto* by_text = as<OneOfStringType>()) return by_text;
  return as<OneOfIntType>();
}

const TypePtr& any_type() {
  static const TypePtr type = make_type(AnyType());
  return type;
}

const TypePtr& bool_type() {
  static const TypePtr type = make_type(BoolType());
  return type;
}

const TypePtr& string_type() {
  static const TypePtr type = make_type(StringType());
  return type;
}

const TypePtr& integer_type() {
  static const TypePtr type = make_type(IntegerType());
  return type;
}

const TypePtr& float_type() {
  static const TypePtr type = make_type(FloatType());
  return type;
}

ObjectPtr object_of(const TypePtr& type) {
  if (const auto* object = type->as<ObjectType>()) return {type, object};
  if (const auto* reference = type->as<RefType>()) return reference->target();
  if (const auto* scope = type->as<ScopeType>()) return scope->root_object();
  return nullptr;
}

bool is_id(std::string_view text) noexcept {
  constexpr std::string_view signs = "$@-_";
  const auto allowed = [&](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
           signs.find(letter) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= 255 && std::ranges::all_of(text, allowed);
}

}  // namespace venvoy::schema
