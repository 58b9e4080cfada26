// Text to tokens (spec/expressions.md section 2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "expressions/tree.hpp"

namespace venvoy::expressions {

// The tokens of 2.3.
enum class TokenKind : std::uint8_t {
  end,
  invalid,
  boolean,
  floating,
  integer,
  identifier,
  string,
  raw_string,
  bracket_open,
  bracket_close,
  parenthesis_open,
  parenthesis_close,
  dot,
  root,
  current,
  equals,
  selector,
  filter,
  minus,
  asterisk,
  divide,
  modulo,
  power,
  plus,
  greater,
  less,
  bang,
  comma,
  ampersand,
  pipe,
};

// "identifier", "map-delimiter-start", …: the names that users of the Go engine see in its messages.
std::string_view to_text(TokenKind kind) noexcept;

struct Token {
  TokenKind kind = TokenKind::end;
  // Bytes of the original text.
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

// Reads one token after the other. `text` must outlive the lexer.
class Lexer {
 public:
  explicit Lexer(std::string_view text);

  // The next token; `invalid` for text that is none, `end` for ever after the last.
  Token next();
  // Comments that were passed over so far.
  std::vector<Comment> take_comments() { return std::move(comments_); }

 private:
  bool at_end() const noexcept { return position_ >= stop_; }
  // NUL past the end; NUL in the text is no part of any token, so the two need not be told apart.
  char peek(std::size_t ahead = 0) const noexcept {
    return position_ + ahead < stop_ ? text_[position_ + ahead] : '\0';
  }
  bool skip_blanks_and_comments();
  void skip_comment();
  Token token(TokenKind kind, std::size_t begin) const noexcept;
  Token word();
  Token number();
  void digits(bool hexadecimal);
  Token quoted(char quote);
  Token raw_string();
  Token single_character();

  std::string_view text_;
  std::size_t position_ = 0;
  std::size_t stop_ = 0;
  std::vector<Comment> comments_;
};

// The value of a string token, whose quotes are part of `lexeme` (2.4).
std::string unquote(TokenKind kind, std::string_view lexeme);

}  // namespace venvoy::expressions
