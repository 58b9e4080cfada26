#include "expressions/internal/parser.hpp"

#include <charconv>

#include "base/text.hpp"
#include "expressions/internal/float_text.hpp"
#include "expressions/internal/message.hpp"

namespace venvoy::expressions {

Tree Parser::run() {
  advance();
  do {
    operand();
    while (access_or_close()) {
    }
  } while (operator_follows());
  end();
  tree_.comments = lexer_.take_comments();
  return std::move(tree_);
}

void Parser::fail(const std::string& problem, std::size_t offset, const std::string& hint) const {
  ExpressionError error(ErrorCode::document,
                        "failed to parse expression: " + excerpt(tree_.text) + " (" + problem + ")", offset);
  if (!hint.empty()) error.with_hint(hint);
  throw error;
}

void Parser::fail_at_token(const std::string& expected) const {
  if (token_.kind == TokenKind::end)
    fail("Expected token not found; expected " + expected, token_.begin,
         expected.find("parentheses-end") == std::string::npos ? "" : "a ')' is missing");
  if (token_.kind == TokenKind::invalid) {
    if (token_.begin == token_.end)
      fail("Invalid token \"\": an expression cannot end with a comment", token_.begin,
           "'//' and '/*' start a comment; '/' divides");
    const bool is_text = is_in("\"'`", tree_.text[token_.begin]);
    fail("Invalid token \"" + excerpt(lexeme()) + "\"", token_.begin,
         is_text ? "a text needs the same quote at its end as at its start" : "");
  }
  fail("Token \"" + excerpt(lexeme()) + "\" of ID \"" + std::string(to_text(token_.kind)) +
           "\" placed in invalid configuration; expected " + expected,
       token_.begin);
}

void Parser::expect(TokenKind kind) {
  if (token_.kind != kind) fail_at_token("token \"" + std::string(to_text(kind)) + "\"");
}

void Parser::push(Open open) {
  if (open.kind != Open::Kind::binary && ++depth_ > limits_.max_depth)
    fail("nested deeper than " + std::to_string(limits_.max_depth) + " levels", token_.begin);
  open_.push_back(std::move(open));
}

// Reads up to the next literal, name or call without arguments.
void Parser::operand() {
  while (opens_operand()) {
  }
}

// Whether the token opened something that has its operand yet to come; if not, the operand has been read.
bool Parser::opens_operand() {
  switch (token_.kind) {
    case TokenKind::parenthesis_open:
      push({.kind = Open::Kind::group, .begin = token_.begin});
      advance();
      return true;
    case TokenKind::minus:
      prefix(Operator::minus);
      return true;
    case TokenKind::bang:
      if (!may_negate()) break;
      prefix(Operator::logical_not);
      return true;
    case TokenKind::boolean:
    case TokenKind::floating:
    case TokenKind::integer:
    case TokenKind::string:
    case TokenKind::raw_string:
      literal();
      return false;
    case TokenKind::current:
      // Nothing before it: no node has been made.
      if (tree_.nodes.empty()) break;
      [[fallthrough]];
    case TokenKind::root:
    case TokenKind::identifier: {
      const std::size_t before = open_.size();
      name();
      return open_.size() > before;
    }
    default:
      break;
  }
  fail_at_token("a value: a literal, a name, '$', '(', '-' or '!'");
}

void Parser::prefix(Operator op) {
  push({.kind = Open::Kind::prefix, .op = op, .begin = token_.begin});
  advance();
  if (op != Operator::logical_not || token_.kind != TokenKind::equals) return;
  open_.back().op = Operator::not_equal;
  advance();
}

void Parser::literal() {
  const Token token = token_;
  const NodeId node = add({.begin = token.begin, .end = token.end, .value = literal_value()});
  current_ = {.node = node, .begin = token.begin, .end = token.end};
  advance();
  const auto refuse = [&](const char* what) {
    fail(what + std::string(" cannot follow a literal; got \"") + std::string(lexeme()) + "\" after \"" +
             excerpt(lexeme(token)) + "\"",
         token_.begin);
  };
  if (token_.kind == TokenKind::dot) refuse("dot notation");
  if (token_.kind == TokenKind::bracket_open) refuse("bracket access");
  if (token_.kind == TokenKind::parenthesis_open) refuse("an opening parentheses");
}

schema::Value Parser::literal_value() const {
  const std::string_view text = lexeme();
  if (token_.kind == TokenKind::boolean) return text == "true";
  if (token_.kind == TokenKind::floating) {
    const ParsedFloat parsed = parse_float(text);
    if (parsed.problem == FloatProblem::none) return parsed.value;
  } else if (token_.kind == TokenKind::integer) {
    std::int64_t number = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc()) return number;
  } else {
    return unquote(token_.kind, text);
  }
  fail("number \"" + excerpt(text) + "\": value out of range", token_.begin);
}

void Parser::name() {
  const Token token = token_;
  advance();
  if (token_.kind == TokenKind::parenthesis_open) return call(token);
  Node node{.begin = token.begin, .end = token.end};
  node.kind = token.kind == TokenKind::root ? NodeKind::root : NodeKind::identifier;
  if (node.kind == NodeKind::identifier) node.value = lexeme(token);
  current_ = {.node = add(std::move(node)), .begin = token.begin, .end = token.end, .accessible = true};
}

void Parser::call(const Token& name) {
  Node function{.kind = NodeKind::function, .begin = name.begin, .end = name.end};
  function.value = lexeme(name);
  const Operand left = {.node = add(std::move(function)), .begin = name.begin, .end = name.end};
  push({.kind = Open::Kind::call, .left = left, .begin = name.begin});
  advance();
  if (token_.kind == TokenKind::parenthesis_close) finish_call();
}

// Takes one access, or one token that closes something, behind the current operand. After `[` and `,` the next operand
// has been read too.
bool Parser::access_or_close() {
  switch (token_.kind) {
    case TokenKind::dot:
      if (!current_.accessible) return false;
      dot();
      return true;
    case TokenKind::bracket_open:
      if (!current_.accessible) return false;
      bracket();
      return true;
    case TokenKind::parenthesis_close:
    case TokenKind::bracket_close:
    case TokenKind::comma:
      return close(token_.kind);
    default:
      return false;
  }
}

void Parser::dot() {
  advance();
  expect(TokenKind::identifier);
  Node node{.kind = NodeKind::dot, .begin = current_.begin, .end = token_.end, .left = current_.node};
  node.value = lexeme();
  current_.node = add(std::move(node));
  current_.end = token_.end;
  advance();
}

void Parser::bracket() {
  push({.kind = Open::Kind::bracket, .left = current_, .begin = current_.begin});
  advance();
  operand();
}

bool Parser::close(TokenKind token) {
  reduce_expression();
  if (open_.empty()) return false;
  const Open::Kind kind = open_.back().kind;
  if (token == TokenKind::bracket_close && kind == Open::Kind::bracket) {
    close_bracket();
  } else if (token == TokenKind::parenthesis_close && kind == Open::Kind::group) {
    close_group();
  } else if (token != TokenKind::bracket_close && kind == Open::Kind::call) {
    close_argument();
  } else {
    return false;
  }
  return true;
}

void Parser::close_group() {
  tree_.nodes[current_.node].grouped = true;
  current_ = {.node = current_.node, .begin = open_.back().begin, .end = token_.end};
  open_.pop_back();
  --depth_;
  advance();
}

void Parser::close_bracket() {
  mark_relative(current_.node);
  const Operand left = open_.back().left;
  const NodeId node = add(
      {.kind = NodeKind::bracket, .begin = left.begin, .end = token_.end, .left = left.node, .right = current_.node});
  current_ = {.node = node, .begin = left.begin, .end = token_.end, .accessible = true};
  open_.pop_back();
  --depth_;
  advance();
}

void Parser::close_argument() {
  open_.back().arguments.push_back(current_.node);
  if (token_.kind == TokenKind::parenthesis_close) return finish_call();
  advance();
  operand();
}

void Parser::finish_call() {
  const Open call = std::move(open_.back());
  open_.pop_back();
  --depth_;
  Node& function = tree_.nodes[call.left.node];
  function.first_argument = static_cast<std::uint32_t>(tree_.arguments.size());
  function.argument_count = static_cast<std::uint32_t>(call.arguments.size());
  tree_.arguments.insert(tree_.arguments.end(), call.arguments.begin(), call.arguments.end());
  const NodeId node = add({.kind = NodeKind::call, .begin = call.begin, .end = token_.end, .left = call.left.node});
  current_ = {.node = node, .begin = call.begin, .end = token_.end, .accessible = true};
  advance();
}

// A key that is an access chain from a bare identifier: evaluation looks that up in the value left of the bracket.
void Parser::mark_relative(NodeId key) {
  NodeId start = key;
  while (tree_[start].kind == NodeKind::dot || tree_[start].kind == NodeKind::bracket) start = tree_[start].left;
  if (tree_[start].kind == NodeKind::identifier) tree_.nodes[start].relative = true;
}

void Parser::end() {
  reduce_expression();
  if (token_.kind != TokenKind::end || !open_.empty()) fail_at_token(closers());
}

// What may come after a complete operand, as far as it is not an operator.
std::string Parser::closers() const {
  if (open_.empty()) return "end of expression";
  switch (open_.back().kind) {
    case Open::Kind::bracket:
      return "token \"map-delimiter-end\"";
    case Open::Kind::call:
      return "one of tokens \"parentheses-end\", \"list-separator\"";
    default:
      return "token \"parentheses-end\"";
  }
}

}  // namespace venvoy::expressions
