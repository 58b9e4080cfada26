// The currency between YAML, CBOR, expressions and schemas (design D2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace venvoy::schema {

class Value;
class Map;
using List = std::vector<Value>;
using Bytes = std::vector<std::byte>;

// What a value is. There is one integer type, signed 64 bit.
enum class Kind {
  null,
  boolean,
  integer,
  floating,
  text,   // UTF-8
  bytes,  // CBOR byte strings
  list,
  map,
  // A value that was well-formed on the wire but that no type accepts: an integer beyond 64 bits, an unknown tag, a map
  // key that is a list. It carries the reason, which is what a schema then reports (spec/protocol-and-schema.md 2.2).
  invalid,
};

// "null", "boolean", "integer", "float", "string", "bytes", "list", "map", "invalid value": for messages.
std::string_view to_text(Kind kind) noexcept;

// A value. Copies are cheap: texts, lists and maps are shared and never change while shared, so values may be read from
// several threads. Lists and maps are built first and then moved into a Value.
class Value {
 public:
  Value() noexcept = default;  // null
  Value(std::nullptr_t) noexcept {}
  Value(bool value) noexcept : form_(value) {}
  Value(std::int64_t value) noexcept : form_(value) {}
  Value(int value) noexcept : form_(std::int64_t{value}) {}
  Value(double value) noexcept : form_(value) {}
  Value(std::string value);
  Value(std::string_view value);
  Value(const char* value);
  Value(Bytes value);
  Value(List value);
  Value(Map value);
  // No other pointer may become a bool.
  template <class T>
  Value(const T*) = delete;

  static Value invalid(std::string reason);
  // A null that stands in a YAML file as this text (`null`, `~`, nothing, …). Its kind is null; types that take text
  // read the text (spec/protocol-and-schema.md 4.1).
  static Value written_null(std::string text);

  Kind kind() const noexcept;
  bool is_null() const noexcept { return kind() == Kind::null; }

  // Each of these asks for the kind first; the wrong kind is a bug in the caller and throws std::bad_variant_access.
  bool as_bool() const { return std::get<bool>(form_); }
  std::int64_t as_integer() const { return std::get<std::int64_t>(form_); }
  double as_float() const { return std::get<double>(form_); }
  const std::string& as_text() const { return *std::get<Shared<std::string>>(form_); }
  const Bytes& as_bytes() const { return *std::get<Shared<Bytes>>(form_); }
  const List& as_list() const { return *std::get<Shared<List>>(form_); }
  const Map& as_map() const { return *std::get<Shared<Map>>(form_); }
  const std::string& invalid_reason() const { return std::get<Shared<Invalid>>(form_)->reason; }
  // The text of a written_null; nullptr for every other value, also for a null from elsewhere.
  const std::string* null_text() const noexcept;

  // The same contents to change: taken out of this value when nobody shares them, copied otherwise. The value is null
  // afterwards.
  List take_list();
  Map take_map();

  // The value at a key of a map; nullptr when this is no map or has no such key.
  const Value* find(std::string_view key) const noexcept;

  // By kind and contents: 1 differs from 1.0, NaN from itself, and maps compare without regard to order.
  friend bool operator==(const Value& left, const Value& right) noexcept;

 private:
  struct Invalid {
    std::string reason;
  };
  struct WrittenNull {
    std::string text;
  };
  template <class T>
  using Shared = std::shared_ptr<const T>;
  std::variant<std::monostate, bool, std::int64_t, double, Shared<std::string>, Shared<Bytes>, Shared<List>,
               Shared<Map>, Shared<Invalid>, Shared<WrittenNull>>
      form_;
};

// Entries in the order in which they were added, found by key in constant time. Keys are null, boolean, integer,
// float, text or bytes and differ by kind and contents: 1, 1.0, "1" and true are four keys.
class Map {
 public:
  struct Entry {
    Value key;
    Value value;
  };

  Map() = default;
  // For tests and small literals; a later entry replaces an earlier one of the same key.
  Map(std::initializer_list<std::pair<Value, Value>> entries);

  std::size_t size() const noexcept { return entries_.size(); }
  bool empty() const noexcept { return entries_.empty(); }
  auto begin() const noexcept { return entries_.begin(); }
  auto end() const noexcept { return entries_.end(); }

  // Adds an entry; false, and nothing added, if the key is there already.
  bool insert(Value key, Value value);
  // Adds an entry or replaces the value of the one that is there.
  void set(Value key, Value value);
  // The value at a key, to be changed; a null is added if there was none. Valid until the map changes.
  Value& find_or_add(Value key);
  // Removes an entry; false if there was none. Costs as much as the map is long.
  bool erase(const Value& key);

  // nullptr when there is no such key, also when the key is of a kind that no key has.
  const Value* find(const Value& key) const noexcept;
  const Value* find(std::string_view key) const noexcept;
  // These two only keep a text from being ambiguous between the two above.
  const Value* find(const char* key) const noexcept { return find(std::string_view(key)); }
  const Value* find(const std::string& key) const noexcept { return find(std::string_view(key)); }
  bool contains(std::string_view key) const noexcept { return find(key) != nullptr; }

 private:
  template <class Key>
  std::size_t position_of(const Key& key) const noexcept;
  void index_last();
  void rebuild_index();

  std::vector<Entry> entries_;
  // Open addressing: position in entries_ plus one, 0 = free. Empty while the map is small enough to search through.
  std::vector<std::uint32_t> slots_;
};

// A short rendering for messages: texts in single quotes, long ones and long lists cut with "…".
std::string describe(const Value& value, std::size_t limit = 80);

// The value with each written_null in it replaced by its text: how a result is told (spec/workflow.md 9-34).
Value nulls_as_written(const Value& value);

}  // namespace venvoy::schema
