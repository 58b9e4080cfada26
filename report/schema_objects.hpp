// The objects that a scope is made of, each under one name: for renderings that describe every object once.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "schema/type.hpp"

namespace venvoy::report {

// Gives names to objects in the order in which they are met. Objects of different scopes may have the same id: the
// later ones get a number.
class SchemaObjects {
 public:
  // The name of an object, of a linked reference's target or of a scope's root: its id, or "<id>_2" and so on. Empty
  // for a reference that is not linked and for every other type.
  std::string name_of(const schema::TypePtr& type);
  std::string name_of(const schema::ObjectPtr& object);
  // A name like `wanted` that no object has; no object will get it.
  std::string reserve(const std::string& wanted);

  std::size_t size() const noexcept { return objects_.size(); }
  // Copies: asking for names while an object is rendered makes the list longer.
  std::pair<std::string, schema::ObjectPtr> at(std::size_t index) const { return objects_.at(index); }

 private:
  std::vector<std::pair<std::string, schema::ObjectPtr>> objects_;
  std::map<const schema::ObjectType*, std::string> names_;
  std::set<std::string> taken_;
};

// The object behind a type; null for a reference that is not linked and for types that are no objects.
schema::ObjectPtr linked_object(const schema::TypePtr& type);

}  // namespace venvoy::report
