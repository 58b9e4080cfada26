// What an expression depends on (spec/expressions.md section 7).
#pragma once

#include <cstddef>
#include <vector>

#include "expressions/expression.hpp"
#include "expressions/functions.hpp"
#include "schema/type.hpp"
#include "schema/value.hpp"

namespace venvoy::expressions {

// Which paths are reported, and how much of them (7.3).
struct DependencyFilter {
  bool exclude_data_root_paths = false;
  bool exclude_function_root_paths = false;
  bool stop_at_terminals = false;
  bool include_keys = false;
};

// How the engine asks.
inline constexpr DependencyFilter engine_filter = {.exclude_function_root_paths = true, .stop_at_terminals = true};

struct DependencyPath {
  // "$" or the name of a function, then names as texts and keys as what they are.
  std::vector<schema::Value> elements = {};
  // Where the path starts in the original text of the expression.
  std::size_t offset = 0;
};

// Each path once, in the order in which they appear in the text. `root` is a scope, an object or `any`. Throws what
// infer() throws.
std::vector<DependencyPath> dependencies(const Expression& expression, const schema::TypePtr& root,
                                         const Functions& functions, const DependencyFilter& filter);

}  // namespace venvoy::expressions
