#include "schema/internal/schema_reader.hpp"

namespace venvoy::schema {
namespace {

Unit read_unit(SchemaReader& reader, const Value& data, const Trail& where) {
  const Fields fields(reader, data, where,
                      {"name_short_singular", "name_short_plural", "name_long_singular", "name_long_plural"});
  return {fields.needed_text("name_short_singular"), fields.needed_text("name_short_plural"),
          fields.needed_text("name_long_singular"), fields.needed_text("name_long_plural")};
}

}  // namespace

std::shared_ptr<const Units> read_units(SchemaReader& reader, const Value& data, const Trail& where) {
  const Fields fields(reader, data, where, {"base_unit", "multipliers"});
  auto units = std::make_shared<Units>();
  if (const Value* base = fields.need("base_unit"))
    units->base_unit = read_unit(reader, *base, fields.trail("base_unit"));
  const Value* multipliers = fields.find("multipliers");
  if (!multipliers) return units;
  const Trail trail = fields.trail("multipliers");
  for (const IntegerEntry& entry : integer_entries(reader, *multipliers, trail)) {
    if (entry.key < 2) reader.findings.add(trail.key(*entry.raw_key), "Must be at least 2");
    units->multipliers.emplace(entry.key, read_unit(reader, *entry.value, trail.value(*entry.raw_key)));
  }
  return units;
}

}  // namespace venvoy::schema
