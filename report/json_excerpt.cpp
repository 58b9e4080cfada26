// The beginning of a value as JSON.
#include <algorithm>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "report/run_record.hpp"
#include "schema/json.hpp"

namespace venvoy::report {

using schema::Kind;
using schema::Value;

namespace {

// What a value costs beside its text: quotes, commas, digits.
constexpr std::size_t value_cost = 8;
// Bytes of a text are not cut shorter than this where there is room for anything.
constexpr std::size_t least_text = 16;

// At most about `limit` more than `cost` already is.
void add_cost(const Value& value, std::size_t limit, std::size_t& cost) {
  cost += value_cost;
  if (cost > limit) return;
  switch (value.kind()) {
    case Kind::text:
      cost += value.as_text().size();
      return;
    case Kind::bytes:
      cost += value.as_bytes().size() * 4 / 3;
      return;
    case Kind::list:
      for (const Value& item : value.as_list()) {
        if (cost > limit) return;
        add_cost(item, limit, cost);
      }
      return;
    case Kind::map:
      for (const auto& [key, item] : value.as_map()) {
        if (cost > limit) return;
        add_cost(key, limit, cost);
        add_cost(item, limit, cost);
      }
      return;
    default:
      return;
  }
}

class Shortener {
 public:
  explicit Shortener(std::size_t room) : room_(room) {}

  Value shorten(const Value& value) {
    spend(value_cost);
    switch (value.kind()) {
      case Kind::text:
        return shorten_text(value.as_text());
      case Kind::bytes:
        if (value.as_bytes().size() <= room_) {
          spend(value.as_bytes().size() * 4 / 3);
          return value;
        }
        return fmt::format("… {} bytes", value.as_bytes().size());
      case Kind::list:
        return shorten_list(value.as_list());
      case Kind::map:
        return shorten_map(value.as_map());
      case Kind::invalid:
        return fmt::format("({})", value.invalid_reason());
      default:
        return value;
    }
  }

 private:
  void spend(std::size_t bytes) { room_ -= std::min(room_, bytes); }

  Value shorten_text(const std::string& text) {
    if (text.size() <= std::max(room_, least_text)) {
      spend(text.size());
      return text;
    }
    std::size_t end = std::max(room_, least_text);
    // Not in the middle of a character.
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    spend(end);
    return fmt::format("{}… {} bytes more", text.substr(0, end), text.size() - end);
  }

  Value shorten_list(const schema::List& list) {
    schema::List result;
    for (const Value& item : list) {
      if (room_ == 0) {
        result.emplace_back(fmt::format("… {} more", list.size() - result.size()));
        break;
      }
      result.push_back(shorten(item));
    }
    return result;
  }

  Value shorten_map(const schema::Map& map) {
    schema::Map result;
    for (const auto& [key, item] : map) {
      if (room_ == 0) {
        result.set("…", fmt::format("{} more", map.size() - result.size()));
        break;
      }
      spend(value_cost);
      if (key.kind() == Kind::text) spend(key.as_text().size());
      result.set(key, shorten(item));
    }
    return result;
  }

  std::size_t room_;
};

}  // namespace

std::string json_excerpt(const Value& value, std::size_t max_bytes) {
  std::size_t cost = 0;
  add_cost(value, max_bytes, cost);
  try {
    if (cost <= max_bytes) return schema::write_json(value, {.indent = 0});
  } catch (const Error&) {
    // There is an invalid value in it, which the shorter form tells as a text.
  }
  return schema::write_json(Shortener(max_bytes).shorten(value), {.indent = 0});
}

}  // namespace venvoy::report
