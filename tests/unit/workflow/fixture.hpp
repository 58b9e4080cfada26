// A workbench for workflows: texts in; plans, results and events out. No process and no disk.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "support/fake_deployer.hpp"
#include "workflow/engine.hpp"

namespace venvoy::workflow {

using namespace std::chrono_literals;
using test::FakeCall;
using test::FakeWorld;

// The plugin "demo": a table of its steps is at its definition.
test::FakePlugin demo_plugin();
// The plugin "single" with the one step "say" of "demo".
test::FakePlugin single_plugin();

// Writes down the events of a run, one line each, and checks that they are paired.
class Recorder final : public RunObserver {
 public:
  std::vector<std::string> events;

  void run_started(const RunStarted& event) override;
  void run_finished(const RunFinished& event) override;
  void step_deployed(const StepDeployed& event) override;
  void step_started(const StepStarted& event) override;
  void step_finished(const StepFinished& event) override;
  void item_started(const ItemStarted& event) override;
  void item_finished(const ItemFinished& event) override;

  int count(const std::string& event) const;
  std::size_t index_of(const std::string& event) const;
  // Whether each _started has exactly one _finished after it, and nothing is told outside of the run.
  void check_pairs() const;

 private:
  void open(const std::string& name);
  void close(const std::string& name);

  std::vector<std::string> open_;
  std::vector<std::string> problems_;
};

class Lines final : public LogSink {
 public:
  std::vector<std::string> lines;  // "info message"

  bool enabled(LogLevel) const noexcept override { return true; }
  void write(LogLevel level, std::string_view labels, std::string_view message) override;
  bool contains(const std::string& text) const;
};

// The answers of a gate that tests choose; without one everything is allowed.
class TestGate final : public ActionGate {
 public:
  std::function<GateDecision(const RunQuestion&)> on_run;
  std::function<GateDecision(const StepQuestion&)> on_step;

  boost::asio::awaitable<GateDecision> may_run(RunQuestion question) override;
  boost::asio::awaitable<GateDecision> may_run_step(StepQuestion question) override;
  boost::asio::awaitable<GateDecision> may_cancel(CancelQuestion question) override;
};

class Workbench {
 public:
  Workbench();

  test::FakeWorld world;
  test::FakeDeployers deployers{world};
  test::FakeFiles files;
  Recorder recorder;
  TestGate gate;
  std::shared_ptr<Lines> log = std::make_shared<Lines>();
  RunOptions options;  // observer and logger are set
  std::shared_ptr<RunControl> control = std::make_shared<RunControl>();

  // Prepares the text as "workflow.yaml".
  Checked check(const std::string& text, PrepareOptions prepare_options = {});
  // Prepares it, which must go well, and runs it with the input that a YAML text gives. Fails the test when the run
  // does not end, when events are not paired or when a process is left.
  RunResult run(const std::string& text, const std::string& input = "{}");
  RunResult run(std::shared_ptr<const Plan> plan, const std::string& input = "{}");
  // Calls `action` on the loop as soon as the journal has the entry.
  void when(const std::string& entry, std::function<void()> action);

 private:
  void drive(boost::asio::io_context& loop);
  std::vector<std::pair<std::string, std::function<void()>>> actions_;
};

// A workflow with the steps and outputs of `body` and an input object of which `properties` is the YAML text (lines of
// 8 blanks or flow style); without, it takes nothing.
std::string workflow(const std::string& body, const std::string& properties = "{}");
// "  ID:\n    plugin: …\n    step: STEP\n" and the lines of `rest`, to which four blanks are added.
std::string plugin_step(const std::string& id, const std::string& step, const std::string& rest);

// "success {"a":1}", or the error's text.
std::string text_of(const RunResult& result);
// "file:line:column text" of each, one a line.
std::string text_of(const Issues& issues);

}  // namespace venvoy::workflow
