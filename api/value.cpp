#include "api/venvoy/value.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "api/internal/conversion.hpp"
#include "schema/json.hpp"
#include "schema/yaml.hpp"
#include "schema/yaml_writer.hpp"

namespace venvoy {

using api::internal::to_public;
using api::internal::to_schema;
using api::internal::translated;

Value::Value(std::string value) : form_(std::make_shared<const std::string>(std::move(value))) {}
Value::Value(std::string_view value) : Value(std::string(value)) {}
Value::Value(const char* value) : Value(std::string(value)) {}
Value::Value(Bytes value) : form_(std::make_shared<const Bytes>(std::move(value))) {}
Value::Value(List value) : form_(std::make_shared<const List>(std::move(value))) {}
Value::Value(Map value) : form_(std::make_shared<const Map>(std::move(value))) {}

Value::Kind Value::kind() const noexcept {
  return static_cast<Kind>(form_.index());  // in the same order
}

const Value* Value::find(std::string_view key) const noexcept {
  if (kind() != Kind::map) return nullptr;
  for (const Entry& entry : as_map())
    if (entry.key.kind() == Kind::text && entry.key.as_text() == key) return &entry.value;
  return nullptr;
}

const Value& Value::at(std::string_view key) const {
  if (const Value* value = find(key)) return *value;
  throw std::out_of_range(fmt::format("there is no key '{}'", key));
}

namespace {

bool same_entries(const Value::Map& left, const Value::Map& right) noexcept {
  if (left.size() != right.size()) return false;
  for (std::size_t index = 0; index < left.size(); ++index) {
    const auto same_key = [&](const Value::Entry& entry) { return entry.key == left[index].key; };
    auto other = right.begin() + static_cast<std::ptrdiff_t>(index);
    if (!same_key(*other)) other = std::find_if(right.begin(), right.end(), same_key);
    if (other == right.end() || !(other->value == left[index].value)) return false;
  }
  return true;
}

}  // namespace

bool operator==(const Value& left, const Value& right) noexcept {
  if (left.kind() != right.kind()) return false;
  switch (left.kind()) {
    case Value::Kind::null:
      return true;
    case Value::Kind::boolean:
      return left.as_bool() == right.as_bool();
    case Value::Kind::integer:
      return left.as_integer() == right.as_integer();
    case Value::Kind::floating:
      return left.as_float() == right.as_float();
    case Value::Kind::text:
      return left.as_text() == right.as_text();
    case Value::Kind::bytes:
      return left.as_bytes() == right.as_bytes();
    case Value::Kind::list:
      return left.as_list() == right.as_list();
    case Value::Kind::map:
      break;
  }
  return same_entries(left.as_map(), right.as_map());
}

Value Value::input_from_yaml(std::string_view text, const std::string& name) {
  Value result;
  translated([&] { result = to_public(schema::to_text_value(schema::read_yaml(text, name))); });
  return result;
}

Value Value::from_yaml(std::string_view text, const std::string& name) {
  Value result;
  translated([&] { result = to_public(schema::to_typed_value(schema::read_yaml(text, name), name)); });
  return result;
}

Value Value::from_json(std::string_view text, const std::string& name) {
  Value result;
  translated([&] { result = to_public(schema::read_json(text, name)); });
  return result;
}

std::string Value::to_yaml() const {
  std::string text;
  translated([&] { text = schema::write_yaml(to_schema(*this)); });
  return text;
}

std::string Value::to_json(int indent) const {
  std::string text;
  translated([&] { text = schema::write_json(to_schema(*this), {.indent = indent}); });
  return text;
}

}  // namespace venvoy
