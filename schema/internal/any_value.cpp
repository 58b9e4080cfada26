#include "schema/internal/any_value.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "schema/internal/wording.hpp"

namespace venvoy::schema {
namespace {

// Whether `any` reads the value as it is. Deeper than `levels` is not looked at.
bool is_free_value(const Value& data, int levels) {
  if (levels < 0) return false;
  switch (data.kind()) {
    case Kind::null:
      return data.null_text() == nullptr;
    case Kind::bytes:
    case Kind::invalid:
      return false;
    case Kind::list:
      return std::ranges::all_of(data.as_list(), [&](const Value& item) { return is_free_value(item, levels - 1); });
    case Kind::map:
      return std::ranges::all_of(data.as_map(),
                                 [&](const Map::Entry& entry) { return is_free_value(entry.value, levels - 1); });
    default:
      return true;
  }
}

Value rebuilt(const Value& data, const Trail& where, Findings& findings) {
  if (findings.full() || too_deep(where, findings)) return {};
  switch (data.kind()) {
    case Kind::null:
      return data.null_text() ? Value(*data.null_text()) : data;
    case Kind::bytes:
      return integers_of(data.as_bytes());
    case Kind::invalid:
      findings.add(where, data.invalid_reason());
      return {};
    case Kind::list: {
      List list;
      list.reserve(data.as_list().size());
      for (const Value& item : data.as_list()) list.push_back(rebuilt(item, where.item(list.size()), findings));
      return list;
    }
    case Kind::map: {
      Map map;
      for (const auto& [key, value] : data.as_map()) map.insert(key, rebuilt(value, where.value(key), findings));
      return map;
    }
    default:
      return data;
  }
}

}  // namespace

Value read_free_value(const Value& data, const Trail& where, Findings& findings) {
  return is_free_value(data, check_limits.max_depth - where.depth()) ? data : rebuilt(data, where, findings);
}

List integers_of(const Bytes& bytes) {
  List list;
  list.reserve(bytes.size());
  for (const std::byte byte : bytes) list.emplace_back(std::to_integer<std::int64_t>(byte));
  return list;
}

}  // namespace venvoy::schema
