// What the checks share about objects: what stands behind a type, properties by name, the rules between properties.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "schema/internal/trail.hpp"
#include "schema/type.hpp"

namespace venvoy::schema {

// Whether the type stands for an object: object, reference or scope.
bool is_object_like(const Type& type) noexcept;

// The object behind an object-like type, kept alive as far as that is possible (an object that is part of a type
// belongs to that type). A reference that is not linked and a scope without its root become a mismatch, and the object
// is null.
struct ObjectHandle {
  const ObjectType* object = nullptr;
  ObjectPtr owner;

  explicit operator bool() const noexcept { return object != nullptr; }
  const ObjectType* operator->() const noexcept { return object; }
  const ObjectType& operator*() const noexcept { return *object; }
};
ObjectHandle object_behind(const Type& type, const Trail& where, Findings& findings);

// Properties by name, in constant time. The object must outlive it.
class PropertyIndex {
 public:
  explicit PropertyIndex(const ObjectType& object);
  const Property* find(std::string_view name) const noexcept;

 private:
  const ObjectType& object_;
  std::unordered_map<std::string_view, const Property*> by_name_;  // empty for an object with few properties
};

// Whether the property is never missing since a default stands in for it.
inline bool has_default(const Property& property) noexcept {
  return property.default_value && !property.disabled;
}

// Whether broken_rule can find anything: most properties need not ask it.
inline bool may_break_rule(const Property& property, bool set) noexcept {
  if (set) return !property.conflicts.empty();
  return property.required || !property.required_if.empty() || !property.required_if_not.empty();
}

// What is wrong with a property that is or is not set, given which others are (4.10); empty if nothing. `is_set` takes
// the name of a property. A default counts as set, so it is for the caller to say that such a property is.
std::string broken_rule(const Property& property, bool set, const std::function<bool(const std::string&)>& is_set);

}  // namespace venvoy::schema
