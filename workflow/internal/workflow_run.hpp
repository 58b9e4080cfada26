// One run of a plan: its graph, its data and its steps (spec/workflow.md section 6).
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "workflow/engine.hpp"
#include "workflow/internal/data_model.hpp"
#include "workflow/internal/step_run.hpp"
#include "workflow/plan.hpp"

namespace venvoy::workflow::internal {

// What a run and the runs of its loops share.
struct RunSetting {
  boost::asio::any_io_executor executor;
  Deployers& deployers;
  const RunOptions& options;
};

// The loops around a run and their items, as in StepName; empty for the run itself.
struct RunPlace {
  std::string loop;
  std::string item;

  // Of the run of an item of a loop here.
  RunPlace inside(const std::string& loop_step, std::size_t index) const;
};

class WorkflowRun {
 public:
  WorkflowRun(std::shared_ptr<const Plan> plan, const RunSetting& setting, Logger logger, RunPlace place);

  // `input` is typed. Completes when every step is closed.
  boost::asio::awaitable<RunResult> execute(schema::Value input);

  // Ends the run early (6.6). May be called before execute and more than once.
  void abort();
  // When the run is to be aborted if it has not ended; the result then says so.
  void set_deadline(std::chrono::steady_clock::time_point deadline) { deadline_ = deadline; }

  // --- for its steps ---------------------------------------------------------------------------------------------
  const Plan& plan() const noexcept { return *plan_; }
  const RunSetting& setting() const noexcept { return setting_; }
  const Logger& logger() const noexcept { return logger_; }
  const RunPlace& place() const noexcept { return place_; }
  StepName name_of(const PlanStep& step) const { return {step.id(), place_.item, place_.loop}; }
  RunObserver& observer() const noexcept;

  // A step tells what has happened with the next three, and then lets the run draw its conclusions with settle(): what
  // belongs together is told together.
  //
  // The stage has ended, without an output or with one; its other outputs become impossible.
  void stage_ended(std::size_t step, std::size_t stage);
  void stage_ended(std::size_t step, std::size_t stage, std::size_t output, schema::Value data);
  // The stages will not happen any more.
  void stages_impossible(std::size_t step, std::initializer_list<std::size_t> stages);
  void settle();
  // Something has failed that the workflow cannot answer: the run ends.
  void fail(Error error);

 private:
  bool decided() const noexcept { return output_ || !failures_.empty(); }
  void begin();
  void handle_impossible(const GraphNode& node);
  void give_stage(std::size_t step, std::size_t stage);
  schema::Map stage_fields(const PlanStep& step, std::size_t stage) const;
  void build_output(std::size_t output);
  void look_for_deadlock();
  void log_output(const PlanStep& step, const StageOutput& output, const schema::Value& data) const;
  // Why no output can come: for each the way from it to what did not happen.
  std::string why_impossible() const;
  std::string what_is_waited_for() const;
  void close_steps();
  boost::asio::awaitable<void> run_step(std::size_t step);
  RunResult result() const;
  Error all_failures() const;

  std::shared_ptr<const Plan> plan_;
  const RunSetting& setting_;
  Logger logger_;
  RunPlace place_;
  GraphState graph_;
  std::optional<DataModel> data_;
  std::vector<std::unique_ptr<StepRun>> steps_;
  std::size_t live_steps_ = 0;
  std::size_t outputs_left_ = 0;
  std::optional<RunResult> output_;
  std::vector<Error> failures_;
  std::optional<Error> abort_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  std::vector<std::string> endings_;  // of the steps: which outputs they have produced last, for messages
  Change change_;
};

}  // namespace venvoy::workflow::internal
