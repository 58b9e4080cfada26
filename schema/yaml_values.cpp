// From YAML nodes to values, and what nodes tell of themselves.
#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "schema/internal/core_schema.hpp"
#include "schema/internal/text_form.hpp"
#include "schema/internal/yaml_errors.hpp"
#include "schema/yaml.hpp"

namespace venvoy::schema {

YamlNode::YamlNode() = default;

bool YamlNode::is_null() const noexcept {
  return is_scalar() && style == Style::plain && tag.empty() && is_core_null(text);
}

std::string_view YamlNode::kind_text() const noexcept {
  switch (kind) {
    case Kind::scalar:
      return "a text";
    case Kind::sequence:
      return "a list";
    case Kind::mapping:
      return "a mapping";
  }
  return "";
}

const YamlNode* YamlNode::find(std::string_view key) const noexcept {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const auto& entry) { return entry.first.text == key; });
  return found == entries.end() ? nullptr : &found->second;
}

const YamlNode* YamlNode::find_key(std::string_view key) const noexcept {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const auto& entry) { return entry.first.text == key; });
  return found == entries.end() ? nullptr : &found->first;
}

Position YamlNode::position_in_text(const std::string& file, std::size_t byte) const {
  Position start{file, text_line, text_column};
  const std::string_view before = std::string_view(text).substr(0, byte);
  if (style == Style::literal) {
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    start.line += static_cast<int>(std::count(before.begin(), before.end(), '\n'));
    start.column += static_cast<int>(count_code_points(before.substr(line_start)));
  } else if (style == Style::plain) {
    const auto next = std::ranges::upper_bound(more_lines, before.size(), {}, &Line::byte);
    const Line last = next == more_lines.begin() ? Line{0, text_line, text_column} : *std::prev(next);
    start.line = last.line;
    start.column = last.column + static_cast<int>(count_code_points(before.substr(last.byte)));
  }
  return start;
}

namespace {

constexpr std::string_view yaml_tags = "tag:yaml.org,2002:";

class TypedReader {
 public:
  explicit TypedReader(const std::string& file) : file_(file) {}

  Value read(const YamlNode& node) const;

 private:
  Value scalar(const YamlNode& node) const;
  Value tagged(const YamlNode& node, std::string_view type) const;
  Value map(const YamlNode& node) const;
  Value valid(Value value, const YamlNode& node) const;
  [[noreturn]] void misfit(const YamlNode& node, std::string_view type) const {
    throw invalid_yaml(fmt::format("{} is no {}", describe(Value(node.text)), type), node.position(file_));
  }

  const std::string& file_;
};

Value TypedReader::read(const YamlNode& node) const {
  if (node.is_scalar()) return scalar(node);
  if (node.is_mapping()) return map(node);
  List list;
  list.reserve(node.items.size());
  for (const YamlNode& item : node.items) list.push_back(read(item));
  return list;
}

Value TypedReader::map(const YamlNode& node) const {
  Map map;
  for (const auto& [key, value] : node.entries) {
    if (!map.insert(scalar(key), read(value)))
      throw Error(ErrorCode::document, fmt::format("duplicate key: {} is written in two ways", key.text))
          .at(key.position(file_));
  }
  return map;
}

Value TypedReader::scalar(const YamlNode& node) const {
  if (node.tag.starts_with(yaml_tags)) return tagged(node, std::string_view(node.tag).substr(yaml_tags.size()));
  if (node.style != YamlNode::Style::plain || node.tag == "!") return node.text;
  return valid(core_value(node.text), node);
}

Value TypedReader::tagged(const YamlNode& node, std::string_view type) const {
  if (type == "str") return node.text;
  if (type == "binary") {
    auto bytes = from_base64(node.text);
    if (!bytes) misfit(node, "base64");
    return std::move(*bytes);
  }
  const Value value = valid(core_value(node.text), node);
  if (type == "null" && !value.is_null()) misfit(node, "null");
  if (type == "bool" && value.kind() != Kind::boolean) misfit(node, "boolean");
  if (type == "int" && value.kind() != Kind::integer) misfit(node, "integer");
  if (type == "float") {
    if (value.kind() == Kind::integer) return static_cast<double>(value.as_integer());
    if (value.kind() != Kind::floating) misfit(node, "float");
  }
  const bool is_known = type == "null" || type == "bool" || type == "int" || type == "float";
  return is_known || node.style == YamlNode::Style::plain ? value : Value(node.text);
}

Value TypedReader::valid(Value value, const YamlNode& node) const {
  if (value.kind() == Kind::invalid) throw invalid_yaml(value.invalid_reason(), node.position(file_));
  return value;
}

}  // namespace

Value to_text_value(const YamlNode& node) {
  if (node.is_scalar()) return node.is_null() ? Value::written_null(node.text) : Value(node.text);
  if (node.is_sequence()) {
    List list;
    list.reserve(node.items.size());
    for (const YamlNode& item : node.items) list.push_back(to_text_value(item));
    return list;
  }
  Map map;
  for (const auto& [key, value] : node.entries) map.insert(key.text, to_text_value(value));
  return map;
}

Value to_typed_value(const YamlNode& node, const std::string& file) {
  return TypedReader(file).read(node);
}

}  // namespace venvoy::schema
