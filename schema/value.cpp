#include "schema/value.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>

#include <fmt/format.h>

#include "base/text.hpp"

namespace venvoy::schema {

std::string_view to_text(Kind kind) noexcept {
  switch (kind) {
    case Kind::null:
      return "null";
    case Kind::boolean:
      return "boolean";
    case Kind::integer:
      return "integer";
    case Kind::floating:
      return "float";
    case Kind::text:
      return "string";
    case Kind::bytes:
      return "bytes";
    case Kind::list:
      return "list";
    case Kind::map:
      return "map";
    case Kind::invalid:
      return "invalid value";
  }
  return "";
}

Value::Value(std::string value) : form_(std::make_shared<const std::string>(std::move(value))) {}
Value::Value(std::string_view value) : Value(std::string(value)) {}
Value::Value(const char* value) : Value(std::string(value)) {}
Value::Value(Bytes value) : form_(std::make_shared<const Bytes>(std::move(value))) {}
// Made as changeable objects, so that take_list and take_map may change them back.
Value::Value(List value) : form_(Shared<List>(std::make_shared<List>(std::move(value)))) {}
Value::Value(Map value) : form_(Shared<Map>(std::make_shared<Map>(std::move(value)))) {}

Value Value::invalid(std::string reason) {
  Value value;
  value.form_ = std::make_shared<const Invalid>(Invalid{std::move(reason)});
  return value;
}

Value Value::written_null(std::string text) {
  Value value;
  value.form_ = std::make_shared<const WrittenNull>(WrittenNull{std::move(text)});
  return value;
}

Kind Value::kind() const noexcept {
  constexpr std::array kinds = {Kind::null,  Kind::boolean, Kind::integer, Kind::floating, Kind::text,
                                Kind::bytes, Kind::list,    Kind::map,     Kind::invalid,  Kind::null};
  static_assert(kinds.size() == std::variant_size_v<decltype(form_)>);
  return kinds[form_.index()];
}

const std::string* Value::null_text() const noexcept {
  const auto* written = std::get_if<Shared<WrittenNull>>(&form_);
  return written ? &(*written)->text : nullptr;
}

namespace {

// Whether this owner is the only one, so that the contents may be changed. A count of 1 may be what another thread's
// last use of its own copy left behind; giving back a copy of ours orders that use before what follows (use_count alone
// is a relaxed load).
template <class T>
bool only_owner(const std::shared_ptr<T>& owner) {
  if (owner.use_count() != 1) return false;
  std::shared_ptr<T>(owner).reset();
  return true;
}

}  // namespace

List Value::take_list() {
  const Shared<List> list = std::move(std::get<Shared<List>>(form_));
  form_ = std::monostate();
  if (only_owner(list)) return std::move(const_cast<List&>(*list));
  return *list;
}

Map Value::take_map() {
  const Shared<Map> map = std::move(std::get<Shared<Map>>(form_));
  form_ = std::monostate();
  if (only_owner(map)) return std::move(const_cast<Map&>(*map));
  return *map;
}

const Value* Value::find(std::string_view key) const noexcept {
  const auto* map = std::get_if<Shared<Map>>(&form_);
  return map ? (*map)->find(key) : nullptr;
}

bool operator==(const Value& left, const Value& right) noexcept {
  if (left.kind() != right.kind()) return false;
  switch (left.kind()) {
    case Kind::null:
      return true;
    case Kind::boolean:
      return left.as_bool() == right.as_bool();
    case Kind::integer:
      return left.as_integer() == right.as_integer();
    case Kind::floating:
      return left.as_float() == right.as_float();
    case Kind::text:
      return left.as_text() == right.as_text();
    case Kind::bytes:
      return left.as_bytes() == right.as_bytes();
    case Kind::list:
      return left.as_list() == right.as_list();
    case Kind::invalid:
      return left.invalid_reason() == right.invalid_reason();
    case Kind::map:
      break;
  }
  const Map& one = left.as_map();
  const Map& other = right.as_map();
  return one.size() == other.size() && std::all_of(one.begin(), one.end(), [&](const Map::Entry& entry) {
           const Value* match = other.find(entry.key);
           return match && *match == entry.value;
         });
}

namespace {

// Up to this many entries a search through them is faster than a hash.
constexpr std::size_t small_map = 8;
constexpr std::size_t not_found = std::numeric_limits<std::size_t>::max();

bool same_key(const Value& left, const Value& right) noexcept {
  // Bit for bit, so that a NaN key can be found again.
  if (left.kind() == Kind::floating && right.kind() == Kind::floating)
    return std::bit_cast<std::uint64_t>(left.as_float()) == std::bit_cast<std::uint64_t>(right.as_float());
  return left == right;
}
bool same_key(const Value& left, std::string_view right) noexcept {
  return left.kind() == Kind::text && left.as_text() == right;
}

std::size_t hash_of(std::string_view text) noexcept {
  return std::hash<std::string_view>()(text);
}
std::size_t hash_of(const Value& key) noexcept {
  // std::hash of an integer is the integer itself; the multiplier spreads it over the slots.
  constexpr std::uint64_t spread = 0x9E3779B97F4A7C15;
  switch (key.kind()) {
    case Kind::text:
      return hash_of(std::string_view(key.as_text()));
    case Kind::integer:
      return (static_cast<std::uint64_t>(key.as_integer()) * spread) >> 16;
    case Kind::floating:
      return (std::bit_cast<std::uint64_t>(key.as_float()) * spread) >> 16;
    case Kind::boolean:
      return key.as_bool() ? 1 : 2;
    case Kind::bytes: {
      const Bytes& bytes = key.as_bytes();
      return hash_of(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    }
    default:
      return 0;
  }
}

}  // namespace

Map::Map(std::initializer_list<std::pair<Value, Value>> entries) {
  for (const auto& [key, value] : entries) set(key, value);
}

template <class Key>
std::size_t Map::position_of(const Key& key) const noexcept {
  if (slots_.empty()) {
    for (std::size_t position = 0; position < entries_.size(); ++position)
      if (same_key(entries_[position].key, key)) return position;
    return not_found;
  }
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = hash_of(key) & mask; slots_[slot] != 0; slot = (slot + 1) & mask)
    if (same_key(entries_[slots_[slot] - 1].key, key)) return slots_[slot] - 1;
  return not_found;
}

void Map::index_last() {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash_of(entries_.back().key) & mask;
  while (slots_[slot] != 0) slot = (slot + 1) & mask;
  slots_[slot] = static_cast<std::uint32_t>(entries_.size());
}

void Map::rebuild_index() {
  slots_.clear();
  if (entries_.size() <= small_map) return;
  slots_.resize(std::bit_ceil(entries_.size() * 2));
  std::vector<Entry> all;
  all.swap(entries_);
  entries_.reserve(all.capacity());
  for (Entry& entry : all) {
    entries_.push_back(std::move(entry));
    index_last();
  }
}

bool Map::insert(Value key, Value value) {
  if (position_of(key) != not_found) return false;
  entries_.push_back({std::move(key), std::move(value)});
  if (slots_.empty() ? entries_.size() > small_map : entries_.size() * 4 > slots_.size() * 3) {
    rebuild_index();
  } else if (!slots_.empty()) {
    index_last();
  }
  return true;
}

void Map::set(Value key, Value value) {
  const std::size_t position = position_of(key);
  if (position != not_found) {
    entries_[position].value = std::move(value);
  } else {
    insert(std::move(key), std::move(value));
  }
}

Value& Map::find_or_add(Value key) {
  std::size_t position = position_of(key);
  if (position == not_found) {
    position = entries_.size();
    insert(std::move(key), Value());
  }
  return entries_[position].value;
}

bool Map::erase(const Value& key) {
  const std::size_t position = position_of(key);
  if (position == not_found) return false;
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(position));
  rebuild_index();
  return true;
}

const Value* Map::find(const Value& key) const noexcept {
  const std::size_t position = position_of(key);
  return position == not_found ? nullptr : &entries_[position].value;
}

const Value* Map::find(std::string_view key) const noexcept {
  const std::size_t position = position_of(key);
  return position == not_found ? nullptr : &entries_[position].value;
}

namespace {

// Appends until `out` is longer than `limit`; describe() then cuts it.
void describe_into(std::string& out, const Value& value, std::size_t limit) {
  if (out.size() > limit) return;
  switch (value.kind()) {
    case Kind::null:
      out += "null";
      return;
    case Kind::boolean:
      out += value.as_bool() ? "true" : "false";
      return;
    case Kind::integer:
      fmt::format_to(std::back_inserter(out), "{}", value.as_integer());
      return;
    case Kind::floating:
      fmt::format_to(std::back_inserter(out), "{}", value.as_float());
      return;
    case Kind::text:
      out.append("'").append(value.as_text(), 0, limit + 1).append("'");
      return;
    case Kind::bytes:
      fmt::format_to(std::back_inserter(out), "{} bytes", value.as_bytes().size());
      return;
    case Kind::invalid:
      out += value.invalid_reason();
      return;
    case Kind::list: {
      out += '[';
      bool first = true;
      for (const Value& item : value.as_list()) {
        if (out.size() > limit) break;
        if (!std::exchange(first, false)) out += ", ";
        describe_into(out, item, limit);
      }
      out += ']';
      return;
    }
    case Kind::map: {
      out += '{';
      bool first = true;
      for (const auto& [key, item] : value.as_map()) {
        if (out.size() > limit) break;
        if (!std::exchange(first, false)) out += ", ";
        describe_into(out, key, limit);
        out += ": ";
        describe_into(out, item, limit);
      }
      out += '}';
      return;
    }
  }
}

}  // namespace

std::string describe(const Value& value, std::size_t limit) {
  std::string text;
  describe_into(text, value, limit);
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return to_valid_utf8(text) + "…";
}

namespace {

bool has_written_null(const Value& value) {
  switch (value.kind()) {
    case Kind::null:
      return value.null_text() != nullptr;
    case Kind::list:
      return std::ranges::any_of(value.as_list(), has_written_null);
    case Kind::map:
      return std::ranges::any_of(value.as_map(), has_written_null, &Map::Entry::value);
    default:
      return false;
  }
}

}  // namespace

Value nulls_as_written(const Value& value) {
  if (!has_written_null(value)) return value;
  if (const std::string* text = value.null_text()) return *text;
  if (value.kind() == Kind::list) {
    List list;
    for (const Value& item : value.as_list()) list.push_back(nulls_as_written(item));
    return list;
  }
  Map map;
  for (const auto& [key, entry] : value.as_map()) map.insert(key, nulls_as_written(entry));
  return map;
}

}  // namespace venvoy::schema
