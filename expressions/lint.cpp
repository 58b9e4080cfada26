#include "expressions/lint.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "expressions/internal/message.hpp"

namespace venvoy::expressions {

namespace {

std::string quoted(const std::string& text) {
  return "'" + text + "'";
}

bool is_product(Operator op) {
  return op == Operator::times || op == Operator::divide || op == Operator::modulo;
}
bool is_logical(Operator op) {
  return op == Operator::logical_and || op == Operator::logical_or;
}

// Whether it makes a difference that the prefix operator takes the whole of its operand. A product can be negated as a
// whole or at its first factor, a power is negated as a whole everywhere, and so is a comparison of bools.
bool matters(Operator prefix, Operator operand) {
  if (prefix == Operator::minus) return !is_product(operand) && operand != Operator::power;
  return is_logical(operand);
}

class Lint {
 public:
  explicit Lint(const Tree& tree) : tree_(tree) {}

  std::vector<Warning> run() {
    for (const Node& node : tree_.nodes) look_at(node);
    for (const Comment& comment : tree_.comments) look_at(comment);
    std::stable_sort(warnings_.begin(), warnings_.end(),
                     [](const Warning& left, const Warning& right) { return left.offset < right.offset; });
    return std::move(warnings_);
  }

 private:
  void look_at(const Node& node) {
    if (node.kind == NodeKind::unary) prefix(node);
    if (node.kind == NodeKind::binary && node.op == Operator::power) power(node);
    if (node.kind == NodeKind::identifier) bare_name(node);
  }

  std::string source(const Node& node) const {
    const std::string text = excerpt(tree_.source(node));
    return node.grouped ? "(" + text + ")" : text;
  }

  void warn(std::size_t offset, std::string text) { warnings_.push_back({offset, std::move(text)}); }

  void prefix(const Node& node) {
    const Node& operand = tree_[node.left];
    if (operand.kind != NodeKind::binary || operand.grouped || !matters(node.op, operand.op)) return;
    const std::string sign(to_text(node.op));
    warn(node.begin, quoted(sign) + " applies to everything to its right, " + quoted(source(operand)) + ": write '" +
                         sign + "(" + source(operand) + ")' if that is meant, or '(" + sign +
                         "…)' around what it shall apply to");
  }

  bool is_open_power(const Node& node) const {
    return node.kind == NodeKind::binary && node.op == Operator::power && !node.grouped;
  }

  // Once for each chain, at its first three.
  void power(const Node& node) {
    const Node& left = tree_[node.left];
    if (!is_open_power(left) || is_open_power(tree_[left.left])) return;
    warn(node.begin, "'^' is computed from left to right: " + quoted(source(node)) + " is '(" + source(left) + ") ^ " +
                         source(tree_[node.right]) + "'");
  }

  void bare_name(const Node& node) {
    const std::string name = excerpt(node.name());
    if (node.relative) {
      warn(node.begin, quoted(name) +
                           " in brackets is looked up in the value left of them, though its type is that of '$." +
                           name + "': write '$." + name + "' for the one, '\"" + name + "\"' for the key");
    } else if (name[0] >= '0' && name[0] <= '9') {
      warn(node.begin, quoted(name) + " is no number, but the name of a field of '$'");
    } else {
      warn(node.begin, quoted(name) + " is short for '$." + name + "': write it out");
    }
  }

  void look_at(const Comment& comment) {
    const auto text = std::string_view(tree_.text).substr(comment.begin, comment.end - comment.begin);
    const bool line = text.starts_with("//");
    warn(comment.begin, quoted(excerpt(text)) + " is a comment" +
                            (line ? ": '//' hides the rest of the line, '/' divides" : " and has no effect"));
  }

  const Tree& tree_;
  std::vector<Warning> warnings_;
};

}  // namespace

std::vector<Warning> surprising_rules(const Expression& expression) {
  return Lint(expression.tree()).run();
}

}  // namespace venvoy::expressions
