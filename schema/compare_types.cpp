// Types against types.
#include <algorithm>

#include <fmt/format.h>

#include "schema/check.hpp"
#include "schema/internal/comparison.hpp"
#include "schema/internal/scalars.hpp"
#include "schema/internal/wording.hpp"

namespace venvoy::schema {

bool Comparison::met_before(const void* expected, const void* given, const std::string* apart, const Trail& where) {
  if (met_.size() > check_limits.max_object_pairs) return true;
  if (!met_.emplace(expected, given, apart ? std::string_view(*apart) : std::string_view()).second) return true;
  if (met_.size() <= check_limits.max_object_pairs) return false;
  findings_.add(where, fmt::format("the types have more than {} pairs of objects", check_limits.max_object_pairs));
  return true;
}

void Comparison::refuse(const Type& expected, std::string_view given, const Trail& where) {
  findings_.add(where, unsupported(expected.name(), given));
}

void Comparison::compare(const Type& expected, const Type& given, const Trail& where) {
  if (findings_.full() || too_deep(where, findings_)) return;
  if (reading() && (expected.id() == TypeId::any || given.id() == TypeId::any)) return;
  if (is_object_like(expected)) return compare_object(expected, given, where);
  switch (expected.id()) {
    case TypeId::one_of_string:
    case TypeId::one_of_int:
      return compare_one_of(expected, given, where);
    case TypeId::map:
      return compare_map(expected, given, where);
    case TypeId::list: {
      const auto* list = given.as<ListType>();
      return list ? compare(*expected.as<ListType>()->items, *list->items, where.every_value())
                  : refuse(expected, given.name(), where);
    }
    default: {
      std::string problem = reading() ? read_problem(expected, given) : accept_problem(expected, given);
      if (!problem.empty()) findings_.add(where, std::move(problem));
    }
  }
}

void Comparison::compare_map(const Type& expected, const Type& given, const Trail& where) {
  const MapType& map = *expected.as<MapType>();
  if (const auto* other = given.as<MapType>()) {
    compare(*map.keys, *other->keys, where.every_key());
    compare(*map.values, *other->values, where.every_value());
    if ((other->min && map.max && *other->min > *map.max) || (other->max && map.min && *other->max < *map.min))
      findings_.add(where, "mutually exclusive sizes between 'map' types");
    return;
  }
  if (!reading()) return refuse(expected, given.name(), where);
  if (const OneOfMembers* one_of = given.one_of()) return read_map_from_one_of(map, *one_of, where);
  if (!is_object_like(given)) return refuse(expected, given.name(), where);
  if (const ObjectHandle object = object_behind(given, where, findings_))
    read_map_from_object(map, *object, nullptr, where);
}

void Comparison::compare_object(const Type& expected, const Type& given, const Trail& where) {
  if (is_object_like(given)) return compare_linked(expected, given, nullptr, where);
  if (!reading()) return refuse(expected, given.name(), where);
  if (const OneOfMembers* one_of = given.one_of()) return read_object_from_one_of(expected, *one_of, where);
  const ObjectHandle object = object_behind(expected, where, findings_);
  if (!object) return;
  // A map gives no promise about its keys.
  if (object->properties.size() != 1 || given.id() == TypeId::map) return refuse(expected, given.name(), where);
  read_inlined(*object, given, &given, where);
}

void Comparison::compare_linked(const Type& expected, const Type& given, const std::string* apart, const Trail& where) {
  const ObjectHandle to = object_behind(expected, where, findings_);
  const ObjectHandle from = object_behind(given, where, findings_);
  if (!to || !from) return;
  if (!reading() && !to->id_unenforced && !from->id_unenforced && to->id != from->id) {
    findings_.add(where,
                  fmt::format("validation failed for object schema ID {}. ID {} does not match.", to->id, from->id));
    return;
  }
  compare_properties(*to, *from, apart, where);
}

void Comparison::compare_properties(const ObjectType& expected, const ObjectType& given, const std::string* apart,
                                    const Trail& where) {
  if (met_before(&expected, &given, apart, where)) return;
  const PropertyIndex expected_properties(expected);
  for (const auto& [name, property] : given.properties) {
    if (findings_.full()) return;
    if (apart && name == *apart) continue;
    const Property* target = expected_properties.find(name);
    if (!target) {
      findings_.add(where, invalid_parameter(name, expected.property_names()));
      continue;
    }
    compare(*target->type, *property.type, where.property(name));
    if (reading() && target->disabled) findings_.add(where.property(name), disabled_text(*target));
  }
  const PropertyIndex given_properties(given);
  for (const auto& [name, property] : expected.properties) {
    if (!property.required || has_default(property) || (apart && name == *apart)) continue;
    if (!given_properties.find(name)) findings_.add(where, missing_field(name));
  }
}

void Comparison::compare_one_of(const Type& expected, const Type& given, const Trail& where) {
  const OneOfMembers& to = *expected.one_of();
  const OneOfMembers* from = given.one_of();
  if (!from || (!reading() && expected.id() != given.id())) return refuse(expected, given.name(), where);
  if (to.discriminator != from->discriminator) {
    findings_.add(where, other_discriminator(to.discriminator, from->discriminator));
    return;
  }
  for (const auto& [key, member] : from->types) {
    const Trail trail = where.value(key);
    const TypePtr* target = to.find(key_as(expected, key));
    if (target) {
      compare_linked(**target, *member, &to.discriminator, trail);
    } else {
      findings_.add(trail, invalid_choice(to.discriminator, key, key_texts(to)));
    }
  }
}

void Comparison::read_discriminator(const ObjectType& expected, const std::string& field, const Type& given,
                                    const Trail& where) {
  if (const Property* property = expected.find(field)) {
    compare(*property->type, given, where.property(field));
  } else {
    findings_.add(where, invalid_parameter(field, expected.property_names()));
  }
}

void Comparison::read_object_from_one_of(const Type& expected, const OneOfMembers& given, const Trail& where) {
  const ObjectHandle object = object_behind(expected, where, findings_);
  if (!object) return;
  for (const auto& [key, member] : given.types) {
    const Trail trail = where.value(key);
    read_discriminator(*object, given.discriminator, key.kind() == Kind::text ? *string_type() : *integer_type(),
                       trail);
    compare_linked(expected, *member, &given.discriminator, trail);
  }
}

void Comparison::read_map_from_object(const MapType& expected, const ObjectType& given, const std::string* apart,
                                      const Trail& where) {
  if (met_before(&expected, &given, apart, where)) return;
  const std::size_t extra = apart ? 1 : 0;
  std::size_t certain = extra;
  for (const auto& [name, property] : given.properties) {
    if (apart && name == *apart) continue;
    if (property.required) ++certain;
    const Value key(name);
    compare(*expected.keys, GivenView(key), where.key(key));
    compare(*expected.values, *property.type, where.property(name));
  }
  const std::size_t most = given.properties.size() + extra;
  if (expected.max && static_cast<std::int64_t>(certain) > *expected.max)
    findings_.add(where, size_problem(certain, {}, expected.max));
  if (expected.min && static_cast<std::int64_t>(most) < *expected.min)
    findings_.add(where, size_problem(most, expected.min, {}));
}

void Comparison::read_map_from_one_of(const MapType& expected, const OneOfMembers& given, const Trail& where) {
  const Value field(given.discriminator);
  compare(*expected.keys, GivenView(field), where.key(field));
  for (const auto& [key, member] : given.types) {
    const Trail trail = where.value(key);
    compare(*expected.values, GivenView(key), trail.property(given.discriminator));
    if (const ObjectHandle object = object_behind(*member, trail, findings_))
      read_map_from_object(expected, *object, &given.discriminator, trail);
  }
}

std::vector<Mismatch> incompatibilities(const Type& expected, const Type& given) {
  Findings findings;
  Comparison(Rules::accept, findings).compare(expected, given, Trail());
  return findings.take();
}

std::vector<Mismatch> unreadable_parts(const Type& declared, const Type& given) {
  Findings findings;
  Comparison(Rules::read, findings).compare(declared, given, Trail());
  return findings.take();
}

}  // namespace venvoy::schema
