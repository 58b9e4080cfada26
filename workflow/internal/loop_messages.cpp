#include "workflow/internal/loop_messages.hpp"

#include <memory>
#include <string>

#include "expressions/tree.hpp"

namespace venvoy::workflow::internal {
namespace {

using expressions::Node;
using ExpressionKind = expressions::NodeKind;
using expressions::Tree;

// The name that a node takes out of what is left of it, as `.name` or `["name"]`; nullptr for every other node.
const std::string* name_of(const Tree& tree, const Node& node) {
  if (node.kind == ExpressionKind::dot) return &node.name();
  if (node.kind != ExpressionKind::bracket) return nullptr;
  const Node& key = tree[node.right];
  return key.kind == ExpressionKind::literal && key.value.kind() == schema::Kind::text ? &key.value.as_text() : nullptr;
}

bool takes(const Tree& tree, const Node& node, std::string_view name) {
  const std::string* taken = name_of(tree, node);
  return taken && *taken == name;
}

// `$.steps`, with or without the dollar.
bool is_steps(const Tree& tree, const Node& node) {
  if (node.kind == ExpressionKind::identifier) return node.name() == "steps";
  return takes(tree, node, "steps") && tree[node.left].kind == ExpressionKind::root;
}

bool is_loop_error(const Tree& tree, const Node& node, const std::function<bool(std::string_view)>& is_loop) {
  if (!takes(tree, node, "error")) return false;
  const Node& stage = tree[node.left];
  if (!takes(tree, stage, "failed")) return false;
  const Node& step = tree[stage.left];
  const std::string* id = name_of(tree, step);
  return id && is_steps(tree, tree[step.left]) && is_loop(*id);
}

}  // namespace

expressions::Expression with_messages_as_errors(const expressions::Expression& expression,
                                                const std::function<bool(std::string_view step)>& is_loop) {
  const Tree& tree = expression.tree();
  std::shared_ptr<Tree> changed;
  for (const Node& node : tree.nodes) {
    if (!takes(tree, node, "messages") || !is_loop_error(tree, tree[node.left], is_loop)) continue;
    if (!changed) changed = std::make_shared<Tree>(tree);
    const auto index = static_cast<std::size_t>(&node - tree.nodes.data());
    Node& name = changed->nodes[node.kind == ExpressionKind::dot ? index : node.right];
    name.value = "errors";
  }
  return changed ? expressions::Expression(std::move(changed)) : expression;
}

}  // namespace venvoy::workflow::internal
