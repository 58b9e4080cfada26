// Data as workflows see it: inputs, outputs, what a step gets and gives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace venvoy {

// A value that never changes once it is made. Copies are cheap, and copies may be read from several threads.
class Value {
 public:
  enum class Kind { null, boolean, integer, floating, text, bytes, list, map };
  struct Entry;  // {key, value}
  using Bytes = std::vector<std::byte>;
  using List = std::vector<Value>;
  // In the order of their making. Keys are null, booleans, numbers, texts or bytes, each at most once; an engine that
  // is given anything else throws an EngineError (usage).
  using Map = std::vector<Entry>;

  Value() noexcept = default;  // null
  Value(std::nullptr_t) noexcept {}
  Value(bool value) noexcept : form_(value) {}
  Value(std::int64_t value) noexcept : form_(value) {}
  Value(int value) noexcept : form_(std::int64_t{value}) {}
  Value(double value) noexcept : form_(value) {}
  Value(std::string value);  // UTF-8
  Value(std::string_view value);
  Value(const char* value);
  Value(Bytes value);
  Value(List value);
  Value(Map value);
  template <class T>
  Value(const T*) = delete;  // no other pointer becomes a bool

  Kind kind() const noexcept;
  bool is_null() const noexcept { return kind() == Kind::null; }

  // Each throws std::bad_variant_access when the value is of another kind. References are valid as long as this value
  // or a copy of it is.
  bool as_bool() const { return std::get<bool>(form_); }
  std::int64_t as_integer() const { return std::get<std::int64_t>(form_); }
  double as_float() const { return std::get<double>(form_); }
  const std::string& as_text() const { return *std::get<Shared<std::string>>(form_); }
  const Bytes& as_bytes() const { return *std::get<Shared<Bytes>>(form_); }
  const List& as_list() const { return *std::get<Shared<List>>(form_); }
  const Map& as_map() const { return *std::get<Shared<Map>>(form_); }

  // The value at a text key of a map; nullptr when this is no map or has no such key.
  const Value* find(std::string_view key) const noexcept;
  // The same, throwing std::out_of_range that names the key.
  const Value& at(std::string_view key) const;

  // By kind and contents: 1 differs from 1.0. Maps are equal whatever the order of their keys.
  friend bool operator==(const Value& left, const Value& right) noexcept;

  // These throw an EngineError (document, or limit) with the place in the text, which `name` names.
  //
  // As the command reads input files: every plain word is a text, and the workflow's schema makes of it what it should
  // be, so that a version 1.10 stays "1.10".
  static Value input_from_yaml(std::string_view text, const std::string& name = "input");
  // By the core schema of YAML 1.2: `1` is an integer, `true` a boolean.
  static Value from_yaml(std::string_view text, const std::string& name = {});
  static Value from_json(std::string_view text, const std::string& name = {});

  // Keys sorted, with a line feed at the end: the form of the command's result.
  std::string to_yaml() const;
  // In one line when `indent` is 0. Bytes become base64, NaN and infinities texts.
  std::string to_json(int indent = 2) const;

 private:
  friend class ValueConversion;
  // A null that was written in a YAML file, as this text: a schema that wants a text takes it.
  struct Null {
    std::string written;
  };
  template <class T>
  using Shared = std::shared_ptr<const T>;
  std::variant<Null, bool, std::int64_t, double, Shared<std::string>, Shared<Bytes>, Shared<List>, Shared<Map>> form_;
};

struct Value::Entry {
  Value key;
  Value value;
};

}  // namespace venvoy
