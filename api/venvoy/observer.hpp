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
    run_started,        // workflow
    run_finished,       // outcome, output, error
    fetch_progress,     // reference, done, total, bytes
    resolve_started,    // reference, text
    resolve_finished,   // reference, text, outcome
    build_started,      // reference, text
    build_finished,     // reference, text, outcome
    install_started,    // reference, text
    install_finished,   // reference, text, outcome
    environment_ready,  // reference, text: "built" or "reused"
    step_deployed,      // step, item, reference, version, environment
    step_started,       // step, item, plugin_step, data
    step_finished,      // step, item, outcome, stage, output, data, error
    step_log,           // step, item, level, text
    item_started,       // step, item, index, count
    item_finished,      // step, item, index, outcome, error
    warning,            // reference, text
  };

  Type type = Type::warning;
  std::chrono::sys_time<std::chrono::microseconds> time;
  std::string run;  // id of the run; empty while a workflow is prepared
  std::string workflow;
  std::string step;  // key in the workflow
  // Counts the items of the loops around the step, outermost first ("2.0"); empty outside of loops.
  std::string item;
  std::string reference;  // of a plugin, as written, without secrets
  std::string version;    // the full commit, or the version
  std::string environment;
  std::string plugin_step;
  std::string stage;    // in which a step ended: outputs, disabled, crashed, …
  std::string output;   // id of an output
  std::string outcome;  // succeeded, failed, cancelled or disabled
  std::string error;
  std::string level;  // debug, info, warning or error
  std::string text;
  Value data;  // a step's input or output
  std::uint64_t done = 0;
  std::uint64_t total = 0;  // 0: not known
  std::uint64_t bytes = 0;
  std::uint64_t index = 0;
  std::uint64_t count = 0;
};

// "run_started" and so on.
std::string_view to_text(Event::Type type) noexcept;

// The event as one JSON object in one line, without a line feed: {"v":1,"type":"step_started","time":"…",…}.
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
