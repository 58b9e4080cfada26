// The wire form of types. Unset fields are left out; flags that the Python SDK always sends are always written.
#include "schema/internal/write_type.hpp"

#include <algorithm>

#include "schema/read_type.hpp"

namespace venvoy::schema {
namespace {

void set_text(Map& map, const char* name, const std::optional<std::string>& text) {
  if (text) map.set(name, *text);
}

template <class Number>
void set_number(Map& map, const char* name, const std::optional<Number>& number) {
  if (number) map.set(name, *number);
}

void set_texts(Map& map, const char* name, const std::vector<std::string>& texts) {
  if (!texts.empty()) map.set(name, List(texts.begin(), texts.end()));
}

Value write_unit(const Unit& unit) {
  return Map{{"name_short_singular", unit.name_short_singular},
             {"name_short_plural", unit.name_short_plural},
             {"name_long_singular", unit.name_long_singular},
             {"name_long_plural", unit.name_long_plural}};
}

void set_units(Map& map, const std::shared_ptr<const Units>& units) {
  if (!units) return;
  Map written{{"base_unit", write_unit(units->base_unit)}};
  Map multipliers;
  for (const auto& [multiplier, unit] : units->multipliers) multipliers.set(multiplier, write_unit(unit));
  if (!multipliers.empty()) written.set("multipliers", std::move(multipliers));
  map.set("units", std::move(written));
}

Value write_property(const Property& property) {
  Map map{{"type", write_type(*property.type)}};
  set_display(map, property.display);
  map.set("required", property.required);
  set_texts(map, "required_if", property.required_if);
  set_texts(map, "required_if_not", property.required_if_not);
  set_texts(map, "conflicts", property.conflicts);
  set_text(map, "default", property.default_text);
  set_texts(map, "examples", property.examples);
  if (property.disabled) map.set("disabled", true);
  set_text(map, "disabled_reason", property.disabled_reason);
  return map;
}

void write_form(Map&, const AnyType&) {}
void write_form(Map&, const BoolType&) {}
void write_form(Map&, const PatternType&) {}

void write_form(Map& map, const StringType& type) {
  set_number(map, "min", type.min);
  set_number(map, "max", type.max);
  if (type.pattern) map.set("pattern", type.pattern->source());
}

void write_form(Map& map, const IntegerType& type) {
  set_number(map, "min", type.min);
  set_number(map, "max", type.max);
  set_units(map, type.units);
}

void write_form(Map& map, const FloatType& type) {
  set_number(map, "min", type.min);
  set_number(map, "max", type.max);
  set_units(map, type.units);
}

template <class Values>
void set_values(Map& map, const Values& values) {
  Map written;
  for (const auto& [key, display] : values) written.set(key, write_display(display));
  map.set("values", std::move(written));
}

void write_form(Map& map, const EnumStringType& type) {
  set_values(map, type.values);
}

void write_form(Map& map, const EnumIntegerType& type) {
  set_values(map, type.values);
  set_units(map, type.units);
}

void write_form(Map& map, const ListType& type) {
  map.set("items", write_type(*type.items));
  set_number(map, "min", type.min);
  set_number(map, "max", type.max);
}

void write_form(Map& map, const MapType& type) {
  map.set("keys", write_type(*type.keys));
  map.set("values", write_type(*type.values));
  set_number(map, "min", type.min);
  set_number(map, "max", type.max);
}

void write_form(Map& map, const ObjectType& type) {
  map.set("id", type.id);
  Map properties;
  for (const auto& [name, property] : type.properties) properties.set(name, write_property(property));
  map.set("properties", std::move(properties));
  if (type.id_unenforced) map.set("id_unenforced", true);
}

void write_form(Map& map, const RefType& type) {
  map.set("id", type.id);
  set_display(map, type.display);
  if (!type.name_space.empty()) map.set("namespace", type.name_space);
}

void write_form(Map& map, const ScopeType& type) {
  Map objects;
  for (const auto& [id, object] : type.objects) {
    Map written;
    write_form(written, *object);
    objects.set(id, std::move(written));
  }
  map.set("objects", std::move(objects));
  map.set("root", type.root);
}

void write_form(Map& map, const OneOfMembers& type) {
  map.set("discriminator_field_name", type.discriminator);
  map.set("discriminator_inlined", type.inlined);
  Map types;
  for (const auto& [key, member] : type.types) types.set(key, write_type(*member));
  map.set("types", std::move(types));
}

}  // namespace

Value write_display(const Display& display) {
  Map map;
  set_text(map, "name", display.name);
  set_text(map, "description", display.description);
  set_text(map, "icon", display.icon);
  return map;
}

void set_display(Map& map, const std::optional<Display>& display) {
  if (display) map.set("display", write_display(*display));
}

Value write_type(const Type& type) {
  Map map{{"type_id", std::string(type.name())}};
  std::visit([&](const auto& form) { write_form(map, form); }, type.form);
  return map;
}

Value write_scope(const ScopeType& scope) {
  Map map;
  write_form(map, scope);
  return map;
}

}  // namespace venvoy::schema
