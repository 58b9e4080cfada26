// The operators: how strong they are, and when they are closed.
#include "expressions/internal/parser.hpp"

namespace venvoy::expressions {

namespace {

// The levels of section 4, weakest first. `!` stands between level_and and level_comparison.
constexpr int level_or = 1;
constexpr int level_and = 2;
constexpr int level_comparison = 3;
constexpr int level_sum = 4;
constexpr int level_product = 5;
constexpr int level_power = 6;

int level_of(Operator op) {
  switch (op) {
    case Operator::logical_or:
      return level_or;
    case Operator::logical_and:
      return level_and;
    case Operator::plus:
    case Operator::minus:
      return level_sum;
    case Operator::times:
    case Operator::divide:
    case Operator::modulo:
      return level_product;
    case Operator::power:
      return level_power;
    default:
      return level_comparison;
  }
}

}  // namespace

// `!` is weaker than a comparison: it cannot be the right side of one, or of what is stronger.
bool Parser::may_negate() const {
  return open_.empty() || open_.back().kind != Open::Kind::binary || level_of(open_.back().op) < level_comparison;
}

// Whether another operand is to come, after an operator.
bool Parser::operator_follows() {
  const std::optional<Operator> op = take_operator();
  if (!op) return false;
  reduce(level_of(*op));
  push({.kind = Open::Kind::binary, .op = *op, .left = current_});
  return true;
}

// Operators of two characters are two tokens.
std::optional<Operator> Parser::take_operator() {
  const TokenKind kind = token_.kind;
  const auto taken = [&](Operator op) {
    advance();
    return op;
  };
  const auto doubled = [&](Operator op) {
    advance();
    expect(kind);
    advance();
    return op;
  };
  switch (kind) {
    case TokenKind::plus:
      return taken(Operator::plus);
    case TokenKind::minus:
      return taken(Operator::minus);
    case TokenKind::asterisk:
      return taken(Operator::times);
    case TokenKind::divide:
      return taken(Operator::divide);
    case TokenKind::modulo:
      return taken(Operator::modulo);
    case TokenKind::power:
      return taken(Operator::power);
    case TokenKind::equals:
      return doubled(Operator::equal);
    case TokenKind::ampersand:
      return doubled(Operator::logical_and);
    case TokenKind::pipe:
      return doubled(Operator::logical_or);
    case TokenKind::greater:
      return with_equals(Operator::greater, Operator::greater_equal);
    case TokenKind::less:
      return with_equals(Operator::less, Operator::less_equal);
    case TokenKind::bang:
      return with_equals(Operator::logical_not, Operator::not_equal);
    default:
      return std::nullopt;
  }
}

Operator Parser::with_equals(Operator alone, Operator with_equals) {
  advance();
  if (token_.kind != TokenKind::equals) return alone;
  advance();
  return with_equals;
}

// Closes the operators on the left that are at least as strong.
void Parser::reduce(int level) {
  while (!open_.empty() && open_.back().kind == Open::Kind::binary && level_of(open_.back().op) >= level) reduce_top();
}

// Closes all operators of the innermost group, bracket or argument.
void Parser::reduce_expression() {
  while (!open_.empty() && (open_.back().kind == Open::Kind::binary || open_.back().kind == Open::Kind::prefix))
    reduce_top();
}

void Parser::reduce_top() {
  const Open& top = open_.back();
  const bool binary = top.kind == Open::Kind::binary;
  const std::uint32_t begin = binary ? top.left.begin : top.begin;
  const NodeId node = add({.kind = binary ? NodeKind::binary : NodeKind::unary,
                           .op = top.op,
                           .begin = begin,
                           .end = current_.end,
                           .left = binary ? top.left.node : current_.node,
                           .right = binary ? current_.node : 0});
  current_ = {.node = node, .begin = begin, .end = current_.end};
  if (!binary) --depth_;
  open_.pop_back();
}

}  // namespace venvoy::expressions
