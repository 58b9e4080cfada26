#include "workflow/internal/references.hpp"

#include <algorithm>

namespace venvoy::workflow::internal {
namespace {

using expressions::Expression;
using expressions::Node;
using expressions::Tree;

// `$.name`, with or without the dollar.
bool is_section(const Tree& tree, const Node& node, std::string_view name) {
  if (node.kind == expressions::NodeKind::identifier) return node.name() == name;
  return node.kind == expressions::NodeKind::dot && node.name() == name &&
         tree[node.left].kind == expressions::NodeKind::root;
}

}  // namespace

bool is_steps(const Tree& tree, const Node& node) {
  return is_section(tree, node, "steps");
}

bool reads_step(const Expression& expression, const std::function<bool(std::string_view)>& question) {
  const Tree& tree = expression.tree();
  return std::any_of(tree.nodes.begin(), tree.nodes.end(), [&](const Node& node) {
    return node.kind == expressions::NodeKind::dot && is_steps(tree, tree[node.left]) && question(node.name());
  });
}

bool reads_input(const Expression& expression) {
  const Tree& tree = expression.tree();
  return std::any_of(tree.nodes.begin(), tree.nodes.end(),
                     [&](const Node& node) { return is_section(tree, node, "input"); });
}

}  // namespace venvoy::workflow::internal
