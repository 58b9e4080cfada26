#include "expressions/internal/type_walk.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/text.hpp"
#include "expressions/internal/message.hpp"
#include "schema/check.hpp"

namespace venvoy::expressions {

using schema::TypeId;
using schema::TypePtr;

namespace {

ExpressionError wrong(std::string message, std::optional<std::size_t> offset = {}, const std::string& hint = {}) {
  ExpressionError error(ErrorCode::document, std::move(message), offset);
  if (!hint.empty()) error.with_hint(hint);
  return error;
}

std::string name_of(const TypePtr& type) {
  return std::string(type->name());
}

class TypeWalk {
 public:
  TypeWalk(const Tree& tree, const TypePtr& root, const Functions& functions)
      : tree_(tree), root_(root), functions_(functions), types_(tree.nodes.size()) {}

  std::vector<TypePtr> run() {
    for (NodeId id = 0; id < tree_.nodes.size(); ++id) {
      try {
        types_[id] = type_of(tree_[id]);
      } catch (const ExpressionError& error) {
        throw located(error, tree_, tree_[id]);
      }
      check_if_argument(id);
    }
    return std::move(types_);
  }

 private:
  // A call whose arguments are being typed.
  struct OpenCall {
    NodeId node;
    const Function* function;
    std::size_t checked = 0;
  };

  TypePtr type_of(const Node& node);
  TypePtr property(const TypePtr& left, const Node& name) const;
  TypePtr bracket(const TypePtr& left, const TypePtr& key) const;
  TypePtr unary(const Node& node) const;
  TypePtr binary(const Node& node) const;
  void open_call(const Node& node);
  void check_if_argument(NodeId id);
  TypePtr close_call(const Node& node);

  const Tree& tree_;
  const TypePtr& root_;
  const Functions& functions_;
  std::vector<TypePtr> types_;
  std::vector<OpenCall> calls_;
};

const TypePtr& literal_type(const schema::Value& value) {
  switch (value.kind()) {
    case schema::Kind::boolean:
      return schema::bool_type();
    case schema::Kind::integer:
      return schema::integer_type();
    case schema::Kind::floating:
      return schema::float_type();
    default:
      return schema::string_type();
  }
}

TypePtr TypeWalk::type_of(const Node& node) {
  switch (node.kind) {
    case NodeKind::literal:
      return literal_type(node.value);
    case NodeKind::root:
      return root_;
    case NodeKind::identifier:
      return property(root_, node);
    case NodeKind::dot:
      return property(types_[node.left], node);
    case NodeKind::bracket:
      return bracket(types_[node.left], types_[node.right]);
    case NodeKind::unary:
      return unary(node);
    case NodeKind::binary:
      return binary(node);
    case NodeKind::function:
      open_call(node);
      return nullptr;
    case NodeKind::call:
      return close_call(tree_[node.left]);
  }
  return nullptr;
}

// What the writer of a name may have meant that is no property.
std::string property_hint(const std::string& name, const std::vector<std::string>& properties, bool is_function) {
  if (is_function) return "'" + name + "' is a function: call it with parentheses";
  if (name[0] >= '0' && name[0] <= '9')
    return "'" + name +
           "' is read as a name: an integer has no leading zero, a float has a point, and there are no other notations";
  const auto hyphenated = std::find_if(properties.begin(), properties.end(),
                                       [&](const std::string& other) { return other.starts_with(name + "-"); });
  if (hyphenated == properties.end()) return {};
  return "'-' subtracts; expressions cannot name '" + *hyphenated + "'";
}

TypePtr TypeWalk::property(const TypePtr& left, const Node& node) const {
  const std::string& name = node.name();
  if (left->id() == TypeId::any) return left;
  const schema::ObjectPtr object = schema::object_of(left);
  if (!object) {
    const bool by_key = left->id() == TypeId::map || left->id() == TypeId::list;
    throw wrong("cannot evaluate expression identifier " + excerpt(name) + " on data type " + name_of(left), {},
                by_key ? "the values of a " + name_of(left) + " are reached by brackets" : "");
  }
  if (const schema::Property* found = object->find(name)) return found->type;
  std::vector<std::string> names = object->property_names();
  std::sort(names.begin(), names.end());
  const bool is_function = node.kind == NodeKind::identifier && functions_.find(name);
  throw wrong("object " + object->id + " does not have a property named \"" + excerpt(name) + "\"" +
                  did_you_mean(name, names) + (names.empty() ? "" : " (properties: " + quoted_list(names) + ")"),
              {}, property_hint(name, names, is_function));
}

TypePtr TypeWalk::bracket(const TypePtr& left, const TypePtr& key) const {
  if (left->id() == TypeId::any) return left;
  if (const auto* map = left->as<schema::MapType>()) {
    if (key->id() != map->keys->id())
      throw wrong("the key is of the type '" + name_of(key) + "', the map has keys of the type '" + name_of(map->keys) +
                  "'");
    return map->values;
  }
  if (const auto* list = left->as<schema::ListType>()) {
    if (key->id() != TypeId::integer)
      throw wrong("the index of a list is of the type 'integer', not '" + name_of(key) + "'");
    return list->items;
  }
  if (schema::object_of(left))
    throw wrong("bracket ([]) access is not supported for object/scope/ref types: please use dot notation");
  throw wrong("bracket ([]) access is only supported on 'map', 'list' and 'any' types; " + name_of(left) + " given");
}

TypePtr TypeWalk::unary(const Node& node) const {
  const TypePtr& operand = types_[node.left];
  const TypeId id = operand->id();
  if (node.op == Operator::minus) {
    // With its constraints, of which the value need not know (12, number 14).
    if (id == TypeId::integer || id == TypeId::floating) return operand;
    throw wrong("attempted negation operation on non-numeric type \"" + name_of(operand) + "\"");
  }
  if (node.op != Operator::logical_not)
    throw wrong("'" + std::string(to_text(node.op)) + "' needs a value on its left");
  if (id == TypeId::boolean) return operand;
  throw wrong("attempted 'not' operation on non-boolean type \"" + name_of(operand) + "\"");
}

// The operand types that an operator takes (5.2).
std::vector<TypeId> accepted_types(Operator op) {
  switch (op) {
    case Operator::plus:
    case Operator::greater:
    case Operator::less:
    case Operator::greater_equal:
    case Operator::less_equal:
      return {TypeId::integer, TypeId::floating, TypeId::string};
    case Operator::minus:
    case Operator::times:
    case Operator::divide:
    case Operator::modulo:
    case Operator::power:
      return {TypeId::integer, TypeId::floating};
    case Operator::equal:
    case Operator::not_equal:
      return {TypeId::integer, TypeId::floating, TypeId::string, TypeId::boolean};
    case Operator::logical_and:
    case Operator::logical_or:
      return {TypeId::boolean};
    case Operator::logical_not:
      break;
  }
  return {};
}

// The type without constraints.
const TypePtr& plain_type(TypeId id) {
  switch (id) {
    case TypeId::integer:
      return schema::integer_type();
    case TypeId::floating:
      return schema::float_type();
    case TypeId::string:
      return schema::string_type();
    default:
      return schema::bool_type();
  }
}

bool is_arithmetic(Operator op) {
  return op <= Operator::power;
}

void check_operand(const Tree& tree, const Node& node, NodeId operand, const TypePtr& type, std::string_view side) {
  const std::vector<TypeId> accepted = accepted_types(node.op);
  if (std::find(accepted.begin(), accepted.end(), type->id()) != accepted.end()) return;
  std::vector<std::string> names;
  for (const TypeId id : accepted) names.emplace_back(to_text(id));
  const bool opaque = type->id() == TypeId::any;
  throw wrong("invalid type \"" + name_of(type) + "\" of the " + std::string(side) + " side '" +
                  excerpt(tree.source(tree[operand])) + "' for binary operation \"" + std::string(to_text(node.op)) +
                  "\" (it takes " + quoted_list(names) + ")",
              tree[operand].begin, opaque ? "values of the type 'any' can be passed on, but not computed with" : "");
}

std::string mixed_hint(TypeId left, TypeId right) {
  const auto pair = [&](TypeId one, TypeId other) {
    return (left == one && right == other) || (left == other && right == one);
  };
  if (pair(TypeId::integer, TypeId::floating)) return "intToFloat() converts; nothing is converted by itself";
  if (pair(TypeId::integer, TypeId::string)) return "intToString() and stringToInt() convert";
  if (pair(TypeId::floating, TypeId::string)) return "floatToString() and stringToFloat() convert";
  return {};
}

TypePtr TypeWalk::binary(const Node& node) const {
  if (node.op == Operator::logical_not) throw wrong("'!' cannot stand between two values", {}, "did you mean '!='?");
  const TypePtr& left = types_[node.left];
  const TypePtr& right = types_[node.right];
  check_operand(tree_, node, node.left, left, "left");
  check_operand(tree_, node, node.right, right, "right");
  if (left->id() != right->id())
    throw wrong("left (" + name_of(left) + ") and right (" + name_of(right) + ") types do not match", {},
                mixed_hint(left->id(), right->id()));
  return is_arithmetic(node.op) ? plain_type(left->id()) : schema::bool_type();
}

void TypeWalk::open_call(const Node& node) {
  const Function* function = functions_.find(node.name());
  if (!function)
    throw wrong("could not find function '" + excerpt(node.name()) + "'" +
                did_you_mean(node.name(), functions_.names()));
  if (node.argument_count != function->parameters.size())
    throw wrong("invalid call to function '" + function->name + "'. Expected " +
                std::to_string(function->parameters.size()) + " args, got " + std::to_string(node.argument_count) +
                " args. Function schema: " + function->signature());
  calls_.push_back({static_cast<NodeId>(&node - tree_.nodes.data()), function});
}

// An argument is compared with its parameter as soon as it has a type.
void TypeWalk::check_if_argument(NodeId id) {
  if (calls_.empty()) return;
  OpenCall& call = calls_.back();
  const auto arguments = tree_.arguments_of(tree_[call.node]);
  if (call.checked == arguments.size() || arguments[call.checked] != id) return;
  const std::vector<schema::Mismatch> problems =
      schema::incompatibilities(*call.function->parameters[call.checked], *types_[id]);
  ++call.checked;
  if (problems.empty()) return;
  throw located(wrong("error while validating arg/param type compatibility for function '" + call.function->name +
                          "' at 0-index " + std::to_string(call.checked - 1) + " (" + problems.front().sentence() +
                          "; function schema: " + call.function->signature() + ")",
                      tree_[id].begin),
                tree_, tree_[id]);
}

TypePtr TypeWalk::close_call(const Node& node) {
  const Function& function = *calls_.back().function;
  calls_.pop_back();
  if (const auto* type = std::get_if<TypePtr>(&function.result)) return *type;
  std::vector<TypePtr> arguments;
  for (const NodeId argument : tree_.arguments_of(node)) arguments.push_back(types_[argument]);
  return std::get<Function::ResultOf>(function.result)(arguments);
}

}  // namespace

std::vector<TypePtr> node_types(const Tree& tree, const TypePtr& root, const Functions& functions) {
  return TypeWalk(tree, root, functions).run();
}

}  // namespace venvoy::expressions
