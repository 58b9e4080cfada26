// A rough look at the tokens of a YAML text, for what must be known before yaml-cpp reads it. What a token means does
// not matter here, only where the next one can start.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace venvoy::schema {

// Walks from token to token: a comment, quoted text, block scalar or word (plain scalar, tag, anchor, alias,
// indicator), or a bracket, comma, blank or line break.
class TokenWalker {
 public:
  // From a token in the midst of the text, the first block scalar is taken for words: how far it goes is not known.
  explicit TokenWalker(std::string_view text, std::size_t offset = 0) : text_(text), offset_(offset), opener_(offset) {}

  bool at_end() const noexcept { return offset_ >= text_.size(); }
  std::size_t offset() const noexcept { return offset_; }
  char symbol() const noexcept { return text_[offset_]; }
  bool at_any_of(std::string_view symbols) const noexcept { return symbols.find(symbol()) != std::string_view::npos; }
  // To the next token. `in_flow` is whether this one is between brackets.
  void step(bool in_flow);

 private:
  void note_opener(std::string_view word, std::size_t column);
  std::size_t after_quoted() const;
  std::size_t after_block_scalar() const;
  std::size_t after_word(bool in_flow) const;

  std::string_view text_;
  std::size_t offset_;
  std::size_t line_start_ = 0;
  // The column of the last `- `, `? `, `: ` or key outside of brackets, from 1: the lines of a block scalar have more
  // blanks before them than that less 1.
  std::size_t opener_;
};

// The text with a tab in place of the blank before every tag or anchor of a block scalar or plain scalar; empty if
// there are none. All offsets stay. yaml-cpp takes `- !tag` for the beginning of a key in a mapping at the tag's
// column, and then wants the lines of the scalar to be indented by more than that, which YAML does not. It does not
// expect a key behind a tab.
std::string with_tabs_before_properties(std::string_view text);

}  // namespace venvoy::schema
