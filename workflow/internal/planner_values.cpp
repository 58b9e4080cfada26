// The part of the planner that types values and finds their dependencies.
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "expressions/dependencies.hpp"
#include "expressions/functions.hpp"
#include "expressions/infer.hpp"
#include "workflow/internal/loop_messages.hpp"
#include "workflow/internal/planner.hpp"
#include "workflow/internal/references.hpp"

namespace venvoy::workflow::internal {
namespace {

using schema::Given;

std::string path_text(const std::vector<schema::Value>& path) {
  std::string text;
  for (const schema::Value& element : path) {
    if (!text.empty()) text += '.';
    text += element.kind() == schema::Kind::text ? element.as_text() : schema::describe(element);
  }
  return text;
}

const std::string* text_at(const std::vector<schema::Value>& path, std::size_t index) {
  if (index >= path.size() || path[index].kind() != schema::Kind::text) return nullptr;
  return &path[index].as_text();
}

// What an expression error says of the expression as a whole, which stands before it already.
std::string without_repetition(std::string message, const std::string& expression) {
  for (const char* words : {" of the expression '", " in '"}) {
    const std::string end = words + expression + "'";
    if (message.ends_with(end)) message.resize(message.size() - end.size());
  }
  return message;
}

bool is_literal(const TypedValue& typed) {
  return std::holds_alternative<schema::Value>(typed.value.form);
}

}  // namespace

TypedValue Planner::type_value(const DocValue& value, NodeId container, const std::string& path) {
  TypedValue typed;
  if (std::holds_alternative<DocValue::Broken>(value.form)) {
    typed.given.form = schema::TypePtr();
  } else if (const auto* literal = std::get_if<DocValue::Literal>(&value.form)) {
    typed.value.form = literal->value;
    typed.given.form = literal->value;
  } else if (const auto* expression = std::get_if<DocValue::Expression>(&value.form)) {
    typed = type_expression(value, expression->expression, container, path);
  } else if (const auto* optional = std::get_if<DocValue::Optional>(&value.form)) {
    typed = type_optional(value, *optional, container, path);
  } else if (const auto* one_of = std::get_if<DocValue::OneOf>(&value.form)) {
    typed = type_one_of(*one_of, container, path);
  } else if (const auto* items = std::get_if<DocValue::Items>(&value.form)) {
    typed = type_items(*items, container, path);
  } else {
    typed = type_entries(std::get<DocValue::Entries>(value.form), container, path);
  }
  typed.value.node = value.node;
  typed.given.at = document_->position(*value.node);
  return typed;
}

TypedValue Planner::type_expression(const DocValue& value, const expressions::Expression& written, NodeId container,
                                    const std::string& path) {
  const auto is_loop = [&](std::string_view id) {
    const auto step = plan_->find_step(id);
    return step && plan_->steps[*step].is_loop();
  };
  const expressions::Expression expression = with_messages_as_errors(written, is_loop);
  TypedValue typed;
  typed.value.form = PlanValue::Expression{expression, no_node};
  typed.given.form = schema::TypePtr();
  if (is_untypable(expression)) {
    ++untypable_;
    return typed;
  }
  try {
    typed.given.form = expressions::infer(expression, plan_->data, expressions::builtin_functions());
    depend_on(expression, value, container, path);
  } catch (const expressions::ExpressionError& error) {
    report(place_in(value, error.offset()),
           fmt::format("cannot type the expression '{}' at {} ({})", expression.text(), path,
                       without_repetition(error.what(), expression.text())),
           error.hint());
  }
  return typed;
}

bool Planner::is_untypable(const expressions::Expression& expression) const {
  // Without the section `steps`, which has been told of, every step is one that is not there.
  const bool no_steps = document_->steps.empty();
  const auto is_unplanned = [&](std::string_view step) { return no_steps || unplanned_.count(step) != 0; };
  return reads_step(expression, is_unplanned) || (!input_known_ && reads_input(expression));
}

TypedValue Planner::type_optional(const DocValue& value, const DocValue::Optional& optional, NodeId container,
                                  const std::string& path) {
  const bool wait = optional.wait == DocValue::Wait::until_decided;
  const NodeId group = add_group(path);
  plan_->graph.add_edge(group, container, wait ? EdgeKind::completion : EdgeKind::soft);
  TypedValue typed = type_expression(value, optional.expression, group, path);
  std::get<PlanValue::Expression>(typed.value.form).optional_group = group;
  return typed;
}

TypedValue Planner::type_one_of(const DocValue::OneOf& one_of, NodeId container, const std::string& path) {
  const NodeId group = add_group(path);
  plan_->graph.add_edge(group, container, EdgeKind::hard);
  PlanValue::OneOf planned{one_of.discriminator, {}, {}};
  Given::OneOf given{one_of.discriminator, {}};
  for (const DocValue::Entry& option : one_of.options) {
    const std::string option_path = path + "." + option.key;
    const NodeId node = add_group(option_path);
    plan_->graph.add_edge(node, group, EdgeKind::option);
    TypedValue typed = type_value(option.value, node, option_path);
    planned.options.push_back({option.key, std::move(typed.value)});
    planned.groups.push_back(node);
    given.options.push_back({option.key, std::move(typed.given), false, document_->position(*option.key_node)});
  }
  TypedValue result;
  result.value.form = std::move(planned);
  result.given.form = std::move(given);
  return result;
}

TypedValue Planner::type_items(const DocValue::Items& items, NodeId container, const std::string& path) {
  PlanValue::Items planned;
  Given::Items given;
  schema::List literals;
  for (std::size_t index = 0; index < items.size(); ++index) {
    const std::string item_path = fmt::format("{}.{}", path, index);
    if (std::holds_alternative<DocValue::Optional>(items[index].form))
      report(*items[index].node, fmt::format("{} cannot be an item of a list: at {} there would be a hole",
                                             items[index].node->tag, item_path));
    TypedValue typed = type_value(items[index], container, item_path);
    if (is_literal(typed)) literals.push_back(std::get<schema::Value>(typed.value.form));
    planned.push_back(std::move(typed.value));
    given.push_back(std::move(typed.given));
  }
  TypedValue result;
  if (literals.size() == items.size())
    result.value.form = schema::Value(std::move(literals));
  else
    result.value.form = std::move(planned);
  result.given.form = std::move(given);
  return result;
}

TypedValue Planner::type_entries(const DocValue::Entries& entries, NodeId container, const std::string& path) {
  PlanValue::Entries planned;
  Given::Entries given;
  schema::Map literals;
  for (const DocValue::Entry& entry : entries) {
    TypedValue typed = type_value(entry.value, container, path + "." + entry.key);
    if (is_literal(typed)) literals.insert(entry.key, std::get<schema::Value>(typed.value.form));
    planned.push_back({entry.key, std::move(typed.value)});
    const bool optional = std::holds_alternative<DocValue::Optional>(entry.value.form);
    given.push_back({entry.key, std::move(typed.given), optional, document_->position(*entry.key_node)});
  }
  TypedValue result;
  if (literals.size() == entries.size())
    result.value.form = schema::Value(std::move(literals));
  else
    result.value.form = std::move(planned);
  result.given.form = std::move(given);
  return result;
}

void Planner::depend_on(const expressions::Expression& expression, const DocValue& value, NodeId container,
                        const std::string& path) {
  const auto paths =
      expressions::dependencies(expression, plan_->data, expressions::builtin_functions(), expressions::engine_filter);
  for (const expressions::DependencyPath& dependency : paths) {
    const Position at = place_in(value, dependency.offset);
    const NodeId node = node_of(dependency.elements, at, path);
    if (node != no_node) plan_->graph.add_edge(node, container, EdgeKind::hard);
  }
}

NodeId Planner::node_of(const std::vector<schema::Value>& path, const Position& at, const std::string& where) {
  const auto refuse = [&](std::string_view why) {
    report(at, fmt::format("failed to build dependency tree for '{}' (invalid dependency {}: {})", where,
                           path_text(path), why));
    return no_node;
  };
  const std::string* section = text_at(path, 1);
  if (!section) return refuse("'$' is everything; name what is needed, like $.input or $.steps.STEP.outputs");
  if (*section == "input") return plan_->input_node;
  const std::string* step_id = text_at(path, 2);
  const std::string* stage_id = text_at(path, 3);
  if (!step_id || !stage_id) return refuse("a step is named with one of its stages, like $.steps.STEP.outputs");
  // Both exist: the expression has been typed.
  const PlanStep& step = plan_->steps[*plan_->find_step(*step_id)];
  const auto& stages = step.lifecycle.stages;
  const auto stage =
      std::find_if(stages.begin(), stages.end(), [&](const Stage& candidate) { return candidate.id == *stage_id; });
  const PlanStage& planned = step.stages[static_cast<std::size_t>(stage - stages.begin())];
  const std::string* output_id = text_at(path, 4);
  return output_id ? planned.outputs[*stage->find_output(*output_id)] : planned.node;
}

NodeId Planner::add_group(const std::string& name) {
  return plan_->graph.add_node({NodeKind::group, 0, 0, 0, name});
}

Position Planner::place_in(const DocValue& value, std::optional<std::size_t> offset) const {
  // The text of a `!ordisabled` is not the text of both its expressions.
  if (!offset || value.node->tag == "!ordisabled") return document_->position(*value.node);
  return value.node->position_in_text(document_->file, *offset);
}

}  // namespace venvoy::workflow::internal
