#include "report/run_facts.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "report/plain_progress.hpp"

namespace venvoy::report {

using std::chrono::microseconds;
using workflow::Outcome;

microseconds StepRecord::run_time() const noexcept {
  return started && ended ? *ended - *started : microseconds(0);
}

bool StepRecord::has_error_output() const noexcept {
  return outcome == Outcome::failed && (stage == "outputs" || stage == "failed");
}

const PlannedStep* RunFacts::find_planned(const workflow::StepName& name) const noexcept {
  const auto is_it = [&](const PlannedStep& step) { return step.id == name.step && step.loop == name.loop; };
  const auto place = std::find_if(planned.begin(), planned.end(), is_it);
  return place == planned.end() ? nullptr : &*place;
}

const StepRecord* RunFacts::find(const workflow::StepName& name) const noexcept {
  const auto is_it = [&](const StepRecord& step) { return step.name == name; };
  const auto place = std::find_if(steps.begin(), steps.end(), is_it);
  return place == steps.end() ? nullptr : &*place;
}

std::string step_title(const workflow::StepName& name) {
  return name.loop.empty() ? name.step : fmt::format("{}[{}].{}", name.loop, name.item, name.step);
}

std::string step_time_text(microseconds time) {
  if (time < microseconds(1000) && time > microseconds(0)) return "< 1 ms";
  return duration_text(std::chrono::duration_cast<std::chrono::milliseconds>(time));
}

}  // namespace venvoy::report
