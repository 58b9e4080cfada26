// An expression that has been parsed (spec/expressions.md).
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "expressions/error.hpp"
#include "expressions/tree.hpp"

namespace venvoy::expressions {

// Immutable; copies share the tree. Made by parse().
class Expression {
 public:
  explicit Expression(std::shared_ptr<const Tree> tree) noexcept : tree_(std::move(tree)) {}

  // The text as it was given to parse(), untrimmed. It is the printed form of the expression.
  const std::string& text() const noexcept { return tree_->text; }
  const Tree& tree() const noexcept { return *tree_; }

 private:
  std::shared_ptr<const Tree> tree_;
};

}  // namespace venvoy::expressions
