// Reading objects, their properties and scopes (spec/protocol-and-schema.md 3.2, 3.3, 3.5).
#include <optional>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "schema/internal/links.hpp"
#include "schema/internal/schema_reader.hpp"
#include "schema/internal/wording.hpp"
#include "schema/json.hpp"

namespace venvoy::schema {
namespace {

// Types whose values are texts: a number given as their default is meant as it is written.
bool is_textual(const Type& type) {
  return type.id() == TypeId::string || type.id() == TypeId::enum_string || type.id() == TypeId::pattern;
}

std::optional<Value> parse_json(const std::string& text) {
  try {
    return read_json(text);
  } catch (const Error&) {
    return std::nullopt;
  }
}

// A default is JSON text. For a text type, text that is no JSON is the default itself, and a number is taken as it is
// written (3.3); null says that there is no default.
void read_default(SchemaReader& reader, Property& property, const std::string& text, const Trail& where) {
  std::optional<Value> value = parse_json(text);
  const bool textual = is_textual(*property.type);
  if (!value && !textual) {
    reader.findings.add(where, fmt::format("Default value {} is not a valid JSON", quoted(Value(text))));
    return;
  }
  if (!value) value = Value(text);
  if (value->is_null()) return;
  const bool number = value->kind() == Kind::integer || value->kind() == Kind::floating;
  if (textual && number) value = Value(trim(text));
  property.default_text = text;
  property.default_value = std::move(value);
}

void check_object_ids(SchemaReader& reader, const ScopeType& scope, const Trail& objects) {
  for (const auto& [key, object] : scope.objects) {
    if (object->id == key || object->id.empty()) continue;
    const Trail trail = objects.value_named(key);
    reader.findings.add(trail.property("id"),
                        fmt::format("the object's ID \"{}\" doesn't match its map key \"{}\"", object->id, key));
  }
}

void check_root(SchemaReader& reader, const ScopeType& scope, const Trail& where) {
  if (scope.root_object()) return;
  std::vector<std::string> ids;
  for (const auto& [id, object] : scope.objects) ids.push_back(id);
  reader.findings.add(where, fmt::format("root object with ID \"{}\" not found; available objects: {}{}", scope.root,
                                         name_list(ids), suggestion(scope.root, ids)));
}

}  // namespace

Property read_property(SchemaReader& reader, const Value& data, const Trail& where) {
  const Fields fields(reader, data, where,
                      {"type", "display", "required", "required_if", "required_if_not", "conflicts", "default",
                       "examples", "disabled", "disabled_reason"});
  Property property;
  const Value* type = fields.need("type");
  property.type = type ? read_any_type(reader, *type, fields.trail("type")) : any_type();
  property.display = fields.display("display");
  property.required = fields.flag("required").value_or(true);
  property.required_if = fields.texts("required_if");
  property.required_if_not = fields.texts("required_if_not");
  property.conflicts = fields.texts("conflicts");
  if (const auto text = fields.text("default")) read_default(reader, property, *text, fields.trail("default"));
  property.examples = fields.texts("examples");
  property.disabled = fields.flag("disabled").value_or(false);
  property.disabled_reason = fields.text("disabled_reason");
  return property;
}

ObjectType read_object_type(SchemaReader& reader, const Value& data, const Trail& where, bool with_type_id) {
  reader.count_type(where);
  const Fields fields = with_type_id ? Fields(reader, data, where, {"type_id", "id", "properties", "id_unenforced"})
                                     : Fields(reader, data, where, {"id", "properties", "id_unenforced"});
  ObjectType object;
  object.id = fields.needed_id("id");
  object.id_unenforced = fields.flag("id_unenforced").value_or(false);
  const Value* properties = fields.need("properties");
  if (!properties) return object;
  const Trail trail = fields.trail("properties");
  for (TextEntry& entry : text_entries(reader, *properties, trail)) {
    if (entry.key.empty())
      reader.findings.add(trail.key(*entry.raw_key), "String must be at least 1 characters, 0 given");
    Property property = read_property(reader, *entry.value, trail.value(*entry.raw_key));
    object.properties.emplace_back(std::move(entry.key), std::move(property));
  }
  return object;
}

TypePtr read_scope_type(SchemaReader& reader, const Value& data, const Trail& where, bool with_type_id) {
  reader.count_type(where);
  const Fields fields = with_type_id ? Fields(reader, data, where, {"type_id", "objects", "root"})
                                     : Fields(reader, data, where, {"objects", "root"});
  ScopeType scope;
  scope.root = fields.needed_id("root");
  const Value* objects = fields.need("objects");
  if (!objects) return make_type(std::move(scope));
  const Trail trail = fields.trail("objects");
  for (TextEntry& entry : id_entries(reader, *objects, trail)) {
    ObjectType object = read_object_type(reader, *entry.value, trail.value(*entry.raw_key), false);
    scope.objects.emplace_back(std::move(entry.key), std::make_shared<const ObjectType>(std::move(object)));
  }
  if (!scope.root.empty()) check_root(reader, scope, fields.trail("root"));
  check_object_ids(reader, scope, trail);
  link_scope(scope, where, reader.findings);
  return make_type(std::move(scope));
}

}  // namespace venvoy::schema
