// Why a step ran, waited, was disabled, failed or never began.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "report/run_facts.hpp"

namespace venvoy::report {

// Something that a step needed, and what became of it.
struct NeedMet {
  const Need* need = nullptr;
  bool came = false;
  std::chrono::microseconds after{};  // since the workflow's start, if it came
  // What happened in its place, as "ended with crashed.error"; empty if it came.
  std::string instead;
};

struct Why {
  std::string sentence;
  std::vector<NeedMet> needs;  // of the stages that count; they point into the facts
  std::string error;           // of a step that failed
};

// Of a step that the facts have or that was planned; `died` when the run's process is gone without an end.
Why why(const RunFacts& facts, const workflow::StepName& name, bool died = false);

// Some lines, ending with a line feed.
std::string why_text(const RunFacts& facts, const workflow::StepName& name, const Why& why);

}  // namespace venvoy::report
