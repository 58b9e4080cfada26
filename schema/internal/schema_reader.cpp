#include "schema/internal/schema_reader.hpp"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

#include "schema/internal/wording.hpp"

namespace venvoy::schema {
namespace {

constexpr std::size_t max_warnings = 50;
constexpr std::string_view id_pattern = "^[$@a-zA-Z0-9-_]+$";

std::string sentence(const Trail& where, std::string_view text) {
  std::string way;
  for (const std::string& segment : where.path()) way.append(way.empty() ? "'" : " -> '").append(segment).append("'");
  return way.empty() ? std::string(text) : fmt::format("{}: {}", way, text);
}

const Map* as_map(SchemaReader& reader, const Value& data, const Trail& where, std::string_view what) {
  if (data.kind() == Kind::map) return &data.as_map();
  reader.findings.add(where, data.kind() == Kind::invalid
                                 ? data.invalid_reason()
                                 : fmt::format("Must be a map{}, {} given", what, kind_word(data)));
  return nullptr;
}

// Converts the keys of a map and leaves out what is no key or was there before.
template <class Entry, class Convert>
std::vector<Entry> entries_of(SchemaReader& reader, const Value& data, const Trail& where, Convert convert) {
  std::vector<Entry> entries;
  const Map* map = as_map(reader, data, where, "");
  if (!map) return entries;
  entries.reserve(map->size());
  std::unordered_set<decltype(Entry::key)> keys;
  for (const auto& [raw_key, value] : *map) {
    if (reader.findings.full()) break;
    auto key = convert(raw_key);
    if (key.value && !keys.insert(*key.value).second)
      key.problem = fmt::format("The key {} is given twice", quoted(raw_key));
    if (key.problem.empty()) {
      entries.push_back({std::move(*key.value), &value, &raw_key});
    } else {
      reader.findings.add(where.key(raw_key), std::move(key.problem));
    }
  }
  return entries;
}

Converted<std::string> to_key(const Value& raw_key) {
  Converted<Value> text = to_text_value(raw_key);
  if (!text.value) return {std::nullopt, std::move(text.problem)};
  return {text.value->as_text(), {}};
}

}  // namespace

void SchemaReader::warn(const Trail& where, std::string_view text) {
  if (options.warn && ++warnings <= max_warnings) options.warn(sentence(where, text));
}

void SchemaReader::count_type(const Trail& where) {
  if (++types <= options.max_types) return;
  findings.add(where, fmt::format("the schema has more than {} types", options.max_types));
  findings.throw_if_any();
}

Fields::Fields(SchemaReader& reader, const Value& data, const Trail& where,
               std::initializer_list<std::string_view> known)
    : reader_(reader), where_(where), map_(as_map(reader, data, where, " to convert to object")) {
  if (!map_) return;
  for (const auto& [key, value] : *map_) {
    if (reader_.findings.full()) return;
    if (key.kind() == Kind::text && std::ranges::find(known, key.as_text()) != known.end()) continue;
    if (reader_.lenient()) {
      reader_.warn(where_, fmt::format("the unknown field '{}' is passed over", plain(key)));
    } else {
      reader_.findings.add(where_, invalid_parameter(plain(key), {known.begin(), known.end()}));
    }
  }
}

const Value* Fields::find(std::string_view name) const {
  const Value* value = map_ ? map_->find(name) : nullptr;
  if (!value || !value->is_null() || !reader_.lenient()) return value;
  reader_.warn(where_, fmt::format("null for '{}' is taken as absent", name));
  return nullptr;
}

const Value* Fields::need(std::string_view name) const {
  const Value* value = find(name);
  if (!value && map_) reader_.findings.add(trail(name), "This field is required");
  return value;
}

std::optional<std::string> Fields::text_of(const Value* value, const Trail& where) const {
  if (!value) return std::nullopt;
  Converted<std::string> text = to_key(*value);
  if (!text.value) reader_.findings.add(where, std::move(text.problem));
  return text.value;
}

std::optional<std::string> Fields::text(std::string_view name) const {
  return text_of(find(name), trail(name));
}

std::string Fields::needed_text(std::string_view name) const {
  return text_of(need(name), trail(name)).value_or(std::string());
}

std::string Fields::needed_id(std::string_view name) const {
  const std::optional<std::string> id = text_of(need(name), trail(name));
  if (!id) return {};
  if (std::string problem = id_problem(*id); !problem.empty()) reader_.findings.add(trail(name), std::move(problem));
  return *id;
}

std::optional<bool> Fields::flag(std::string_view name) const {
  const Value* value = find(name);
  if (!value) return std::nullopt;
  Converted<bool> flag = to_bool(*value);
  if (!flag.value) reader_.findings.add(trail(name), std::move(flag.problem));
  return flag.value;
}

std::optional<std::int64_t> Fields::integer(std::string_view name) const {
  const Value* value = find(name);
  if (!value) return std::nullopt;
  Converted<std::int64_t> number = to_integer(*value);
  if (!number.value) reader_.findings.add(trail(name), std::move(number.problem));
  return number.value;
}

std::optional<std::int64_t> Fields::size(std::string_view name, const Units* units) const {
  const Value* value = find(name);
  if (!value) return std::nullopt;
  Converted<std::int64_t> number = to_integer(*value, units);
  if (number.value) number.problem = problem_with(IntegerType{0, {}, nullptr}, *number.value);
  if (!number.problem.empty()) reader_.findings.add(trail(name), std::move(number.problem));
  return number.value;
}

std::optional<double> Fields::number(std::string_view name) const {
  const Value* value = find(name);
  if (!value) return std::nullopt;
  Converted<double> number = to_float(*value);
  if (!number.value) reader_.findings.add(trail(name), std::move(number.problem));
  return number.value;
}

std::vector<std::string> Fields::texts(std::string_view name) const {
  std::vector<std::string> texts;
  const Value* value = find(name);
  if (!value) return texts;
  const Trail list = trail(name);
  if (value->kind() != Kind::list) {
    reader_.findings.add(list, fmt::format("Must be a list, {} given", kind_word(*value)));
    return texts;
  }
  for (const Value& item : value->as_list())
    texts.push_back(text_of(&item, list.item(texts.size())).value_or(std::string()));
  return texts;
}

std::optional<Display> Fields::display(std::string_view name) const {
  const Value* value = find(name);
  return value ? read_display(reader_, *value, trail(name)) : std::nullopt;
}

std::vector<TextEntry> text_entries(SchemaReader& reader, const Value& data, const Trail& where) {
  return entries_of<TextEntry>(reader, data, where, to_key);
}

std::vector<TextEntry> id_entries(SchemaReader& reader, const Value& data, const Trail& where) {
  return entries_of<TextEntry>(reader, data, where, [](const Value& raw_key) {
    Converted<std::string> key = to_key(raw_key);
    if (key.value) key.problem = id_problem(*key.value);
    return key;
  });
}

std::vector<IntegerEntry> integer_entries(SchemaReader& reader, const Value& data, const Trail& where) {
  return entries_of<IntegerEntry>(reader, data, where, [](const Value& raw_key) { return to_integer(raw_key); });
}

std::string id_problem(std::string_view text) {
  if (is_id(text)) return {};
  if (text.empty()) return "String must be at least 1 characters, 0 given";
  if (text.size() > 255) return fmt::format("String must be at most 255 characters, {} given", text.size());
  return fmt::format("String '{}' must match the pattern '{}'", text, id_pattern);
}

std::optional<Display> read_display(SchemaReader& reader, const Value& data, const Trail& where) {
  const Fields fields(reader, data, where, {"name", "description", "icon"});
  if (!fields.usable()) return std::nullopt;
  Display display{fields.text("name"), fields.text("description"), fields.text("icon")};
  for (const auto& [name, text] : {std::pair{"name", &display.name}, std::pair{"description", &display.description},
                                   std::pair{"icon", &display.icon}})
    if (*text && (*text)->empty())
      reader.findings.add(fields.trail(name), "String must be at least 1 characters, 0 given");
  return display;
}

}  // namespace venvoy::schema
