#include "schema/internal/yaml_tokens.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace venvoy::schema {
namespace {

bool blank_at(std::string_view text, std::size_t offset) {
  return offset >= text.size() || is_in(" \t\r\n", text[offset]);
}

// Over what is between brackets.
void skip_flow(TokenWalker& walker) {
  int depth = 0;
  while (!walker.at_end()) {
    if (walker.at_any_of("[{")) ++depth;
    if (walker.at_any_of("]}")) --depth;
    walker.step(true);
    if (depth == 0) return;
  }
}

// From the first property of a node: whether a block scalar stands behind it in the same line, or a plain scalar that
// is no key.
bool has_scalar_behind(std::string_view text, TokenWalker walker) {
  while (!walker.at_end() && walker.at_any_of("!& \t")) walker.step(false);
  if (walker.at_end() || walker.at_any_of("\r\n#\"'[{*")) return false;
  if (walker.at_any_of("|>")) return true;
  walker.step(false);
  return text[walker.offset() - 1] != ':';
}

}  // namespace

void TokenWalker::step(bool in_flow) {
  const std::size_t start = offset_;
  const std::size_t column = start - line_start_ + 1;
  if (symbol() == '#') {
    offset_ = std::min(text_.find('\n', start), text_.size());
  } else if (at_any_of("\"'")) {
    offset_ = after_quoted();
    if (!in_flow && text_.substr(offset_).starts_with(':')) opener_ = column;
  } else if (at_any_of("|>") && !in_flow) {
    offset_ = after_block_scalar();
  } else if (at_any_of("[]{},") || blank_at(text_, start)) {
    ++offset_;
  } else {
    offset_ = after_word(in_flow);
    if (!in_flow) note_opener(text_.substr(start, offset_ - start), column);
  }
  const std::size_t last_break = text_.substr(start, offset_ - start).rfind('\n');
  if (last_break != std::string_view::npos) line_start_ = start + last_break + 1;
}

void TokenWalker::note_opener(std::string_view word, std::size_t column) {
  if (word == ":") {
    opener_ = std::min(opener_, column);  // behind `? key`, or behind a key in quotes
  } else if (word == "-" || word == "?" || word.ends_with(':')) {
    opener_ = column;
  }
}

std::size_t TokenWalker::after_quoted() const {
  const char quote = symbol();
  std::size_t offset = offset_ + 1;
  while (offset < text_.size() && text_[offset] != quote) offset += quote == '"' && text_[offset] == '\\' ? 2 : 1;
  return std::min(offset + 1, text_.size());
}

// Over the line of the `|` and all lines that are empty or indented.
std::size_t TokenWalker::after_block_scalar() const {
  for (std::size_t line = text_.find('\n', offset_); line != std::string_view::npos; line = text_.find('\n', line)) {
    const std::size_t content = text_.find_first_not_of(' ', ++line);
    if (content == std::string_view::npos) break;
    if (!is_in("\r\n", text_[content]) && content - line < opener_) return line;
  }
  return text_.size();
}

// To the end of the word, or of its line.
std::size_t TokenWalker::after_word(bool in_flow) const {
  const bool has_no_blanks = at_any_of("&*!");
  std::size_t offset = offset_ + 1;
  if (at_any_of("&*!-?:") && blank_at(text_, offset)) return offset;
  for (; offset < text_.size() && text_[offset] != '\n'; ++offset) {
    if (text_[offset] == ':' && blank_at(text_, offset + 1)) return offset + 1;
    if (blank_at(text_, offset) && (has_no_blanks || text_.substr(offset + 1).starts_with('#'))) return offset;
    if (in_flow && is_in(",[]{}", text_[offset])) return offset;
  }
  return offset;
}

std::string with_tabs_before_properties(std::string_view text) {
  std::string changed;
  TokenWalker walker(text);
  while (!walker.at_end()) {
    const std::size_t offset = walker.offset();
    if (walker.at_any_of("[{")) {
      skip_flow(walker);
      continue;
    }
    if (offset > 0 && walker.at_any_of("!&") && text[offset - 1] == ' ' && has_scalar_behind(text, walker)) {
      if (changed.empty()) changed = text;
      changed[offset - 1] = '\t';
    }
    walker.step(false);
  }
  return changed;
}

}  // namespace venvoy::schema
