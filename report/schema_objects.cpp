#include "report/schema_objects.hpp"

#include <fmt/format.h>

namespace venvoy::report {

schema::ObjectPtr linked_object(const schema::TypePtr& type) {
  const auto* reference = type->as<schema::RefType>();
  return reference && !reference->linked() ? nullptr : schema::object_of(type);
}

std::string SchemaObjects::name_of(const schema::TypePtr& type) {
  const schema::ObjectPtr object = linked_object(type);
  return object ? name_of(object) : std::string();
}

std::string SchemaObjects::name_of(const schema::ObjectPtr& object) {
  const auto [place, is_new] = names_.try_emplace(object.get());
  if (is_new) {
    place->second = reserve(object->id);
    objects_.emplace_back(place->second, object);
  }
  return place->second;
}

std::string SchemaObjects::reserve(const std::string& wanted) {
  if (taken_.insert(wanted).second) return wanted;
  for (int number = 2;; ++number) {
    std::string name = fmt::format("{}_{}", wanted, number);
    if (taken_.insert(name).second) return name;
  }
}

}  // namespace venvoy::report
