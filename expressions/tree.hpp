// The tree of an expression (spec/expressions.md 3.1), for those who walk it: this folder and its tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schema/value.hpp"

namespace venvoy::expressions {

enum class NodeKind : std::uint8_t {
  literal,     // integer, float, bool or text
  root,        // $
  identifier,  // a name at the start of a chain
  dot,         // left.name
  bracket,     // left[right]
  function,    // the name of a call, before its arguments
  call,        // after its arguments; left is the function
  binary,      // left op right
  unary,       // op left
};

// An operator as it is written. `-` and `!` stand before one operand or between two, `!=` too: the grammar lets `a ! b`
// and `!= a` pass, typing does not.
enum class Operator : std::uint8_t {
  plus,
  minus,
  times,
  divide,
  modulo,
  power,
  equal,
  not_equal,
  greater,
  less,
  greater_equal,
  less_equal,
  logical_and,
  logical_or,
  logical_not,
};

// "+", "==", …
std::string_view to_text(Operator op) noexcept;

// Position of a node in Tree::nodes.
using NodeId = std::uint32_t;

struct Node {
  NodeKind kind = NodeKind::literal;
  Operator op = Operator::plus;
  // Stands in parentheses of its own, which are not part of [begin, end).
  bool grouped = false;
  // An identifier that evaluation looks up in the value left of the bracket whose key it starts (6.3).
  bool relative = false;
  // The bytes of the original text that make up the node.
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  NodeId left = 0;
  NodeId right = 0;
  // Of a function: its arguments are Tree::arguments from here on.
  std::uint32_t first_argument = 0;
  std::uint32_t argument_count = 0;
  // A literal's value; the name of an identifier, a dot and a function.
  schema::Value value = {};

  const std::string& name() const { return value.as_text(); }
  // Where the name of a dot stands.
  std::size_t name_offset() const { return end - name().size(); }
};

// Text that the scanner passed over.
struct Comment {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

// Nodes in the order in which they are evaluated: each stands after everything that it is made of, the root of the tree
// last. So every walk is a loop, whatever the expression looks like, and no tree needs a deep stack to be destroyed.
struct Tree {
  std::string text;
  std::vector<Node> nodes;
  std::vector<NodeId> arguments;
  std::vector<Comment> comments;

  NodeId root() const noexcept { return static_cast<NodeId>(nodes.size() - 1); }
  const Node& operator[](NodeId id) const { return nodes[id]; }
  std::span<const NodeId> arguments_of(const Node& function) const {
    return std::span(arguments).subspan(function.first_argument, function.argument_count);
  }
  // The node as the user wrote it.
  std::string_view source(const Node& node) const {
    return std::string_view(text).substr(node.begin, node.end - node.begin);
  }
};

}  // namespace venvoy::expressions
