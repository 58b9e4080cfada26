// One engine, several who watch it.
#pragma once

#include <vector>

#include "workflow/run_observer.hpp"

namespace venvoy::report {

// Gives each call to all observers, in their order. They outlive it.
class FanOut final : public workflow::RunObserver {
 public:
  void add(workflow::RunObserver& observer) { observers_.push_back(&observer); }
  bool empty() const noexcept { return observers_.empty(); }

  void progress(const Progress& event) override { each(&RunObserver::progress, event); }
  void run_started(const workflow::RunStarted& event) override { each(&RunObserver::run_started, event); }
  void run_finished(const workflow::RunFinished& event) override { each(&RunObserver::run_finished, event); }
  void step_deployed(const workflow::StepDeployed& event) override { each(&RunObserver::step_deployed, event); }
  void step_started(const workflow::StepStarted& event) override { each(&RunObserver::step_started, event); }
  void step_finished(const workflow::StepFinished& event) override { each(&RunObserver::step_finished, event); }
  void step_log(const workflow::StepLog& event) override { each(&RunObserver::step_log, event); }
  void item_started(const workflow::ItemStarted& event) override { each(&RunObserver::item_started, event); }
  void item_finished(const workflow::ItemFinished& event) override { each(&RunObserver::item_finished, event); }

 private:
  template <class Call, class Event>
  void each(Call call, const Event& event) {
    for (workflow::RunObserver* observer : observers_) (observer->*call)(event);
  }
  std::vector<workflow::RunObserver*> observers_;
};

}  // namespace venvoy::report
