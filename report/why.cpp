#include "report/why.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/text.hpp"

namespace venvoy::report {

using std::chrono::microseconds;
using workflow::Outcome;

namespace {

// When a stage of a step, or an output of it, was there.
std::optional<WallTime> time_of(const Need& need, const StepRecord& other) {
  if (need.stage == "deploy") return other.deployed;
  // These are over, or have begun, as soon as the step has its input.
  if (need.stage == "enabling" || need.stage == "starting" || need.stage == "execute") return other.started;
  if (need.stage == "running") return other.started ? other.ended : std::nullopt;
  if (!other.ended || other.stage != need.stage) return std::nullopt;
  if (!need.output.empty() && need.output != other.output_id) return std::nullopt;
  return other.ended;
}

std::string ending_of(const StepRecord& step) {
  return step.output_id.empty() ? step.stage : fmt::format("{}.{}", step.stage, step.output_id);
}

NeedMet look_at(const RunFacts& facts, const workflow::StepName& name, const Need& need, WallTime start) {
  NeedMet met{&need, false, {}, {}};
  if (need.step.empty()) {
    met.came = facts.started.has_value();
    return met;
  }
  const StepRecord* other = facts.find({need.step, name.item, name.loop});
  if (!other) {
    met.instead = "it never began";
    return met;
  }
  if (const auto time = time_of(need, *other)) {
    met.came = true;
    met.after = std::max(*time - start, microseconds(0));
  } else {
    met.instead = other->ended ? fmt::format("it ended with {}", ending_of(*other)) : "it had not ended";
  }
  return met;
}

// The need that came last.
const NeedMet* last_of(const std::vector<NeedMet>& needs) {
  const NeedMet* last = nullptr;
  for (const NeedMet& need : needs)
    if (need.came && !need.need->step.empty() && (!last || need.after > last->after)) last = &need;
  return last;
}

const NeedMet* missing_of(const std::vector<NeedMet>& needs) {
  const auto is_missing = [](const NeedMet& need) {
    return !need.came && (need.need->kind == Need::Kind::must || need.need->kind == Need::Kind::ended);
  };
  const auto place = std::find_if(needs.begin(), needs.end(), is_missing);
  if (place != needs.end()) return &*place;
  const bool some = std::any_of(needs.begin(), needs.end(), [](const NeedMet& need) { return need.came; });
  return !some && !needs.empty() ? &needs.front() : nullptr;
}

std::string waited_text(const std::vector<NeedMet>& needs) {
  const NeedMet* last = last_of(needs);
  return last ? fmt::format("it waited for {}, which came after {}", last->need->name, step_time_text(last->after))
              : std::string("it had to wait for no other step");
}

std::string never_began(const RunFacts& facts, const std::vector<NeedMet>& needs, bool died) {
  if (!facts.started && !facts.error.empty()) return "it never began: the workflow could not be prepared or started";
  if (const NeedMet* missing = missing_of(needs))
    return fmt::format("it never began: {} did not come{}", missing->need->name,
                       missing->instead.empty() ? std::string() : ", since " + missing->instead);
  if (died) return "it never began: venvoy died before";
  if (!facts.ended) return "it has not begun yet";
  return facts.output_id.empty()
             ? std::string("it never began: the run was ended before")
             : fmt::format("it never began: the run was over with the output '{}' before", facts.output_id);
}

std::string sentence_about(const RunFacts& facts, const StepRecord* step, const PlannedStep* planned,
                           const std::vector<NeedMet>& needs, bool died) {
  if (!step || (!step->started && !step->ended)) return never_began(facts, needs, died);
  if (!step->ended)
    return died ? fmt::format("it was running when venvoy died; {}", waited_text(needs))
                : fmt::format("it is running; {}", waited_text(needs));
  if (step->outcome == Outcome::disabled)
    return fmt::format("it was disabled: its `enabled`{} was not true",
                       planned && !planned->enabled.empty() ? fmt::format(" ({})", planned->enabled) : std::string());
  if (step->stage == "deploy_failed") return "it failed before it began: its plugin could not be deployed";
  if (step->outcome == Outcome::cancelled && !step->started) return never_began(facts, needs, died);
  const std::string waited = waited_text(needs);
  const std::string time = step_time_text(step->run_time());
  if (step->outcome == Outcome::cancelled) return fmt::format("it was stopped after {}; {}", time, waited);
  if (step->outcome == Outcome::failed) {
    if (step->has_error_output())
      return fmt::format("it failed after {} with its error output '{}'; {}", time, step->output_id, waited);
    return step->started ? fmt::format("it crashed after {}; {}", time, waited)
                         : fmt::format("it could not be started; {}", waited);
  }
  return fmt::format("it ran for {} and ended with the output '{}'; {}", time, step->output_id, waited);
}

// The stages whose needs say why it began: not what would stop it.
bool counts(const Need& need) {
  return need.stage_for != "cancelled";
}

}  // namespace

Why why(const RunFacts& facts, const workflow::StepName& name, bool died) {
  Why result;
  const StepRecord* step = facts.find(name);
  const PlannedStep* planned = facts.find_planned(name);
  const WallTime start = facts.started.value_or(facts.begin);
  if (planned)
    for (const Need& need : planned->needs)
      if (counts(need)) result.needs.push_back(look_at(facts, name, need, start));
  result.sentence = sentence_about(facts, step, planned, result.needs, died);
  if (step) result.error = step->error;
  return result;
}

std::string why_text(const RunFacts& facts, const workflow::StepName& name, const Why& why) {
  const PlannedStep* planned = facts.find_planned(name);
  std::string text = fmt::format("{}: {}\n", step_title(name), why.sentence);
  if (planned && planned->line > 0) text += fmt::format("  written in {}:{}\n", planned->file, planned->line);
  if (planned && !planned->plugin.empty())
    text += fmt::format("  runs {} of {}\n", planned->plugin_step, planned->plugin);
  if (planned && planned->is_loop) text += fmt::format("  runs {} for each item\n", planned->plugin_step);
  if (!why.needs.empty()) text += "  it needs:\n";
  for (const NeedMet& met : why.needs) {
    const std::string how = met.came
                                ? (met.need->step.empty() ? std::string("there at the start")
                                                          : fmt::format("came after {}", step_time_text(met.after)))
                                : "did not come" + (met.instead.empty() ? "" : ": " + met.instead);
    const char* kind = met.need->kind == Need::Kind::any_of ? " (one of several)"
                       : met.need->kind == Need::Kind::may  ? " (if it is there)"
                                                            : "";
    text += fmt::format("    {}{}: {}\n", met.need->name, kind, how);
  }
  if (why.error.empty()) return text;
  text += "  its error:\n";
  for (const std::string_view line : split_lines(why.error)) text += fmt::format("    {}\n", line);
  return text;
}

}  // namespace venvoy::report
