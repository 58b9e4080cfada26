// Shorthands for the types of deployers' settings.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "schema/type.hpp"

namespace venvoy::deployer::internal {

using Properties = std::vector<std::pair<std::string, schema::Property>>;

inline schema::TypePtr object(std::string id, Properties properties) {
  schema::ObjectType type;
  type.id = std::move(id);
  type.properties = std::move(properties);
  return schema::make_type(std::move(type));
}

inline schema::TypePtr one_of_words(std::initializer_list<const char*> words) {
  schema::EnumStringType type;
  for (const char* word : words) type.values.emplace_back(word, schema::Display{});
  return schema::make_type(std::move(type));
}

}  // namespace venvoy::deployer::internal
