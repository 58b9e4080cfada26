// What happens in a run as one kind of object: what `--events` writes, `--progress json` prints and the library gives
// to observers (spec/command.md section 8, "events"; the schema is docs/events.schema.json).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "schema/value.hpp"
#include "workflow/run_observer.hpp"

namespace venvoy::report {

// The number in `v`. It grows when a member goes or means something else; new members and types do not change it.
inline constexpr int event_format_version = 1;

// Which members beside `type`, `time` and `run` mean something depends on the type; the others are empty.
struct Event {
  enum class Type {
    run_started,        // workflow, data: the input
    run_finished,       // outcome, output, data, error
    fetch_progress,     // reference, done, total, bytes
    resolve_started,    // reference, text
    resolve_finished,   // reference, text, outcome
    build_started,      // reference, text
    build_finished,     // reference, text, outcome
    install_started,    // reference, text
    install_finished,   // reference, text, outcome
    environment_ready,  // reference, text: "built" or "reused"
    step_deployed,      // step, reference, version, environment, seconds
    step_started,       // step, plugin_step, node, data: the input, seconds
    step_finished,      // step, outcome, stage, output, data, error
    step_log,           // step, level, text
    item_started,       // step: the loop, index, count
    item_finished,      // step: the loop, index, outcome, error
    machines_awaited,   // text: why steps wait for machines to run on
    machines_ready,     // text: how many there are, with how many places
    warning,            // reference, text
  };

  Type type = Type::warning;
  WallTime time;
  std::string run;       // id; empty where there is none yet
  std::string workflow;  // the file as written
  std::string step;      // key in the workflow
  std::string loop;      // with `item` as in workflow::StepName
  std::string item;
  std::string reference;  // of a plugin, as written, without secrets
  std::string version;    // the full commit, or the version
  std::string environment;
  std::string plugin_step;
  std::string node;     // the machine that a step runs on, if it is another one
  std::string stage;    // in which a step ended: outputs, disabled, crashed, …
  std::string output;   // id of an output
  std::string outcome;  // succeeded, failed, cancelled or disabled
  std::string error;
  std::string level;  // debug, info, warning or error
  std::string text;
  schema::Value data;
  double seconds = 0;  // how long deploying or starting took
  std::uint64_t done = 0;
  std::uint64_t total = 0;  // 0: not known
  std::uint64_t bytes = 0;
  std::uint64_t index = 0;
  std::uint64_t count = 0;
};

// "run_started" and so on.
std::string_view to_text(Event::Type type) noexcept;

// One JSON object in one line, without a line feed. Data that JSON has no form for is left out: events decide nothing.
std::string event_json(const Event& event);

// Turns the calls of an engine into events. Each _started has its _finished.
class EventMaker final : public workflow::RunObserver {
 public:
  // `run` is the id of the run, empty while there is none. The clock outlives this object.
  EventMaker(std::string run, const Clock& clock, std::function<void(const Event&)> use)
      : run_(std::move(run)), clock_(clock), use_(std::move(use)) {}

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

  std::string run_;
  const Clock& clock_;
  std::function<void(const Event&)> use_;
};

}  // namespace venvoy::report
