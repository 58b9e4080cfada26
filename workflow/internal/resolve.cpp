#include "workflow/internal/resolve.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "expressions/evaluate.hpp"
#include "expressions/functions.hpp"

namespace venvoy::workflow::internal {
namespace {

using schema::Value;

std::optional<Value> resolve_expression(const PlanValue& value, const PlanValue::Expression& expression,
                                        const ResolveContext& context) {
  const bool optional = expression.optional_group != no_node;
  if (optional && !context.graph.resolved(expression.optional_group)) return std::nullopt;
  try {
    Value result = expressions::evaluate(expression.expression, context.data, expressions::builtin_functions());
    if (optional && result.is_null() && !result.null_text()) return std::nullopt;
    return result;
  } catch (expressions::ExpressionError& error) {
    if (optional && error.absent()) return std::nullopt;
    Error wrapped(ErrorCode::evaluation,
                  fmt::format("the expression '{}' failed: {}", expression.expression.text(), error.what()));
    wrapped.at(value.node->position(context.plan.document->file));
    throw wrapped;
  }
}

Value resolve_one_of(const PlanValue& value, const PlanValue::OneOf& one_of, const ResolveContext& context) {
  for (std::size_t index = 0; index < one_of.options.size(); ++index) {
    if (!context.graph.resolved(one_of.groups[index])) continue;
    std::optional<Value> option = resolve(one_of.options[index].value, context);
    if (!option || option->kind() != schema::Kind::map) {
      Error error(ErrorCode::evaluation,
                  fmt::format("the option '{}' of !oneof is no object: it is {}", one_of.options[index].key,
                              option ? schema::to_text(option->kind()) : "absent"));
      throw error.at(value.node->position(context.plan.document->file));
    }
    schema::Map map = option->take_map();
    map.set(one_of.discriminator, one_of.options[index].key);
    return map;
  }
  throw std::logic_error("a !oneof is evaluated before one of its options is there");
}

}  // namespace

std::optional<Value> resolve(const PlanValue& value, const ResolveContext& context) {
  if (const auto* literal = std::get_if<Value>(&value.form)) return *literal;
  if (const auto* expression = std::get_if<PlanValue::Expression>(&value.form))
    return resolve_expression(value, *expression, context);
  if (const auto* one_of = std::get_if<PlanValue::OneOf>(&value.form)) return resolve_one_of(value, *one_of, context);
  if (const auto* items = std::get_if<PlanValue::Items>(&value.form)) {
    schema::List list;
    list.reserve(items->size());
    for (const PlanValue& item : *items)
      if (std::optional<Value> resolved = resolve(item, context)) list.push_back(std::move(*resolved));
    return Value(std::move(list));
  }
  schema::Map map;
  for (const PlanValue::Entry& entry : std::get<PlanValue::Entries>(value.form))
    if (std::optional<Value> resolved = resolve(entry.value, context)) map.insert(entry.key, std::move(*resolved));
  return Value(std::move(map));
}

const PlanValue* find_optional(const PlanValue& value, const schema::Path& path) {
  const PlanValue* current = &value;
  for (const std::string& segment : path) {
    const auto* entries = std::get_if<PlanValue::Entries>(&current->form);
    if (!entries) return nullptr;
    const auto entry =
        std::find_if(entries->begin(), entries->end(), [&](const auto& candidate) { return candidate.key == segment; });
    if (entry == entries->end()) return nullptr;
    current = &entry->value;
  }
  const auto* expression = std::get_if<PlanValue::Expression>(&current->form);
  return expression && expression->optional_group != no_node ? current : nullptr;
}

}  // namespace venvoy::workflow::internal
