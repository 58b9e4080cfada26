// What watches a run sees no secrets.
#pragma once

#include <map>
#include <string>

#include "report/masker.hpp"
#include "workflow/run_observer.hpp"

namespace venvoy::report {

// Gives everything on to another observer, without the secrets in data, messages and log lines. Both outlive it.
class MaskingObserver final : public workflow::RunObserver {
 public:
  MaskingObserver(Masker& masker, workflow::RunObserver& next) : masker_(masker), next_(next) {}

  void progress(const Progress& event) override;
  void run_started(const workflow::RunStarted& event) override;
  void run_finished(const workflow::RunFinished& event) override;
  void step_deployed(const workflow::StepDeployed& event) override;
  void step_started(const workflow::StepStarted& event) override;
  void step_finished(const workflow::StepFinished& event) override;
  void step_log(const workflow::StepLog& event) override;
  void item_started(const workflow::ItemStarted& event) override;
  void item_finished(const workflow::ItemFinished& event) override;

 private:
  Masker& masker_;
  workflow::RunObserver& next_;
  // Steps whose log is in the middle of a PEM block, "loop item step", and how many of its lines have come.
  std::map<std::string, std::size_t> in_pem_;
};

}  // namespace venvoy::report
