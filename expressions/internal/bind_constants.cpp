#include <string>
#include <utility>

#include "expressions/functions.hpp"
#include "expressions/internal/builtins.hpp"

namespace venvoy::expressions {

using schema::TypePtr;
using schema::Value;

Value bind_constants(Arguments arguments) {
  schema::List bound;
  bound.reserve(arguments[0].as_list().size());
  for (const Value& item : arguments[0].as_list())
    bound.emplace_back(schema::Map{{"item", item}, {"constant", arguments[1]}});
  return bound;
}

namespace {

// The name of a type in the id of the result (spec/expressions.md 8.1).
std::string name_of(TypePtr type) {
  std::string prefix;
  for (; const auto* list = type->as<schema::ListType>(); type = list->items) prefix += "list_";
  const schema::ObjectPtr object = schema::object_of(type);
  return prefix + (object ? object->id : std::string(type->name()));
}

schema::Property optional_property(TypePtr type) {
  schema::Property property;
  property.type = std::move(type);
  property.required = false;
  return property;
}

}  // namespace

TypePtr bind_constants_type(std::span<const TypePtr> arguments) {
  const auto* items = arguments[0]->as<schema::ListType>();
  if (!items)
    throw ExpressionError(ErrorCode::document, "bindConstants: expected first input type to be a list schema");
  schema::ObjectType bound;
  bound.id = name_of(items->items) + "__" + name_of(arguments[1]);
  bound.id_unenforced = true;
  bound.properties.emplace_back("item", optional_property(items->items));
  bound.properties.emplace_back("constant", optional_property(arguments[1]));
  schema::ListType list;
  list.items = schema::make_type(std::move(bound));
  return schema::make_type(std::move(list));
}

}  // namespace venvoy::expressions
