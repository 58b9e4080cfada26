// The parser of expressions (spec/expressions.md sections 3 and 4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "expressions/internal/lexer.hpp"
#include "expressions/parse.hpp"
#include "expressions/tree.hpp"

namespace venvoy::expressions {

// A finished value, and the bytes it takes with the parentheses around it.
struct Operand {
  NodeId node = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  // Whether `.` and `[` may follow: an access chain, no literal and no group.
  bool accessible = false;
};

// What is open to the left of where the parser is.
struct Open {
  enum class Kind { binary, prefix, group, bracket, call };
  Kind kind = Kind::group;
  Operator op = Operator::plus;        // of binary and prefix
  Operand left = {};                   // of binary and bracket; of a call its function
  std::uint32_t begin = 0;             // where the prefix, group or call starts
  std::vector<NodeId> arguments = {};  // of a call: those that are finished
};

// An operator-precedence parser for the grammar of section 3. What is open is kept in a vector and not on the stack, so
// that no expression is too deep for it. A prefix operator takes everything to its right: it is never closed by an
// operator, only by what closes the expression in which it stands.
class Parser {
 public:
  // Both must outlive the parser.
  Parser(std::string_view text, const ParseLimits& limits) : limits_(limits), lexer_(text) { tree_.text = text; }

  // The tree. Throws an ExpressionError (document).
  Tree run();

 private:
  void advance() { token_ = lexer_.next(); }
  std::string_view lexeme() const { return lexeme(token_); }
  std::string_view lexeme(const Token& token) const {
    return std::string_view(tree_.text).substr(token.begin, token.end - token.begin);
  }

  [[noreturn]] void fail(const std::string& problem, std::size_t offset, const std::string& hint = {}) const;
  [[noreturn]] void fail_at_token(const std::string& expected) const;
  void expect(TokenKind kind);
  void push(Open open);

  // Where a value is expected (parser.cpp).
  void operand();
  bool opens_operand();
  void prefix(Operator op);
  void literal();
  schema::Value literal_value() const;
  void name();
  void call(const Token& name);

  // Behind a value.
  bool access_or_close();
  void dot();
  void bracket();
  bool close(TokenKind token);
  void close_group();
  void close_bracket();
  void close_argument();
  void finish_call();
  void end();
  std::string closers() const;

  // Operators (parser_operators.cpp).
  bool operator_follows();
  std::optional<Operator> take_operator();
  bool may_negate() const;
  Operator with_equals(Operator alone, Operator with_equals);
  void reduce(int level);
  void reduce_expression();
  void reduce_top();

  NodeId add(Node node) {
    tree_.nodes.push_back(std::move(node));
    return tree_.root();
  }
  void mark_relative(NodeId key);

  const ParseLimits& limits_;
  Tree tree_;
  Lexer lexer_;
  Token token_;
  Operand current_;
  std::vector<Open> open_;
  int depth_ = 0;  // entries of open_ that are not binary
};

}  // namespace venvoy::expressions
