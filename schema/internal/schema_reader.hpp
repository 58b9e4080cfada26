// What the readers of schemas share: findings, warnings, limits, and the fields of one map of a schema.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/internal/scalars.hpp"
#include "schema/internal/trail.hpp"
#include "schema/read_type.hpp"
#include "schema/type.hpp"
#include "schema/value.hpp"

namespace venvoy::schema {

// One schema that is being read. Everything wrong goes into `findings`; after it there stands a placeholder, so that
// reading can go on.
struct SchemaReader {
  explicit SchemaReader(const ReadOptions& given_options) : options(given_options) {}

  const ReadOptions& options;
  Findings findings;
  int depth = 0;          // types around the one that is being read
  std::size_t types = 0;  // read so far
  std::size_t warnings = 0;

  bool lenient() const noexcept { return options.origin == SchemaOrigin::plugin; }
  // Warns with the path in front, a limited number of times.
  void warn(const Trail& where, std::string_view text);
  // Counts one type. Throws a MismatchError, with what was found so far, when there are too many.
  void count_type(const Trail& where);
};

// The fields of a map that describes something. Unknown ones are refused or warned about when it is made.
class Fields {
 public:
  Fields(SchemaReader& reader, const Value& data, const Trail& where, std::initializer_list<std::string_view> known);

  // Whether there is a map; if not, that was reported, and all fields are absent.
  bool usable() const noexcept { return map_ != nullptr; }
  Trail trail(std::string_view name) const { return where_.property(name); }

  // nullptr if absent; `need` reports that.
  const Value* find(std::string_view name) const;
  const Value* need(std::string_view name) const;

  std::optional<std::string> text(std::string_view name) const;
  // Empty after a finding.
  std::string needed_text(std::string_view name) const;
  std::string needed_id(std::string_view name) const;
  std::optional<bool> flag(std::string_view name) const;
  std::optional<std::int64_t> integer(std::string_view name) const;
  // Not negative; may be written with the given units.
  std::optional<std::int64_t> size(std::string_view name, const Units* units = nullptr) const;
  std::optional<double> number(std::string_view name) const;
  std::vector<std::string> texts(std::string_view name) const;
  std::optional<Display> display(std::string_view name) const;

 private:
  std::optional<std::string> text_of(const Value* value, const Trail& where) const;

  SchemaReader& reader_;
  const Trail& where_;
  const Map* map_ = nullptr;
};

// The entries of a map in a schema, with their keys as texts or integers; those with bad or repeated keys are reported
// and left out.
struct TextEntry {
  std::string key;
  const Value* value;
  const Value* raw_key;
};
struct IntegerEntry {
  std::int64_t key;
  const Value* value;
  const Value* raw_key;
};
std::vector<TextEntry> text_entries(SchemaReader& reader, const Value& data, const Trail& where);
// The same with keys that must be ids (3.2).
std::vector<TextEntry> id_entries(SchemaReader& reader, const Value& data, const Trail& where);
std::vector<IntegerEntry> integer_entries(SchemaReader& reader, const Value& data, const Trail& where);

// What is wrong with a text as an id; empty if nothing is.
std::string id_problem(std::string_view text);

std::optional<Display> read_display(SchemaReader& reader, const Value& data, const Trail& where);
std::shared_ptr<const Units> read_units(SchemaReader& reader, const Value& data, const Trail& where);
// A type with its type_id, an object or scope without one. Never null.
TypePtr read_any_type(SchemaReader& reader, const Value& data, const Trail& where);
ObjectType read_object_type(SchemaReader& reader, const Value& data, const Trail& where, bool with_type_id);
TypePtr read_scope_type(SchemaReader& reader, const Value& data, const Trail& where, bool with_type_id);
Property read_property(SchemaReader& reader, const Value& data, const Trail& where);

}  // namespace venvoy::schema
