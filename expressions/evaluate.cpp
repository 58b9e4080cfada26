#include "expressions/evaluate.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "expressions/internal/message.hpp"
#include "expressions/internal/operations.hpp"

namespace venvoy::expressions {

using schema::Kind;
using schema::Value;

namespace {

// The kind of the values that go where a type stands; nothing for `any`.
std::optional<Kind> kind_of(schema::TypeId type) {
  using schema::TypeId;
  switch (type) {
    case TypeId::boolean:
      return Kind::boolean;
    case TypeId::string:
    case TypeId::pattern:
    case TypeId::enum_string:
      return Kind::text;
    case TypeId::integer:
    case TypeId::enum_integer:
      return Kind::integer;
    case TypeId::floating:
      return Kind::floating;
    case TypeId::list:
      return Kind::list;
    case TypeId::any:
      return std::nullopt;
    default:
      return Kind::map;
  }
}

// Runs over the nodes as they stand in the tree and keeps the values of those that wait for their parent on a stack.
class Evaluation {
 public:
  Evaluation(const Tree& tree, const Value& root, const Functions& functions)
      : tree_(tree), root_(root), functions_(functions) {
    stack_.reserve(8);
  }

  Value run() {
    for (const Node& node : tree_.nodes) {
      try {
        step(node);
      } catch (const ExpressionError& error) {
        throw located(error, tree_, node);
      }
    }
    return stack_.back().value();
  }

 private:
  // A value that is part of something longer-lived, or one that has just been made.
  struct Slot {
    const Value* part = nullptr;
    Value made;
    const Value& value() const { return part ? *part : made; }
  };

  void step(const Node& node);
  void identifier(const Node& node);
  void bracket();
  void binary(Operator op);
  const Function& function(const Node& node) const;
  void call(const Node& node);

  void push(const Value& part) { stack_.push_back({&part, {}}); }
  void replace_top(Value value) { stack_.back() = {nullptr, std::move(value)}; }
  // The top becomes a part of itself.
  void narrow_top(const Value& part) {
    if (stack_.back().part) {
      stack_.back().part = &part;
    } else {
      replace_top(Value(part));
    }
  }

  const Tree& tree_;
  const Value& root_;
  const Functions& functions_;
  std::vector<Slot> stack_;
};

void Evaluation::step(const Node& node) {
  switch (node.kind) {
    case NodeKind::literal:
      return push(node.value);
    case NodeKind::root:
      return push(root_);
    case NodeKind::identifier:
      return identifier(node);
    case NodeKind::dot:
      return narrow_top(access(stack_.back().value(), node.name()));
    case NodeKind::bracket:
      return bracket();
    case NodeKind::function:
      function(node);
      return;
    case NodeKind::call:
      return call(tree_[node.left]);
    case NodeKind::binary:
      return binary(node.op);
    case NodeKind::unary:
      return replace_top(apply_unary(node.op, stack_.back().value()));
  }
}

// The value left of a bracket is on the top of the stack while its key starts.
void Evaluation::identifier(const Node& node) {
  if (!node.relative) return push(access(root_, node.name()));
  try {
    Slot found = {nullptr, access(stack_.back().value(), node.name())};
    stack_.push_back(std::move(found));
  } catch (const ExpressionError& error) {
    // No property of an object is missing here, but a key of a map.
    ExpressionError result(error.code(), error.message());
    result.with_hint("a bare name in brackets is looked up in the value left of them: write '$." + node.name() + "'");
    throw result;
  }
}

void Evaluation::bracket() {
  const Slot key = std::move(stack_.back());
  stack_.pop_back();
  narrow_top(access(stack_.back().value(), key.value()));
}

void Evaluation::binary(Operator op) {
  const Slot right = std::move(stack_.back());
  stack_.pop_back();
  replace_top(apply_binary(op, stack_.back().value(), right.value()));
}

const Function& Evaluation::function(const Node& node) const {
  if (const Function* function = functions_.find(node.name())) return *function;
  throw ExpressionError(ErrorCode::evaluation, "could not find function '" + excerpt(node.name()) + "'");
}

void check_arguments(const Function& function, const std::vector<Value>& arguments) {
  const auto fail = [&](const std::string& problem) {
    throw ExpressionError(ErrorCode::evaluation, "invalid call to function '" + function.name + "'. " + problem +
                                                     ". Function schema: " + function.signature());
  };
  if (arguments.size() != function.parameters.size())
    fail("Expected " + std::to_string(function.parameters.size()) + " args, got " + std::to_string(arguments.size()) +
         " args");
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::optional<Kind> expected = kind_of(function.parameters[i]->id());
    const Kind given = arguments[i].kind();
    if (given == Kind::null || (expected && given != *expected))
      fail("Argument " + std::to_string(i + 1) + " is of the kind " + std::string(schema::to_text(given)));
  }
}

void Evaluation::call(const Node& node) {
  const std::size_t count = node.argument_count;
  std::vector<Value> arguments;
  arguments.reserve(count);
  for (std::size_t i = stack_.size() - count; i < stack_.size(); ++i) arguments.push_back(stack_[i].value());
  stack_.resize(stack_.size() - count);
  const Function& called = function(node);
  check_arguments(called, arguments);
  stack_.push_back({nullptr, called.call(arguments)});
}

}  // namespace

Value evaluate(const Expression& expression, const Value& root, const Functions& functions) {
  return Evaluation(expression.tree(), root, functions).run();
}

}  // namespace venvoy::expressions
