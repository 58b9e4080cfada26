#include "schema/internal/yaml_builder.hpp"

#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "schema/internal/yaml_errors.hpp"

namespace venvoy::schema {
namespace {

// Up to this many keys are compared with each other; more are hashed.
constexpr std::size_t few_keys = 8;

using Entry = std::pair<YamlNode, YamlNode>;

// A plain `<<` with mappings. With a scalar it is a key like any other.
bool is_merge(const Entry& entry) {
  const YamlNode& key = entry.first;
  return key.text == "<<" && key.style == YamlNode::Style::plain && !entry.second.is_scalar() &&
         (key.tag.empty() || key.tag == "tag:yaml.org,2002:merge");
}

// The first two keys that are equal, the later one second; null pointers if there are none.
std::pair<const YamlNode*, const YamlNode*> equal_keys(const std::vector<Entry>& entries) {
  if (entries.size() <= few_keys) {
    for (std::size_t later = 1; later < entries.size(); ++later)
      for (std::size_t first = 0; first < later; ++first)
        if (entries[first].first.text == entries[later].first.text)
          return {&entries[first].first, &entries[later].first};
    return {};
  }
  std::unordered_map<std::string_view, const YamlNode*> seen;
  seen.reserve(entries.size());
  for (const auto& [key, value] : entries) {
    const auto [found, is_new] = seen.emplace(key.text, &key);
    if (!is_new) return {found->second, &key};
  }
  return {};
}

}  // namespace

YamlNode YamlBuilder::node(std::uint32_t index, int depth) {
  YamlRecord& record = records_.nodes[index];
  if (record.is_alias) return alias(record, depth);
  count(record);
  if (record.kind == YamlNode::Kind::scalar) return scalar(record);
  // Only aliases can go deeper than the recorder allowed.
  if (depth >= limits_.max_depth) throw too_deep(limits_, position(copied_for_->line, copied_for_->column));
  YamlNode made;
  made.kind = record.kind;
  made.tag = records_.tags[record.tag];
  made.line = record.line;
  made.column = record.column;
  if (made.is_sequence()) {
    add_items(made, index, depth + 1);
  } else {
    add_entries(made, index, depth + 1);
  }
  return made;
}

YamlNode YamlBuilder::alias(const YamlRecord& record, int depth) {
  const bool is_outermost = copied_for_ == nullptr;
  if (is_outermost) copied_for_ = &record;
  YamlNode made = node(record.target, depth);
  if (is_outermost) copied_for_ = nullptr;
  made.line = record.line;
  made.column = record.column;
  return made;
}

YamlNode YamlBuilder::scalar(YamlRecord& record) {
  YamlNode made;
  made.style = record.style;
  made.tag = records_.tags[record.tag];
  made.line = record.line;
  made.column = record.column;
  made.text_line = record.text_line;
  made.text_column = record.text_column;
  if (records_.has_aliases) {
    made.text = record.text;
    made.more_lines = record.more_lines;
  } else {
    made.text = std::move(record.text);
    made.more_lines = std::move(record.more_lines);
  }
  return made;
}

// Counts a node, and a copied text by its bytes: an alias to a text is small, but what it stands for is not.
void YamlBuilder::count(const YamlRecord& record) {
  const YamlRecord& cause = copied_for_ ? *copied_for_ : record;
  if (++nodes_ > limits_.max_nodes) throw too_many_nodes(limits_, position(cause.line, cause.column));
  if (!copied_for_) return;
  copied_bytes_ += record.text.size();
  if (copied_bytes_ <= limits_.max_bytes) return;
  throw Error(ErrorCode::limit,
              fmt::format("the aliases of the YAML text stand for more than {} bytes of text", limits_.max_bytes))
      .at(position(cause.line, cause.column));
}

void YamlBuilder::add_items(YamlNode& sequence, std::uint32_t index, int depth) {
  const std::uint32_t end = records_.nodes[index].end;
  for (std::uint32_t item = index + 1; item < end; item = records_.nodes[item].end)
    sequence.items.push_back(node(item, depth));
}

void YamlBuilder::add_entries(YamlNode& mapping, std::uint32_t index, int depth) {
  const std::uint32_t end = records_.nodes[index].end;
  bool merges = false;
  for (std::uint32_t item = index + 1; item < end;) {
    const std::uint32_t value = records_.nodes[item].end;
    YamlNode key = node(item, depth);
    if (!key.is_scalar())
      throw invalid_yaml(fmt::format("a key is a text, not {}", key.kind_text()), position(key.line, key.column));
    mapping.entries.emplace_back(std::move(key), node(value, depth));
    merges = merges || is_merge(mapping.entries.back());
    item = records_.nodes[value].end;
  }
  check_keys(mapping);
  if (merges) merge(mapping);
}

void YamlBuilder::check_keys(const YamlNode& mapping) const {
  const auto [first, second] = equal_keys(mapping.entries);
  if (!second) return;
  throw Error(ErrorCode::document,
              fmt::format("duplicate key {}, first given in line {}", describe(Value(second->text)), first->line))
      .at(position(second->line, second->column));
}

// The merged entries take the place of `<<`. Those of the mapping itself win, then those of earlier mappings.
void YamlBuilder::merge(YamlNode& mapping) const {
  std::unordered_set<std::string> keys;
  for (const Entry& entry : mapping.entries)
    if (!is_merge(entry)) keys.insert(entry.first.text);
  std::vector<Entry> merged;
  const auto take_from = [&](YamlNode& source) {
    if (!source.is_mapping())
      throw invalid_yaml("the key '<<' takes a mapping or a list of mappings", position(source.line, source.column));
    for (Entry& entry : source.entries)
      if (keys.insert(entry.first.text).second) merged.push_back(std::move(entry));
  };
  for (Entry& entry : mapping.entries) {
    if (!is_merge(entry)) {
      merged.push_back(std::move(entry));
    } else if (entry.second.is_mapping()) {
      take_from(entry.second);
    } else {
      for (YamlNode& source : entry.second.items) take_from(source);
    }
  }
  mapping.entries = std::move(merged);
}

}  // namespace venvoy::schema
