// One step in one run: what plugin steps and loops have in common.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/log.hpp"
#include "schema/value.hpp"
#include "workflow/internal/change.hpp"
#include "workflow/plan.hpp"

namespace venvoy::workflow::internal {

class WorkflowRun;

// A step's life is the coroutine `live`, which reads like the step's lifecycle. It tells the run what has happened and
// is told by it what its stages get. Everything happens on the engine's loop.
class StepRun {
 public:
  StepRun(WorkflowRun& run, std::size_t index);
  virtual ~StepRun() = default;
  StepRun(const StepRun&) = delete;
  StepRun& operator=(const StepRun&) = delete;

  virtual boost::asio::awaitable<void> live() = 0;

  // The fields of a stage, by their names; given once.
  virtual void provide(std::size_t stage, schema::Map fields);
  // The run is over or aborted: end soon, in order. Only the first call counts.
  virtual void request_close();
  // Nothing more comes from this step unless the graph brings something to it: it waits for fields, or has told how it
  // ended (its process may still be closing).
  bool idle() const noexcept { return idle_ || finished_; }

 protected:
  const PlanStep& step() const noexcept { return step_; }
  const std::string& id() const noexcept { return step_.id(); }

  // The fields of a stage that is due; null when the step is to end instead.
  const schema::Map* given(std::size_t stage) const;
  bool stopping() const noexcept { return cancelled_ || close_requested_; }
  // Waits until the fields of the stage are there or the step is to end: true, or false.
  boost::asio::awaitable<bool> wait_for(std::size_t stage);
  // Wakes the step's coroutine where it waits for a change.
  void wake();
  void mark_finished() noexcept { finished_ = true; }
  bool finished() const noexcept { return finished_; }

  WorkflowRun& run_;
  const PlanStep& step_;
  const std::size_t index_;
  Logger logger_;
  bool cancelled_ = false;        // by `stop_if`
  bool close_requested_ = false;  // by the run
  Change change_;

 private:
  std::vector<std::optional<schema::Map>> fields_;
  bool idle_ = false;
  bool finished_ = false;
};

}  // namespace venvoy::workflow::internal
