#include "workflow/internal/planner.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "schema/locate.hpp"
#include "schema/read_type.hpp"
#include "workflow/internal/issue_order.hpp"
#include "workflow/internal/namespaces.hpp"

namespace venvoy::workflow::internal {
namespace {

using schema::make_type;
using schema::TypePtr;
using schema::YamlNode;

schema::Property property(TypePtr type, bool required) {
  schema::Property result;
  result.type = std::move(type);
  result.required = required;
  return result;
}

// For types that take no text a written null means "absent" (spec/workflow.md 9-34).
bool is_written_null(const DocValue& value) {
  const auto* literal = std::get_if<DocValue::Literal>(&value.form);
  return literal && literal->value.is_null();
}

// What expressions see of a step: its stages that have outputs, each with the outputs that it may have produced.
TypePtr step_data_type(const PlanStep& step) {
  schema::ObjectType object;
  object.id = step.id();
  for (const Stage& stage : step.lifecycle.stages) {
    if (stage.outputs.empty()) continue;
    schema::ObjectType outputs;
    outputs.id = stage.id;
    for (const StageOutput& output : stage.outputs)
      outputs.properties.emplace_back(output.id, property(output.type, false));
    object.properties.emplace_back(stage.id, property(make_type(std::move(outputs)), true));
  }
  return make_type(std::move(object));
}

}  // namespace

Planner::Planner(std::shared_ptr<const Document> document, const PlanContext& context)
    : document_(std::move(document)), context_(context), plan_(std::make_shared<Plan>()) {
  plan_->document = document_;
}

Checked Planner::plan() {
  read_input();
  add_steps();
  link_input();
  make_data_type();
  add_nodes();
  plan_stages();
  type_unplanned_steps();
  plan_outputs();
  refuse_cycles();
  Checked result;
  sort_by_place(issues_, document_->file);
  if (input_known_ && unplanned_.empty() && !has_errors(issues_)) result.plan = std::move(plan_);
  result.issues = std::move(issues_);
  return result;
}

void Planner::report(Position at, std::string text, std::string hint) {
  issues_.push_back({Severity::error, std::move(at), std::move(text), std::move(hint)});
}

void Planner::report_mismatches(const std::vector<schema::Mismatch>& mismatches, const YamlNode& root,
                                const std::string& frame) {
  for (const schema::Mismatch& mismatch : mismatches)
    report(document_->position(schema::locate(root, mismatch.path)),
           fmt::format("{} ({})", frame, mismatch.sentence()));
}

void Planner::read_input() {
  plan_->input = schema::any_type();
  if (!document_->input) return;
  try {
    plan_->input = schema::read_scope(schema::to_text_value(*document_->input));
    input_known_ = true;
  } catch (const schema::MismatchError& error) {
    report_mismatches(error.mismatches(), *document_->input, "invalid workflow input section");
  }
}

void Planner::add_steps() {
  for (const DocStep& document : document_->steps) {
    PlanStep& step = plan_->steps.emplace_back();
    step.document = &document;
    const bool planned =
        document.kind == "foreach" ? add_loop_step(step) : document.kind == "plugin" && add_plugin_step(step);
    if (!planned) unplanned_.insert(document.id);
  }
}

bool Planner::add_plugin_step(PlanStep& step) {
  const auto source = plugin_of(*document_, *step.document, issues_);
  if (!source) return false;
  const TypePtr deploy = context_.deploy_type(source->deployment_type);
  const KnownPlugin* plugin = context_.plugin(*source);
  if (!deploy || !plugin) return false;
  step.plugin_source = source->source;
  step.deployment_type = source->deployment_type;
  step.plugin = plugin->plugin;

  const DocValue::Entry* name = step.document->find("step");
  const auto text = name ? literal_text(*name) : std::nullopt;
  if (name && (!text || text->empty())) {
    report(*name->value.node, fmt::format("invalid step configuration for {} (Validation failed for 'step': the step "
                                          "of the plugin must be a text)",
                                          step.id()));
    return false;
  }
  const auto ids = plugin->schema->step_ids();
  if (!name && ids.size() != 1) {
    report(*step.document->id_node,
           fmt::format("invalid step configuration for {} (Validation failed for 'step': This field is required: the "
                       "plugin '{}' offers {})",
                       step.id(), source->source, quoted_list(ids)));
    return false;
  }
  step.plugin_step = name ? *text : ids.front();
  const schema::StepSchema* schema = plugin->schema->find(step.plugin_step);
  if (!schema) {
    report(*name->value.node,
           fmt::format("the step '{}' does not exist in the '{}' plugin{}; its steps are {}", step.plugin_step,
                       source->source, did_you_mean(step.plugin_step, ids), quoted_list(ids)));
    return false;
  }
  step.lifecycle = plugin_lifecycle(*schema, source->source, deploy);
  return true;
}

bool Planner::add_loop_step(PlanStep& step) {
  const DocValue::Entry* workflow = step.document->find("workflow");
  const auto file = workflow ? literal_text(*workflow) : std::nullopt;
  if (!file || file->empty()) {
    report(workflow ? *workflow->value.node : *step.document->id_node,
           fmt::format("invalid step configuration for {} (Validation failed for 'workflow': {})", step.id(),
                       workflow ? "the file name must be a text" : "This field is required"));
    return false;
  }
  step.body_file = *file;
  step.body = context_.body(*file);
  if (!step.body) return false;
  const auto& outputs = step.body->outputs;
  const auto success =
      std::find_if(outputs.begin(), outputs.end(), [](const PlanOutput& output) { return output.id == "success"; });
  if (success == outputs.end()) {
    report(*workflow->value.node,
           fmt::format("the referenced workflow must contain an output named 'success': '{}' of step '{}' has none",
                       *file, step.id()));
    return false;
  }
  step.lifecycle = foreach_lifecycle(step.body->input, success->type);
  return true;
}

void Planner::link_input() {
  if (!input_known_) return;
  const auto problems = link_namespaces(*plan_->input, collect_namespaces(plan_->steps));
  if (problems.empty()) return;
  input_known_ = false;
  plan_->input = schema::any_type();
  // What is missing may be what a step that could not be planned would have offered.
  if (unplanned_.empty())
    report_mismatches(problems, *document_->input, "error validating references for workflow input");
}

void Planner::make_data_type() {
  schema::ObjectType steps;
  steps.id = "steps";
  for (const PlanStep& step : plan_->steps)
    steps.properties.emplace_back(step.id(), property(step_data_type(step), true));
  auto root = std::make_shared<schema::ObjectType>();
  root->id = "workflow";
  root->properties.emplace_back("input", property(plan_->input, true));
  root->properties.emplace_back("steps", property(make_type(std::move(steps)), true));
  schema::ScopeType scope;
  scope.root = root->id;
  scope.objects.emplace_back(root->id, root);
  plan_->data = make_type(std::move(scope));
}

void Planner::add_nodes() {
  Graph& graph = plan_->graph;
  plan_->input_node = graph.add_node({NodeKind::input, 0, 0, 0, "input"});
  for (std::uint32_t s = 0; s < plan_->steps.size(); ++s) {
    PlanStep& step = plan_->steps[s];
    for (std::uint32_t g = 0; g < step.lifecycle.stages.size(); ++g) {
      const Stage& stage = step.lifecycle.stages[g];
      PlanStage& planned = step.stages.emplace_back();
      const std::string name = fmt::format("steps.{}.{}", step.id(), stage.id);
      planned.node = graph.add_node({NodeKind::stage, s, g, 0, name});
      for (std::uint32_t o = 0; o < stage.outputs.size(); ++o) {
        planned.outputs.push_back(graph.add_node({NodeKind::stage_output, s, g, o, name + "." + stage.outputs[o].id}));
        graph.add_edge(planned.node, planned.outputs.back(), EdgeKind::hard);
      }
    }
    for (std::size_t g = 0; g < step.stages.size(); ++g)
      for (const Stage::Dependency& dependency : step.lifecycle.stages[g].dependencies)
        graph.add_edge(step.stages[dependency.stage].node, step.stages[g].node, dependency.kind);
  }
}

void Planner::plan_stages() {
  for (std::size_t s = 0; s < plan_->steps.size(); ++s)
    for (std::size_t g = 0; g < plan_->steps[s].lifecycle.stages.size(); ++g)
      for (std::size_t f = 0; f < plan_->steps[s].lifecycle.stages[g].fields.size(); ++f) plan_field(s, g, f);
}

void Planner::plan_field(std::size_t s, std::size_t g, std::size_t f) {
  PlanStep& step = plan_->steps[s];
  const Stage& stage = step.lifecycle.stages[g];
  const StageField& field = stage.fields[f];
  const DocValue::Entry* entry = step.document->find(field.name);
  if (entry && is_written_null(entry->value) && field.type->id() != schema::TypeId::any) entry = nullptr;
  if (!entry) {
    // A key that was meant to be this one has been told of.
    const auto is_field = [&](const auto& key_and_value) {
      const auto& known = step_keys(step.document->kind);
      const std::string& key = key_and_value.first.text;
      return std::find(known.begin(), known.end(), key) == known.end() && nearest(key, known) == field.name;
    };
    const auto& written = step.document->node->entries;
    if (field.required && std::none_of(written.begin(), written.end(), is_field))
      report(*step.document->id_node, fmt::format("required input '{}' of type '{}' not found for step '{}'",
                                                  field.name, field.type->name(), step.id()));
    return;
  }
  const auto refuse = [&](Position at, const std::string& why) {
    report(std::move(at),
           fmt::format("input validation failed for workflow step '{}' stage '{}' ({})", step.id(), stage.id, why));
  };
  if (!field.disabled_reason.empty())
    return refuse(document_->position(*entry->key_node),
                  fmt::format("Validation failed for '{}': error due to attempting to use disabled property: {}",
                              field.name, field.disabled_reason));
  TypedValue typed = type_value(entry->value, step.stages[g].node, fmt::format("steps.{}.{}", step.id(), field.name));
  for (schema::Mismatch mismatch : schema::incompatibilities(*field.type, typed.given)) {
    mismatch.path.insert(mismatch.path.begin(), field.name);
    refuse(mismatch.at.known() ? mismatch.at : document_->position(*entry->value.node), mismatch.sentence());
  }
  step.stages[g].fields.push_back({f, std::move(typed.value)});
}

void Planner::type_unplanned_steps() {
  for (const PlanStep& step : plan_->steps) {
    if (!unplanned_.count(step.id())) continue;
    const NodeId container = add_group("steps." + step.id());
    for (const DocValue::Entry& entry : step.document->fields)
      type_value(entry.value, container, fmt::format("steps.{}.{}", step.id(), entry.key));
  }
}

void Planner::plan_outputs() {
  for (const DocValue::Entry& entry : document_->outputs) {
    PlanOutput output;
    output.id = entry.key;
    output.error = entry.key == "error";
    output.node = plan_->graph.add_node(
        {NodeKind::workflow_output, static_cast<std::uint32_t>(plan_->outputs.size()), 0, 0, "outputs." + entry.key});
    plan_output(output, entry);
    plan_->outputs.push_back(std::move(output));
  }
}

void Planner::plan_output(PlanOutput& output, const DocValue::Entry& entry) {
  const std::size_t untyped_before = issues_.size() + untypable_;
  TypedValue typed = type_value(entry.value, output.node, "outputs." + entry.key);
  output.value = std::move(typed.value);
  if (issues_.size() + untypable_ != untyped_before) return;
  const auto& schemas = document_->output_schemas;
  const auto declared =
      std::find_if(schemas.begin(), schemas.end(), [&](const auto& schema) { return schema.first == entry.key; });
  const std::string frame = fmt::format(
      "cannot read/infer workflow output schema for output {0} (unable to infer output schema for {0}", entry.key);
  try {
    output.type = schema::infer_type(typed.given, "inferred_schema_" + entry.key);
  } catch (const Error& error) {
    return report(error.position().known() ? error.position() : document_->position(*entry.value.node),
                  fmt::format("{} (failed to infer data type ({})))", frame, error.what()));
  }
  const schema::TypeId root = output.type->id();
  if (root != schema::TypeId::object && root != schema::TypeId::scope)
    return report(
        document_->position(*entry.value.node),
        fmt::format("{} (invalid type for output root object: {} (must be an object)))", frame, output.type->name()),
        fmt::format("an output is a map: '{}: {{NAME: …}}'", entry.key));
  if (declared != schemas.end()) declare_output(output, entry, typed, *declared->second);
}

void Planner::declare_output(PlanOutput& output, const DocValue::Entry& entry, const TypedValue& typed,
                             const YamlNode& declaration) {
  static const std::vector<std::string> keys = {"display", "error", "schema"};
  const std::string frame = fmt::format("invalid output schema for output '{}'", entry.key);
  const YamlNode* scope = declaration.find("schema");
  if (!scope)
    return report(declaration, fmt::format("{} (Validation failed for 'schema': This field is required)", frame));
  for (const auto& [key, value] : declaration.entries)
    if (std::find(keys.begin(), keys.end(), key.text) == keys.end())
      report(key, fmt::format("{} (Invalid parameter '{}', expected one of: {}{})", frame, key.text,
                              fmt::join(keys, ", "), did_you_mean(key.text, keys)));
  output.error = false;
  try {
    if (const YamlNode* error = declaration.find("error"))
      output.error = schema::unserialize(*schema::bool_type(), schema::to_text_value(*error)).as_bool();
  } catch (const schema::MismatchError& error) {
    report_mismatches(error.mismatches(), *declaration.find("error"), frame);
  }
  try {
    output.type = schema::read_scope(schema::to_text_value(*scope));
  } catch (const schema::MismatchError& error) {
    return report_mismatches(error.mismatches(), *scope, frame);
  }
  for (const schema::Mismatch& mismatch : schema::unreadable_parts(*output.type, typed.given))
    report(mismatch.at.known() ? mismatch.at : document_->position(*entry.value.node),
           fmt::format("output '{}' does not fit its declared schema ({})", entry.key, mismatch.sentence()));
}

void Planner::refuse_cycles() {
  for (const std::vector<NodeId>& cycle : plan_->graph.find_cycles()) {
    // The steps, each once in a row: people think in steps, the stages are details.
    std::vector<std::string> steps;
    std::size_t first_step = 0;
    for (const NodeId id : cycle) {
      const GraphNode& node = plan_->graph.node(id);
      if (node.kind != NodeKind::stage && node.kind != NodeKind::stage_output) continue;
      const std::string& name = plan_->steps[node.step].id();
      if (steps.empty()) first_step = node.step;
      if (steps.empty() || steps.back() != name) steps.push_back(name);
    }
    if (steps.size() == 1) steps.push_back(steps.front());
    report(*plan_->steps[first_step].document->id_node,
           fmt::format("your workflow has a cycle: {} (each step needs the one before it)", fmt::join(steps, " -> ")));
  }
}

}  // namespace venvoy::workflow::internal

namespace venvoy::workflow {

Checked make_plan(std::shared_ptr<const Document> document, const PlanContext& context) {
  return internal::Planner(std::move(document), context).plan();
}

std::optional<std::size_t> Plan::find_step(std::string_view id) const noexcept {
  const auto place = std::find_if(steps.begin(), steps.end(), [&](const PlanStep& step) { return step.id() == id; });
  if (place == steps.end()) return std::nullopt;
  return static_cast<std::size_t>(place - steps.begin());
}

}  // namespace venvoy::workflow
