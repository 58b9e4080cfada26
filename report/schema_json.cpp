#include "report/schema_json.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.hpp"
#include "report/schema_objects.hpp"
#include "schema/json.hpp"

namespace venvoy::report {
namespace {

using schema::List;
using schema::Map;
using schema::TypePtr;
using schema::Value;

Value text_list(const std::vector<std::string>& texts) {
  return List(texts.begin(), texts.end());
}

template <class Number>
void set_limit(Map& map, const char* name, const std::optional<Number>& limit) {
  if (!limit) return;
  if constexpr (std::is_floating_point_v<Number>)
    if (!std::isfinite(*limit)) return;
  map.set(name, *limit);
}

void set_display(Map& map, const std::optional<schema::Display>& display) {
  if (!display) return;
  if (display->name) map.set("title", *display->name);
  if (display->description) map.set("description", *display->description);
}

std::string quoted_for_pattern(std::string_view text) {
  std::string result;
  for (const char letter : text) {
    if (std::string_view("\\^$.|?*+()[]{}/-").find(letter) != std::string_view::npos) result += '\\';
    result += letter;
  }
  return result;
}

// The four names of a unit, each once, the longest first so that no name is cut short by another.
std::string names_pattern(const schema::Unit& unit) {
  std::set<std::string> names = {unit.name_short_singular, unit.name_short_plural, unit.name_long_singular,
                                 unit.name_long_plural};
  std::vector<std::string> sorted(names.begin(), names.end());
  std::ranges::stable_sort(sorted, std::greater<>(), &std::string::size);
  std::string result;
  for (const std::string& name : sorted) result += (result.empty() ? "" : "|") + quoted_for_pattern(name);
  return result;
}

// The grammar of spec/protocol-and-schema.md 4.14.
std::string amount_pattern(const schema::Units& units, bool fraction) {
  std::string pattern = "^(?=.*[0-9])\\s*";
  for (auto unit = units.multipliers.rbegin(); unit != units.multipliers.rend(); ++unit)
    pattern += fmt::format("(?:[0-9]+\\s*(?:{})\\s*)?", names_pattern(unit->second));
  return pattern +
         fmt::format("(?:[0-9]+{}\\s*(?:{})?\\s*)?$", fraction ? "(?:\\.[0-9]+)?" : "", names_pattern(units.base_unit));
}

// A number may be written with units when it has some.
Value with_units(Map number, const std::shared_ptr<const schema::Units>& units, bool fraction) {
  if (!units) return number;
  Map text{{"type", "string"}, {"pattern", amount_pattern(*units, fraction)}};
  return Map{{"anyOf", List{std::move(number), std::move(text)}}};
}

// A JSON text of the schema language; what is no JSON stands for itself.
Value value_of_json_text(const std::string& text) {
  try {
    return schema::read_json(text);
  } catch (const Error&) {
    return text;
  }
}

// Types as JSON Schema, object by object. `place` is where in the document the definitions will stand.
class TypeWriter {
 public:
  TypeWriter(std::string place, bool with_expressions, std::size_t& fields_left)
      : place_(std::move(place)), with_expressions_(with_expressions), fields_left_(fields_left) {}

  Value write_type(const TypePtr& type) {
    Value written = write_plain(type);
    if (!with_expressions_ || type->id() == schema::TypeId::any) return written;
    return Map{{"anyOf", List{std::move(written), Map{{"$ref", expression_definition}}}}};
  }

  // Of all objects that the written types refer to.
  Map definitions() {
    Map definitions;
    for (std::size_t index = 0; index < objects_.size(); ++index) {
      const auto [name, object] = objects_.at(index);
      definitions.set(name, write_object(*object, nullptr, Value()));
      for (auto& [variant, written] : std::exchange(variants_, {})) definitions.set(variant, std::move(written));
    }
    return definitions;
  }

 private:
  std::string reference_text(const std::string& name) const { return place_ + "/$defs/" + name; }

  Value write_plain(const TypePtr& type) {
    return std::visit([&](const auto& form) { return write_form(form, type); }, type->form);
  }

  Value write_form(const schema::AnyType&, const TypePtr&) { return Map(); }

  Value write_form(const schema::BoolType&, const TypePtr&) {
    static const std::vector<std::string> words = {"yes", "y", "on",  "true",  "enable",  "enabled",  "1",
                                                   "no",  "n", "off", "false", "disable", "disabled", "0"};
    return Map{{"anyOf", List{Map{{"type", "boolean"}}, Map{{"enum", text_list(words)}}, Map{{"enum", List{0, 1}}}}}};
  }

  Value write_form(const schema::PatternType&, const TypePtr&) { return Map{{"type", "string"}, {"format", "regex"}}; }

  Value write_form(const schema::StringType& type, const TypePtr&) {
    Map map{{"type", "string"}};
    set_limit(map, "minLength", type.min);
    set_limit(map, "maxLength", type.max);
    if (type.pattern && type.pattern->compiles()) map.set("pattern", type.pattern->source());
    return map;
  }

  Value write_form(const schema::IntegerType& type, const TypePtr&) {
    Map map{{"type", "integer"}};
    set_limit(map, "minimum", type.min);
    set_limit(map, "maximum", type.max);
    return with_units(std::move(map), type.units, false);
  }

  Value write_form(const schema::FloatType& type, const TypePtr&) {
    Map map{{"type", "number"}};
    set_limit(map, "minimum", type.min);
    set_limit(map, "maximum", type.max);
    return with_units(std::move(map), type.units, true);
  }

  Value write_form(const schema::EnumStringType& type, const TypePtr&) {
    List values;
    for (const auto& [value, display] : type.values) values.emplace_back(value);
    return Map{{"type", "string"}, {"enum", std::move(values)}};
  }

  Value write_form(const schema::EnumIntegerType& type, const TypePtr&) {
    List values;
    for (const auto& [value, display] : type.values) values.emplace_back(value);
    return with_units(Map{{"type", "integer"}, {"enum", std::move(values)}}, type.units, false);
  }

  Value write_form(const schema::ListType& type, const TypePtr&) {
    Map map{{"type", "array"}, {"items", write_type(type.items)}};
    set_limit(map, "minItems", type.min);
    set_limit(map, "maxItems", type.max);
    return map;
  }

  // In JSON every key is a text.
  Value write_keys(const TypePtr& keys) {
    if (keys->as<schema::IntegerType>()) return Map{{"pattern", "^[+-]?[0-9]+$"}};
    const auto* numbers = keys->as<schema::EnumIntegerType>();
    if (!numbers) return write_plain(keys);
    List texts;
    for (const auto& [value, display] : numbers->values) texts.emplace_back(std::to_string(value));
    return Map{{"enum", std::move(texts)}};
  }

  Value write_form(const schema::MapType& type, const TypePtr&) {
    Map map{{"type", "object"}, {"propertyNames", write_keys(type.keys)}};
    map.set("additionalProperties", write_type(type.values));
    set_limit(map, "minProperties", type.min);
    set_limit(map, "maxProperties", type.max);
    return map;
  }

  Value refer_to(const TypePtr& type) {
    const std::string name = objects_.name_of(type);
    // What an engine will fill in is not known here.
    if (name.empty()) return Map{{"type", "object"}};
    return Map{{"$ref", reference_text(name)}};
  }

  Value write_form(const schema::ObjectType&, const TypePtr& type) { return refer_to(type); }
  Value write_form(const schema::ScopeType&, const TypePtr& type) { return refer_to(type); }
  Value write_form(const schema::RefType& reference, const TypePtr& type) {
    Map map = refer_to(type).take_map();
    set_display(map, reference.display);
    return map;
  }

  Value write_form(const schema::OneOfStringType& type, const TypePtr&) { return write_one_of(type); }
  Value write_form(const schema::OneOfIntType& type, const TypePtr&) { return write_one_of(type); }

  // A member with its discriminator is an object of its own, as objects take no fields that they do not declare.
  Value write_one_of(const schema::OneOfMembers& type) {
    List members;
    for (const auto& [key, member] : type.types) {
      const schema::ObjectPtr object = linked_object(member);
      if (!object) {
        members.push_back(Map{{"properties", Map{{type.discriminator, Map{{"const", key}}}}},
                              {"required", List{type.discriminator}}});
        continue;
      }
      Map written{{"$ref", reference_text(variant_name(*object, type.discriminator, key))}};
      if (const auto* reference = member->as<schema::RefType>()) set_display(written, reference->display);
      members.push_back(std::move(written));
    }
    // An empty union accepts nothing.
    if (members.empty()) return Map{{"not", Map()}};
    return Map{{"oneOf", std::move(members)}};
  }

  std::string variant_name(const schema::ObjectType& object, const std::string& discriminator, const Value& key) {
    const std::string key_text = key.kind() == schema::Kind::text ? key.as_text() : std::to_string(key.as_integer());
    const auto [place, is_new] = variant_names_.try_emplace({&object, discriminator, key_text});
    if (!is_new) return place->second;
    const std::string name = objects_.reserve(object.id + "_as_" + (schema::is_id(key_text) ? key_text : "another"));
    place->second = name;
    Value written = write_object(object, &discriminator, key);
    variants_.emplace_back(name, std::move(written));
    return name;
  }

  Value write_property(const schema::Property& property) {
    if (property.disabled) {
      Map refused{{"not", Map()}};
      refused.set("description", "disabled" + (property.disabled_reason ? ": " + *property.disabled_reason : ""));
      return refused;
    }
    Map map = write_type(property.type).take_map();
    set_display(map, property.display);
    if (property.default_value && !property.default_value->is_null()) map.set("default", *property.default_value);
    if (!property.examples.empty()) {
      List examples;
      for (const std::string& example : property.examples) examples.push_back(value_of_json_text(example));
      map.set("examples", std::move(examples));
    }
    return map;
  }

  void count_fields(std::size_t count) {
    if (count > fields_left_) throw Error(ErrorCode::limit, "the schema is too large to be written as JSON Schema");
    fields_left_ -= count;
  }

  Value write_object(const schema::ObjectType& object, const std::string* discriminator, const Value& key) {
    count_fields(object.properties.size() + 1);
    Map map{{"type", "object"}};
    Map properties;
    std::vector<std::string> required;
    if (discriminator) {
      properties.set(*discriminator, Map{{"const", key}});
      required.push_back(*discriminator);
    }
    for (const auto& [name, property] : object.properties) {
      if (discriminator && name == *discriminator) continue;
      properties.set(name, write_property(property));
      if (property.required && !has_default(property)) required.push_back(name);
    }
    map.set("properties", std::move(properties));
    if (!required.empty()) map.set("required", text_list(required));
    map.set("additionalProperties", false);
    set_dependencies(map, object);
    return map;
  }

  static bool has_default(const schema::Property& property) {
    return property.default_value && !property.default_value->is_null();
  }

  // A field with a default counts as set, whatever is written (3.3).
  static bool always_set(const schema::ObjectType& object, const std::string& name) {
    const schema::Property* property = object.find(name);
    return property && has_default(*property);
  }

  // The rules of 4.10 between fields.
  static void set_dependencies(Map& map, const schema::ObjectType& object) {
    Map dependent;
    List rules;
    for (const auto& [name, property] : object.properties) {
      if (!always_set(object, name)) {
        add_required_if(dependent, rules, object, name, property);
        add_required_if_not(rules, object, name, property);
      }
      for (const std::string& other : property.conflicts) {
        List both;
        if (!always_set(object, name)) both.emplace_back(name);
        if (!always_set(object, other)) both.emplace_back(other);
        rules.push_back(Map{{"not", Map{{"required", std::move(both)}}}});
      }
    }
    if (!dependent.empty()) map.set("dependentRequired", std::move(dependent));
    if (!rules.empty()) map.set("allOf", std::move(rules));
  }

  static void add_required_if(Map& dependent, List& rules, const schema::ObjectType& object, const std::string& name,
                              const schema::Property& property) {
    for (const std::string& other : property.required_if) {
      if (always_set(object, other)) {
        rules.push_back(Map{{"required", List{name}}});
        continue;
      }
      Value& needs = dependent.find_or_add(other);
      List names = needs.is_null() ? List() : needs.take_list();
      if (std::ranges::find(names, Value(name)) == names.end()) names.emplace_back(name);
      needs = std::move(names);
    }
  }

  static void add_required_if_not(List& rules, const schema::ObjectType& object, const std::string& name,
                                  const schema::Property& property) {
    if (property.required_if_not.empty()) return;
    List one_of_them{Map{{"required", List{name}}}};
    for (const std::string& other : property.required_if_not) {
      if (always_set(object, other)) return;
      one_of_them.push_back(Map{{"required", List{other}}});
    }
    rules.push_back(Map{{"anyOf", std::move(one_of_them)}});
  }

  const std::string place_;
  const bool with_expressions_;
  std::size_t& fields_left_;
  SchemaObjects objects_;
  std::map<std::tuple<const schema::ObjectType*, std::string, std::string>, std::string> variant_names_;
  std::vector<std::pair<std::string, Value>> variants_;
};

Map step_document(const schema::StepSchema& step, std::size_t& fields_left) {
  TypeWriter writer("#", false, fields_left);
  Map document{{"$schema", json_schema_dialect}, {"$id", step.id}};
  set_display(document, step.display);
  if (!document.contains("title")) document.set("title", step.id);
  const Value root = writer.write_type(step.input);
  for (const auto& [key, value] : root.as_map()) document.set(key, value);
  document.set("$defs", writer.definitions());
  return document;
}

}  // namespace

Value json_schema(const schema::StepSchema& step, const JsonSchemaOptions& options) {
  std::size_t fields_left = options.max_fields;
  return step_document(step, fields_left);
}

Value json_schema(const schema::PluginSchema& plugin, const JsonSchemaOptions& options) {
  std::size_t fields_left = options.max_fields;
  Map properties;
  Map definitions;
  for (const auto& [id, step] : plugin.steps) {
    properties.set(id, Map{{"$ref", "#/$defs/" + id}});
    definitions.set(id, step_document(step, fields_left));
  }
  return Map{{"$schema", json_schema_dialect},
             {"title", "The inputs of the plugin's steps"},
             {"type", "object"},
             {"properties", std::move(properties)},
             {"additionalProperties", false},
             {"$defs", std::move(definitions)}};
}

Value json_schema_part(const TypePtr& type, const std::string& place, bool with_expressions,
                       const JsonSchemaOptions& options) {
  std::size_t fields_left = options.max_fields;
  TypeWriter writer(place, with_expressions, fields_left);
  Map part = writer.write_type(type).take_map();
  part.set("$defs", writer.definitions());
  return part;
}

}  // namespace venvoy::report
