// Turns what the engine tells into events for a host.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/venvoy/engine.hpp"
#include "report/event.hpp"
#include "report/fan_out.hpp"
#include "workflow/run_observer.hpp"

namespace venvoy::api::internal {

Event to_public(const report::Event& inner);

class EventSource final : public workflow::RunObserver {
 public:
  // `run` is the id of the run, empty while a workflow is prepared. The observer may be null.
  EventSource(std::shared_ptr<Observer> observer, std::string run);
  EventSource(const EventSource&) = delete;
  EventSource& operator=(const EventSource&) = delete;

  // Steps that have failed so far, in the order of their ends.
  std::vector<StepFailure> take_step_failures() { return std::move(step_failures_); }

  void progress(const Progress& event) override { all_.progress(event); }
  void run_started(const workflow::RunStarted& event) override { all_.run_started(event); }
  void run_finished(const workflow::RunFinished& event) override { all_.run_finished(event); }
  void step_deployed(const workflow::StepDeployed& event) override { all_.step_deployed(event); }
  void step_started(const workflow::StepStarted& event) override { all_.step_started(event); }
  void step_finished(const workflow::StepFinished& event) override;
  void step_log(const workflow::StepLog& event) override { all_.step_log(event); }
  void item_started(const workflow::ItemStarted& event) override { all_.item_started(event); }
  void item_finished(const workflow::ItemFinished& event) override { all_.item_finished(event); }

 private:
  void tell(const report::Event& event) const;

  std::shared_ptr<Observer> observer_;
  report::EventMaker maker_;
  report::FanOut all_;  // to the maker if there is an observer, else to nobody
  std::vector<StepFailure> step_failures_;
};

}  // namespace venvoy::api::internal
