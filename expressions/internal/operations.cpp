#include "expressions/internal/operations.hpp"

#include <cmath>
#include <optional>
#include <string>

#include "expressions/error.hpp"
#include "expressions/internal/message.hpp"
#include "expressions/internal/numbers.hpp"

namespace venvoy::expressions {

using schema::Kind;
using schema::Value;

namespace {

ExpressionError failure(std::string message, bool absent = false) {
  return ExpressionError(ErrorCode::evaluation, std::move(message), std::nullopt, absent);
}

std::string kind_of(const Value& value) {
  return std::string(schema::to_text(value.kind()));
}

ExpressionError unsupported(Operator op, const Value& value) {
  return failure("the operator '" + std::string(to_text(op)) + "' is not for values of the kind " + kind_of(value));
}

// The six comparisons; nothing for other operators.
template <class T>
std::optional<Value> compare(Operator op, const T& left, const T& right) {
  switch (op) {
    case Operator::equal:
      return left == right;
    case Operator::not_equal:
      return left != right;
    case Operator::greater:
      return left > right;
    case Operator::less:
      return left < right;
    case Operator::greater_equal:
      return left >= right;
    case Operator::less_equal:
      return left <= right;
    default:
      return std::nullopt;
  }
}

std::int64_t quotient(Operator op, std::int64_t left, std::int64_t right) {
  if (right == 0) throw failure(op == Operator::divide ? "integer division by zero" : "integer modulus by zero");
  // The least integer by -1 traps; by wrapping, any integer by -1 is its negation.
  if (right == -1) return op == Operator::divide ? static_cast<std::int64_t>(-static_cast<std::uint64_t>(left)) : 0;
  return op == Operator::divide ? left / right : left % right;
}

Value on_integers(Operator op, const Value& left_value, std::int64_t left, std::int64_t right) {
  const auto a = static_cast<std::uint64_t>(left);
  const auto b = static_cast<std::uint64_t>(right);
  switch (op) {
    case Operator::plus:
      return static_cast<std::int64_t>(a + b);
    case Operator::minus:
      return static_cast<std::int64_t>(a - b);
    case Operator::times:
      return static_cast<std::int64_t>(a * b);
    case Operator::divide:
    case Operator::modulo:
      return quotient(op, left, right);
    case Operator::power:
      return power(left, right);
    default:
      break;
  }
  if (auto result = compare(op, left, right)) return *result;
  throw unsupported(op, left_value);
}

Value on_floats(Operator op, const Value& left_value, double left, double right) {
  switch (op) {
    case Operator::plus:
      return left + right;
    case Operator::minus:
      return left - right;
    case Operator::times:
      return left * right;
    case Operator::divide:
      return left / right;
    case Operator::modulo:
      return std::fmod(left, right);
    case Operator::power:
      return power(left, right);
    default:
      break;
  }
  if (auto result = compare(op, left, right)) return *result;
  throw unsupported(op, left_value);
}

Value on_texts(Operator op, const Value& left, const Value& right) {
  if (op == Operator::plus) return left.as_text() + right.as_text();
  if (auto result = compare(op, left.as_text(), right.as_text())) return *result;
  throw unsupported(op, left);
}

Value on_bools(Operator op, const Value& left, const Value& right) {
  switch (op) {
    case Operator::equal:
      return left.as_bool() == right.as_bool();
    case Operator::not_equal:
      return left.as_bool() != right.as_bool();
    case Operator::logical_and:
      return left.as_bool() && right.as_bool();
    case Operator::logical_or:
      return left.as_bool() || right.as_bool();
    default:
      throw unsupported(op, left);
  }
}

}  // namespace

Value apply_binary(Operator op, const Value& left, const Value& right) {
  if (left.kind() != right.kind())
    throw failure("left kind '" + kind_of(left) + "' and right kind '" + kind_of(right) + "' of the operator '" +
                  std::string(to_text(op)) + "' do not match");
  switch (left.kind()) {
    case Kind::integer:
      return on_integers(op, left, left.as_integer(), right.as_integer());
    case Kind::floating:
      return on_floats(op, left, left.as_float(), right.as_float());
    case Kind::text:
      return on_texts(op, left, right);
    case Kind::boolean:
      return on_bools(op, left, right);
    default:
      throw unsupported(op, left);
  }
}

Value apply_unary(Operator op, const Value& operand) {
  if (op == Operator::minus && operand.kind() == Kind::integer)
    return static_cast<std::int64_t>(-static_cast<std::uint64_t>(operand.as_integer()));
  if (op == Operator::minus && operand.kind() == Kind::floating) return -operand.as_float();
  if (op == Operator::logical_not && operand.kind() == Kind::boolean) return !operand.as_bool();
  throw unsupported(op, operand);
}

namespace {

// 0.0 and -0.0 are the same key and NaN is none, whatever the bits are by which a Map tells keys apart.
const Value* find(const schema::Map& map, const Value& key) {
  if (key.kind() != Kind::floating || (key.as_float() != 0 && !std::isnan(key.as_float()))) return map.find(key);
  if (std::isnan(key.as_float())) return nullptr;
  const Value* found = map.find(Value(0.0));
  return found ? found : map.find(Value(-0.0));
}

ExpressionError missing(const std::string& key, bool absent) {
  return failure("map key " + key + " not found", absent);
}

ExpressionError no_container(const std::string& key, const Value& container) {
  return failure("cannot evaluate identifier " + key + " on a value of the kind " + kind_of(container));
}

ExpressionError no_index(Kind kind) {
  return failure("unsupported slice index type '" + std::string(schema::to_text(kind)) + "': a list takes integers");
}

const Value& item(const schema::List& list, std::int64_t index) {
  const auto size = static_cast<std::int64_t>(list.size());
  if (index >= size || index < -size)
    throw failure((index < 0 ? "negative index " : "index ") + std::to_string(index) +
                  " is larger than the list items length (" + std::to_string(size) + ")");
  return list[static_cast<std::size_t>(index < 0 ? index + size : index)];
}

}  // namespace

const Value& access(const Value& container, const Value& key) {
  if (container.kind() == Kind::list) {
    if (key.kind() != Kind::integer) throw no_index(key.kind());
    return item(container.as_list(), key.as_integer());
  }
  if (container.kind() != Kind::map) throw no_container(key_text(key), container);
  if (key.is_null() || key.kind() == Kind::list || key.kind() == Kind::map || key.kind() == Kind::invalid)
    throw failure("a value of the kind " + kind_of(key) + " cannot be a map key");
  const Value* found = find(container.as_map(), key);
  if (!found) throw missing(key_text(key), false);
  return *found;
}

const Value& access(const Value& container, const std::string& name) {
  if (container.kind() == Kind::list) throw no_index(Kind::text);
  if (container.kind() != Kind::map) throw no_container(excerpt(name), container);
  const Value* found = container.find(name);
  if (!found) throw missing(excerpt(name), true);
  return *found;
}

}  // namespace venvoy::expressions
