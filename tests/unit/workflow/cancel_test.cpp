// Ending early: stop_if, the closing of steps, abort and time-out.
#include "support/catch.hpp"
#include "unit/workflow/fixture.hpp"

namespace venvoy::workflow {
using Catch::ContainsSubstring;

namespace {

const std::string closed_output = "outputs: {success: !expr $.steps.a.closed.result}\n";
const std::string long_wait = "input: {wait_time_ms: 60000}";

}  // namespace

// --- stop_if ---------------------------------------------------------------------------------------------------------

TEST_CASE("TestStepCancellation: a running step gets one cancel signal and answers with an output of its own") {
  Workbench bench;
  CHECK(text_of(bench.run(
            workflow("steps:\n" + plugin_step("a", "wait", long_wait + "\nstop_if: !expr $.steps.b.outputs.success") +
                     plugin_step("b", "say", "input: {message: b}\nwait_for: !expr $.steps.a.starting.started") +
                     "outputs: {a: !expr $.steps.a.outputs.cancelled_early, b: !expr $.steps.a.outputs.success}\n"))) ==
        R"(a {"message":"Plugin slept for 60000 ms."})");
  CHECK(bench.world.count("signal a cancel") == 1);
  CHECK(bench.world.count("kill demo") == 0);
  CHECK(bench.log->contains("info Cancelling step a/wait"));
}

TEST_CASE("TestEarlyStepCancellation: before it runs a step is closed instead") {
  Workbench bench;
  const RunResult result = bench.run(workflow(
      "steps:\n" + plugin_step("b", "say", "input: {message: b}") +
      plugin_step("c", "deaf", "input: {wait_time_ms: 1}\nclosure_wait_timeout: 1") +
      plugin_step("a", "wait", long_wait + "\nstop_if: !expr $.steps.b.outputs\nwait_for: !expr $.steps.c.outputs") +
      "outputs: {ran: !expr $.steps.a.outputs, success: !expr $.steps.a.closed.result}\n"));
  CHECK(text_of(result) == R"(success {"cancelled":true,"close_requested":false})");
  CHECK(bench.world.count("run a") == 0);
  CHECK(bench.recorder.count("finished a cancelled closed.result") == 1);
}

TEST_CASE("TestDeploymentStepCancellation TestMultiDependencyDependOnClosedStepDeployment: during the deployment") {
  for (const char* succeed : {"true", "false"}) {
    Workbench bench;
    const RunResult result = bench.run(workflow(
        "steps:\n" +
        plugin_step("a", "wait",
                    long_wait +
                        "\nstop_if: !expr $.steps.b.outputs\ndeploy: {deployer_name: fake, "
                        "deploy_time: 30, deploy_succeed: " +
                        succeed + "}") +
        plugin_step("b", "say", "input: {message: b}") +
        "outputs: {closed: !expr $.steps.a.closed.result, failed: {x: !expr $.steps.a.deploy_failed.error}}\n"));
    // The deployment comes to its end first.
    if (succeed == std::string("true"))
      CHECK(text_of(result) == R"(closed {"cancelled":true,"close_requested":false})");
    else
      CHECK(text_of(result) == R"(failed {"x":{"error":"intentional deployment fail after 30 ms"}})");
    CHECK(bench.world.count("start demo") == 1);
  }
}

TEST_CASE("TestMultiDependencyDependOnClosedStepPostDeployment: while it waits for enabled, and while it starts") {
  Workbench waiting;
  CHECK(text_of(waiting.run(workflow("steps:\n" + plugin_step("b", "say", "input: {message: b}") +
                                     plugin_step("c", "deaf", "input: {wait_time_ms: 1}\nclosure_wait_timeout: 1") +
                                     plugin_step("a", "wait",
                                                 long_wait + "\nstop_if: !expr $.steps.b.outputs\nenabled: !expr "
                                                             "'$.steps.c.outputs.success.message == \"\"'") +
                                     closed_output))) == R"(success {"cancelled":true,"close_requested":false})");
  Workbench starting;
  starting.world.plugins["slow"] = demo_plugin();
  starting.world.plugins["slow"].start_time = 60s;
  CHECK(text_of(starting.run(
            workflow("steps:\n" + plugin_step("b", "wait", "input: {wait_time_ms: 5}") +
                     "  a: {plugin: slow, step: wait, input: {wait_time_ms: 1}, stop_if: !expr $.steps.b.outputs}\n" +
                     closed_output))) == R"(success {"cancelled":true,"close_requested":false})");
}

TEST_CASE("TestInputCancelledStepWorkflow: what stop_if takes as a wish to stop") {
  struct Row {
    const char* written;
    bool stops;
  };
  for (const Row& row : std::initializer_list<Row>{{"false", false},
                                                   {"'no'", false},
                                                   {"!expr false", false},
                                                   {"!expr $.input.no", false},
                                                   {"true", true},
                                                   {"banana", true},
                                                   {"!expr $.input", true},
                                                   {"!wait-optional $.input.gone", false},
                                                   {"!expr $.input.n", true}}) {
    INFO(row.written);
    Workbench bench;
    const RunResult result = bench.run(
        workflow(
            "steps:\n" + plugin_step("a", "wait", "input: {wait_time_ms: 1}\nstop_if: " + std::string(row.written)) +
                "outputs: {ran: !expr $.steps.a.outputs, closed: !expr $.steps.a.closed.result}\n",
            "{no: {type: {type_id: bool}}, n: {type: {type_id: integer}}, gone: {type: {type_id: string}, required: "
            "false}}"),
        "{no: false, n: 0}");
    CHECK(result.output_id == (row.stops ? "closed" : "ran"));
  }
  Workbench bench;
  CHECK_THAT(text_of(bench.run(workflow("steps:\n" + plugin_step("a", "wait", long_wait + "\nstop_if: yes") +
                                        "outputs: {success: !expr $.steps.a.outputs.success}\n"))),
             ContainsSubstring("all outputs marked as unresolvable"));
}

TEST_CASE("a stop_if that cannot come leaves the step alone, one that comes too late as well") {
  Workbench bench;
  CHECK(
      text_of(bench.run(workflow(
          "steps:\n" + plugin_step("a", "wait", "input: {wait_time_ms: 1}\nstop_if: !expr $.steps.b.outputs.error") +
          plugin_step("b", "say", "input: {message: b}\nwait_for: !expr $.steps.c.outputs") +
          plugin_step("c", "wait", "input: {wait_time_ms: 1}\nstop_if: !expr $.steps.d.outputs") +
          plugin_step("d", "wait", "input: {wait_time_ms: 100}") +
          "outputs: {success: {d: !expr $.steps.d.outputs, a: !expr $.steps.a.outputs, b: !expr "
          "$.steps.b.outputs.success.message}}\n"))) ==
      R"(success {"a":{"success":{"message":"Plugin slept for 1 ms."}},"b":"b","d":{"success":{"message":"Plugin slept for 100 ms."}}})");
  CHECK(bench.world.count("signal c cancel") == 0);
  CHECK_FALSE(bench.log->contains("Cancelling step c/wait"));
}

TEST_CASE("closure_wait_timeout: who does not answer the signal is killed and has crashed") {
  Workbench bench;
  CHECK(text_of(bench.run(
            workflow("steps:\n" +
                         plugin_step("a", "deaf",
                                     "input: {wait_time_ms: 1}\nstop_if: !expr $.steps.b.outputs\n"
                                     "closure_wait_timeout: !expr $.input.t") +
                         plugin_step("b", "say", "input: {message: b}\nwait_for: !expr $.steps.a.starting.started") +
                         "outputs: {success: !expr $.steps.a.crashed.error}\n",
                     "{t: {type: {type_id: integer}}}"),
            "t: 3")) == R"(success {"output":"step closed after timeout without result"})");
  CHECK(bench.world.index_of("signal a cancel") < bench.world.index_of("kill demo"));
}

// --- the end of a run ------------------------------------------------------------------------------------------------

TEST_CASE("at the end of a run all steps are closed at the same time") {
  Workbench bench;
  const auto before = std::chrono::steady_clock::now();
  bench.run(workflow("steps:\n" + plugin_step("a", "deaf", "input: {wait_time_ms: 1}\nclosure_wait_timeout: 200") +
                     plugin_step("b", "deaf", "input: {wait_time_ms: 1}\nclosure_wait_timeout: 200") +
                     plugin_step("c", "wait", long_wait) + plugin_step("d", "stubborn", long_wait) +
                     "outputs: {success: {x: !expr $.steps.a.starting, y: !expr $.steps.b.starting, z: !expr "
                     "$.steps.c.starting, u: !expr $.steps.d.starting}}\n"));
  CHECK(std::chrono::steady_clock::now() - before >= 200ms);
  // Both are told before the time of one is over.
  const FakeWorld& world = bench.world;
  CHECK(world.index_of("signal a cancel") < world.index_of("kill demo"));
  CHECK(world.count("kill demo") == 3);
  CHECK(world.count("signal b cancel") == 1);
  CHECK(world.count("answer c cancelled_early") == 1);
  CHECK(world.count("signal d cancel") == 0);
  CHECK(bench.log->contains("warning Force closing step d/stubborn"));
  CHECK(bench.recorder.count("finished d failed crashed.error") == 1);
}

// --- abort -----------------------------------------------------------------------------------------------------------

TEST_CASE("TestEarlyContextCancellation: an aborted run without a possible output says so") {
  Workbench bench;
  bench.when("run a", [&] { bench.control->abort(); });
  const RunResult result = bench.run(workflow("steps:\n" + plugin_step("a", "stubborn", long_wait) +
                                              "outputs: {success: !expr $.steps.a.outputs.success}\n"));
  REQUIRE(result.failure);
  CHECK_THAT(text_of(result), ContainsSubstring("all outputs marked as unresolvable"));
  CHECK(bench.control->aborted());
}

TEST_CASE("an abort before the run starts nothing") {
  Workbench bench;
  bench.control->abort();
  const RunResult result = bench.run(workflow("steps:\n" + plugin_step("a", "wait", long_wait) +
                                              "outputs: {success: !expr $.steps.a.outputs.success}\n"));
  REQUIRE(result.failure);
  CHECK(bench.world.count("start demo") == 0);
}

TEST_CASE("an abort after the run does nothing") {
  Workbench bench;
  bench.run(workflow("steps:\n" + plugin_step("a", "say", "input: {message: a}") +
                     "outputs: {success: !expr $.steps.a.outputs.success}\n"));
  bench.control->abort();
  CHECK(bench.control->aborted());
}

TEST_CASE("TestMultiDependencyWorkflowContextCanceled: an abort still yields an output that becomes possible") {
  Workbench bench;
  bench.when("run a", [&] { bench.control->abort(); });
  CHECK(text_of(bench.run(workflow("steps:\n" + plugin_step("a", "wait", long_wait) +
                                   "outputs: {success: !expr $.steps.a.outputs.cancelled_early}\n"))) ==
        R"(success {"message":"Plugin slept for 60000 ms."})");
}

TEST_CASE("TestMultiDependencyDependOnContextDoneDeployment: an output that is built on the closing") {
  Workbench bench;
  bench.when("run b", [&] { bench.control->abort(); });
  CHECK(
      text_of(bench.run(workflow("steps:\n" + plugin_step("b", "wait", long_wait) +
                                 plugin_step("a", "say", "input: {message: !expr $.steps.b.outputs.success.message}") +
                                 closed_output))) == R"(success {"cancelled":false,"close_requested":true})");
}

TEST_CASE("an abort waits for an output only so long, and for the end of all steps always") {
  Workbench bench;
  bench.options.abort_wait = 5ms;
  bench.when("run a", [&] { bench.control->abort(); });
  const RunResult result =
      bench.run(workflow("steps:\n" + plugin_step("a", "deaf", "input: {wait_time_ms: 1}\nclosure_wait_timeout: 100") +
                         "outputs: {success: !expr $.steps.a.outputs.success}\n"));
  REQUIRE(result.failure);
  CHECK(bench.world.count("kill demo") == 1);
  CHECK(bench.recorder.events.back() == "run finished cancelled ");
  CHECK_THAT(text_of(result), ContainsSubstring("workflow execution aborted (context canceled)"));
}

TEST_CASE("a time-out ends a run like an abort and says so") {
  Workbench bench;
  bench.options.timeout = 20ms;
  const RunResult result = bench.run(
      workflow("steps:\n" + plugin_step("a", "wait", long_wait) +
               plugin_step("b", "say", "input: {message: b}\nwait_for: !expr $.steps.a.outputs.success") +
               "outputs: {success: !expr $.steps.b.outputs.success, never: !expr $.steps.b.outputs.error}\n"));
  REQUIRE(result.failure);
  CHECK(bench.world.count("answer a cancelled_early") == 1);
  CHECK(result.failure->code() == ErrorCode::timed_out);
  Workbench in_time;
  in_time.options.timeout = 60s;
  CHECK(text_of(in_time.run(workflow("steps:\n" + plugin_step("a", "hello", "input: {fail: no}") +
                                     "outputs: {success: !expr $.steps.a.outputs.success}\n"))) == "success {}");
}

// --- failures are noticed at once ------------------------------------------------------------------------------------

TEST_CASE(
    "TestMultiDependencyWorkflowFailureWithDisabling TestMultiDependencyWorkflowFailureWithCancellation "
    "TestMultiDependencyWorkflowFailureWithErrorOut TestMultiDependencyWorkflowFailureWithDeployFailure: noticed at "
    "once") {
  for (const char* rest :
       {"step: say\n    input: {message: x}\n    enabled: no",
        "step: wait\n    input: {wait_time_ms: 60000}\n    stop_if: yes",
        "step: say\n    input: {message: x, fail: yes}", "step: crash\n    input: {message: x}",
        "step: say\n    input: {message: x}\n    deploy: {deployer_name: fake, deploy_succeed: false}"}) {
    INFO(rest);
    Workbench bench;
    const RunResult result = bench.run(
        workflow("steps:\n" + plugin_step("long", "wait", long_wait) +
                 "  a:\n    plugin: {src: demo, deployment_type: builtin}\n    " + rest +
                 "\noutputs: {success: {a: !expr $.steps.a.outputs.success, b: !expr $.steps.long.outputs}}\n"));
    REQUIRE(result.failure);
    CHECK_THAT(text_of(result), ContainsSubstring("all outputs marked as unresolvable"));
    CHECK(bench.world.count("answer long success") == 0);
  }
}

}  // namespace venvoy::workflow
