#include <algorithm>
#include <csignal>
#include <fstream>
#include <mutex>
#include <thread>
#include <venvoy/engine.hpp>

#include "support/catch.hpp"
#include "world.hpp"

namespace venvoy::test {
namespace {

using namespace std::chrono_literals;

// A workflow given as a text.
Workflow prepare(Engine& engine, const std::string& text, std::shared_ptr<Observer> observer = nullptr) {
  PrepareOptions options;
  options.files = {{"workflow.yaml", text}};
  options.observer = std::move(observer);
  return engine.prepare("workflow.yaml", std::move(options));
}

Workflow prepared(Engine& engine, const std::string& text) {
  Workflow workflow = prepare(engine, text);
  for (const Diagnostic& diagnostic : workflow.diagnostics()) UNSCOPED_INFO(diagnostic.rendered());
  REQUIRE(workflow.ready());
  return workflow;
}

Value name(const char* text) {
  return Value::Map{{"name", text}};
}

// The input of a step that waits, with the files by which it is watched and let go.
struct Waiting {
  TemporaryDir folder;
  fs::path started = folder / "started";
  fs::path release = folder / "release";
  Value input() const { return Value::Map{{"started", started.string()}, {"release", release.string()}}; }
};

TEST_CASE("a workflow is prepared and run, and events tell of it in order") {
  const World& world = World::shared();
  Engine engine(world.options());
  const auto preparing = std::make_shared<Recorder>();
  const Workflow workflow = prepare(engine, hello_workflow(world.reference), preparing);
  REQUIRE(workflow.ready());
  CHECK(workflow.diagnostics().empty());
  const std::vector<Event> events = preparing->events();
  REQUIRE_FALSE(events.empty());
  CHECK(events.back().type == Event::Type::environment_ready);
  CHECK(events.back().reference == world.reference);
  CHECK(events.back().run.empty());

  const auto running = std::make_shared<Recorder>();
  RunOptions options;
  options.observer = running;
  const Run run = workflow.start(name("World"), options);
  const Result result = run.wait();
  REQUIRE_FALSE(result.failure);
  CHECK(result.output_id == "success");
  CHECK_FALSE(result.error_output);
  CHECK(result.output == Value(Value::Map{{"message", "Hello, World, from the first commit!"}}));
  CHECK(running->story() == "run_started step_deployed(only) step_started(only) step_finished(only) run_finished");
  for (const Event& event : running->events()) CHECK(event.run == run.id());
  const Event started = running->events()[2];
  CHECK(started.plugin_step == "hello");
  CHECK(started.data == name("World"));
  const Event finished = running->events()[3];
  CHECK(finished.outcome == "succeeded");
  CHECK(finished.stage + "." + finished.output == "outputs.success");
  CHECK(running->events()[1].version == world.commit);
  // Times do not go back.
  for (std::size_t index = 1; index < running->events().size(); ++index)
    CHECK(running->events()[index - 1].time <= running->events()[index].time);
  CHECK(run.ended());
  CHECK(run.wait().output == result.output);  // again
}

TEST_CASE("an error output is an output, and a crash a failure that says why") {
  const World& world = World::shared();
  Engine engine(world.options());
  const Workflow workflow = prepared(engine, hello_workflow(world.reference));
  const Result error = workflow.run(name("error"));
  CHECK_FALSE(error.failure);
  CHECK(error.output_id == "error");
  CHECK(error.error_output);

  // A host that has not thought of SIGPIPE must survive the death of a plugin, and finds its handler as it was.
  struct sigaction before = {}, after = {}, host = {};
  host.sa_handler = SIG_DFL;
  sigaction(SIGPIPE, &host, &before);
  const Result crash = workflow.run(name("crash"));
  sigaction(SIGPIPE, &before, &after);
  CHECK(after.sa_handler == SIG_DFL);
  REQUIRE(crash.failure);
  CHECK(crash.failure->code == FailureCode::evaluation);
  REQUIRE(crash.step_failures.size() == 1);
  CHECK(crash.step_failures[0].step == "only");
  CHECK_THAT(crash.step_failures[0].text, Catch::ContainsSubstring("exit code 7"));
  CHECK_THAT(crash.step_failures[0].text, Catch::ContainsSubstring("the last words of the plugin"));
  CHECK(error.step_failures.empty());
}

TEST_CASE("what is wrong with a workflow comes back as diagnostics with places") {
  const World& world = World::shared();
  Engine engine(world.options());
  std::string text = hello_workflow(world.reference);
  text.replace(text.find("$.steps.only.outputs.success.message"), 12, "$.steps.onyl");
  text.replace(text.find("$.input.name"), 12, "$.input.nmae");
  const Workflow workflow = prepare(engine, text);
  CHECK_FALSE(workflow.ready());
  REQUIRE(workflow.diagnostics().size() >= 2);
  for (const Diagnostic& diagnostic : workflow.diagnostics()) {
    CHECK(diagnostic.at.file == "workflow.yaml");
    CHECK(diagnostic.at.line > 0);
    CHECK(diagnostic.at.column > 0);
  }
  CHECK_THAT(workflow.diagnostics()[0].text, Catch::ContainsSubstring("nmae"));
  CHECK(error_of([&] { workflow.start(name("x")); }).failure().code == FailureCode::usage);

  const Workflow syntax = prepare(engine, "steps: [\n");
  CHECK_FALSE(syntax.ready());
  REQUIRE(syntax.diagnostics().size() == 1);
  CHECK(syntax.diagnostics()[0].at.line > 0);

  const Workflow unknown =
      prepare(engine, hello_workflow("tiny-plugin@git+file:///nowhere/at/all.git@" + world.commit));
  CHECK_FALSE(unknown.ready());
  REQUIRE(unknown.diagnostics().size() == 1);
  CHECK_THAT(unknown.diagnostics()[0].text, Catch::ContainsSubstring("/nowhere/at/all.git"));

  CHECK(error_of([&] { engine.prepare("there-is-no-such-file.yaml"); }).failure().code == FailureCode::io);
}

TEST_CASE("Test_MergeFileCaches: a text that the host gives goes before the file of its name") {
  const World& world = World::shared();
  const TemporaryDir folder;
  std::ofstream(folder / "workflow.yaml") << hello_workflow(world.reference);
  Engine engine(world.options());
  const auto is_ready = [&](std::map<std::string, std::string> files) {
    PrepareOptions options;
    options.context = folder.path();
    options.files = std::move(files);
    return engine.prepare("workflow.yaml", std::move(options)).ready();
  };
  CHECK(is_ready({}));
  CHECK(is_ready({{"other.yaml", "steps: [\n"}}));
  CHECK_FALSE(is_ready({{"workflow.yaml", "steps: [\n"}}));
}

TEST_CASE("inputs are checked before and by a run") {
  const World& world = World::shared();
  Engine engine(world.options());
  const Workflow workflow = prepared(engine, hello_workflow(world.reference));
  CHECK(workflow.check_input(name("World")).empty());
  REQUIRE(workflow.check_input(name("")).size() == 1);
  CHECK_THAT(workflow.check_input(Value::Map())[0].text, Catch::ContainsSubstring("name"));
  const Result result = workflow.run(Value::Map());
  REQUIRE(result.failure);
  CHECK(result.failure->code == FailureCode::schema);
  CHECK_THAT(result.failure->text, Catch::ContainsSubstring("invalid workflow input"));
}

TEST_CASE("a run is cancelled from another thread") {
  const World& world = World::shared();
  Engine engine(world.options());
  const Workflow workflow = prepared(engine, wait_workflow(world.reference, "wait-for-cancel"));
  const Waiting waiting;
  const auto recorder = std::make_shared<Recorder>();
  RunOptions options;
  options.observer = recorder;
  SECTION("by its handle") {
    Run run = workflow.start(waiting.input(), options);
    std::thread other([&] {
      appears(waiting.started);
      run.cancel();
    });
    const Result result = run.wait();
    other.join();
    REQUIRE(result.failure);
    CHECK(result.failure->code == FailureCode::cancelled);
    run.cancel();  // does nothing any more
  }
  SECTION("by its token") {
    std::thread other([&, token = options.cancellation]() mutable {
      appears(waiting.started);
      token.cancel();
    });
    const Result result = workflow.run(waiting.input(), options);
    other.join();
    REQUIRE(result.failure);
    CHECK(result.failure->code == FailureCode::cancelled);
  }
  SECTION("by a token that was used before it began") {
    options.cancellation.cancel();
    const Result result = workflow.run(waiting.input(), options);
    REQUIRE(result.failure);
    CHECK(result.failure->code == FailureCode::cancelled);
    CHECK_FALSE(fs::exists(waiting.started));
  }
  SECTION("by its time") {
    options.timeout = 1ms;
    const Result result = workflow.run(waiting.input(), options);
    REQUIRE(result.failure);
    CHECK(result.failure->code == FailureCode::timed_out);
  }
  CHECK_THAT(recorder->story(), Catch::ContainsSubstring("run_started") && Catch::ContainsSubstring("run_finished"));
}

TEST_CASE("preparing is cancelled") {
  Engine engine(World::shared().options());
  PrepareOptions options;
  options.files = {{"workflow.yaml", hello_workflow(World::shared().reference)}};
  options.cancellation.cancel();
  CHECK(error_of([&] { engine.prepare("workflow.yaml", options); }).failure().code == FailureCode::cancelled);
}

TEST_CASE("an observer may cancel, may throw, and may not wait") {
  struct Meddler final : Observer {
    Cancellation cancellation;
    const Workflow* workflow = nullptr;
    FailureCode code = FailureCode::internal;
    void on_event(const Event& event) override {
      if (event.type != Event::Type::step_started) return;
      code = error_of([&] { workflow->run(Value::Map()); }).failure().code;
      cancellation.cancel();
      throw std::runtime_error("a host's mistake");
    }
  };
  const World& world = World::shared();
  Engine engine(world.options());
  const Workflow workflow = prepared(engine, wait_workflow(world.reference, "wait-for-cancel"));
  const Waiting waiting;
  const auto meddler = std::make_shared<Meddler>();
  meddler->workflow = &workflow;
  RunOptions options;
  options.observer = meddler;
  options.cancellation = meddler->cancellation;
  const Result result = workflow.run(waiting.input(), options);
  REQUIRE(result.failure);
  CHECK(result.failure->code == FailureCode::cancelled);
  CHECK(meddler->code == FailureCode::usage);
}

TEST_CASE("two engines in one process, and two runs in one engine") {
  const World& world = World::shared();
  Engine first(world.options());
  Engine second(world.options());
  const Workflow slow = prepared(first, wait_workflow(world.reference, "wait"));
  const Workflow quick = prepared(second, hello_workflow(world.reference));
  const Workflow beside = prepared(first, hello_workflow(world.reference));
  const Waiting waiting;
  const Run run = slow.start(waiting.input());
  REQUIRE(appears(waiting.started));
  CHECK(quick.run(name("second")).output_id == "success");
  CHECK(beside.run(name("beside")).output_id == "success");
  CHECK_FALSE(run.ended());
  CHECK_FALSE(run.wait_for(10ms));
  std::ofstream(waiting.release) << "go";
  const auto result = run.wait_for(patience);
  REQUIRE(result);
  CHECK_FALSE(result->failure);
  CHECK(result->output_id == "success");
}

TEST_CASE("an engine is destroyed with a run in progress") {
  const World& world = World::shared();
  std::optional<Engine> engine(world.options());
  const Workflow workflow = prepared(*engine, wait_workflow(world.reference, "wait-for-cancel"));
  const Waiting waiting;
  const auto recorder = std::make_shared<Recorder>();
  RunOptions options;
  options.observer = recorder;
  const Run run = workflow.start(waiting.input(), options);
  REQUIRE(appears(waiting.started));
  engine.reset();
  CHECK(run.ended());
  const Result result = run.wait();
  REQUIRE(result.failure);
  CHECK(result.failure->code == FailureCode::cancelled);
  CHECK(recorder->events().back().type == Event::Type::run_finished);
  // What is left says that the engine is gone.
  CHECK(error_of([&] { workflow.start(waiting.input()); }).failure().code == FailureCode::usage);
  CHECK(workflow.diagnostics().empty());
}

TEST_CASE("an engine is destroyed while another thread waits for a run") {
  const World& world = World::shared();
  std::optional<Engine> engine(world.options());
  const Workflow workflow = prepared(*engine, wait_workflow(world.reference, "wait-for-cancel"));
  const Waiting waiting;
  Result result;
  std::thread other([&] { result = workflow.run(waiting.input()); });
  REQUIRE(appears(waiting.started));
  engine.reset();
  other.join();
  REQUIRE(result.failure);
  CHECK(result.failure->code == FailureCode::cancelled);
}

TEST_CASE("engines are moved, and what they prepared moves with them") {
  const World& world = World::shared();
  Engine engine(world.options());
  const Workflow workflow = prepared(engine, hello_workflow(world.reference));
  Engine moved = std::move(engine);
  CHECK(workflow.run(name("World")).output_id == "success");
  CHECK(error_of([&] { engine.prepare("x.yaml"); }).failure().code == FailureCode::usage);
  moved = Engine(world.options());
  CHECK(error_of([&] { workflow.run(name("World")); }).failure().code == FailureCode::usage);
}

// --- configuration, log and gate -------------------------------------------------------------------------------------

TEST_CASE("a wrong configuration is an error with all its diagnostics") {
  EngineOptions options;
  options.configuration = "logs: {}\nlog: {level: loud}\n";
  const EngineError error = error_of([&] { Engine engine(options); });
  CHECK(error.failure().code == FailureCode::document);
  CHECK(error.diagnostics().size() == 2);
  CHECK_THAT(error.what(), Catch::ContainsSubstring("configuration:1:1"));

  options.configuration_file = "config.yaml";
  CHECK(error_of([&] { Engine engine(options); }).failure().code == FailureCode::usage);
  options.configuration.reset();
  options.configuration_file = "/there/is/no/such/config.yaml";
  CHECK(error_of([&] { Engine engine(options); }).failure().code == FailureCode::io);
}

TEST_CASE("the log gets what the configuration lets through") {
  const World& world = World::shared();
  for (const bool debug : {true, false}) {
    std::mutex mutex;
    std::vector<std::string> levels;
    EngineOptions options = world.options();
    options.configuration = debug ? "log: {level: debug}\n" : "log: {level: error}\n";
    options.log = [&](const LogLine& line) {
      const std::lock_guard lock(mutex);
      levels.emplace_back(line.level);
    };
    {
      Engine engine(options);
      prepared(engine, hello_workflow(world.reference)).run(name("crash"));
    }
    CHECK((std::count(levels.begin(), levels.end(), "debug") > 0) == debug);
    CHECK((std::count(levels.begin(), levels.end(), "warning") > 0) == debug);
  }
}

class TestGate final : public Gate {
 public:
  Decision deploy, run, step;
  std::vector<std::string> asked;
  Value input;
  std::mutex mutex;

  Decision may_deploy(const DeployRequest& request) override { return told("deploy " + request.source_kind, deploy); }
  Decision may_run(const RunRequest& request) override {
    input = request.input;
    return told("run " + request.workflow, run);
  }
  Decision may_run_step(const StepRequest& request) override {
    if (step.reason == "throw") throw std::runtime_error("the gate is broken");
    return told("step " + request.step + " " + request.plugin_step, step);
  }

 private:
  Decision told(std::string question, const Decision& answer) {
    const std::lock_guard lock(mutex);
    asked.push_back(std::move(question));
    return answer;
  }
};

TEST_CASE("a gate is asked, allows, changes and denies") {
  const World& world = World::shared();
  const auto gate = std::make_shared<TestGate>();
  EngineOptions options = world.options();
  options.gate = gate;
  SECTION("allows") {
    Engine engine(options);
    CHECK(prepared(engine, hello_workflow(world.reference)).run(name("World")).output_id == "success");
    CHECK(gate->asked == std::vector<std::string>{"deploy git", "run workflow.yaml", "step only hello"});
    CHECK(gate->input == name("World"));
  }
  SECTION("changes the input of the run") {
    gate->run.input = name("Moon");
    Engine engine(options);
    const Result result = prepared(engine, hello_workflow(world.reference)).run(name("World"));
    CHECK(result.output.at("message").as_text() == "Hello, Moon, from the first commit!");
  }
  SECTION("denies the deployment") {
    gate->deploy = {false, "not here", {}};
    Engine engine(options);
    const Workflow workflow = prepare(engine, hello_workflow(world.reference));
    CHECK_FALSE(workflow.ready());
    REQUIRE(workflow.diagnostics().size() == 1);
    CHECK_THAT(workflow.diagnostics()[0].text, Catch::ContainsSubstring("not here"));
  }
  SECTION("denies the run") {
    gate->run = {false, "not today", {}};
    Engine engine(options);
    const Result result = prepared(engine, hello_workflow(world.reference)).run(name("World"));
    REQUIRE(result.failure);
    CHECK(result.failure->code == FailureCode::denied);
    CHECK_THAT(result.failure->text, Catch::ContainsSubstring("not today"));
    CHECK(gate->asked.back() == "run workflow.yaml");
  }
  SECTION("breaks, which is a denial") {
    gate->step.reason = "throw";
    Engine engine(options);
    const Result result = prepared(engine, hello_workflow(world.reference)).run(name("World"));
    REQUIRE(result.step_failures.size() == 1);
    CHECK_THAT(result.step_failures[0].text, Catch::ContainsSubstring("the gate is broken"));
  }
}

}  // namespace
}  // namespace venvoy::test
