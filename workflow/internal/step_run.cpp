#include "workflow/internal/step_run.hpp"

#include "workflow/internal/workflow_run.hpp"

namespace venvoy::workflow::internal {

namespace asio = boost::asio;

StepRun::StepRun(WorkflowRun& run, std::size_t index)
    : run_(run),
      step_(run.plan().steps[index]),
      index_(index),
      logger_(run.logger().with("source", step_.is_loop() ? "foreach-provider" : "plugin-provider")),
      change_(run.setting().executor),
      fields_(step_.stages.size()) {}

void StepRun::provide(std::size_t stage, schema::Map fields) {
  fields_[stage] = std::move(fields);
  wake();
}

void StepRun::request_close() {
  if (close_requested_) return;
  close_requested_ = true;
  wake();
}

const schema::Map* StepRun::given(std::size_t stage) const {
  return fields_[stage] ? &*fields_[stage] : nullptr;
}

void StepRun::wake() {
  idle_ = false;
  change_.notify();
}

asio::awaitable<bool> StepRun::wait_for(std::size_t stage) {
  while (!given(stage) && !stopping()) {
    idle_ = true;
    run_.settle();
    // The run may have found in this very moment what we want to wait for.
    if (given(stage) || stopping()) break;
    co_await change_.wait();
  }
  idle_ = false;
  co_return !stopping();
}

}  // namespace venvoy::workflow::internal
