#include "workflow/internal/workflow_run.hpp"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "schema/check.hpp"
#include "schema/json.hpp"
#include "workflow/internal/foreach_step.hpp"
#include "workflow/internal/plugin_step.hpp"
#include "workflow/internal/resolve.hpp"

namespace venvoy::workflow::internal {

namespace asio = boost::asio;
using schema::Value;
using Clock = std::chrono::steady_clock;

namespace {

// A run without an observer tells nobody.
RunObserver& nobody() {
  static RunObserver observer;
  return observer;
}

// What a failed step says of itself: the first line of it, "" if the output is none of the engine's own failures.
std::string reason_in(const Stage& stage, const Value& data) {
  const Value* text = nullptr;
  if (stage.id == "crashed") text = data.find("output");
  if (stage.id == "deploy_failed") text = data.find("error");
  if (!text || text->kind() != schema::Kind::text) return {};
  const std::string_view all = text->as_text();
  return fmt::format(" ({})", all.substr(0, all.find('\n')));
}

std::unique_ptr<StepRun> make_step_run(WorkflowRun& run, std::size_t index) {
  if (run.plan().steps[index].is_loop()) return std::make_unique<ForeachStepRun>(run, index);
  return std::make_unique<PluginStepRun>(run, index);
}

}  // namespace

RunPlace RunPlace::inside(const std::string& loop_step, std::size_t index) const {
  if (loop.empty()) return {loop_step, std::to_string(index)};
  return {fmt::format("{}.{}", loop, loop_step), fmt::format("{}.{}", item, index)};
}

WorkflowRun::WorkflowRun(std::shared_ptr<const Plan> plan, const RunSetting& setting, Logger logger, RunPlace place)
    : plan_(std::move(plan)),
      setting_(setting),
      logger_(std::move(logger)),
      place_(std::move(place)),
      graph_(plan_->graph),
      outputs_left_(plan_->outputs.size()),
      endings_(plan_->steps.size()),
      change_(setting.executor) {}

RunObserver& WorkflowRun::observer() const noexcept {
  return setting_.options.observer ? *setting_.options.observer : nobody();
}

asio::awaitable<RunResult> WorkflowRun::execute(Value input) {
  data_.emplace(std::move(input));
  begin();
  while (!decided() && !abort_) {
    co_await change_.wait(deadline_);
    if (deadline_ && Clock::now() >= *deadline_ && !abort_)
      abort_ = Error(ErrorCode::timed_out, "workflow execution aborted (the time of the run is over)");
  }
  close_steps();
  // After an abort the closing of the steps may still make an output possible, or show that none is (6.6).
  const Clock::time_point until = Clock::now() + setting_.options.abort_wait;
  while (!decided() && live_steps_ > 0 && Clock::now() < until) co_await change_.wait(until);
  while (live_steps_ > 0) co_await change_.wait();
  co_return result();
}

void WorkflowRun::begin() {
  steps_.reserve(plan_->steps.size());
  for (std::size_t index = 0; index < plan_->steps.size(); ++index) {
    data_->add_step(plan_->steps[index].id());
    steps_.push_back(make_step_run(*this, index));
  }
  if (abort_) close_steps();  // before any of them begins
  graph_.resolve(plan_->input_node);
  live_steps_ = steps_.size();
  for (std::size_t index = 0; index < steps_.size(); ++index)
    asio::co_spawn(setting_.executor, run_step(index), [](std::exception_ptr) {});
  settle();
}

asio::awaitable<void> WorkflowRun::run_step(std::size_t index) {
  StepRun& step = *steps_[index];
  try {
    co_await step.live();
  } catch (const std::exception& error) {
    fail(Error(ErrorCode::internal,
               fmt::format("bug: step {} failed in an unforeseen way: {}", plan_->steps[index].id(), error.what())));
  }
  --live_steps_;
  change_.notify();
}

void WorkflowRun::abort() {
  if (!abort_) abort_ = Error(ErrorCode::cancelled, "workflow execution aborted (context canceled)");
  change_.notify();
}

void WorkflowRun::fail(Error error) {
  // What fails because of an abort does not hide why the run has ended.
  if (abort_) error = Error(abort_->code(), fmt::format("{} ({})", abort_->what(), error.what()));
  failures_.push_back(std::move(error));
  change_.notify();
}

void WorkflowRun::close_steps() {
  for (const auto& step : steps_) step->request_close();
}

// --- what steps tell -------------------------------------------------------------------------------------------------

void WorkflowRun::stage_ended(std::size_t step, std::size_t stage) {
  graph_.resolve(plan_->steps[step].stages[stage].node);
}

void WorkflowRun::stage_ended(std::size_t step_index, std::size_t stage_index, std::size_t output, Value data) {
  const PlanStep& step = plan_->steps[step_index];
  const Stage& stage = step.lifecycle.stages[stage_index];
  const PlanStage& planned = step.stages[stage_index];
  endings_[step_index] = fmt::format("{}.{}{}", stage.id, stage.outputs[output].id, reason_in(stage, data));
  log_output(step, stage.outputs[output], data);
  logger_.debug("{}.{}", plan_->graph.node(planned.node).name, stage.outputs[output].id);
  // The data is there before anybody who depends on it is told.
  data_->set_output(step.id(), stage.id, stage.outputs[output].id, std::move(data));
  graph_.resolve(planned.node);
  graph_.resolve(planned.outputs[output]);
  for (const NodeId other : planned.outputs)
    if (other != planned.outputs[output]) graph_.make_impossible(other);
}

void WorkflowRun::stages_impossible(std::size_t step, std::initializer_list<std::size_t> stages) {
  for (const std::size_t stage : stages) {
    const PlanStage& planned = plan_->steps[step].stages[stage];
    if (graph_.resolved(planned.node)) continue;
    for (const NodeId output : planned.outputs) graph_.make_impossible(output);
    graph_.make_impossible(planned.node);
  }
}

void WorkflowRun::log_output(const PlanStep& step, const StageOutput& output, const Value& data) const {
  const auto& levels = setting_.options.logged_outputs;
  const auto level = levels.find(output.id);
  if (level == levels.end() || !logger_.enabled(level->second)) return;
  const auto& shown = setting_.options.shown_in_logs;
  const std::string text = schema::write_json(shown ? shown(data) : data, {.indent = 0});
  logger_.with("source", "workflow")
      .write(level->second,
             fmt::format("Output ID for step \"{}\" is \"{}\".\nOutput data: \"{}\"", step.id(), output.id, text));
}

// --- what follows from it --------------------------------------------------------------------------------------------

void WorkflowRun::settle() {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> due;
  std::optional<std::size_t> output;
  while (!decided() && graph_.has_next()) {
    const NodeId id = graph_.next();
    const GraphNode& node = plan_->graph.node(id);
    if (graph_.status(id) == NodeStatus::impossible) {
      handle_impossible(node);
    } else if (node.kind == NodeKind::group) {
      graph_.resolve(id);
    } else if (node.kind == NodeKind::workflow_output) {
      output = std::min<std::size_t>(output.value_or(node.step), node.step);
    } else if (node.kind == NodeKind::stage) {
      due.emplace_back(node.step, node.stage);
    }
  }
  if (decided()) return;
  // An output ends the run, so nothing is begun beside it. Of several the first in the file wins.
  if (output) return build_output(*output);
  for (const auto& [step, stage] : due) give_stage(step, stage);
  look_for_deadlock();
}

void WorkflowRun::handle_impossible(const GraphNode& node) {
  if (node.kind == NodeKind::workflow_output) {
    if (--outputs_left_ == 0)
      fail(Error(ErrorCode::evaluation, "all outputs marked as unresolvable: " + why_impossible()));
    return;
  }
  if (node.kind != NodeKind::stage) return;
  // The step does not notice that a stage of its own cannot be reached, so what would follow it is marked here.
  if (plan_->steps[node.step].is_loop()) {
    if (node.stage == position(ForeachStage::execute)) stages_impossible(node.step, {position(ForeachStage::failed)});
  } else if (node.stage == position(PluginStage::starting)) {
    stages_impossible(node.step, {position(PluginStage::crashed)});
  } else if (node.stage == position(PluginStage::deploy)) {
    stages_impossible(node.step, {position(PluginStage::deploy_failed)});
  }
}

void WorkflowRun::give_stage(std::size_t step, std::size_t stage) {
  if (plan_->steps[step].lifecycle.stages[stage].fields.empty()) return;
  try {
    steps_[step]->provide(stage, stage_fields(plan_->steps[step], stage));
  } catch (const Error& error) {
    fail(error);
  }
}

schema::Map WorkflowRun::stage_fields(const PlanStep& step, std::size_t stage) const {
  const ResolveContext context{*plan_, graph_, data_->root()};
  const std::string& node = plan_->graph.node(step.stages[stage].node).name;
  schema::Map fields;
  for (const PlanField& planned : step.stages[stage].fields) {
    const StageField& field = step.lifecycle.stages[stage].fields[planned.field];
    try {
      std::optional<Value> value = resolve(planned.value, context);
      const bool absent = !value || (value->is_null() && field.type->id() != schema::TypeId::any);
      const schema::Mismatch missing{{}, "This field is required", {}};
      if (absent && field.required) throw schema::MismatchError({missing});
      if (absent) continue;
      fields.insert(field.name, schema::unserialize(*field.type, *value, {.fill_defaults = false}));
    } catch (const schema::MismatchError& error) {
      schema::Mismatch first = error.mismatches().front();
      const PlanValue* optional = find_optional(planned.value, first.path);
      first.path.insert(first.path.begin(), field.name);
      std::string text = fmt::format("schema evaluation resulted in invalid data for {} ({})", node, first.sentence());
      if (optional)
        text += fmt::format("; its {} '{}' gave nothing", optional->node->tag,
                            std::get<PlanValue::Expression>(optional->form).expression.text());
      Error failure(ErrorCode::schema, std::move(text));
      throw failure.at(planned.value.node->position(plan_->document->file));
    } catch (Error& error) {
      throw error.add_frame(fmt::format("cannot resolve expressions for {}", node));
    }
  }
  return fields;
}

void WorkflowRun::build_output(std::size_t index) {
  const PlanOutput& output = plan_->outputs[index];
  const std::string& node = plan_->graph.node(output.node).name;
  try {
    std::optional<Value> data = resolve(output.value, {*plan_, graph_, data_->root()});
    if (!data) throw Error(ErrorCode::evaluation, "the output is absent");
    const auto& schemas = plan_->document->output_schemas;
    const bool declared =
        std::any_of(schemas.begin(), schemas.end(), [&](const auto& schema) { return schema.first == output.id; });
    // An inferred schema says nothing that the data does not say itself.
    if (declared) schema::unserialize(*output.type, *data);
    graph_.resolve(output.node);
    output_ = RunResult{std::nullopt, output.id, schema::nulls_as_written(*data), output.error};
    change_.notify();
  } catch (const schema::MismatchError& error) {
    fail(Error(ErrorCode::schema,
               fmt::format("output schema cannot unserialize output data of '{}' ({})", output.id, error.what())));
  } catch (Error& error) {
    fail(error.add_frame(fmt::format("cannot resolve expressions for {}", node)));
  }
}

void WorkflowRun::look_for_deadlock() {
  if (decided() || abort_ || graph_.has_next()) return;
  if (!std::all_of(steps_.begin(), steps_.end(), [](const auto& step) { return step->idle(); })) return;
  fail(Error(ErrorCode::internal,
             "no steps running, no more executable steps; cannot construct any output: " + what_is_waited_for()));
}

std::string WorkflowRun::why_impossible() const {
  std::vector<std::string> reasons;
  for (const PlanOutput& output : plan_->outputs) {
    NodeId root = output.node;
    while (graph_.cause(root) != no_node) root = graph_.cause(root);
    const GraphNode& node = plan_->graph.node(root);
    std::string reason = fmt::format("output '{}' needs {}", output.id, node.name);
    if ((node.kind == NodeKind::stage || node.kind == NodeKind::stage_output) && !endings_[node.step].empty())
      reason += fmt::format(", but step '{}' ended with {}", plan_->steps[node.step].id(), endings_[node.step]);
    reasons.push_back(std::move(reason));
  }
  return fmt::format("{}", fmt::join(reasons, "; "));
}

std::string WorkflowRun::what_is_waited_for() const {
  std::vector<std::string> reasons;
  for (const PlanOutput& output : plan_->outputs) {
    std::vector<std::string> missing;
    for (const auto& [from, kind] : plan_->graph.dependencies(output.node))
      if (graph_.status(from) == NodeStatus::waiting) missing.push_back(plan_->graph.node(from).name);
    reasons.push_back(fmt::format("output '{}' waits for {}", output.id, fmt::join(missing, ", ")));
  }
  return fmt::format("{}", fmt::join(reasons, "; "));
}

RunResult WorkflowRun::result() const {
  if (output_) return *output_;
  RunResult result;
  result.failure = failures_.empty() ? abort_ : all_failures();
  return result;
}

// Each once, in the words of spec/workflow.md 5.8; the first decides the code and the place.
Error WorkflowRun::all_failures() const {
  std::vector<std::string> texts;
  for (const Error& failure : failures_)
    if (std::find(texts.begin(), texts.end(), failure.what()) == texts.end()) texts.emplace_back(failure.what());
  const Error& first = failures_.front();
  if (texts.size() == 1) return first;
  Error all(first.code(), fmt::format("multiple errors: {}", fmt::join(texts, "; ")));
  return all.at(first.position()).with_hint(first.hint());
}

}  // namespace venvoy::workflow::internal
