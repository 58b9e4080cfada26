// Types against literals and mixtures of literals and types.
#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

#include "schema/check.hpp"
#include "schema/internal/comparison.hpp"
#include "schema/internal/scalars.hpp"
#include "schema/internal/unserializer.hpp"
#include "schema/internal/wording.hpp"

namespace venvoy::schema {
namespace {

using Form = GivenView::Form;

const Position* place_of(const EntryView& entry) {
  const Position* at = entry.value.at();
  return at && at->known() ? at : entry.key_at;
}

bool is_text(const Value& literal) {
  return literal.kind() == Kind::text || literal.null_text();
}

// The kind of the value that will be there, as far as lists of `any` must be of one kind; empty if it is not known.
std::string_view kind_of(const GivenView& given) {
  if (given.form() == Form::unknown) return {};
  if (given.form() == Form::literal && is_text(*given.literal())) return "string";
  if (given.form() == Form::one_of) return "map";
  if (given.form() != Form::type) return given.word();
  const Type& type = given.type();
  if (is_object_like(type) || type.one_of()) return "map";
  switch (type.id()) {
    case TypeId::any:
      return {};
    case TypeId::enum_string:
    case TypeId::pattern:
      return "string";
    case TypeId::enum_integer:
      return "integer";
    default:
      return type.name();
  }
}

}  // namespace

void Comparison::compare(const Type& expected, const GivenView& given, const Trail& where) {
  if (given.form() == Form::unknown) return;
  if (given.form() == Form::type) return compare(expected, given.type(), where);
  if (findings_.full() || too_deep(where, findings_)) return;
  if (given.form() == Form::one_of) return compare_choice(expected, given, where);
  if (is_object_like(expected)) return compare_object(expected, given, where);
  switch (expected.id()) {
    case TypeId::any:
      return compare_free(given, where);
    case TypeId::list:
      return compare_items(*expected.as<ListType>(), given, where);
    case TypeId::map:
      return compare_map(*expected.as<MapType>(), given, where);
    case TypeId::one_of_string:
    case TypeId::one_of_int:
      return compare_member(expected, given, where);
    default:
      return compare_scalar(expected, given, where);
  }
}

void Comparison::compare_scalar(const Type& expected, const GivenView& given, const Trail& where) {
  if (given.form() != Form::literal) return refuse(expected, given.word(), where);
  const Value& literal = *given.literal();
  if (!reading() && takes_text(expected) && !is_text(literal)) {
    findings_.add(where, unsupported(expected, literal));
  } else {
    Unserializer(false, findings_).read(expected, literal, where);
  }
}

void Comparison::compare_items(const ListType& expected, const GivenView& given, const Trail& where) {
  if (given.form() != Form::list) {
    findings_.add(where, fmt::format("Must be a list, {} given", given.word()));
    return;
  }
  if (std::string problem = size_problem(given.size(), expected.min, expected.max); !problem.empty())
    findings_.add(where, std::move(problem));
  for (std::size_t index = 0; index < given.size() && !findings_.full(); ++index) {
    const GivenView item = given.item(index);
    compare(*expected.items, item, where.item(index, item.at()));
  }
}

void Comparison::compare_map(const MapType& expected, const GivenView& given, const Trail& where) {
  if (given.form() != Form::map) {
    findings_.add(where, fmt::format("Must be a map, {} given", given.word()));
    return;
  }
  if (std::string problem = size_problem(given.size(), expected.min, expected.max); !problem.empty())
    findings_.add(where, std::move(problem));
  Map own_keys;
  for (std::size_t index = 0; index < given.size() && !findings_.full(); ++index) {
    const EntryView entry = given.entry(index);
    const Trail key_trail = where.key(entry.key, entry.key_at);
    const std::size_t before = findings_.size();
    compare(*expected.keys, GivenView(entry.key), key_trail);
    if (findings_.size() == before &&
        !own_keys.insert(Unserializer(false, findings_).read(*expected.keys, entry.key, key_trail), {}))
      findings_.add(key_trail, fmt::format("The key {} is given twice", quoted(entry.key)));
    compare(*expected.values, entry.value, where.value(entry.key, place_of(entry)));
  }
}

template <class Given>
void Comparison::read_inlined(const ObjectType& expected, const Given& given, const void* identity,
                              const Trail& where) {
  const std::pair here{&expected, identity};
  const auto& [name, property] = expected.properties.front();
  const Trail trail = where.property(name);
  if (std::ranges::find(inlined_, here) != inlined_.end()) {
    findings_.add(where, fmt::format("Must be a map to convert to object {}", expected.id));
    return;
  }
  inlined_.push_back(here);
  compare(*property.type, given, trail);
  inlined_.pop_back();
  if (property.disabled) findings_.add(trail, disabled_text(property));
}

template void Comparison::read_inlined(const ObjectType&, const Type&, const void*, const Trail&);

void Comparison::compare_object(const Type& expected, const GivenView& given, const Trail& where) {
  const ObjectHandle object = object_behind(expected, where, findings_);
  if (!object) return;
  if (given.form() == Form::map) return compare_entries(*object, given, nullptr, where);
  // The data will be read as any other, so what reads as an object of one property does so here too (4.10).
  if (given.form() == Form::literal) {
    Unserializer(false, findings_).read(expected, *given.literal(), where);
  } else if (object->properties.size() == 1) {
    read_inlined(*object, given, given.identity(), where);
  } else {
    findings_.add(where, fmt::format("Must be a map to convert to object, {} given", given.word()));
  }
}

void Comparison::compare_entries(const ObjectType& expected, const GivenView& given, const std::string* apart,
                                 const Trail& where) {
  const PropertyIndex properties(expected);
  std::unordered_set<std::string_view> present;
  std::vector<std::string> unknown;
  for (std::size_t index = 0; index < given.size() && !findings_.full(); ++index) {
    const EntryView entry = given.entry(index);
    if (apart && entry.has_name(*apart)) continue;
    const Property* property = entry.key.kind() == Kind::text ? properties.find(entry.key.as_text()) : nullptr;
    if (!property) {
      unknown.push_back(plain(entry.key));
      findings_.add(where, invalid_parameter(unknown.back(), expected.property_names()), entry.key_at);
      continue;
    }
    present.insert(entry.key.as_text());
    compare_entry(*property, entry, where.property(entry.key.as_text(), place_of(entry)));
  }
  for (const auto& [name, property] : expected.properties) {
    if (!property.required || has_default(property) || (apart && name == *apart)) continue;
    const auto meant = [&, &own = name](const std::string& key) {
      return is_meant_by(own, key, expected.property_names());
    };
    if (!present.contains(name) && std::ranges::none_of(unknown, meant)) findings_.add(where, missing_field(name));
  }
}

void Comparison::compare_entry(const Property& property, const EntryView& entry, const Trail& where) {
  const Value* literal = entry.value.literal();
  if (literal && counts_as_absent(*literal, *property.type)) {
    if (property.required && !has_default(property)) findings_.add(where, "This field is required");
    return;
  }
  compare(*property.type, entry.value, where);
  // After the type, so that a wrong value is reported first, as the Go engine does.
  if (property.disabled) findings_.add(where, disabled_text(property));
}

Value Comparison::chosen_key(const Type& expected, const GivenView& given, const Trail& where) {
  const OneOfMembers& one_of = *expected.one_of();
  const auto entry = given.find(one_of.discriminator);
  if (!entry) {
    findings_.add(where, fmt::format("Missing discriminator field '{}'{}", one_of.discriminator,
                                     given.literal() ? " in " + quoted(*given.literal()) : ""));
    return {};
  }
  const Form form = entry->value.form();
  const Position* at = place_of(*entry);
  if (form == Form::unknown) return {};
  if (form != Form::literal) {
    // Under the reading rules a text decides when it is there.
    const std::string_view kind = kind_of(entry->value);
    if (!reading() || form != Form::type || (kind != "string" && kind != "integer" && !kind.empty()))
      findings_.add(where,
                    fmt::format("Discriminator field '{}' has invalid type {}, expected a literal",
                                one_of.discriminator, entry->value.word()),
                    at);
    return {};
  }
  const Value& literal = *entry->value.literal();
  const bool by_text = expected.id() == TypeId::one_of_string;
  // Every literal of a file is a text, so one that reads as an integer is good enough for an integer (4.13).
  const bool right_kind = by_text ? is_text(literal) : literal.kind() == Kind::integer || is_text(literal);
  Value key = right_kind || reading() ? key_as(expected, literal) : Value();
  if (key.is_null()) {
    findings_.add(where,
                  fmt::format("Discriminator field '{}' has invalid type {}, expected {}", one_of.discriminator,
                              kind_word(literal), by_text ? "string" : "integer"),
                  at);
  } else if (!one_of.find(key)) {
    findings_.add(where, invalid_choice(one_of.discriminator, key, key_texts(one_of)), at);
    key = {};
  }
  return key;
}

void Comparison::compare_member(const Type& expected, const GivenView& given, const Trail& where) {
  if (given.form() != Form::map) {
    findings_.add(where, fmt::format("Invalid type for one-of type: \"{}\". Expected map.", given.word()));
    return;
  }
  const Value key = chosen_key(expected, given, where);
  if (key.is_null()) return;
  const OneOfMembers& one_of = *expected.one_of();
  if (const ObjectHandle member = object_behind(**one_of.find(key), where, findings_))
    compare_entries(*member, given, one_of.inlined ? nullptr : &one_of.discriminator, where);
}

bool Comparison::options_are_objects(const GivenView& given, const Trail& where) {
  const std::string& discriminator = given.one_of().discriminator;
  const std::size_t before = findings_.size();
  for (const Given::Entry& option : given.one_of().options) {
    const GivenView view(option.value);
    const Trail trail = where.value(option.key, view.at());
    if (view.form() == Form::unknown) continue;
    if (view.form() == Form::map) {
      if (const auto entry = view.find(discriminator))
        findings_.add(trail, conflicting_option(plain(option.key), discriminator), entry->key_at);
    } else if (view.form() != Form::type || !is_object_like(view.type())) {
      findings_.add(trail, "type of OneOf option is not an object");
    } else if (const ObjectHandle object = object_behind(view.type(), trail, findings_)) {
      if (object->find(discriminator)) findings_.add(trail, conflicting_option(object->id, discriminator));
    }
  }
  return findings_.size() == before;
}

// `expected` is any, a one-of, or, by the reading rules, an object or a map.
void Comparison::compare_choice(const Type& expected, const GivenView& given, const Trail& where) {
  if (!options_are_objects(given, where)) return;
  const Given::OneOf& choice = given.one_of();
  const OneOfMembers* one_of = expected.one_of();
  const bool as_one_of = one_of && (reading() || expected.id() == TypeId::one_of_string);
  const bool as_map = reading() && (is_object_like(expected) || expected.id() == TypeId::map);
  if (!as_one_of && !as_map && expected.id() != TypeId::any) return refuse(expected, given.word(), where);
  if (as_one_of && one_of->discriminator != choice.discriminator) {
    findings_.add(where, other_discriminator(one_of->discriminator, choice.discriminator));
    return;
  }
  for (const Given::Entry& option : choice.options) {
    if (findings_.full()) return;
    const EntryView view{option.key, option.value, false, &option.key_at};
    compare_option(expected, view, choice.discriminator, where.value(option.key, place_of(view)));
  }
}

void Comparison::compare_option(const Type& expected, const EntryView& option, const std::string& discriminator,
                                const Trail& where) {
  if (option.value.form() == Form::unknown) return;
  if (expected.id() == TypeId::any) return compare(expected, option.value, where);
  const Type* target = &expected;
  if (const OneOfMembers* one_of = expected.one_of()) {
    const TypePtr* member = one_of->find(key_as(expected, option.key));
    if (!member) {
      findings_.add(where, invalid_choice(discriminator, option.key, key_texts(*one_of)), option.key_at);
      return;
    }
    target = member->get();
  } else if (const auto* map = expected.as<MapType>()) {
    const Value field(discriminator);
    compare(*map->keys, GivenView(field), where.key(field));
    compare(*map->values, GivenView(option.key), where.property(discriminator));
    return compare(expected, option.value, where);
  }
  const ObjectHandle object = object_behind(*target, where, findings_);
  if (!object) return;
  if (target == &expected) read_discriminator(*object, discriminator, *string_type(), where);
  if (option.value.form() == Form::type) {
    compare_linked(*target, option.value.type(), &discriminator, where);
  } else {
    compare_entries(*object, option.value, &discriminator, where);
  }
}

void Comparison::compare_free(const GivenView& given, const Trail& where) {
  if (given.form() == Form::literal && given.literal()->kind() == Kind::invalid)
    findings_.add(where, given.literal()->invalid_reason());
  if (given.form() == Form::list) return compare_free_items(given, where);
  if (given.form() != Form::map) return;
  if (!reading()) compare_free_keys(given, where);
  for (std::size_t index = 0; index < given.size() && !findings_.full(); ++index) {
    const EntryView entry = given.entry(index);
    compare(*any_type(), entry.value, where.value(entry.key, place_of(entry)));
  }
}

// Plugins take only lists of one kind, so this is said before the run (4.15).
void Comparison::compare_free_items(const GivenView& given, const Trail& where) {
  std::string_view kind;
  for (std::size_t index = 0; index < given.size() && !findings_.full(); ++index) {
    const GivenView item = given.item(index);
    const Trail trail = where.item(index, item.at());
    compare(*any_type(), item, trail);
    const std::string_view other = kind_of(item);
    if (kind.empty()) kind = other;
    if (reading() || other.empty() || other == kind) continue;
    findings_.add(trail, fmt::format("types do not match between list items passed for any type {} != {}; lists should "
                                     "have homogeneous types",
                                     kind, other));
  }
}

void Comparison::compare_free_keys(const GivenView& given, const Trail& where) {
  for (std::size_t index = 0; index < given.size() && !findings_.full(); ++index) {
    const EntryView entry = given.entry(index);
    const Kind kind = entry.key.kind();
    if (kind != Kind::text && kind != Kind::integer) {
      findings_.add(where,
                    fmt::format("invalid key type for map passed into 'any' type ({}); should be string or integer",
                                kind_word(entry.key)),
                    entry.key_at);
    } else if (const Value& first = given.entry(0).key; kind != first.kind()) {
      findings_.add(where,
                    fmt::format("mismatched key types in map passed into 'any' type: {} != {}", kind_word(first),
                                kind_word(entry.key)),
                    entry.key_at);
    }
  }
}

std::vector<Mismatch> incompatibilities(const Type& expected, const Given& given) {
  Findings findings;
  Comparison(Rules::accept, findings).compare(expected, GivenView(given), Trail(&given.at));
  return findings.take();
}

std::vector<Mismatch> unreadable_parts(const Type& declared, const Given& given) {
  Findings findings;
  Comparison(Rules::read, findings).compare(declared, GivenView(given), Trail(&given.at));
  return findings.take();
}

}  // namespace venvoy::schema
