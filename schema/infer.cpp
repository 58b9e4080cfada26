// The types of literals and mixtures (spec/expressions.md section 9, spec/workflow.md 5.6).
#include <limits>

#include <fmt/format.h>

#include "base/error.hpp"
#include "schema/check.hpp"
#include "schema/given.hpp"
#include "schema/internal/comparison.hpp"
#include "schema/internal/given_view.hpp"
#include "schema/internal/wording.hpp"

namespace venvoy::schema {
namespace {

using Form = GivenView::Form;

// An integer from code has the limits of its width, as the Go engine infers it.
const TypePtr& bounded_integer() {
  using Limits = std::numeric_limits<std::int64_t>;
  static const TypePtr type = make_type(IntegerType{Limits::min(), Limits::max(), nullptr});
  return type;
}

class Inference {
 public:
  explicit Inference(const std::string& object_id) : object_id_(object_id) {}

  // `at` is the nearest known position, `depth` the number of structures around.
  TypePtr infer(const GivenView& given, const Position& at, int depth) const {
    const Position& here = place(given, at);
    if (depth > check_limits.max_depth)
      throw Error(ErrorCode::limit, fmt::format("nested deeper than {} levels", check_limits.max_depth)).at(here);
    switch (given.form()) {
      case Form::unknown:
        return any_type();
      case Form::type:
        return given.type_ptr();
      case Form::list:
        return make_type(ListType{item_type(given, here, depth), {}, {}});
      case Form::map:
        return is_object(given) ? object(given, here, depth) : map(given, here, depth);
      case Form::one_of:
        return one_of(given, here, depth);
      case Form::literal:
        return literal(*given.literal(), here);
    }
    return nullptr;
  }

 private:
  static TypePtr literal(const Value& value, const Position& at) {
    if (value.null_text()) return string_type();
    switch (value.kind()) {
      case Kind::text:
        return string_type();
      case Kind::boolean:
        return bool_type();
      case Kind::integer:
        return bounded_integer();
      case Kind::floating:
        return float_type();
      default:
        break;
    }
    const std::string what = value.kind() == Kind::invalid ? value.invalid_reason() : std::string(kind_word(value));
    throw Error(ErrorCode::schema, "unsupported type for workflow outputs: " + what).at(at);
  }

  // What is not known fits everywhere, so it does not decide the type of a list or of a map's values.
  static bool decides(const GivenView& part) { return part.form() != Form::unknown; }

  TypePtr item_type(const GivenView& list, const Position& at, int depth) const {
    TypePtr first;
    for (std::size_t index = 0; index < list.size(); ++index) {
      const GivenView item = list.item(index);
      const TypePtr type = in_context(fmt::format("failed to infer type for item {}", index),
                                      [&] { return infer(item, at, depth + 1); });
      if (!decides(item)) continue;
      if (!first) first = type;
      if (type->id() != first->id())
        throw Error(ErrorCode::schema,
                    fmt::format("mismatching types in list (expected: {}, found: {})", first->name(), type->name()))
            .at(place(item, at));
    }
    if (first) return first;
    return list.size() == 0 ? string_type() : any_type();
  }

  static bool is_object(const GivenView& map) {
    for (std::size_t index = 0; index < map.size(); ++index)
      if (map.entry(index).key.kind() != Kind::text) return false;
    return true;
  }

  TypePtr object(const GivenView& map, const Position& at, int depth) const {
    ObjectType object;
    object.id = object_id_;
    object.id_unenforced = true;
    object.properties.reserve(map.size());
    for (std::size_t index = 0; index < map.size(); ++index) {
      const EntryView entry = map.entry(index);
      Property property;
      property.type = in_context(fmt::format("failed to infer property {} type", plain(entry.key)),
                                 [&] { return infer(entry.value, place(entry, at), depth + 1); });
      property.required = !entry.optional;
      object.properties.emplace_back(entry.key.as_text(), std::move(property));
    }
    return make_type(std::move(object));
  }

  // A mapping with keys that are no texts, which only code can give.
  TypePtr map(const GivenView& map, const Position& at, int depth) const {
    check_keys(map, at);
    TypePtr first;
    for (std::size_t index = 0; index < map.size(); ++index) {
      const EntryView entry = map.entry(index);
      const TypePtr type = in_context(fmt::format("failed to infer type for key {}", plain(entry.key)),
                                      [&] { return infer(entry.value, place(entry, at), depth + 1); });
      if (!decides(entry.value)) continue;
      if (!first) first = type;
      if (type->id() != first->id())
        throw Error(ErrorCode::schema,
                    fmt::format("type mismatch in map type (expected: {}, found: {})", first->name(), type->name()))
            .at(place(entry, at));
    }
    return make_type(MapType{bounded_integer(), first ? first : any_type(), {}, {}});
  }

  static void check_keys(const GivenView& map, const Position& at) {
    const std::string_view first = kind_word(map.entry(0).key);
    for (std::size_t index = 0; index < map.size(); ++index) {
      const EntryView entry = map.entry(index);
      const std::string_view kind = kind_word(entry.key);
      if (kind != first)
        throw Error(ErrorCode::schema, fmt::format("failed to infer map key type (mismatching types in list (expected: "
                                                   "{}, found: {}))",
                                                   first, kind))
            .at(place(entry, at));
      if (entry.key.kind() != Kind::integer)
        throw Error(ErrorCode::schema, fmt::format("unsupported type for map keys: {}", kind)).at(place(entry, at));
    }
  }

  TypePtr one_of(const GivenView& given, const Position& at, int depth) const {
    OneOfStringType one_of;
    one_of.discriminator = given.one_of().discriminator;
    for (const Given::Entry& option : given.one_of().options) {
      const std::string name = plain(option.key);
      const TypePtr type = in_context(fmt::format("failed to infer type of option {}", name),
                                      [&] { return infer(GivenView(option.value), at, depth + 1); });
      const Position& here = option.value.at.known() ? option.value.at : at;
      if (decides(GivenView(option.value))) check_option(type, one_of.discriminator, here);
      one_of.types.emplace_back(Value(name), type);
    }
    return make_type(std::move(one_of));
  }

  static void check_option(const TypePtr& type, const std::string& discriminator, const Position& at) {
    const ObjectPtr object = object_of(type);
    if (!object) throw Error(ErrorCode::schema, "type of OneOf option is not an object").at(at);
    if (object->find(discriminator))
      throw Error(ErrorCode::schema, conflicting_option(object->id, discriminator)).at(at);
  }

  static const Position& place(const GivenView& given, const Position& at) {
    return given.at() && given.at()->known() ? *given.at() : at;
  }

  static const Position& place(const EntryView& entry, const Position& at) {
    if (entry.value.at() && entry.value.at()->known()) return *entry.value.at();
    return entry.key_at && entry.key_at->known() ? *entry.key_at : at;
  }

  const std::string& object_id_;
};

}  // namespace

TypePtr infer_type(const Given& given, const std::string& object_id) {
  return Inference(object_id).infer(GivenView(given), Position(), 0);
}

}  // namespace venvoy::schema
