#include "schema/internal/objects.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "base/text.hpp"
#include "schema/internal/wording.hpp"

namespace venvoy::schema {
namespace {

// Up to this many properties a search through them is faster than an index.
constexpr std::size_t few_properties = 16;

}  // namespace

bool is_object_like(const Type& type) noexcept {
  return type.id() == TypeId::object || type.id() == TypeId::reference || type.id() == TypeId::scope;
}

ObjectHandle object_behind(const Type& type, const Trail& where, Findings& findings) {
  if (const auto* object = type.as<ObjectType>()) return {object, nullptr};
  ObjectPtr owner;
  if (const auto* reference = type.as<RefType>()) {
    owner = reference->link->target.lock();
    if (!owner) findings.add(where, not_linked(*reference));
  } else if (const auto* scope = type.as<ScopeType>()) {
    owner = scope->root_object();
    if (!owner) findings.add(where, fmt::format("root object with ID \"{}\" not found", scope->root));
  }
  return {owner.get(), owner};
}

PropertyIndex::PropertyIndex(const ObjectType& object) : object_(object) {
  if (object.properties.size() <= few_properties) return;
  by_name_.reserve(object.properties.size());
  for (const auto& [name, property] : object.properties) by_name_.emplace(name, &property);
}

const Property* PropertyIndex::find(std::string_view name) const noexcept {
  if (by_name_.empty()) return object_.find(name);
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

std::string broken_rule(const Property& property, bool set, const std::function<bool(const std::string&)>& is_set) {
  if (set) {
    const auto conflict = std::ranges::find_if(property.conflicts, is_set);
    if (conflict == property.conflicts.end()) return {};
    return fmt::format("Field conflicts '{}', set one of the two, not both", *conflict);
  }
  if (property.required) return "This field is required";
  const auto cause = std::ranges::find_if(property.required_if, is_set);
  if (cause != property.required_if.end()) return fmt::format("This field is required because '{}' is set", *cause);
  const auto& alternatives = property.required_if_not;
  if (alternatives.empty() || std::ranges::any_of(alternatives, is_set)) return {};
  if (alternatives.size() == 1) return fmt::format("This field is required because '{}' is not set", alternatives[0]);
  return fmt::format("This field is required because none of {} are set", quoted_list(alternatives));
}

}  // namespace venvoy::schema
