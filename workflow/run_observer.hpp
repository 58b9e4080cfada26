// What happens in a run, for those who show, record or count it (spec/command.md section 8, "events").
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/progress.hpp"
#include "schema/value.hpp"

namespace venvoy::workflow {

// How something that was started has ended.
enum class Outcome { succeeded, failed, cancelled, disabled };
std::string_view to_text(Outcome outcome) noexcept;

// Which step of which run. Of a step in loops, `loop` names the loops around it, outermost first ("outer.inner"), and
// `item` their items ("2.0"), counted from 0; both are empty outside.
struct StepName {
  std::string step;
  std::string item;
  std::string loop = {};

  friend bool operator==(const StepName&, const StepName&) = default;
};

struct RunStarted {
  std::string workflow;      // the file as written
  std::string run;           // id of the run
  schema::Value input = {};  // as it was given
};
struct RunFinished {
  Outcome outcome = Outcome::succeeded;
  std::string output_id;
  std::string error;
  schema::Value output = {};
};
// The step's plugin is ready for it.
struct StepDeployed {
  StepName name;
  std::string reference;
  std::string version;
  std::string environment;
  std::chrono::microseconds took{};
};
// What runs the step has its input. `took` is the time from when the input was there: asking gates and starting a
// process.
struct StepStarted {
  StepName name;
  std::string plugin_step;  // of a loop: the file of its sub-workflow
  schema::Value input;
  std::chrono::microseconds took{};
  std::string node = {};  // the machine that it runs on; empty: this one
};
struct StepFinished {
  StepName name;
  Outcome outcome = Outcome::succeeded;
  std::string stage;      // in which it ended: outputs, disabled, crashed, …
  std::string output_id;  // of that stage
  schema::Value data;
  std::string error;  // of a crash or a failed deployment
};
// A line that a plugin has printed. The last ones may come after the step's end.
struct StepLog {
  StepName name;
  LogLevel level = LogLevel::debug;
  std::string line;
};
struct ItemStarted {
  StepName loop;
  std::size_t index = 0;
  std::size_t count = 0;
};
struct ItemFinished {
  StepName loop;
  std::size_t index = 0;
  Outcome outcome = Outcome::succeeded;
  std::string error;
};

// All calls come on the engine's loop thread, in the order in which things happen; they return quickly and do not
// throw. Every _started is followed by its _finished, also after a crash or an abort.
class RunObserver : public ProgressSink {
 public:
  virtual void run_started(const RunStarted&) {}
  virtual void run_finished(const RunFinished&) {}
  virtual void step_deployed(const StepDeployed&) {}
  virtual void step_started(const StepStarted&) {}
  virtual void step_finished(const StepFinished&) {}
  virtual void step_log(const StepLog&) {}
  virtual void item_started(const ItemStarted&) {}
  virtual void item_finished(const ItemFinished&) {}
};

}  // namespace venvoy::workflow
