// Reading foreign data: dispatch, scalars, lists, maps and one-ofs. Objects are in unserialize_object.cpp.
#include <fmt/format.h>

#include "schema/check.hpp"
#include "schema/internal/any_value.hpp"
#include "schema/internal/scalars.hpp"
#include "schema/internal/unserializer.hpp"
#include "schema/internal/wording.hpp"

namespace venvoy::schema {

Value Unserializer::read(const Type& type, const Value& data, const Trail& where) {
  if (findings_->full() || too_deep(where, *findings_)) return {};
  if (is_object_like(type)) {
    const ObjectHandle object = object_behind(type, where, *findings_);
    return object ? read_object(*object, data, where) : Value();
  }
  if (type.one_of()) return read_one_of(type, data, where);
  return std::visit(
      [&](const auto& form) -> Value {
        if constexpr (requires { read_as(form, data, where); }) return read_as(form, data, where);
        return {};
      },
      type.form);
}

Value Unserializer::read_as(const AnyType&, const Value& data, const Trail& where) {
  return read_free_value(data, where, *findings_);
}

Value Unserializer::read_as(const BoolType&, const Value& data, const Trail& where) {
  Converted<bool> flag = to_bool(data);
  if (flag.value) return *flag.value;
  findings_->add(where, std::move(flag.problem));
  return {};
}

template <class Type>
Value Unserializer::read_text(const Type& type, const Value& data, const Trail& where) {
  Converted<Value> text = to_text_value(data);
  if (text.value) text.problem = problem_with(type, *text.value);
  if (text.problem.empty()) return std::move(*text.value);
  findings_->add(where, std::move(text.problem));
  return {};
}

Value Unserializer::read_as(const StringType& type, const Value& data, const Trail& where) {
  return read_text(type, data, where);
}

Value Unserializer::read_as(const PatternType& type, const Value& data, const Trail& where) {
  return read_text(type, data, where);
}

Value Unserializer::read_as(const EnumStringType& type, const Value& data, const Trail& where) {
  return read_text(type, data, where);
}

Value Unserializer::read_as(const IntegerType& type, const Value& data, const Trail& where) {
  Converted<std::int64_t> number = to_integer(data, type.units.get());
  if (number.value) number.problem = problem_with(type, *number.value);
  if (number.problem.empty()) return *number.value;
  findings_->add(where, std::move(number.problem));
  return {};
}

Value Unserializer::read_as(const FloatType& type, const Value& data, const Trail& where) {
  Converted<double> number = to_float(data, type.units.get());
  if (number.value) number.problem = problem_with(type, *number.value);
  if (number.problem.empty()) return *number.value;
  findings_->add(where, std::move(number.problem));
  return {};
}

Value Unserializer::read_as(const EnumIntegerType& type, const Value& data, const Trail& where) {
  Converted<std::int64_t> number = to_integer(data, type.units.get());
  if (number.value) {
    number.problem = problem_with(type, *number.value);
  } else if (data.kind() != Kind::invalid) {
    number.problem =
        fmt::format("{} (type {}) is not a valid type for an 'integer' enum", quoted(data), kind_word(data));
  }
  if (number.problem.empty()) return *number.value;
  findings_->add(where, std::move(number.problem));
  return {};
}

Value Unserializer::read_as(const ListType& type, const Value& data, const Trail& where) {
  if (data.kind() == Kind::list) return read_items(type, data.as_list(), where);
  if (data.kind() == Kind::bytes && type.items->id() == TypeId::integer)
    return read_items(type, integers_of(data.as_bytes()), where);
  findings_->add(where, data.kind() == Kind::invalid ? data.invalid_reason()
                                                     : fmt::format("Must be a list, {} given", kind_word(data)));
  return {};
}

Value Unserializer::read_items(const ListType& type, const List& list, const Trail& where) {
  if (std::string problem = size_problem(list.size(), type.min, type.max); !problem.empty())
    findings_->add(where, std::move(problem));
  List result;
  result.reserve(list.size());
  for (const Value& item : list) {
    if (findings_->full()) break;
    result.push_back(read(*type.items, item, where.item(result.size())));
  }
  return result;
}

Value Unserializer::read_as(const MapType& type, const Value& data, const Trail& where) {
  if (data.kind() != Kind::map) {
    findings_->add(where, data.kind() == Kind::invalid ? data.invalid_reason()
                                                       : fmt::format("Must be a map, {} given", kind_word(data)));
    return {};
  }
  const Map& map = data.as_map();
  if (std::string problem = size_problem(map.size(), type.min, type.max); !problem.empty())
    findings_->add(where, std::move(problem));
  Map result;
  for (const auto& [key, value] : map) {
    if (findings_->full()) break;
    const std::size_t before = findings_->size();
    Value own_key = read(*type.keys, key, where.key(key));
    const bool key_reads = findings_->size() == before;
    Value own_value = read(*type.values, value, where.value(key));
    if (key_reads && !result.insert(std::move(own_key), std::move(own_value)))
      findings_->add(where.key(key), fmt::format("The key {} is given twice", quoted(key)));
  }
  return result;
}

Value Unserializer::read_discriminator(const Type& type, const Value& data, const Trail& where) {
  const OneOfMembers& one_of = *type.one_of();
  const bool by_text = type.id() == TypeId::one_of_string;
  const Value* given = data.find(one_of.discriminator);
  if (!given || (given->is_null() && !(by_text && given->null_text()))) {
    findings_->add(where, fmt::format("Missing discriminator field '{}' in '{}'", one_of.discriminator, plain(data)));
    return {};
  }
  Value key = key_as(type, *given);
  if (key.is_null()) {
    const std::string problem = by_text ? to_text_value(*given).problem : to_integer(*given).problem;
    findings_->add(where, fmt::format("Invalid type {} for field {}, expected {} ({})", kind_word(*given),
                                      one_of.discriminator, by_text ? "string" : "integer", problem));
  } else if (!one_of.find(key)) {
    findings_->add(where, invalid_choice(one_of.discriminator, key, key_texts(one_of)));
    key = {};
  }
  return key;
}

Value Unserializer::read_one_of(const Type& type, const Value& data, const Trail& where) {
  if (data.kind() != Kind::map) {
    findings_->add(where, data.kind() == Kind::invalid
                              ? data.invalid_reason()
                              : fmt::format("Invalid type for one-of type: \"{}\". Expected map.", kind_word(data)));
    return {};
  }
  Value key = read_discriminator(type, data, where);
  if (key.is_null()) return {};
  const OneOfMembers& one_of = *type.one_of();
  const ObjectHandle member = object_behind(**one_of.find(key), where, *findings_);
  if (!member) return {};
  Map result;
  if (!one_of.inlined) result.insert(one_of.discriminator, key);
  read_properties(*member, data.as_map(), one_of.inlined ? nullptr : &one_of.discriminator, where, result);
  if (one_of.inlined) result.set(one_of.discriminator, std::move(key));
  return result;
}

Value unserialize(const Type& type, const Value& data, const UnserializeOptions& options) {
  Findings findings;
  Value result = Unserializer(options.fill_defaults, findings).read(type, data, {});
  findings.throw_if_any();
  return result;
}

}  // namespace venvoy::schema
