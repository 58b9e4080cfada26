#include "vectors/tree_text.hpp"

#include <functional>
#include <variant>
#include <vector>

#include "expressions/internal/float_text.hpp"
#include "schema/json.hpp"

namespace venvoy::test {

using expressions::format_float;
using expressions::Node;
using expressions::NodeId;
using expressions::NodeKind;
using expressions::Operator;
using expressions::Tree;
using schema::Kind;

namespace {

// A text, or the node whose text comes here.
using Piece = std::variant<std::string, NodeId>;
using Pieces = std::vector<Piece>;

// Writes the root from the left to the right; a loop, since trees may be deep.
std::string write(const Tree& tree, const std::function<Pieces(const Tree&, const Node&)>& pieces_of) {
  std::string out;
  Pieces to_come = {tree.root()};
  while (!to_come.empty()) {
    const Piece piece = std::move(to_come.back());
    to_come.pop_back();
    if (const auto* text = std::get_if<std::string>(&piece)) {
      out += *text;
    } else {
      const Pieces pieces = pieces_of(tree, tree[std::get<NodeId>(piece)]);
      to_come.insert(to_come.end(), pieces.rbegin(), pieces.rend());
    }
  }
  return out;
}

std::string literal_expression(const schema::Value& value) {
  switch (value.kind()) {
    case Kind::integer:
      return "(int " + std::to_string(value.as_integer()) + ")";
    case Kind::floating:
      return "(float " + format_float(value.as_float(), 'g', -1) + ")";
    case Kind::boolean:
      return value.as_bool() ? "(bool true)" : "(bool false)";
    default:
      return "(str " + schema::write_json(value, {.indent = 0}) + ")";
  }
}

std::string unary_word(Operator op) {
  if (op == Operator::minus) return "neg";
  if (op == Operator::logical_not) return "not";
  return "unary" + std::string(to_text(op));
}

Pieces expression_pieces(const Tree& tree, const Node& node) {
  switch (node.kind) {
    case NodeKind::literal:
      return {literal_expression(node.value)};
    case NodeKind::root:
      return {"(root)"};
    case NodeKind::identifier:
      return {"(id " + node.name() + ")"};
    case NodeKind::dot:
      return {"(dot ", node.left, " " + node.name() + ")"};
    case NodeKind::bracket:
      return {"(index ", node.left, " ", node.right, ")"};
    case NodeKind::function:
      return {node.name()};
    case NodeKind::unary:
      return {"(" + unary_word(node.op) + " ", node.left, ")"};
    case NodeKind::binary:
      return {"(" + std::string(to_text(node.op)) + " ", node.left, " ", node.right, ")"};
    case NodeKind::call:
      break;
  }
  Pieces pieces = {"(call ", node.left};
  for (const NodeId argument : tree.arguments_of(tree[node.left])) pieces.insert(pieces.end(), {" ", argument});
  pieces.emplace_back(")");
  return pieces;
}

std::string literal_text(const schema::Value& value) {
  switch (value.kind()) {
    case Kind::integer:
      return std::to_string(value.as_integer());
    case Kind::floating:
      return format_float(value.as_float(), 'f', -1);
    case Kind::boolean:
      return value.as_bool() ? "true" : "false";
    default:
      return "\"" + value.as_text() + "\"";
  }
}

std::string operator_text(Operator op) {
  return op == Operator::divide ? "÷" : std::string(to_text(op));
}

Pieces canonical_pieces(const Tree& tree, const Node& node) {
  switch (node.kind) {
    case NodeKind::literal:
      return {literal_text(node.value)};
    case NodeKind::root:
      return {"$"};
    case NodeKind::identifier:
    case NodeKind::function:
      return {node.name()};
    case NodeKind::dot:
      return {node.left, "." + node.name()};
    case NodeKind::bracket:
      return {node.left, "[", node.right, "]"};
    case NodeKind::unary:
      return {operator_text(node.op) + "(", node.left, ") "};
    case NodeKind::binary:
      return {"(", node.left, ") " + operator_text(node.op) + " (", node.right, ")"};
    case NodeKind::call:
      break;
  }
  Pieces pieces = {node.left, "("};
  for (const NodeId argument : tree.arguments_of(tree[node.left])) {
    if (pieces.size() > 2) pieces.emplace_back(", ");
    pieces.emplace_back(argument);
  }
  pieces.emplace_back(")");
  return pieces;
}

}  // namespace

std::string s_expression(const Tree& tree) {
  return write(tree, expression_pieces);
}
std::string canonical_text(const Tree& tree) {
  return write(tree, canonical_pieces);
}

}  // namespace venvoy::test
