// What happens while a workflow is prepared and run.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <venvoy/value.hpp>

namespace venvoy {

// One thing that has happened. Which members beside `type`, `time` and `run` mean something depends on the type; the
// others are empty.
struct Event {
  enum class Type {
    run_started,        // workflow, data
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
    step_started,       // step, plugin_step, node, data, seconds
    step_finished,      // step, outcome, stage, output, data, error
    step_log,           // step, level, text: a line that the plugin has printed
    item_started,       // step: the loop, index, count
    item_finished,      // step: the loop, index, outcome, error
    machines_awaited,   // text: why steps wait for machines to run on
    machines_ready,     // text: how many there are, with how many places
    warning,            // reference, text
  };

  Type type = Type::warning;
  std::chrono::sys_time<std::chrono::microseconds> time;
  std::string run;  // id of the run; empty while a workflow is prepared
  std::string workflow;
  std::string step;  // key in the workflow
  // The loops around the step, outermost first ("outer.inner"), and their items, counted from 0 ("2.0"); empty outside
  // of loops.
  std::string loop;
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
  Value data;          // an input or an output
  double seconds = 0;  // how long deploying a step, or starting it, took
  std::uint64_t done = 0;
  std::uint64_t total = 0;  // 0: not known
  std::uint64_t bytes = 0;
  std::uint64_t index = 0;
  std::uint64_t count = 0;
};

// "run_started" and so on.
std::string_view to_text(Event::Type type) noexcept;

// The event as one JSON object in one line, without a line feed: {"v":1,"type":"step_started","time":"…",…}, as
// docs/events.schema.json says.
std::string to_json(const Event& event);

// Hears of events, one at a time and in their order; every _started is followed by its _finished.
//
// Called on a thread of the engine, which does nothing else meanwhile: return quickly, do not throw (what is thrown is
// dropped), and do not call what waits for the engine (prepare, run, wait, ~Engine). Cancelling is allowed.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_event(const Event& event) = 0;
};

}  // namespace venvoy
