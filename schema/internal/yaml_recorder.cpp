#include "schema/internal/yaml_recorder.hpp"

#include <algorithm>
#include <utility>

#include <yaml-cpp/mark.h>

#include "schema/internal/yaml_errors.hpp"
#include "schema/internal/yaml_source.hpp"

namespace venvoy::schema {

YamlRecorder::YamlRecorder(std::string_view text, const std::string& file, const YamlLimits& limits)
    : text_(text), file_(file), limits_(limits), cursor_(text) {}

void YamlRecorder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const std::size_t offset = offset_of(mark);
  settle_null(offset);
  const char indicator = indicator_before(offset);
  YamlRecord& record = add(offset, anchor);
  const NodeStart start = anchor != 0 ? skip_properties(text_, offset) : NodeStart{offset, offset};
  record.text = plain_null_at(text_, start.token);
  if (!record.text.empty()) {
    place_text(record, start.token);
    doubtful_ = {.active = true, .text_offset = start.token, .indicator = anchor != 0 ? '\0' : indicator};
  } else if (anchor != 0) {
    place_text(record, start.properties_end);
  } else {
    place_empty(record, offset, indicator);
  }
}

void YamlRecorder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const std::size_t offset = offset_of(mark);
  settle_null(offset);
  const std::uint32_t target = anchors_.at(anchor - 1);
  if (records_.nodes[target].end == 0)
    throw invalid_yaml("the alias refers to a node that contains it", position(offset));
  YamlRecord& record = add(offset, 0);
  record.is_alias = true;
  record.target = target;
  records_.has_aliases = true;
}

void YamlRecorder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                            const std::string& value) {
  const std::size_t offset = offset_of(mark);
  settle_null(offset);
  YamlRecord& record = add(offset, anchor);
  record.tag = tag_index(tag, offset);
  record.text = value;
  place_scalar(record, offset);
}

void YamlRecorder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                                   YAML::EmitterStyle::value) {
  open(YamlNode::Kind::sequence, mark, tag, anchor);
}

void YamlRecorder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                              YAML::EmitterStyle::value) {
  open(YamlNode::Kind::mapping, mark, tag, anchor);
}

void YamlRecorder::open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
  const std::size_t offset = offset_of(mark);
  settle_null(offset);
  if (open_.size() >= static_cast<std::size_t>(limits_.max_depth)) throw too_deep(limits_, position(offset));
  YamlRecord& record = add(offset, anchor);
  record.kind = kind;
  record.tag = tag_index(tag, offset);
  record.end = 0;
  open_.push_back({.record = static_cast<std::uint32_t>(records_.nodes.size() - 1)});
}

void YamlRecorder::close() {
  records_.nodes[open_.back().record].end = static_cast<std::uint32_t>(records_.nodes.size());
  open_.pop_back();
}

YamlRecord& YamlRecorder::add(std::size_t offset, YAML::anchor_t anchor) {
  if (records_.nodes.size() >= limits_.max_nodes) throw too_many_nodes(limits_, position(offset));
  const auto index = static_cast<std::uint32_t>(records_.nodes.size());
  YamlRecord& record = records_.nodes.emplace_back();
  record.end = index + 1;
  place(record, offset);
  last_offset_ = offset;
  if (!open_.empty()) ++open_.back().children;
  if (anchor != 0) {
    anchors_.resize(std::max<std::size_t>(anchors_.size(), anchor));
    anchors_[anchor - 1] = index;
  }
  return record;
}

void YamlRecorder::place(YamlRecord& record, std::size_t offset) {
  cursor_.move_to(offset);
  record.line = cursor_.line();
  record.column = cursor_.column();
}

void YamlRecorder::place_text(YamlRecord& record, std::size_t offset) {
  cursor_.move_to(offset);
  record.text_line = cursor_.line();
  record.text_column = cursor_.column();
}

void YamlRecorder::place_scalar(YamlRecord& record, std::size_t offset) {
  const NodeStart start = skip_properties(text_, offset);
  record.style = style_at(text_, start.token);
  // Behind a tag may be nothing at all; then the token is that of another node.
  if (record.text.empty() && text_.substr(offset, start.token - offset).find('\n') != std::string_view::npos)
    record.style = YamlNode::Style::plain;
  if (record.style == YamlNode::Style::quoted) {
    // The parser ends a text without closing quote at the end of the file and says nothing.
    if (!is_closed(text_, start.token))
      throw invalid_yaml("a quoted text does not end", position(start.token))
          .with_hint("the closing quote is missing; all that follows has been taken for a part of the text");
    repair_escapes(record.text);
  }
  const bool is_block = record.style == YamlNode::Style::literal || record.style == YamlNode::Style::folded;
  if (is_block && start.token > offset && record.text.find_first_not_of('\n') == std::string::npos)
    has_empty_block_scalar_ = true;
  if (record.style == YamlNode::Style::literal) {
    const LiteralStart literal = literal_start(text_, start.token, record.text);
    place_text(record, literal.line);
    record.text_column += static_cast<int>(literal.indent);
    return;
  }
  place_text(record,
             record.text.empty() && record.style == YamlNode::Style::plain ? start.properties_end : start.token);
  if (record.style != YamlNode::Style::plain) return;
  for (const Continuation& next : continuations(text_, start.token, record.text)) {
    cursor_.move_to(next.offset);
    record.more_lines.push_back({.byte = next.byte, .line = cursor_.line(), .column = cursor_.column()});
  }
}

void YamlRecorder::place_empty(YamlRecord& record, std::size_t mark, char indicator) {
  const auto empty = indicator == '\0' ? std::nullopt : place_of_empty(text_, mark, indicator);
  place(record, empty.value_or(mark));
  record.text_line = record.line;
  record.text_column = record.column;
}

// What stands before an empty node that is the next child of the open node: NUL if its mark can't be bettered. The mark
// of a value that a key with `?` lacks is that `?`, before the key.
char YamlRecorder::indicator_before(std::size_t mark) const {
  if (open_.empty()) return '\0';
  if (records_.nodes[open_.back().record].kind == YamlNode::Kind::sequence) return '-';
  const bool is_value = open_.back().children % 2 == 1;
  return is_value && mark > last_offset_ ? ':' : '\0';
}

// An empty node has its mark at the next token. If that is where the next node starts, then the text that looked like
// the null's is the next node's.
void YamlRecorder::settle_null(std::size_t next_offset) {
  if (std::exchange(doubtful_.active, false) && doubtful_.text_offset == next_offset) {
    YamlRecord& record = records_.nodes.back();
    record.text.clear();
    if (doubtful_.indicator != '\0') place_empty(record, next_offset, doubtful_.indicator);
  }
}

std::uint32_t YamlRecorder::tag_index(const std::string& tag, std::size_t offset) {
  if (tag == "?" || (tag == "!" && !has_tag(text_, offset))) return 0;
  const auto [found, is_new] = tag_indexes_.emplace(tag, static_cast<std::uint32_t>(records_.tags.size()));
  if (is_new) records_.tags.push_back(tag);
  return found->second;
}

std::size_t YamlRecorder::offset_of(const YAML::Mark& mark) const noexcept {
  return std::min(static_cast<std::size_t>(std::max(mark.pos, 0)), text_.size());
}

Position YamlRecorder::position(std::size_t offset) const {
  return position_at(text_, offset, file_);
}

}  // namespace venvoy::schema
