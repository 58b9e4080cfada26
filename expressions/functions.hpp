// The functions that expressions may call (spec/expressions.md section 8).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "expressions/error.hpp"
#include "schema/type.hpp"
#include "schema/value.hpp"

namespace venvoy::expressions {

// A function as typing and evaluation see it.
struct Function {
  // The result type from the types of the arguments, which have been checked. Throws an ExpressionError (document).
  using ResultOf = std::function<schema::TypePtr(std::span<const schema::TypePtr>)>;
  // Gets as many arguments as there are parameters, each of the kind of its parameter and none null. Throws an
  // ExpressionError (evaluation) without an offset. It may be called from several threads at once.
  using Callable = std::function<schema::Value(std::span<const schema::Value>)>;

  std::string name;
  std::vector<schema::TypePtr> parameters;
  std::variant<schema::TypePtr, ResultOf> result;
  Callable call;

  // "intToString(integer) string"; the result is "dynamic" where it depends on the arguments.
  std::string signature() const;
};

// Functions by name. Names are case-sensitive.
class Functions {
 public:
  // Replaces a function of the same name.
  void add(Function function);
  // nullptr if there is none of that name.
  const Function* find(std::string_view name) const noexcept;
  // Sorted.
  std::vector<std::string> names() const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept { return std::hash<std::string_view>()(name); }
  };
  std::unordered_map<std::string, Function, Hash, std::equal_to<>> functions_;
};

// The functions of 8.1. readFile and getEnvVar look at the process: its current directory and its environment.
const Functions& builtin_functions();

// Limits of the built-in functions; beyond them they throw.
inline constexpr std::size_t max_read_file_bytes = 64u << 20;
inline constexpr std::int64_t max_format_precision = 1'000'000;

}  // namespace venvoy::expressions
