// The life of a plugin step (spec/workflow.md 4.2 to 4.4).
#include "workflow/internal/plugin_step.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "schema/check.hpp"
#include "workflow/internal/background.hpp"
#include "workflow/internal/gate_answer.hpp"
#include "workflow/internal/workflow_run.hpp"

namespace venvoy::workflow::internal {

namespace asio = boost::asio;
using deployer::Plugin;
using deployer::PluginProcess;
using deployer::StepAnswer;
using schema::Value;
using enum PluginStage;

namespace {

constexpr std::chrono::milliseconds default_closure_wait{5000};

std::chrono::microseconds since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
}

schema::Map object(std::initializer_list<std::pair<Value, Value>> entries) {
  return schema::Map(entries);
}

// What a `stop_if` means: everything stops the step but the boolean false and the texts that read as false
// (spec/workflow.md 9-2).
bool asks_to_stop(const Value& value) {
  if (value.kind() == schema::Kind::boolean) return value.as_bool();
  if (value.kind() != schema::Kind::text) return true;
  try {
    return schema::unserialize(*schema::bool_type(), value).as_bool();
  } catch (const schema::MismatchError&) {
    return true;
  }
}

}  // namespace

PluginStepRun::PluginStepRun(WorkflowRun& run, std::size_t index)
    : StepRun(run, index), title_(fmt::format("{}/{}", id(), step().plugin_step)) {}

void PluginStepRun::provide(std::size_t stage, schema::Map fields) {
  if (stage == position(PluginStage::cancelled)) {
    const Value* stop = fields.find("stop_if");
    if (stop && !cancelled_ && !finished() && asks_to_stop(*stop)) {
      logger_.info("Cancelling step {}", title_);
      cancelled_ = true;
    }
  }
  StepRun::provide(stage, std::move(fields));
}

asio::awaitable<void> PluginStepRun::live() {
  bool due = co_await wait_for(position(deploy));
  if (!due) co_return end_closed();
  const std::shared_ptr<Plugin> plugin = co_await deploy_plugin();
  if (!plugin) co_return;

  due = co_await wait_for(position(enabling));
  if (!due) co_return end_closed();
  if (!is_enabled()) co_return end_disabled();
  run_.stages_impossible(index_, {position(disabled)});
  run_.stage_ended(index_, position(enabling), 0, object({{"enabled", true}}));
  run_.settle();

  due = co_await wait_for(position(starting));
  if (!due) co_return end_closed();
  co_await run_plugin(*plugin);
}

// Null when the step has ended here.
asio::awaitable<std::shared_ptr<Plugin>> PluginStepRun::deploy_plugin() {
  const auto begin = std::chrono::steady_clock::now();
  std::shared_ptr<Plugin> plugin = step().plugin;
  if (const Value* settings = given(position(deploy))->find("deploy")) {
    std::optional<Error> failure;
    try {
      auto deployer = run_.setting().deployers.with_settings(step().deployment_type, *settings);
      deployer::PrepareContext context{logger_, &run_.observer(), {}};
      plugin = co_await deployer->prepare(step().plugin_source, std::move(context));
    } catch (const Error& error) {
      failure = error;
    }
    if (failure) {
      end_deploy_failed(*failure);
      co_return nullptr;
    }
  }
  const deployer::PluginFacts& facts = plugin->facts();
  run_.observer().step_deployed(
      {run_.name_of(step()), facts.reference, facts.version, facts.environment, since(begin)});
  run_.stage_ended(index_, position(deploy));
  // Known from here on, also when the step then waits for ever for something that does not come.
  run_.stages_impossible(index_, {position(deploy_failed)});
  run_.settle();
  co_return plugin;
}

bool PluginStepRun::is_enabled() const {
  const Value* enabled = given(position(enabling))->find("enabled");
  return !enabled || (enabled->kind() == schema::Kind::boolean && enabled->as_bool());
}

asio::awaitable<void> PluginStepRun::run_plugin(Plugin& plugin) {
  const auto begin = std::chrono::steady_clock::now();
  const schema::StepSchema& schema = *plugin.schema()->find(step().plugin_step);
  Value input = *given(position(starting))->find("input");
  std::unique_ptr<PluginProcess> process;
  std::optional<Error> failure;
  try {
    input = co_await ask_gate(schema, std::move(input));
    process = co_await start_process(plugin);
  } catch (const Error& error) {
    failure = error;
  } catch (const std::exception& error) {
    failure = Error(ErrorCode::internal, error.what());
  }
  if (failure && !stopping()) co_return end_start_failed(*failure);
  if (stopping() || !process) {
    end_closed();
    if (process) co_await process->close();
    co_return;
  }
  run_.observer().step_started({run_.name_of(step()), step().plugin_step, input, since(begin), process->node()});
  process->listen([this](LogLevel level, std::string_view line) {
    run_.observer().step_log({run_.name_of(step()), level, std::string(line)});
  });
  run_.stage_ended(index_, position(starting), 0, schema::Map());
  run_.settle();

  StepAnswer answer;
  try {
    answer = co_await run_in(*process, schema, std::move(input));
  } catch (const Error& error) {
    failure = error;
  } catch (const std::exception& error) {
    failure = Error(ErrorCode::internal, error.what());  // whatever it is, the step has to come to its end
  }
  if (failure)
    end_run_failed(*failure);
  else
    end_with_output(schema, std::move(answer));
  co_await process->close();
}

asio::awaitable<Value> PluginStepRun::ask_gate(const schema::StepSchema& schema, Value input) {
  ActionGate* gate = run_.setting().options.gate;
  if (!gate) co_return input;
  StepQuestion question{run_.plan().document->file, step().plugin_source, id(), step().plugin_step, input};
  GateDecision decision;
  try {
    decision = co_await gate->may_run_step(std::move(question));
  } catch (const Error& error) {
    decision = denial(error);
  }
  if (!decision.allowed) throw Error(ErrorCode::denied, "a policy has denied the step: " + decision.reason);
  if (decision.input) input = replaced_input(*schema.input, *decision.input, {.fill_defaults = false});
  co_return input;
}

asio::awaitable<std::unique_ptr<PluginProcess>> PluginStepRun::start_process(Plugin& plugin) {
  const auto on_done = [this] { wake(); };
  Background<std::unique_ptr<PluginProcess>> start(run_.setting().executor, plugin.start(logger_, &run_.observer()),
                                                   on_done);
  bool told = false;
  while (!start.done()) {
    if (stopping() && !std::exchange(told, true)) start.cancel();
    co_await change_.wait();
  }
  try {
    co_return start.take();
  } catch (const boost::system::system_error&) {
    if (!stopping()) throw;
    co_return nullptr;  // cancelled
  }
}

asio::awaitable<StepAnswer> PluginStepRun::run_in(PluginProcess& process, const schema::StepSchema& schema,
                                                  Value input) {
  using Clock = std::chrono::steady_clock;
  const auto on_done = [this] { wake(); };
  Background<StepAnswer> answer(run_.setting().executor, process.run(id(), step().plugin_step, std::move(input)),
                                on_done);
  std::string forced;
  bool asked = false;
  std::optional<Clock::time_point> deadline;
  while (!answer.done()) {
    if (stopping() && !std::exchange(asked, true)) {
      if (schema.can_cancel()) {
        deadline = Clock::now() + closure_wait();
        co_await process.signal(id(), "cancel", schema::Map());
        continue;
      }
      logger_.warning("Force closing step {}: it has no cancel handler", title_);
      forced = "step forced closed after timeout without result";
      process.kill();
    }
    if (deadline && Clock::now() >= *deadline) {
      forced = "step closed after timeout without result";
      deadline.reset();
      process.kill();
    }
    co_await change_.wait(deadline);
  }
  try {
    co_return answer.take();
  } catch (const Error& error) {
    if (forced.empty()) throw;
    throw Error(ErrorCode::cancelled, forced);
  }
}

std::chrono::milliseconds PluginStepRun::closure_wait() const {
  const Value* wait = given(position(starting))->find("closure_wait_timeout");
  return wait ? std::chrono::milliseconds(wait->as_integer()) : default_closure_wait;
}

// The six ways to end; each tells the run everything at once.

void PluginStepRun::end_deploy_failed(const Error& error) {
  logger_.warning("Plugin step {} deploy failed. {}", title_, error.what());
  run_.stage_ended(index_, position(deploy_failed), 0, object({{"error", error.what()}}));
  run_.stages_impossible(index_, {position(deploy), position(enabling), position(disabled), position(starting),
                                  position(running), position(outputs), position(closed), position(crashed)});
  finish(Outcome::failed, deploy_failed, "error", {}, error.what());
}

void PluginStepRun::end_disabled() {
  const std::string message = fmt::format("Step {} disabled", title_);
  logger_.info("{}", message);
  const Value data = object({{"message", message}});
  run_.stage_ended(index_, position(enabling), 0, object({{"enabled", false}}));
  run_.stage_ended(index_, position(disabled), 0, data);
  run_.stages_impossible(index_, {position(starting), position(running), position(outputs), position(closed),
                                  position(deploy_failed), position(crashed)});
  finish(Outcome::disabled, disabled, "output", data, {});
}

void PluginStepRun::end_closed() {
  const Value data = object({{"cancelled", cancelled_}, {"close_requested", close_requested_ && !cancelled_}});
  run_.stages_impossible(index_, {position(deploy), position(enabling), position(disabled), position(starting),
                                  position(running), position(outputs), position(deploy_failed), position(crashed)});
  run_.stage_ended(index_, position(closed), 0, data);
  finish(Outcome::cancelled, closed, "result", data, {});
}

void PluginStepRun::end_start_failed(const Error& error) {
  logger_.warning("Plugin step {} start failed. {}", title_, error.what());
  run_.stages_impossible(
      index_, {position(starting), position(running), position(outputs), position(closed), position(deploy_failed)});
  run_.stage_ended(index_, position(crashed), 0, object({{"output", error.what()}}));
  finish(Outcome::failed, crashed, "error", {}, error.what());
}

void PluginStepRun::end_run_failed(const Error& error) {
  logger_.warning("Plugin step {} run failed. {}", title_, error.what());
  run_.stage_ended(index_, position(running));
  run_.stages_impossible(index_, {position(outputs), position(closed), position(deploy_failed)});
  run_.stage_ended(index_, position(crashed), 0, object({{"output", error.what()}}));
  finish(Outcome::failed, crashed, "error", {}, error.what());
}

void PluginStepRun::end_with_output(const schema::StepSchema& schema, StepAnswer answer) {
  const schema::StepOutputSchema* output = schema.find_output(answer.output_id);
  if (!output) {
    std::vector<std::string> ids;
    for (const auto& [declared, unused] : schema.outputs) ids.push_back(declared);
    return end_run_failed(
        Error(ErrorCode::plugin, fmt::format("the plugin ended with the output '{}', which its schema does not "
                                             "declare; declared are {}",
                                             answer.output_id, quoted_list(ids))));
  }
  try {
    // Only the check counts: expressions read the data as the plugin has sent it (spec/workflow.md 5.10).
    schema::unserialize(*output->data, answer.data);
  } catch (const schema::MismatchError& error) {
    return end_run_failed(Error(
        ErrorCode::plugin,
        fmt::format("the output '{}' does not fit the plugin's own schema ({})", answer.output_id, error.what())));
  }
  const std::size_t index = *step().lifecycle.stages[position(outputs)].find_output(answer.output_id);
  run_.stage_ended(index_, position(running));
  run_.stage_ended(index_, position(outputs), index, answer.data);
  run_.stages_impossible(index_, {position(deploy_failed), position(crashed), position(closed)});
  finish(output->error ? Outcome::failed : Outcome::succeeded, outputs, answer.output_id, answer.data, {});
}

void PluginStepRun::finish(Outcome outcome, PluginStage stage, const std::string& output, Value data,
                           std::string error) {
  const std::string& stage_id = step().lifecycle.stages[position(stage)].id;
  run_.observer().step_finished({run_.name_of(step()), outcome, stage_id, output, std::move(data), std::move(error)});
  mark_finished();
  run_.settle();
}

}  // namespace venvoy::workflow::internal
