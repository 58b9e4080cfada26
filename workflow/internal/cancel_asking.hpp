// Asking the gate before a run is cancelled (spec/governance.md 8.8, `engine.cancel`).
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "workflow/engine.hpp"
#include "workflow/internal/background.hpp"
#include "workflow/internal/change.hpp"
#include "workflow/internal/gate_answer.hpp"
#include "workflow/internal/workflow_run.hpp"

namespace venvoy::workflow::internal {

// Without a gate a request aborts the run at once. With one the run goes on until there is an answer; a denied request
// is forgotten, so that it may be made again.
class CancelAsking {
 public:
  CancelAsking(const RunSetting& setting, WorkflowRun& run, std::function<void()> on_denied)
      : setting_(setting), run_(run), on_denied_(std::move(on_denied)), change_(setting.executor) {}

  void request(const std::string& reason) {
    ActionGate* gate = setting_.options.gate;
    if (!gate) return run_.abort();
    if (question_ && !question_->done()) return;
    CancelQuestion question{setting_.options.run_id, reason};
    question_ = std::make_unique<Background<GateDecision>>(setting_.executor, gate->may_cancel(std::move(question)),
                                                           [this] { answered(); });
  }

  // Completes when no answer is awaited any more; before this object and the gate go.
  boost::asio::awaitable<void> settled() {
    while (question_ && !question_->done()) co_await change_.wait();
  }

 private:
  void answered() {
    GateDecision decision;
    try {
      decision = question_->take();
    } catch (const Error& error) {
      decision = denial(error);
    } catch (const std::exception& error) {
      decision = denial(Error(ErrorCode::internal, error.what()));
    }
    if (decision.allowed) {
      run_.abort();
    } else {
      setting_.options.logger.warning("a policy has denied to cancel the run: {}", decision.reason);
      on_denied_();
    }
    change_.notify();
  }

  const RunSetting& setting_;
  WorkflowRun& run_;
  std::function<void()> on_denied_;
  Change change_;
  std::unique_ptr<Background<GateDecision>> question_;
};

}  // namespace venvoy::workflow::internal
