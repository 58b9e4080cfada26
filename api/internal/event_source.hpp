// Turns what the engine tells into events for a host.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/venvoy/engine.hpp"
#include "workflow/run_observer.hpp"

namespace venvoy::api::internal {

class EventSource final : public workflow::RunObserver {
 public:
  // `run` is the id of the run, empty while a workflow is prepared. The observer may be null.
  EventSource(std::shared_ptr<Observer> observer, std::string run)
      : observer_(std::move(observer)), run_(std::move(run)) {}

  // Steps that have failed so far, in the order of their ends.
  std::vector<StepFailure> take_step_failures() { return std::move(step_failures_); }

  void progress(const Progress& progress) override;
  void run_started(const workflow::RunStarted& event) override;
  void run_finished(const workflow::RunFinished& event) override;
  void step_deployed(const workflow::StepDeployed& event) override;
  void step_started(const workflow::StepStarted& event) override;
  void step_finished(const workflow::StepFinished& event) override;
  void step_log(const workflow::StepLog& event) override;
  void item_started(const workflow::ItemStarted& event) override;
  void item_finished(const workflow::ItemFinished& event) override;

 private:
  Event event(Event::Type type) const;
  Event step_event(Event::Type type, const workflow::StepName& name) const;
  void tell(const Event& event) const;

  std::shared_ptr<Observer> observer_;
  std::string run_;
  std::vector<StepFailure> step_failures_;
};

}  // namespace venvoy::api::internal
