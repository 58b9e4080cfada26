// What happens in a run, for those who show, record or count it (spec/command.md section 8, "events").
#pragma once

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

// Which step of which run; `item` counts the items of the loops around it, outermost first ("2.0"), empty outside.
struct StepName {
  std::string step;
  std::string item;
};

struct RunStarted {
  std::string workflow;  // the file as written
  std::string run;       // id of the run
};
struct RunFinished {
  Outcome outcome = Outcome::succeeded;
  std::string output_id;
  std::string error;
};
struct StepDeployed {
  StepName name;
  std::string reference;
  std::string version;
  std::string environment;
};
struct StepStarted {
  StepName name;
  std::string plugin_step;
  schema::Value input;
};
struct StepFinished {
  StepName name;
  Outcome outcome = Outcome::succeeded;
  std::string stage;      // in which it ended: outputs, disabled, crashed, …
  std::string output_id;  // of that stage
  schema::Value data;
  std::string error;  // of a crash or a failed deployment
};
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
