// Checking and writing data that has the kinds of its type already. No coercion from text, no defaults; only numbers
// that lose nothing by it change their kind when they are written (spec/protocol-and-schema.md, G9).
#include <cmath>

#include <fmt/format.h>

#include "schema/check.hpp"
#include "schema/internal/any_value.hpp"
#include "schema/internal/numbers.hpp"
#include "schema/internal/objects.hpp"
#include "schema/internal/scalars.hpp"
#include "schema/internal/wording.hpp"

namespace venvoy::schema {
namespace {

enum class Purpose { validate, serialize };

class Serializer {
 public:
  Serializer(Purpose purpose, Findings& findings) : purpose_(purpose), findings_(findings) {}

  // The wire form, or null when only validating.
  Value write(const Type& type, const Value& data, const Trail& where) {
    if (findings_.full() || too_deep(where, findings_)) return {};
    if (data.kind() == Kind::invalid) return refuse(where, data.invalid_reason());
    if (is_object_like(type)) {
      const ObjectHandle object = object_behind(type, where, findings_);
      return object ? write_object(type, *object, data, where) : Value();
    }
    switch (type.id()) {
      case TypeId::any:
        return read_free_value(data, where, findings_);
      case TypeId::list:
        return write_list(type, *type.as<ListType>(), data, where);
      case TypeId::map:
        return write_map(type, *type.as<MapType>(), data, where);
      case TypeId::one_of_string:
      case TypeId::one_of_int:
        return write_one_of(type, data, where);
      default:
        return write_scalar(type, data, where);
    }
  }

 private:
  bool serializing() const noexcept { return purpose_ == Purpose::serialize; }

  Value refuse(const Trail& where, std::string text) {
    findings_.add(where, std::move(text));
    return {};
  }

  Value checked(const Value& value, std::string problem, const Trail& where) {
    return problem.empty() ? value : refuse(where, std::move(problem));
  }

  Value write_scalar(const Type& type, const Value& data, const Trail& where) {
    const Value value = serializing() ? exact_number(type, data) : data;
    if (type.id() == TypeId::boolean && value.kind() == Kind::boolean) return value;
    if (const auto* text = type.as<StringType>(); text && value.kind() == Kind::text)
      return checked(value, problem_with(*text, value), where);
    if (const auto* pattern = type.as<PatternType>(); pattern && value.kind() == Kind::text)
      return checked(value, problem_with(*pattern, value), where);
    if (const auto* choice = type.as<EnumStringType>(); choice && value.kind() == Kind::text)
      return checked(value, problem_with(*choice, value), where);
    if (const auto* integer = type.as<IntegerType>(); integer && value.kind() == Kind::integer)
      return checked(value, problem_with(*integer, value.as_integer()), where);
    if (const auto* choice = type.as<EnumIntegerType>(); choice && value.kind() == Kind::integer)
      return checked(value, problem_with(*choice, value.as_integer()), where);
    if (const auto* floating = type.as<FloatType>(); floating && value.kind() == Kind::floating)
      return checked(value, problem_with(*floating, value.as_float()), where);
    return refuse(where, unsupported(type, data));
  }

  // The number in the kind of the type, if it is the same number there; otherwise the value as it is.
  static Value exact_number(const Type& type, const Value& data) {
    const bool to_integer = type.id() == TypeId::integer || type.id() == TypeId::enum_integer;
    if (to_integer && data.kind() == Kind::floating && is_integer(data.as_float()))
      return static_cast<std::int64_t>(data.as_float());
    if (type.id() != TypeId::floating || data.kind() != Kind::integer) return data;
    const auto number = static_cast<double>(data.as_integer());
    const bool exact = is_integer(number) && static_cast<std::int64_t>(number) == data.as_integer();
    return exact ? Value(number) : data;
  }

  Value write_list(const Type& type, const ListType& list, const Value& data, const Trail& where) {
    if (data.kind() != Kind::list) return refuse(where, unsupported(type, data));
    if (std::string problem = size_problem(data.as_list().size(), list.min, list.max); !problem.empty())
      findings_.add(where, std::move(problem));
    List result;
    if (serializing()) result.reserve(data.as_list().size());
    std::size_t index = 0;
    for (const Value& item : data.as_list()) {
      Value written = write(*list.items, item, where.item(index++));
      if (serializing()) result.push_back(std::move(written));
    }
    return result;
  }

  Value write_map(const Type& type, const MapType& map, const Value& data, const Trail& where) {
    if (data.kind() != Kind::map) return refuse(where, unsupported(type, data));
    if (std::string problem = size_problem(data.as_map().size(), map.min, map.max); !problem.empty())
      findings_.add(where, std::move(problem));
    Map result;
    for (const auto& [key, value] : data.as_map()) {
      Value written_key = write(*map.keys, key, where.key(key));
      Value written = write(*map.values, value, where.value(key));
      if (serializing() && !result.insert(std::move(written_key), std::move(written)) && findings_.empty())
        findings_.add(where.key(key), fmt::format("The key {} is given twice", quoted(key)));
    }
    return result;
  }

  Value write_object(const Type& type, const ObjectType& object, const Value& data, const Trail& where) {
    if (data.kind() != Kind::map) return refuse(where, unsupported(type, data));
    Map result;
    write_properties(object, data.as_map(), nullptr, where, result);
    return result;
  }

  // The entry named `apart`, if there is one, is left to the caller.
  void write_properties(const ObjectType& object, const Map& data, const std::string* apart, const Trail& where,
                        Map& result) {
    const PropertyIndex properties(object);
    for (const auto& [key, value] : data) {
      if (findings_.full()) return;
      const bool is_text = key.kind() == Kind::text;
      if (apart && is_text && key.as_text() == *apart) continue;
      const Property* property = is_text ? properties.find(key.as_text()) : nullptr;
      if (!property) {
        findings_.add(where, invalid_parameter(plain(key), object.property_names()));
      } else if (!counts_as_absent(value, *property->type)) {
        Value written = write(*property->type, value, where.property(key.as_text()));
        if (serializing()) result.insert(key, std::move(written));
      }
    }
    check_rules(object, properties, data, apart, where);
  }

  void check_rules(const ObjectType& object, const PropertyIndex& properties, const Map& data, const std::string* apart,
                   const Trail& where) {
    const auto set = [&](const std::string& name, const Property& property) {
      const Value* value = data.find(name);
      return has_default(property) || (value && !counts_as_absent(*value, *property.type));
    };
    const auto is_set = [&](const std::string& name) {
      const Property* property = properties.find(name);
      return property && set(name, *property);
    };
    for (const auto& [name, property] : object.properties) {
      const bool here = set(name, property);
      if ((apart && name == *apart) || !may_break_rule(property, here)) continue;
      std::string problem = broken_rule(property, here, is_set);
      if (!problem.empty()) findings_.add(where.property(name), std::move(problem));
    }
  }

  Value write_one_of(const Type& type, const Value& data, const Trail& where) {
    if (data.kind() != Kind::map) return refuse(where, unsupported(type, data));
    const OneOfMembers& one_of = *type.one_of();
    const Value* key = data.find(one_of.discriminator);
    if (!key)
      return refuse(where, fmt::format("Missing discriminator field '{}' in '{}'", one_of.discriminator, plain(data)));
    const TypePtr* member = one_of.find(*key);
    if (!member) return refuse(where, invalid_choice(one_of.discriminator, *key, key_texts(one_of)));
    const ObjectHandle object = object_behind(**member, where, findings_);
    Map result;
    if (!one_of.inlined) result.insert(one_of.discriminator, *key);
    if (object)
      write_properties(*object, data.as_map(), one_of.inlined ? nullptr : &one_of.discriminator, where, result);
    return result;
  }

  Purpose purpose_;
  Findings& findings_;
};

Value run(Purpose purpose, const Type& type, const Value& data) {
  Findings findings;
  Value result = Serializer(purpose, findings).write(type, data, {});
  findings.throw_if_any();
  return result;
}

}  // namespace

void validate(const Type& type, const Value& data) {
  run(Purpose::validate, type, data);
}
Value serialize(const Type& type, const Value& data) {
  return run(Purpose::serialize, type, data);
}

}  // namespace venvoy::schema
