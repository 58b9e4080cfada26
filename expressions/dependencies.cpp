#include "expressions/dependencies.hpp"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>

#include "expressions/internal/message.hpp"
#include "expressions/internal/type_walk.hpp"

namespace venvoy::expressions {

using schema::TypeId;
using schema::TypePtr;
using schema::Value;

namespace {

enum class ElementKind { root, function, access, past_terminal, key };  // 7.1

struct Element {
  ElementKind kind;
  Value value;
};

struct Chain {
  std::vector<Element> elements;  // none: this is no chain that depends on anything
  std::size_t offset = 0;
};

// Builds the path of every access chain, each at the node where it ends.
class Chains {
 public:
  Chains(const Tree& tree, const TypePtr& root, const Functions& functions)
      : tree_(tree), root_(root), types_(node_types(tree, root, functions)), at_(tree.nodes.size()) {}

  // In the order of their appearance in the text.
  std::vector<Chain> run() {
    for (NodeId id = 0; id < tree_.nodes.size(); ++id) at_[id] = chain_at(tree_[id]);
    std::erase_if(at_, [](const Chain& chain) { return chain.elements.empty(); });
    std::stable_sort(at_.begin(), at_.end(),
                     [](const Chain& left, const Chain& right) { return left.offset < right.offset; });
    return std::move(at_);
  }

 private:
  Chain chain_at(const Node& node) {
    switch (node.kind) {
      case NodeKind::root:
        return start(node, ElementKind::root, "$");
      case NodeKind::identifier:
        return bare(node);
      case NodeKind::call:
        return start(node, ElementKind::function, tree_[node.left].value);
      case NodeKind::dot:
        return dot(node);
      case NodeKind::bracket:
        return bracket(node);
      default:
        return {};
    }
  }

  static Chain start(const Node& node, ElementKind kind, Value value) {
    return {{{kind, std::move(value)}}, node.begin};
  }

  // Under `any` a bare identifier depends on nothing (7.5).
  Chain bare(const Node& node) {
    if (root_->id() == TypeId::any) return {};
    Chain chain = start(node, ElementKind::root, "$");
    chain.elements.push_back({ElementKind::access, node.value});
    return chain;
  }

  // The chain goes on here: the part on the left is no path of its own.
  Chain take_left(const Node& node) { return std::exchange(at_[node.left], {}); }

  Chain dot(const Node& node) {
    Chain chain = take_left(node);
    const bool past = types_[node.left]->id() == TypeId::any;
    if (!chain.elements.empty())
      chain.elements.push_back({past ? ElementKind::past_terminal : ElementKind::access, node.value});
    return chain;
  }

  Chain bracket(const Node& node) {
    Chain chain = take_left(node);
    const Node& key = tree_[node.right];
    if (!chain.elements.empty() && key.kind == NodeKind::literal)
      chain.elements.push_back({ElementKind::key, key.value});
    return chain;
  }

  const Tree& tree_;
  const TypePtr& root_;
  std::vector<TypePtr> types_;
  std::vector<Chain> at_;
};

bool is_excluded(const Chain& chain, const DependencyFilter& filter) {
  return chain.elements.front().kind == ElementKind::root ? filter.exclude_data_root_paths
                                                          : filter.exclude_function_root_paths;
}

DependencyPath filtered(Chain chain, const DependencyFilter& filter) {
  DependencyPath path{.offset = chain.offset};
  for (Element& element : chain.elements) {
    if (filter.stop_at_terminals && element.kind == ElementKind::past_terminal) break;
    if (element.kind == ElementKind::key && !filter.include_keys) continue;
    path.elements.push_back(std::move(element.value));
  }
  return path;
}

// What makes two paths equal: their elements, printed (7.2).
std::string printed(const DependencyPath& path) {
  std::string text;
  for (const Value& element : path.elements)
    text += "." + (element.kind() == schema::Kind::text ? element.as_text() : key_text(element));
  return text;
}

}  // namespace

std::vector<DependencyPath> dependencies(const Expression& expression, const TypePtr& root, const Functions& functions,
                                         const DependencyFilter& filter) {
  std::vector<DependencyPath> paths;
  std::unordered_set<std::string> seen;
  for (Chain& chain : Chains(expression.tree(), root, functions).run()) {
    if (is_excluded(chain, filter)) continue;
    DependencyPath path = filtered(std::move(chain), filter);
    if (seen.insert(printed(path)).second) paths.push_back(std::move(path));
  }
  return paths;
}

}  // namespace venvoy::expressions
