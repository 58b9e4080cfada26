#include "workflow/internal/loop_messages.hpp"

#include <memory>

#include "expressions/tree.hpp"
#include "workflow/internal/references.hpp"

namespace venvoy::workflow::internal {
namespace {

using expressions::Node;
using ExpressionKind = expressions::NodeKind;
using expressions::Tree;

// `….name`; objects cannot be taken apart in any other way.
bool takes(const Node& node, std::string_view name) {
  return node.kind == ExpressionKind::dot && node.name() == name;
}

bool is_loop_error(const Tree& tree, const Node& node, const std::function<bool(std::string_view)>& is_loop) {
  if (!takes(node, "error")) return false;
  const Node& stage = tree[node.left];
  if (!takes(stage, "failed")) return false;
  const Node& step = tree[stage.left];
  return step.kind == ExpressionKind::dot && is_steps(tree, tree[step.left]) && is_loop(step.name());
}

}  // namespace

expressions::Expression with_messages_as_errors(const expressions::Expression& expression,
                                                const std::function<bool(std::string_view step)>& is_loop) {
  const Tree& tree = expression.tree();
  std::shared_ptr<Tree> changed;
  for (std::size_t index = 0; index < tree.nodes.size(); ++index) {
    const Node& node = tree.nodes[index];
    if (!takes(node, "messages") || !is_loop_error(tree, tree[node.left], is_loop)) continue;
    if (!changed) changed = std::make_shared<Tree>(tree);
    changed->nodes[index].value = "errors";
  }
  return changed ? expressions::Expression(std::move(changed)) : expression;
}

}  // namespace venvoy::workflow::internal
