// An engine that runs workflows of Python plugins, inside a program of yours:
//
//   venvoy::Engine engine;
//   const venvoy::Workflow workflow = engine.prepare("workflow.yaml");
//   for (const venvoy::Diagnostic& diagnostic : workflow.diagnostics()) std::cerr << diagnostic.rendered();
//   if (!workflow.ready()) return 1;
//   const venvoy::Result result = workflow.run(venvoy::Value::Map{{"name", "World"}});
//   if (result.failure) std::cerr << result.failure->text << '\n';
//   else std::cout << result.output.to_yaml();
//
// The library prints nothing, has no globals, and leaves signals, working directory and environment variables of the
// process alone. Several engines may live side by side. Everything may be called from any thread, but what waits (it
// says so) not from an Observer. Calls throw an EngineError; what a workflow does wrong is in the results instead.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include <venvoy/cancellation.hpp>
#include <venvoy/failure.hpp>
#include <venvoy/gate.hpp>
#include <venvoy/observer.hpp>
#include <venvoy/value.hpp>

namespace venvoy {

struct LogLine {
  std::string_view level;   // debug, info, warning or error
  std::string_view labels;  // "name=value" joined with ';'
  std::string_view text;
};

struct EngineOptions {
  // A configuration file, or its text (which goes by the name "configuration" in diagnostics), not both. Without either
  // the defaults hold. Variables named VENVOY_… of the environment go over it, as in the command.
  std::filesystem::path configuration_file;
  std::optional<std::string> configuration;

  // Over the configuration's.
  std::optional<std::filesystem::path> workdir;  // of the store of environments
  std::optional<std::string> python;             // interpreter for plugins
  // Use what is there; open no connection.
  bool offline = false;
  // References that may lack the compatibility file.
  std::vector<std::string> allow_incompatible;

  // Gets what the configuration's `log.level` lets through, from any thread, several at a time. Must not throw.
  std::function<void(const LogLine&)> log;
  // Asked before anything is deployed or run; may be null.
  std::shared_ptr<Gate> gate;
};

struct PrepareOptions {
  // Where relative names of files start.
  std::filesystem::path context = ".";
  // Texts by name, used in place of the files.
  std::map<std::string, std::string> files;
  std::shared_ptr<Observer> observer;  // may be null
  Cancellation cancellation;
};

struct RunOptions {
  // Kept until the run has ended; may be null.
  std::shared_ptr<Observer> observer;
  Cancellation cancellation;
  // The run is aborted after this time.
  std::optional<std::chrono::milliseconds> timeout;
};

// A step that crashed or could not be deployed.
struct StepFailure {
  std::string step;  // key in the workflow
  std::string item;  // as in Event
  std::string text;
};

struct Result {
  // Nothing if the run has an output.
  std::optional<Failure> failure;
  std::string output_id;
  Value output;
  // The output is one that the workflow declares as an error.
  bool error_output = false;
  // What went wrong in steps, in the order of their ends, also when there is an output.
  std::vector<StepFailure> step_failures;
};

// A run that was started. Copies are the same run. The run goes on when the last of them goes.
class Run {
 public:
  const std::string& id() const noexcept;
  // Aborts it: steps get a cancel signal and some seconds to answer it, what does not end is killed. Returns at once;
  // does nothing once the run has ended.
  void cancel();
  bool ended() const;
  // Waits for the end, and then gives the same every time.
  Result wait() const;
  // The same, or nothing after that time.
  std::optional<Result> wait_for(std::chrono::milliseconds time) const;

 private:
  friend class Workflow;
  struct State;
  explicit Run(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

// A workflow that was prepared: checked, and with every plugin installed. Copies are the same. It holds on to the
// environments of its plugins, so that nothing removes them. It runs any number of times, also at a time.
class Workflow {
 public:
  // False when a diagnostic is an error.
  bool ready() const noexcept;
  // What is wrong, all of it, in the order of the files; also warnings.
  const std::vector<Diagnostic>& diagnostics() const noexcept;
  // What does not fit the workflow's input schema; empty for a good input.
  std::vector<Diagnostic> check_input(const Value& input) const;

  // Both throw an EngineError (usage) when the workflow is not ready or the engine is gone.
  Run start(const Value& input = Value::Map(), RunOptions options = {}) const;
  // Starts and waits.
  Result run(const Value& input = Value::Map(), RunOptions options = {}) const;

 private:
  friend class Engine;
  struct State;
  explicit Workflow(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

class EngineCore;

// One engine: a few threads and a process that keeps all of its child processes.
class Engine {
 public:
  // Throws an EngineError: (document) with diagnostics when the configuration is wrong, (io) when it cannot be read,
  // (environment, start) when parts of the installation are missing.
  explicit Engine(EngineOptions options = {});
  // Cancels what is under way and waits for its end, which takes as long as steps take to answer a cancel signal. Runs
  // and calls that are waited for on other threads then end as cancelled. No process stays behind.
  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;

  // Reads a workflow and its sub-workflows, makes every plugin ready and checks everything that can be known before a
  // run. Waits. Throws an EngineError (io) when the file cannot be read, (cancelled) when cancelled.
  Workflow prepare(const std::string& file, PrepareOptions options = {});

 private:
  std::shared_ptr<EngineCore> core_;
};

}  // namespace venvoy
