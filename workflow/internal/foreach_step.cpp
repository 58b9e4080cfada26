// The life of a loop (spec/workflow.md 4.5, 6.4).
#include "workflow/internal/foreach_step.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "schema/check.hpp"
#include "workflow/internal/background.hpp"
#include "workflow/internal/workflow_run.hpp"

namespace venvoy::workflow::internal {

namespace asio = boost::asio;
using schema::Value;
using enum ForeachStage;

asio::awaitable<void> ForeachStepRun::live() {
  bool due = co_await wait_for(position(enabling));
  if (!due) co_return end_closed();
  const Value* enabled = given(position(enabling))->find("enabled");
  if (enabled && !(enabled->kind() == schema::Kind::boolean && enabled->as_bool())) co_return end_disabled();
  run_.stages_impossible(index_, {position(disabled)});
  run_.stage_ended(index_, position(enabling), 0, schema::Map({{"enabled", true}}));
  run_.settle();

  due = co_await wait_for(position(execute));
  if (!due) co_return end_closed();
  co_await run_items();
  end_with_results();
}

void ForeachStepRun::request_close() {
  if (close_requested_) return;
  StepRun::request_close();
  for (WorkflowRun* run : active_) run->abort();
}

asio::awaitable<void> ForeachStepRun::run_items() {
  const schema::Map& fields = *given(position(execute));
  const schema::List items = fields.find("items")->as_list();
  const Value* parallelism = fields.find("parallelism");
  const std::size_t wanted = parallelism ? static_cast<std::size_t>(parallelism->as_integer()) : 1;
  results_.resize(items.size());
  run_.observer().step_started({run_.name_of(step()), step().body_file, *fields.find("items"), {}});

  std::vector<std::unique_ptr<Background<bool>>> workers;
  const auto on_done = [this] { wake(); };
  for (std::size_t index = 0; index < std::min(wanted, items.size()); ++index)
    workers.push_back(std::make_unique<Background<bool>>(run_.setting().executor, work(items), on_done));
  const auto done = [](const auto& worker) { return worker->done(); };
  while (!std::all_of(workers.begin(), workers.end(), done)) co_await change_.wait();
  for (const auto& worker : workers) worker->take();
  for (; next_ < items.size(); ++next_) errors_.emplace(next_, "not started: the loop was closed before its turn");
}

asio::awaitable<bool> ForeachStepRun::work(const schema::List& items) {
  while (next_ < items.size() && !stopping()) {
    const std::size_t index = next_++;
    run_.observer().item_started({run_.name_of(step()), index, items.size()});
    schema::Value item = items[index];
    RunResult result = co_await run_item(index, std::move(item));
    record(index, std::move(result));
  }
  co_return true;
}

asio::awaitable<RunResult> ForeachStepRun::run_item(std::size_t index, Value item) {
  try {
    item = schema::unserialize(*step().body->input, item);
  } catch (const schema::MismatchError& error) {
    RunResult refused;
    refused.failure = Error(ErrorCode::schema, fmt::format("invalid workflow input ({})", error.what()));
    co_return refused;
  }
  RunPlace place = run_.place().inside(id(), index);
  WorkflowRun run(step().body, run_.setting(), run_.logger().with("subworkflow", step().body_file), std::move(place));
  active_.insert(&run);
  if (stopping()) run.abort();
  RunResult result = co_await run.execute(std::move(item));
  active_.erase(&run);
  co_return result;
}

void ForeachStepRun::record(std::size_t index, RunResult result) {
  std::string error;
  if (result.failure)
    error = result.failure->what();
  else if (result.output_id != "success")
    error = fmt::format("the sub-workflow '{}' ended with the output '{}' instead of 'success'", step().body_file,
                        result.output_id);
  Outcome outcome = error.empty() ? Outcome::succeeded : Outcome::failed;
  if (result.failure && result.failure->code() == ErrorCode::cancelled) outcome = Outcome::cancelled;
  run_.observer().item_finished({run_.name_of(step()), index, outcome, error});
  if (error.empty())
    results_[index] = std::move(result.output_data);
  else
    errors_.emplace(index, std::move(error));
}

void ForeachStepRun::end_disabled() {
  const std::string message = fmt::format("Step foreach {} disabled", id());
  logger_.info("{}", message);
  const Value data = schema::Map({{"message", message}});
  run_.stage_ended(index_, position(enabling), 0, schema::Map({{"enabled", false}}));
  run_.stage_ended(index_, position(disabled), 0, data);
  run_.stages_impossible(index_, {position(execute), position(outputs), position(failed), position(closed)});
  finish(Outcome::disabled, disabled, "output", data, {});
}

void ForeachStepRun::end_closed() {
  const Value data = schema::Map({{"close_requested", true}});
  run_.stages_impossible(
      index_, {position(enabling), position(disabled), position(execute), position(outputs), position(failed)});
  run_.stage_ended(index_, position(closed), 0, data);
  finish(Outcome::cancelled, closed, "result", data, {});
}

void ForeachStepRun::end_with_results() {
  run_.stage_ended(index_, position(execute));
  if (errors_.empty()) {
    schema::List list;
    list.reserve(results_.size());
    for (std::optional<Value>& result : results_) list.push_back(std::move(*result));
    const Value data = schema::Map({{"data", std::move(list)}});
    run_.stage_ended(index_, position(outputs), 0, data);
    run_.stages_impossible(index_, {position(failed), position(closed)});
    return finish(Outcome::succeeded, outputs, "success", data, {});
  }
  schema::Map good;
  schema::Map bad;
  for (std::size_t index = 0; index < results_.size(); ++index)
    if (results_[index]) good.insert(static_cast<std::int64_t>(index), std::move(*results_[index]));
  for (auto& [index, text] : errors_) bad.insert(static_cast<std::int64_t>(index), text);
  const std::string error = fmt::format("{} of {} items failed; the first is item {}: {}", errors_.size(),
                                        results_.size(), errors_.begin()->first, errors_.begin()->second);
  logger_.warning("Step foreach {} failed. {}", id(), error);
  const Value data = schema::Map({{"data", std::move(good)}, {"errors", std::move(bad)}});
  run_.stages_impossible(index_, {position(outputs), position(closed)});
  run_.stage_ended(index_, position(failed), 0, data);
  finish(Outcome::failed, failed, "error", data, error);
}

void ForeachStepRun::finish(Outcome outcome, ForeachStage stage, const std::string& output, Value data,
                            std::string error) {
  const std::string& stage_id = step().lifecycle.stages[position(stage)].id;
  run_.observer().step_finished({run_.name_of(step()), outcome, stage_id, output, std::move(data), std::move(error)});
  mark_finished();
  run_.settle();
}

}  // namespace venvoy::workflow::internal
