// A loop in one run.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "workflow/internal/step_run.hpp"
#include "workflow/run_observer.hpp"
#include "workflow/run_result.hpp"

namespace venvoy::workflow::internal {

class ForeachStepRun final : public StepRun {
 public:
  using StepRun::StepRun;

  boost::asio::awaitable<void> live() override;
  void request_close() override;

 private:
  boost::asio::awaitable<void> run_items();
  // Takes one item after the other until none is left.
  boost::asio::awaitable<bool> work(const schema::List& items);
  boost::asio::awaitable<RunResult> run_item(std::size_t index, schema::Value item);
  void record(std::size_t index, RunResult result);

  void end_disabled();
  void end_closed();
  void end_with_results();
  void finish(Outcome outcome, ForeachStage stage, const std::string& output, schema::Value data, std::string error);

  std::size_t next_ = 0;
  std::set<WorkflowRun*> active_;
  std::vector<std::optional<schema::Value>> results_;
  std::map<std::size_t, std::string> errors_;
};

}  // namespace venvoy::workflow::internal
