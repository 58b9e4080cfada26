#include "workflow/lint.hpp"

#include <fmt/format.h>

#include "expressions/lint.hpp"

namespace venvoy::workflow {
namespace {

class ExpressionLint {
 public:
  explicit ExpressionLint(const Document& document) : document_(document) {}

  void look_at(const DocValue& value) {
    if (const auto* expression = std::get_if<DocValue::Expression>(&value.form)) {
      warn(value, expression->expression);
    } else if (const auto* optional = std::get_if<DocValue::Optional>(&value.form)) {
      warn(value, optional->expression);
    } else if (const auto* one_of = std::get_if<DocValue::OneOf>(&value.form)) {
      for (const DocValue::Entry& option : one_of->options) look_at(option.value);
    } else if (const auto* items = std::get_if<DocValue::Items>(&value.form)) {
      for (const DocValue& item : *items) look_at(item);
    } else if (const auto* entries = std::get_if<DocValue::Entries>(&value.form)) {
      for (const DocValue::Entry& entry : *entries) look_at(entry.value);
    }
  }

  Issues take() { return std::move(issues_); }

 private:
  void warn(const DocValue& value, const expressions::Expression& expression) {
    for (const expressions::Warning& warning : expressions::surprising_rules(expression))
      issues_.push_back(
          {Severity::warning, value.node->position_in_text(document_.file, warning.offset), warning.text, {}});
  }

  const Document& document_;
  Issues issues_;
};

class OptionalLint {
 public:
  explicit OptionalLint(const Document& document) : document_(document) {}

  void look_at(const PlanValue& value, const schema::TypePtr& type) {
    if (const auto* items = std::get_if<PlanValue::Items>(&value.form)) {
      const auto* list = type->as<schema::ListType>();
      if (list)
        for (const PlanValue& item : *items) look_at(item, list->items);
    } else if (const auto* entries = std::get_if<PlanValue::Entries>(&value.form)) {
      if (const schema::ObjectPtr object = schema::object_of(type))
        for (const PlanValue::Entry& entry : *entries) look_at_property(entry, *object);
    }
  }

  Issues take() { return std::move(issues_); }

 private:
  void look_at_property(const PlanValue::Entry& entry, const schema::ObjectType& object) {
    const schema::Property* property = object.find(entry.key);
    if (!property) return;
    const auto* expression = std::get_if<PlanValue::Expression>(&entry.value.form);
    if (!expression || expression->optional_group == no_node) return look_at(entry.value, property->type);
    if (!property->required || property->default_value) return;
    issues_.push_back({Severity::warning, document_.position(*entry.value.node),
                       fmt::format("'{}' is required, but its value is {} and may not come: the run then fails",
                                   entry.key, entry.value.node->tag),
                       "give the step an `enabled`, or use !oneof with something to fall back to"});
  }

  const Document& document_;
  Issues issues_;
};

}  // namespace

Issues surprising_expressions(const Document& document) {
  ExpressionLint lint(document);
  for (const DocStep& step : document.steps)
    for (const DocValue::Entry& field : step.fields) lint.look_at(field.value);
  for (const DocValue::Entry& output : document.outputs) lint.look_at(output.value);
  return lint.take();
}

Issues optional_in_required(const Plan& plan) {
  OptionalLint lint(*plan.document);
  for (const PlanStep& step : plan.steps)
    for (std::size_t stage = 0; stage < step.stages.size(); ++stage)
      for (const PlanField& field : step.stages[stage].fields)
        lint.look_at(field.value, step.lifecycle.stages[stage].fields[field.field].type);
  return lint.take();
}

}  // namespace venvoy::workflow
