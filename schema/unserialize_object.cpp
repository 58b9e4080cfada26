// Reading foreign data as objects (spec/protocol-and-schema.md 4.10).
#include <optional>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "schema/internal/scalars.hpp"
#include "schema/internal/unserializer.hpp"
#include "schema/internal/wording.hpp"

namespace venvoy::schema {

Value Unserializer::read_object(const ObjectType& object, const Value& data, const Trail& where) {
  if (data.kind() == Kind::map) {
    Map result;
    read_properties(object, data.as_map(), nullptr, where, result);
    return result;
  }
  if (data.kind() == Kind::invalid) {
    findings_->add(where, data.invalid_reason());
    return {};
  }
  if (object.properties.size() == 1 && !data.is_null()) return read_inlined(object, data, where);
  findings_->add(where, fmt::format("Must be a map to convert to object, {} given", kind_word(data)));
  return {};
}

void Unserializer::report_unknown(const ObjectType& object, const Map& data, const std::string* apart,
                                  const Trail& where) {
  const PropertyIndex properties(object);
  for (const auto& [key, value] : data) {
    if (findings_->full()) return;
    const bool known =
        key.kind() == Kind::text && ((apart && key.as_text() == *apart) || properties.find(key.as_text()) != nullptr);
    if (!known) findings_->add(where, invalid_parameter(plain(key), object.property_names()));
  }
}

// Whether an unknown entry was taken for this property: that has been told.
bool Unserializer::is_misspelled(const ObjectType& object, const Map& data, const std::string& name) {
  const PropertyIndex properties(object);
  for (const auto& [key, value] : data)
    if (key.kind() == Kind::text && !properties.find(key.as_text()) &&
        is_meant_by(name, key.as_text(), object.property_names()))
      return true;
  return false;
}

bool Unserializer::may_add_default(const Trail& where) {
  if (++defaults_ <= check_limits.max_default_values) return true;
  if (defaults_ == check_limits.max_default_values + 1)
    findings_->add(where, fmt::format("more than {} default values", check_limits.max_default_values));
  return false;
}

void Unserializer::read_properties(const ObjectType& object, const Map& data, const std::string* apart,
                                   const Trail& where, Map& result) {
  // Every entry that no property takes is unknown; they come first, in the order of the data.
  std::size_t taken = apart && data.contains(*apart) ? 1 : 0;
  for (const auto& [name, property] : object.properties)
    if (!(apart && name == *apart) && data.contains(name)) ++taken;
  if (taken < data.size()) report_unknown(object, data, apart, where);

  const auto given = [&](const std::string& name, const Property& property) -> const Value* {
    const Value* value = data.find(name);
    return value && !counts_as_absent(*value, *property.type) ? value : nullptr;
  };
  std::optional<PropertyIndex> index;
  const auto is_set = [&](const std::string& name) {
    if (!index) index.emplace(object);
    const Property* property = index->find(name);
    return property && (given(name, *property) || has_default(*property));
  };
  for (const auto& [name, property] : object.properties) {
    if (findings_->full() || defaults_ > check_limits.max_default_values) return;
    if (apart && name == *apart) continue;
    const Value* value = given(name, property);
    if (value) {
      result.insert(name, read_property(name, property, *value, where));
    } else if (has_default(property) && fill_defaults_ && may_add_default(where.property(name))) {
      result.insert(name, read_property(name, property, *property.default_value, where));
    }
    const bool set = value || has_default(property);
    if (!may_break_rule(property, set)) continue;
    std::string problem = broken_rule(property, set, is_set);
    const bool misspelled = taken < data.size() && !set && is_misspelled(object, data, name);
    if (!problem.empty() && !misspelled) findings_->add(where.property(name), std::move(problem));
  }
}

Value Unserializer::read_property(const std::string& name, const Property& property, const Value& data,
                                  const Trail& where) {
  const Trail trail = where.property(name);
  if (!property.disabled) return read(*property.type, data, trail);
  findings_->add(trail, disabled_text(property));
  return {};
}

Value Unserializer::read_inlined(const ObjectType& object, const Value& data, const Trail& where) {
  for (const Inlined* outer = inlined_; outer; outer = outer->outer) {
    // The same data for the same object again: its only property is, in the end, the object itself.
    if (outer->object != &object || outer->data != &data) continue;
    findings_->add(where, fmt::format("Must be a map to convert to object, {} given", kind_word(data)));
    return {};
  }
  const auto& [name, property] = object.properties.front();
  const Inlined here{&object, &data, std::exchange(inlined_, &here)};
  Findings inner;
  Findings* const outer_findings = std::exchange(findings_, here.outer ? findings_ : &inner);
  Map result;
  result.insert(name, read_property(name, property, data, where));
  findings_ = outer_findings;
  inlined_ = here.outer;
  // Only the outermost shortcut explains itself.
  for (Mismatch& mismatch : inner.take()) {
    mismatch.text = fmt::format(
        "error while unserializing single inlined property {} for object {} (\"{}\"); fix the property or specify the "
        "object as a map",
        name, object.id, mismatch.text);
    findings_->add(std::move(mismatch));
  }
  return result;
}

}  // namespace venvoy::schema
