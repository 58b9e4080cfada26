// What observers and gates are told and asked.
#include "support/catch.hpp"
#include "unit/workflow/fixture.hpp"

namespace venvoy::workflow {
using Catch::ContainsSubstring;

namespace {

const std::string pair =
    "steps:\n" + plugin_step("a", "say", "input: {message: a}") +
    plugin_step("b", "say", "input: {message: !expr $.steps.a.outputs.success.message}") +
    plugin_step("c", "say", "input: {message: c}\nenabled: no\nwait_for: !expr $.steps.b.outputs") +
    "outputs: {success: !expr $.steps.b.outputs.success, refused: !expr $.steps.a.crashed.error}\n";

std::vector<std::string> of_step(const Recorder& recorder, const std::string& step) {
  std::vector<std::string> events;
  for (const std::string& event : recorder.events)
    if (event.find(" " + step + " ") != event.npos) events.push_back(event);
  return events;
}

}  // namespace

TEST_CASE("the events of a run come in the order in which things happen") {
  Workbench bench;
  bench.run(workflow(pair));
  const Recorder& recorder = bench.recorder;
  CHECK(recorder.events.front() == "run started workflow.yaml");
  CHECK(recorder.events.back() == "run finished succeeded success");
  CHECK(of_step(recorder, "a") ==
        std::vector<std::string>{"deployed a demo", "started a say", "finished a succeeded outputs.success"});
  CHECK(of_step(recorder, "c") == std::vector<std::string>{"deployed c demo", "finished c disabled disabled.output"});
  CHECK(recorder.index_of("finished a succeeded outputs.success") < recorder.index_of("started b say"));
}

TEST_CASE("each way to end has its own event") {
  struct Row {
    const char* step;
    const char* rest;
    const char* event;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"say", "input: {message: a, fail: yes}", "finished a failed outputs.error"},
           {"crash", "input: {message: a}", "finished a failed crashed.error"},
           {"odd", "input: {message: a}", "finished a failed crashed.error"},
           {"wait", "input: {wait_time_ms: 1}\nstop_if: yes", "finished a cancelled closed.result"},
           {"say", "input: {message: a}\ndeploy: {deployer_name: fake, deploy_succeed: no}",
            "finished a failed deploy_failed.error"}}) {
    INFO(row.event);
    Workbench bench;
    const RunResult result = bench.run(workflow("steps:\n" + plugin_step("a", row.step, row.rest) +
                                                "outputs: {o: {x: !wait-optional "
                                                "$.steps.a.outputs.success}, p: !expr $.steps.a.outputs}\n"));
    CHECK(bench.recorder.count(row.event) == 1);
  }
}

TEST_CASE("the end of a run is told as what it was") {
  Workbench error;
  error.run(workflow("steps:\n" + plugin_step("a", "say", "input: {message: a, fail: yes}") +
                     "outputs: {error: !expr $.steps.a.outputs.error}\n"));
  CHECK(error.recorder.events.back() == "run finished failed error");
  Workbench failed;
  failed.run(workflow("steps:\n" + plugin_step("a", "say", "input: {message: a, fail: yes}") +
                      "outputs: {o: !expr $.steps.a.outputs.success}\n"));
  CHECK(failed.recorder.events.back() == "run finished failed ");
  Workbench refused;
  refused.run(workflow("steps:\n" + plugin_step("a", "say", "input: {message: a}") + "outputs: {o: {}}\n",
                       "{n: {type: {type_id: integer}}}"));
  CHECK(refused.recorder.events.back() == "run finished failed ");
  Workbench aborted;
  aborted.when("run a", [&] { aborted.control->abort(); });
  aborted.run(workflow("steps:\n" + plugin_step("a", "stubborn", "input: {wait_time_ms: 60000}") +
                       "outputs: {o: !expr $.steps.a.outputs.success}\n"));
  CHECK(aborted.recorder.events.back() == "run finished cancelled ");
}

TEST_CASE("outputs with configured names are logged with step and data") {
  Workbench bench;
  bench.options.logged_outputs = {{"success", LogLevel::warning}, {"started", LogLevel::info}};
  bench.run(workflow(pair));
  CHECK(bench.log->contains(
      "warning Output ID for step \"a\" is \"success\".\nOutput data: \"{\"message\":\"a\",\"number\":7}\""));
  CHECK(bench.log->contains("info Output ID for step \"b\" is \"started\".\nOutput data: \"{}\""));
  CHECK_FALSE(bench.log->contains("is \"resolved\""));
}

TEST_CASE("a plugin that fails in an unforeseen way has crashed, and its end is told") {
  Workbench bench;
  for (test::FakeStep& step : bench.world.plugins["demo"].steps)
    if (step.schema.id == "say")
      step.run = [](std::shared_ptr<FakeCall>) -> boost::asio::awaitable<deployer::StepAnswer> {
        throw std::runtime_error("out of the blue");
        co_return deployer::StepAnswer();
      };
  CHECK(text_of(bench.run(workflow("steps:\n" + plugin_step("a", "say", "input: {message: a}") +
                                   "outputs: {o: !expr $.steps.a.crashed.error}\n"))) ==
        R"(o {"output":"out of the blue"})");
}

// --- the gate --------------------------------------------------------------------------------------------------------

TEST_CASE("a gate is asked about the run with everything that it will do, before anything happens") {
  Workbench bench;
  bench.files.texts["s.yaml"] = workflow("steps: {x: {plugin: single, input: {message: x}}}\noutputs: {success: {}}\n");
  bench.options.gate = &bench.gate;
  RunQuestion asked;
  bench.gate.on_run = [&](const RunQuestion& question) {
    asked = question;
    CHECK(bench.world.count("start demo") == 0);
    return GateDecision();
  };
  const std::string text = workflow("steps:\n" + plugin_step("a", "say", "input: {message: a}") +
                                        plugin_step("b", "say", "input: {message: b}") +
                                        "  l: {kind: foreach, workflow: s.yaml, items: []}\n"
                                        "outputs: {success: {}}\n",
                                    "{n: {type: {type_id: integer}}}");
  bench.run(text, "n: '5'");
  CHECK(asked.workflow == "workflow.yaml");
  CHECK(asked.plugins == std::vector<std::string>{"demo", "single"});
  CHECK(asked.input == schema::Value(schema::Map{{"n", 5}}));
  CHECK(asked.digest.size() == 64);
}

TEST_CASE("a gate may deny the run: nothing starts") {
  for (const bool by_error : {false, true}) {
    Workbench bench;
    bench.options.gate = &bench.gate;
    bench.gate.on_run = [&](const RunQuestion&) -> GateDecision {
      if (by_error) throw Error(ErrorCode::network, "not today");
      return {false, "not today", std::nullopt};
    };
    const RunResult result = bench.run(workflow(pair));
    REQUIRE(result.failure);
    CHECK(result.failure->code() == ErrorCode::denied);
    CHECK(text_of(result) == "a policy has denied the run: not today");
    CHECK(bench.world.count("start demo") == 0);
  }
}

TEST_CASE("a gate may change the input of the run; what it gives is checked") {
  const std::string text = workflow("steps:\n" + plugin_step("a", "say", "input: {message: !expr $.input.m}") +
                                        "outputs: {success: {m: !expr $.steps.a.outputs.success.message}}\n",
                                    "{m: {type: {type_id: string}}}");
  Workbench bench;
  bench.options.gate = &bench.gate;
  bench.gate.on_run = [](const RunQuestion&) { return GateDecision{true, {}, schema::Map{{"m", "changed"}}}; };
  CHECK(text_of(bench.run(text, "m: given")) == R"(success {"m":"changed"})");
  Workbench wrong;
  wrong.options.gate = &wrong.gate;
  wrong.gate.on_run = [](const RunQuestion&) { return GateDecision{true, {}, schema::Map{{"x", "y"}}}; };
  const RunResult result = wrong.run(text, "m: given");
  REQUIRE(result.failure);
  CHECK(result.failure->code() == ErrorCode::denied);
  CHECK_THAT(text_of(result), ContainsSubstring("the input that a policy has put in place does not fit"));
}

TEST_CASE("a gate may deny a step: it has crashed with the reason, without a process") {
  for (const bool by_error : {false, true}) {
    Workbench bench;
    bench.options.gate = &bench.gate;
    bench.gate.on_step = [&](const StepQuestion& question) -> GateDecision {
      if (by_error) throw Error(ErrorCode::network, "too late");
      return {question.step != "a", "too late", std::nullopt};
    };
    CHECK(text_of(bench.run(workflow(pair))) == R"(refused {"output":"a policy has denied the step: too late"})");
    CHECK(bench.world.count("start demo") == 0);
    CHECK(bench.recorder.count("started a say") == 0);
  }
}

TEST_CASE("a gate is asked about each step with its input and may change it; what it gives is checked") {
  Workbench bench;
  bench.options.gate = &bench.gate;
  std::vector<StepQuestion> asked;
  bench.gate.on_step = [&](const StepQuestion& question) {
    asked.push_back(question);
    GateDecision decision;
    if (question.step == "a") decision.input = schema::Map{{"message", "changed"}};
    return decision;
  };
  CHECK(text_of(bench.run(workflow(pair))) == R"(success {"message":"changed","number":7})");
  REQUIRE(asked.size() == 2);
  CHECK(asked[0].plugin == "demo");
  CHECK(asked[0].plugin_step == "say");
  CHECK(asked[0].workflow == "workflow.yaml");
  CHECK(asked[0].input == schema::Value(schema::Map{{"message", "a"}}));
  CHECK(asked[1].input == schema::Value(schema::Map{{"message", "changed"}}));

  Workbench wrong;
  wrong.options.gate = &wrong.gate;
  wrong.gate.on_step = [](const StepQuestion&) { return GateDecision{true, {}, schema::Map{{"mesage", "x"}}}; };
  CHECK_THAT(text_of(wrong.run(workflow(pair))),
             ContainsSubstring("refused {\"output\":\"the input that a policy has put in place does not fit"));
  CHECK(wrong.world.count("start demo") == 0);
}

}  // namespace venvoy::workflow
