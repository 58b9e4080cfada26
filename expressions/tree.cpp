#include "expressions/tree.hpp"

namespace venvoy::expressions {

std::string_view to_text(Operator op) noexcept {
  switch (op) {
    case Operator::plus:
      return "+";
    case Operator::minus:
      return "-";
    case Operator::times:
      return "*";
    case Operator::divide:
      return "/";
    case Operator::modulo:
      return "%";
    case Operator::power:
      return "^";
    case Operator::equal:
      return "==";
    case Operator::not_equal:
      return "!=";
    case Operator::greater:
      return ">";
    case Operator::less:
      return "<";
    case Operator::greater_equal:
      return ">=";
    case Operator::less_equal:
      return "<=";
    case Operator::logical_and:
      return "&&";
    case Operator::logical_or:
      return "||";
    case Operator::logical_not:
      return "!";
  }
  return "";
}

}  // namespace venvoy::expressions
