#include "expressions/internal/lexer.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.hpp"

namespace venvoy::expressions {

namespace {

constexpr bool is_hexadecimal(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
constexpr bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
constexpr bool is_beyond_ascii(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}

// White space by the Unicode definition, in UTF-8.
constexpr std::array<std::string_view, 25> unicode_spaces = {
    " ",      "\t",     "\n",     "\v",     "\f",     "\r",     "\u0085", "\u00A0", "\u1680",
    "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008",
    "\u2009", "\u200A", "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"};
constexpr std::string_view byte_order_mark = "\uFEFF";

// Takes the white space off both ends of [begin, end) of the text.
void trim(std::string_view text, std::size_t& begin, std::size_t& end) {
  const auto matches = [&](auto test) { return std::find_if(unicode_spaces.begin(), unicode_spaces.end(), test); };
  for (;;) {
    const std::string_view rest = text.substr(begin, end - begin);
    const auto first = matches([&](std::string_view space) { return rest.starts_with(space); });
    const auto last = matches([&](std::string_view space) { return rest.ends_with(space); });
    if (first != unicode_spaces.end()) {
      begin += first->size();
    } else if (last != unicode_spaces.end()) {
      end -= last->size();
    } else {
      return;
    }
  }
}

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), is_digit);
}

bool is_integer(std::string_view text) {
  return text == "0" || (text[0] != '0' && all_digits(text));
}

// digits '.' digits-or-nothing, and an exponent or not
bool is_float(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos || dot == 0 || !all_digits(text.substr(0, dot))) return false;
  const std::size_t exponent = std::min(text.find_first_of("eE", dot), text.size());
  if (!all_digits(text.substr(dot + 1, exponent - dot - 1))) return false;
  if (exponent == text.size()) return true;
  std::string_view power = text.substr(exponent + 1);
  if (power.starts_with('+') || power.starts_with('-')) power.remove_prefix(1);
  return !power.empty() && all_digits(power);
}

// What a lexeme of the class "number" is, in the order of 2.3.
TokenKind number_kind(std::string_view text) {
  if (is_float(text)) return TokenKind::floating;
  if (is_integer(text)) return TokenKind::integer;
  return std::all_of(text.begin(), text.end(), is_word) ? TokenKind::identifier : TokenKind::invalid;
}

TokenKind character_kind(char c) {
  switch (c) {
    case '[':
      return TokenKind::bracket_open;
    case ']':
      return TokenKind::bracket_close;
    case '(':
      return TokenKind::parenthesis_open;
    case ')':
      return TokenKind::parenthesis_close;
    case '.':
      return TokenKind::dot;
    case '$':
      return TokenKind::root;
    case '@':
      return TokenKind::current;
    case '=':
      return TokenKind::equals;
    case ':':
      return TokenKind::selector;
    case '?':
      return TokenKind::filter;
    case '-':
      return TokenKind::minus;
    case '*':
      return TokenKind::asterisk;
    case '/':
      return TokenKind::divide;
    case '%':
      return TokenKind::modulo;
    case '^':
      return TokenKind::power;
    case '+':
      return TokenKind::plus;
    case '>':
      return TokenKind::greater;
    case '<':
      return TokenKind::less;
    case '!':
      return TokenKind::bang;
    case ',':
      return TokenKind::comma;
    case '&':
      return TokenKind::ampersand;
    case '|':
      return TokenKind::pipe;
    default:
      return TokenKind::invalid;
  }
}

}  // namespace

std::string_view to_text(TokenKind kind) noexcept {
  constexpr std::array<std::string_view, 30> names = {"end of expression",
                                                      "error",
                                                      "boolean",
                                                      "float",
                                                      "int",
                                                      "identifier",
                                                      "string",
                                                      "raw-string",
                                                      "map-delimiter-start",
                                                      "map-delimiter-end",
                                                      "parentheses-start",
                                                      "parentheses-end",
                                                      "object-access",
                                                      "root-access",
                                                      "current-object-access",
                                                      "equals-sign",
                                                      "selector",
                                                      "filter",
                                                      "negation-sign",
                                                      "asterisk",
                                                      "divide",
                                                      "mod",
                                                      "power",
                                                      "plus",
                                                      "greater-than",
                                                      "less-than",
                                                      "not",
                                                      "list-separator",
                                                      "and",
                                                      "or"};
  static_assert(names.size() == static_cast<std::size_t>(TokenKind::pipe) + 1);
  return names[static_cast<std::size_t>(kind)];
}

Lexer::Lexer(std::string_view text) : text_(text), stop_(text.size()) {
  trim(text_, position_, stop_);
  if (text_.substr(position_, stop_ - position_).starts_with(byte_order_mark)) position_ += byte_order_mark.size();
}

Token Lexer::token(TokenKind kind, std::size_t begin) const noexcept {
  return {kind, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(position_)};
}

Token Lexer::next() {
  const bool commented = skip_blanks_and_comments();
  // A comment at the end counts as an empty token, which is none (2.2).
  if (at_end()) return token(commented ? TokenKind::invalid : TokenKind::end, position_);
  const char c = peek();
  if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
  if (is_word(c) || is_beyond_ascii(c)) return word();
  if (c == '"' || c == '\'') return quoted(c);
  if (c == '`') return raw_string();
  return single_character();
}

// Whether the last thing passed over was a comment.
bool Lexer::skip_blanks_and_comments() {
  bool commented = false;
  for (;;) {
    const char c = peek();
    if (!at_end() && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
      ++position_;
    } else if (c == '/' && (peek(1) == '/' || peek(1) == '*')) {
      skip_comment();
      commented = true;
    } else {
      return commented;
    }
  }
}

void Lexer::skip_comment() {
  const std::size_t begin = position_;
  const bool to_line_end = peek(1) == '/';
  const std::size_t close = to_line_end ? text_.find('\n', begin) : text_.find("*/", begin + 2);
  position_ = close >= stop_ ? stop_ : close + (to_line_end ? 0 : 2);
  comments_.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(position_)});
}

// A word with a character beyond ASCII is no token; it is taken whole, for the message.
Token Lexer::word() {
  const std::size_t begin = position_;
  bool ascii = true;
  for (; is_word(peek()) || is_beyond_ascii(peek()); ++position_) ascii = ascii && !is_beyond_ascii(peek());
  const std::string_view lexeme = text_.substr(begin, position_ - begin);
  if (!ascii) return token(TokenKind::invalid, begin);
  return token(lexeme == "true" || lexeme == "false" ? TokenKind::boolean : TokenKind::identifier, begin);
}

void Lexer::digits(bool hexadecimal) {
  while (peek() == '_' || (hexadecimal ? is_hexadecimal(peek()) : is_digit(peek()))) ++position_;
}

Token Lexer::number() {
  const std::size_t begin = position_;
  const char prefix = peek() == '0' ? static_cast<char>(peek(1) | 0x20) : '\0';
  const bool hexadecimal = prefix == 'x';
  if (prefix == 'x' || prefix == 'b' || prefix == 'o') position_ += 2;
  if (peek() != '.') digits(hexadecimal);
  if (peek() == '.') {
    ++position_;
    digits(hexadecimal);
  }
  const char exponent = static_cast<char>(peek() | 0x20);
  if (exponent == 'e' || exponent == 'p') {
    ++position_;
    if (peek() == '+' || peek() == '-') ++position_;
    digits(false);
  }
  return token(number_kind(text_.substr(begin, position_ - begin)), begin);
}

// A string that is not closed takes all that is left (of its line), and may still look closed by an escaped quote.
Token Lexer::quoted(char quote) {
  const std::size_t begin = position_++;
  while (!at_end() && peek() != quote && peek() != '\n') {
    if (peek() == '\\' && position_ + 1 < stop_ && (peek(1) == '\\' || peek(1) == quote)) ++position_;
    ++position_;
  }
  if (!at_end()) ++position_;
  const std::string_view lexeme = text_.substr(begin, position_ - begin);
  const bool closed = lexeme.size() > 1 && lexeme.back() == quote;
  return token(closed ? TokenKind::string : TokenKind::invalid, begin);
}

Token Lexer::raw_string() {
  const std::size_t begin = position_++;
  while (!at_end() && peek() != '`') ++position_;
  const bool closed = !at_end();
  if (closed) ++position_;
  const std::string_view lexeme = text_.substr(begin, position_ - begin);
  const bool one_line = lexeme.find('\n') == std::string_view::npos;
  return token(closed && one_line ? TokenKind::raw_string : TokenKind::invalid, begin);
}

Token Lexer::single_character() {
  const std::size_t begin = position_++;
  return token(character_kind(text_[begin]), begin);
}

namespace {

// The character that a backslash and `c` stand for; nothing where the backslash stands for itself.
std::optional<char> escaped(char c) {
  switch (c) {
    case '\\':
      return '\\';
    case 't':
      return '\t';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 'b':
      return '\b';
    case '"':
      return '"';
    case '\'':
      return '\'';
    case '0':
      return '\0';
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string unquote(TokenKind kind, std::string_view lexeme) {
  lexeme = lexeme.substr(1, lexeme.size() - 2);
  if (kind == TokenKind::raw_string) return std::string(lexeme);
  std::string text;
  text.reserve(lexeme.size());
  for (std::size_t i = 0; i < lexeme.size(); ++i) {
    const bool pair = lexeme[i] == '\\' && i + 1 < lexeme.size();
    const std::optional<char> replacement = pair ? escaped(lexeme[i + 1]) : std::nullopt;
    text += replacement.value_or(lexeme[i]);
    if (replacement) ++i;
  }
  return text;
}

}  // namespace venvoy::expressions
