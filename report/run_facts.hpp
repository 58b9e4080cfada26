// What is known of a run, as plain data: what reports, JUnit files and the history are made of.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "workflow/run_observer.hpp"

namespace venvoy::report {

// How many ended how: by workflow::Outcome.
using OutcomeCounts = std::array<std::uint64_t, 4>;

// What a step waits for, as the plan says.
struct Need {
  enum class Kind { must, any_of, ended, may };
  std::string name;  // "steps.first.outputs.success", "input"
  Kind kind = Kind::must;
  std::string stage_for;  // the stage of the step that needs it
  // What it is: a stage of a step of the same workflow, and its output if it is about one; empty for the input.
  std::string step;
  std::string stage;
  std::string output;
};

// A step as the workflow has it.
struct PlannedStep {
  std::string id;
  std::string loop;  // as in workflow::StepName
  std::string file;  // of the workflow that it stands in
  int line = 0;
  std::string plugin;       // reference as written; empty for a loop
  std::string plugin_step;  // of a loop: the file of its sub-workflow
  bool is_loop = false;
  std::string enabled;  // the expression of `enabled`, if there is one
  std::string stop_if;
  std::vector<Need> needs;
};

struct LogLine {
  WallTime time;
  LogLevel level = LogLevel::info;
  std::string text;
};

struct StepRecord {
  workflow::StepName name;
  std::string plugin_step;
  std::string node = {};  // that it ran on, if it was another machine
  std::string reference;
  std::string version;
  std::string environment;
  std::optional<WallTime> deployed;  // when it was; it took `deploy_time`
  std::chrono::microseconds deploy_time{};
  std::optional<WallTime> started;  // when it had its input; that took `start_time`
  std::chrono::microseconds start_time{};
  std::optional<WallTime> ended;
  workflow::Outcome outcome = workflow::Outcome::succeeded;  // once it has ended
  std::string stage;
  std::string output_id;
  std::string error;
  std::string input;   // JSON, possibly cut short; empty for none
  std::string output;  // the same
  std::vector<LogLine> first_log;
  std::deque<LogLine> last_log;
  std::uint64_t dropped_lines = 0;  // between the first and the last ones
  // Of a loop: its items by outcome.
  std::uint64_t items = 0;
  OutcomeCounts items_ended{};

  std::uint64_t revision = 0;  // grows with each change: see RunRecord::changes_since

  // From the start, or what came before, to the end; 0 before that.
  std::chrono::microseconds run_time() const noexcept;
  // Failed with an error output of its own; else it crashed or could not be deployed.
  bool has_error_output() const noexcept;
};

struct ItemRecord {
  workflow::StepName loop;
  std::size_t index = 0;
  workflow::Outcome outcome = workflow::Outcome::failed;
  std::string error;
};

// What happened to a plugin before the run.
struct PluginRecord {
  struct Phase {
    std::string name;  // "resolve", "build", "install"
    WallTime begin;
    std::optional<WallTime> end;
    std::string outcome;  // "ok", "failed", "cancelled"
    std::string text;
  };
  std::string reference;
  std::string commit;  // or version, when it has been resolved
  std::vector<Phase> phases;
  std::string ready;  // "built" or "reused", when it is
  std::optional<WallTime> ready_at;
};

// What is known of a run. Ended steps of loops are there only as far as they are kept; all of them are counted.
struct RunFacts {
  std::string run;       // id
  std::string workflow;  // the file as written
  WallTime begin;
  std::optional<WallTime> started;  // the workflow itself, plugins being ready
  std::optional<WallTime> ended;
  workflow::Outcome outcome = workflow::Outcome::succeeded;  // once it has ended
  std::string output_id;
  std::string error;
  std::string input;   // JSON, as in StepRecord
  std::string output;  // JSON
  std::vector<PlannedStep> planned;
  std::vector<PluginRecord> plugins;
  std::vector<std::string> warnings;
  std::vector<StepRecord> steps;         // in the order of their beginnings
  std::vector<ItemRecord> failed_items;  // also those that were cancelled
  OutcomeCounts ended_steps{};           // outside of loops
  OutcomeCounts ended_item_steps{};
  std::uint64_t left_out = 0;  // ended steps of loop items that are not kept

  const PlannedStep* find_planned(const workflow::StepName& name) const noexcept;
  const StepRecord* find(const workflow::StepName& name) const noexcept;
};

// "loop[2.0].step", or "step" outside of loops: how people name a step, here and on the command line.
std::string step_title(const workflow::StepName& name);

// "< 1 ms", "40 ms", "1.2 s", "2 m 05 s"
std::string step_time_text(std::chrono::microseconds time);

}  // namespace venvoy::report
