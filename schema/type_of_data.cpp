#include "schema/type_of_data.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "schema/check.hpp"
#include "schema/read_type.hpp"

namespace venvoy::schema {
namespace {

TypePtr type_of(const Value& data, int depth);

bool same(const TypePtr& left, const TypePtr& right) {
  return write_type(*left) == write_type(*right);
}

// Of all the values together; `any` where they differ, and where there is none.
template <class Values, class Get>
TypePtr common_type(const Values& values, int depth, const Get& get) {
  TypePtr common;
  for (const auto& entry : values) {
    TypePtr type = type_of(get(entry), depth);
    if (common && !same(common, type)) return any_type();
    common = std::move(type);
  }
  return common ? common : any_type();
}

TypePtr type_of_map(const Map& map, int depth) {
  const auto all_keys = [&](Kind kind) {
    return std::ranges::all_of(map, [kind](const Map::Entry& entry) { return entry.key.kind() == kind; });
  };
  if (all_keys(Kind::text)) {
    ObjectType object{"data", {}, true};
    for (const auto& [key, value] : map) {
      Property property;
      property.type = type_of(value, depth);
      object.properties.emplace_back(key.as_text(), std::move(property));
    }
    return make_type(std::move(object));
  }
  if (!all_keys(Kind::integer)) return any_type();
  return make_type(
      MapType{integer_type(), common_type(map, depth, [](const auto& entry) { return entry.value; }), {}, {}});
}

TypePtr type_of(const Value& data, int depth) {
  if (depth > check_limits.max_depth) throw Error(ErrorCode::limit, "the data is nested too deeply");
  switch (data.kind()) {
    case Kind::boolean:
      return bool_type();
    case Kind::integer:
      return integer_type();
    case Kind::floating:
      return float_type();
    case Kind::text:
      return string_type();
    case Kind::list:
      return make_type(
          ListType{common_type(data.as_list(), depth + 1, [](const Value& item) { return item; }), {}, {}});
    case Kind::map:
      return type_of_map(data.as_map(), depth + 1);
    case Kind::null:
    case Kind::bytes:
    case Kind::invalid:
      break;
  }
  return any_type();
}

}  // namespace

TypePtr type_of_data(const Value& data) {
  return type_of(data, 0);
}

}  // namespace venvoy::schema
