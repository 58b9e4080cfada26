// What runs when: waiting, parallel steps, conditions.
#include "support/catch.hpp"
#include "unit/workflow/fixture.hpp"

namespace venvoy::workflow {
using Catch::ContainsSubstring;

namespace {

const std::string flag_input = "{on: {type: {type_id: bool}}, late: {type: {type_id: bool}, required: false}}";

std::string run_with(const std::string& body, const std::string& input, const std::string& properties = flag_input) {
  Workbench bench;
  return text_of(bench.run(workflow(body, properties), input));
}

}  // namespace

TEST_CASE("steps that do not need each other run at the same time") {
  Workbench bench;
  std::string steps;
  std::string output;
  for (int index = 0; index < 5; ++index) {
    const std::string id = "m" + std::to_string(index);
    steps += plugin_step(id, "meet", "input: {message: here, count: 5}");
    output += "    " + id + ": !expr $.steps." + id + ".outputs\n";
  }
  CHECK_FALSE(bench.run(workflow("steps:\n" + steps + "outputs:\n  success:\n" + output)).failure);
  CHECK(bench.world.most_live_processes == 5);
}

TEST_CASE("TestWaitForSerial: wait_for makes one step wait for the end of another") {
  Workbench bench;
  CHECK(text_of(bench.run(workflow(
            "steps:\n" +
            plugin_step("b", "say", "input: {message: b}\nwait_for: !expr $.steps.a.outputs.cancelled_early") +
            plugin_step("c", "say", "input: {message: c}\nwait_for: !expr $.steps.a.outputs.success") +
            plugin_step("a", "wait", "input: {wait_time_ms: 5}") +
            "outputs:\n  success: !expr $.steps.c.outputs.success\n"))) == R"(success {"message":"c","number":7})");
  CHECK(bench.world.index_of("answer a success") < bench.world.index_of("run c"));
  CHECK(bench.world.count("run b") == 0);
}

TEST_CASE("a process is started when the input of its step is there, not earlier") {
  Workbench bench;
  bench.run(workflow("steps:\n" + plugin_step("a", "wait", "input: {wait_time_ms: 5}") +
                     plugin_step("b", "say", "input: {message: !expr $.steps.a.outputs.success.message}") +
                     "outputs: {success: !expr $.steps.b.outputs.success}\n"));
  CHECK(bench.world.most_live_processes == 1);
}

TEST_CASE("wait_for a stage takes any output of it, an error output too") {
  CHECK(run_with("steps:\n" + plugin_step("a", "say", "input: {message: a, fail: true}") +
                     plugin_step("b", "say", "input: {message: b}\nwait_for: !expr $.steps.a.outputs") +
                     "outputs: {success: !expr $.steps.b.outputs.success}\n",
                 "on: true") == R"(success {"message":"b","number":7})");
}

TEST_CASE("TestWaitForMultiple: a structure in wait_for waits for all of it, soft values are there afterwards") {
  Workbench bench;
  const std::string text = text_of(bench.run(workflow(
      "steps:\n" + plugin_step("a", "wait", "input: {wait_time_ms: 5}") +
      plugin_step("b", "wait", "input: {wait_time_ms: 1}") +
      plugin_step(
          "c", "take",
          "wait_for: {x: [!expr $.steps.a.outputs.success], y: !expr $.steps.b.outputs}\n"
          "input: {value: {a: !soft-optional $.steps.a.outputs.success, b: !soft-optional $.steps.b.outputs}}") +
      "outputs: {success: !expr $.steps.c.outputs.success}\n")));
  CHECK_THAT(text, ContainsSubstring(R"("a":{"message":"Plugin slept for 5 ms."})"));
  CHECK_THAT(text, ContainsSubstring(R"("b":{"success":)"));
  CHECK(bench.world.index_of("answer a success") < bench.world.index_of("run c"));
}

TEST_CASE("TestWaitForStarted: the start of a step can be waited for") {
  Workbench bench;
  bench.run(workflow("steps:\n" +
                     plugin_step("a", "wait", "input: {wait_time_ms: 60000}\nstop_if: !expr $.steps.b.outputs") +
                     plugin_step("b", "say", "input: {message: b}\nwait_for: !expr $.steps.a.starting.started") +
                     "outputs: {success: !expr $.steps.a.outputs.cancelled_early}\n"));
  CHECK(bench.recorder.index_of("started a wait") < bench.recorder.index_of("started b say"));
  CHECK(bench.world.count("signal a cancel") == 1);
}

// --- enabled ---------------------------------------------------------------------------------------------------------

TEST_CASE("enabled is read as a boolean, also when it is written as a literal") {
  struct Row {
    const char* written;
    bool runs;
  };
  for (const Row& row : std::initializer_list<Row>{{"true", true},
                                                   {"yes", true},
                                                   {"false", false},
                                                   {"'no'", false},
                                                   {"!expr true", true},
                                                   {"!expr $.input.on", false},
                                                   {"", true},
                                                   {"~", true},
                                                   {"!wait-optional $.input.late", true}}) {
    INFO(row.written);
    CHECK(run_with("steps:\n" + plugin_step("a", "say", "input: {message: a}\nenabled: " + std::string(row.written)) +
                       "outputs:\n  ran: {x: !expr $.steps.a.outputs.success.message}\n"
                       "  off: !expr $.steps.a.disabled.output\n",
                   "on: false") == (row.runs ? R"(ran {"x":"a"})" : R"(off {"message":"Step a/say disabled"})"));
  }
}

TEST_CASE(
    "TestInputDisabledStepWorkflow TestDelayedDisabledStepWorkflow: enabled from the input and from another step") {
  const std::string input_only = "steps:\n" +
                                 plugin_step("a", "say", "input: {message: a}\nenabled: !expr $.input.on") +
                                 "outputs: {success: {x: !expr $.steps.a.outputs.success.message}}\n";
  CHECK(run_with(input_only, "on: true") == R"(success {"x":"a"})");
  CHECK_THAT(run_with(input_only, "on: false"), ContainsSubstring("all outputs marked as unresolvable"));
  CHECK_THAT(run_with(input_only, "on: false"), ContainsSubstring("step 'a' ended with disabled.output"));
  const std::string delayed =
      "steps:\n" + plugin_step("g", "give", "input: {}") +
      plugin_step("a", "say", "input: {message: a}\nenabled: !expr '!$.steps.g.outputs.success.flag'") +
      "outputs: {success: !expr $.steps.a.disabled.output}\n";
  CHECK(run_with(delayed, "on: true") == R"(success {"message":"Step a/say disabled"})");
}

TEST_CASE("a disabled step starts no process and runs no gate") {
  Workbench bench;
  bench.run(workflow("steps:\n" + plugin_step("a", "say", "input: {message: a}\nenabled: no") +
                     "outputs: {success: !expr $.steps.a.disabled.output}\n"));
  CHECK(bench.world.count("start demo") == 0);
}

TEST_CASE("a null in a field that takes no text means that the field is absent") {
  Workbench bench;
  bench.files.texts["s.yaml"] =
      workflow("steps:\n" + plugin_step("x", "hello", "input: {fail: no}") + "outputs: {success: {}}\n");
  CHECK(text_of(bench.run(
            workflow("steps:\n" + plugin_step("a", "say", "input: {message: a}\nclosure_wait_timeout:\nenabled: null") +
                     "  l: {kind: foreach, workflow: s.yaml, items: [{}], parallelism: , enabled: ~}\n"
                     "outputs: {success: {a: !expr $.steps.a.outputs, l: !expr $.steps.l.outputs}}\n"))) ==
        R"(success {"a":{"success":{"message":"a","number":7}},"l":{"success":{"data":[{}]}}})");
}

// --- !oneof and !ordisabled ------------------------------------------------------------------------------------------

TEST_CASE("TestGracefullyDisabledStepWorkflow TestShorthandGracefullyDisabledStepWorkflow") {
  const std::string steps = "steps:\n" + plugin_step("a", "say", "input: {message: a}\nenabled: !expr $.input.on");
  const std::string written =
      steps +
      "outputs:\n  success:\n    x: !oneof\n      discriminator: result\n      one_of:\n"
      "        enabled: !expr $.steps.a.outputs.success\n        disabled: !expr $.steps.a.disabled.output\n";
  const std::string shorthand = steps + "outputs: {success: {x: !ordisabled $.steps.a.outputs.success}}\n";
  for (const std::string& body : {written, shorthand}) {
    CHECK(run_with(body, "on: true") == R"(success {"x":{"message":"a","number":7,"result":"enabled"}})");
    CHECK(run_with(body, "on: false") == R"(success {"x":{"message":"Step a/say disabled","result":"disabled"}})");
  }
  // On a stage; and what the step itself has said stays as it was.
  const std::string stage =
      steps + "outputs: {success: {x: !ordisabled $.steps.a.outputs, y: !expr $.steps.a.enabling}}\n";
  CHECK(run_with(stage, "on: true") ==
        R"(success {"x":{"result":"enabled","success":{"message":"a","number":7}},"y":{"resolved":{"enabled":true}}})");
  const std::string twice =
      steps +
      "outputs: {success: {x: !ordisabled steps.a.outputs.success, y: !oneof {discriminator: d, one_of: "
      "{e: !expr $.steps.a.outputs.success, f: !expr $.steps.a.disabled.output}}}}\n";
  CHECK(run_with(twice, "on: true") ==
        R"(success {"x":{"message":"a","number":7,"result":"enabled"},"y":{"d":"e","message":"a","number":7}})");
}

TEST_CASE("TestMultiStepWaitForGracefullyDisabledStepWorkflow: two steps that may be disabled, in all combinations") {
  for (const bool first : {false, true})
    for (const bool second : {false, true}) {
      Workbench bench;
      const RunResult result = bench.run(
          workflow("steps:\n" + plugin_step("a", "say", "input: {message: a}\nenabled: !expr $.input.on") +
                       plugin_step("b", "say", "input: {message: b}\nenabled: !expr $.input.late") +
                       plugin_step("c", "say",
                                   "input: {message: c}\nwait_for:\n  a: !ordisabled $.steps.a.outputs.success\n"
                                   "  b: !oneof {discriminator: d, one_of: {x: !expr $.steps.b.outputs.success, "
                                   "y: !expr $.steps.b.disabled.output}}") +
                       "outputs:\n  success:\n    c: !expr $.steps.c.outputs.success.message\n"
                       "    a: !wait-optional $.steps.a.outputs.success.message\n"
                       "    b: !wait-optional $.steps.b.outputs.success.message\n",
                   "{on: {type: {type_id: bool}}, late: {type: {type_id: bool}}}"),
          std::string("{on: ") + (first ? "true" : "false") + ", late: " + (second ? "true" : "false") + "}");
      CHECK(text_of(result) ==
            std::string("success {") + (first ? R"("a":"a",)" : "") + (second ? R"("b":"b",)" : "") + R"("c":"c"})");
      for (const auto& [on, id] : {std::pair(first, "a"), std::pair(second, "b")})
        if (on) CHECK(bench.world.index_of("answer " + std::string(id) + " success") < bench.world.index_of("run c"));
    }
}

TEST_CASE("TestSingleOneofOptionWorkflow TestManyOneofOptionsWorkflow") {
  const std::string step = "steps:\n" + plugin_step("a", "say", "input: {message: a, fail: !expr $.input.on}");
  const std::string one = step +
                          "outputs: {success: {x: !oneof {discriminator: d, one_of: {ok: !expr "
                          "$.steps.a.outputs.success}}}}\n";
  CHECK(run_with(one, "on: false") == R"(success {"x":{"d":"ok","message":"a","number":7}})");
  CHECK_THAT(run_with(one, "on: true"), ContainsSubstring("all outputs marked as unresolvable"));
  const std::string many =
      step +
      "outputs: {success: {x: !oneof {discriminator: d, one_of: {1: !expr $.steps.a.crashed.error, "
      "2: !expr $.steps.a.deploy_failed.error, 3: !expr $.steps.a.outputs.success, 4: !expr "
      "$.steps.a.disabled.output, 5: !expr $.steps.a.closed.result, 6: {e: !expr $.steps.a.outputs.error}}}}}\n";
  CHECK(run_with(many, "on: false") == R"(success {"x":{"d":"3","message":"a","number":7}})");
  CHECK(run_with(many, "on: true") == R"(success {"x":{"d":"6","e":{"error":"failed: a"}}})");
}

TEST_CASE("TestNestedOneOfWorkflow TestOneOfInListWorkflow: options in options with the same ids, and in lists") {
  const std::string step = "steps:\n" + plugin_step("a", "say", "input: {message: a, fail: !expr $.input.on}");
  const std::string nested =
      step +
      "outputs:\n  success:\n    x: !oneof\n      discriminator: outer\n      one_of:\n        p:\n"
      "          y: !oneof\n            discriminator: inner\n            one_of:\n"
      "              p: !expr $.steps.a.outputs.error\n              q: !expr $.steps.a.outputs.success\n"
      "        q: !expr $.steps.a.crashed.error\n";
  CHECK(run_with(nested, "on: false") == R"(success {"x":{"outer":"p","y":{"inner":"q","message":"a","number":7}}})");
  CHECK(run_with(nested, "on: true") == R"(success {"x":{"outer":"p","y":{"error":"failed: a","inner":"p"}}})");
  const std::string list =
      step +
      "outputs:\n  success:\n    x:\n      - !oneof {discriminator: d, one_of: {a: !expr $.steps.a.outputs.success, "
      "b: !expr $.steps.a.outputs.error}}\n      - !oneof {discriminator: d, one_of: {a: !expr "
      "$.steps.a.outputs.success, b: !expr $.steps.a.outputs.error}}\n";
  CHECK(run_with(list, "on: true") == R"(success {"x":[{"d":"b","error":"failed: a"},{"d":"b","error":"failed: a"}]})");
}

TEST_CASE("of options that are possible at once the first in the file is taken, one of literals is always possible") {
  const std::string step = "steps:\n" + plugin_step("a", "say", "input: {message: a}");
  CHECK(run_with(
            step + "outputs: {success: {w: !expr $.steps.a.outputs, x: !oneof {discriminator: d, one_of: {z: {l: !expr "
                   "$.steps.a.outputs.success.message}, b: {l: text}}}}}\n",
            "on: true") == R"(success {"w":{"success":{"message":"a","number":7}},"x":{"d":"z","l":"a"}})");
  CHECK(run_with(step + "outputs: {success: {x: !oneof {discriminator: d, one_of: {z: {l: !expr "
                        "$.steps.a.outputs.success.message}, b: {l: text}}}}}\n",
                 "on: true") == R"(success {"x":{"d":"b","l":"text"}})");
}

// --- optional values -------------------------------------------------------------------------------------------------

TEST_CASE("TestOptionalFieldGracefullyDisabledStepWorkflow TestOptionalFieldWithFailureStepWorkflow: !wait-optional") {
  const auto body = [](const std::string& rest) {
    return "steps:\n" +
           plugin_step("a", "say", "input: {message: a, fail: !expr $.input.late}\nenabled: !expr $.input.on") +
           plugin_step("b", "say", "input: {message: b, note: !wait-optional $.steps.a.outputs.success.message}") +
           rest;
  };
  const std::string output =
      "outputs: {success: {b: !expr $.steps.b.outputs.success, a: !wait-optional "
      "$.steps.a.outputs.success.message}}\n";
  const std::string properties = "{on: {type: {type_id: bool}}, late: {type: {type_id: bool}}}";
  CHECK(run_with(body(output), "{on: true, late: false}", properties) ==
        R"(success {"a":"a","b":{"message":"b","note":"a","number":7}})");
  for (const char* input : {"{on: false, late: false}", "{on: true, late: true}"})
    CHECK(run_with(body(output), input, properties) == R"(success {"b":{"message":"b","number":7}})");
}

TEST_CASE("TestSoftOptionalFieldWorkflow: taken when it is there already, else left out") {
  const std::string steps =
      "steps:\n" + plugin_step("early", "say", "input: {message: early}") +
      plugin_step("late", "wait", "input: {wait_time_ms: 60000}") +
      plugin_step("off", "say", "input: {message: off}\nenabled: no") +
      plugin_step("last", "say", "input: {message: last}\nwait_for: [!expr $.steps.early.outputs]");
  const std::string soft =
      "early: !soft-optional $.steps.early.outputs.success.message, late: !soft-optional "
      "$.steps.late.outputs.success.message, off: !soft-optional $.steps.off.outputs.success.message";
  CHECK(run_with(steps + "outputs: {success: {" + soft + ", last: !expr $.steps.last.outputs.success.message}}\n",
                 "on: true") == R"(success {"early":"early","last":"last"})");
  CHECK_THAT(
      run_with(steps + "outputs: {success: {" + soft + ", last: !expr $.steps.last.outputs.error}}\n", "on: true"),
      ContainsSubstring("all outputs marked as unresolvable"));
}

TEST_CASE("an optional value that reads an absent optional property is left out, without a tag the run fails") {
  const std::string step = "steps:\n" + plugin_step("a", "say", "input: {message: a}");
  for (const char* tag : {"!wait-optional", "!soft-optional"})
    for (const char* path : {"$.input.late", "$.steps.a.outputs.success.note"}) {
      INFO(tag << " " << path);
      CHECK(run_with(step + "outputs: {success: {r: !expr $.steps.a.outputs.success.message, x: " + tag + " " + path +
                         "}}\n",
                     "on: true") == R"(success {"r":"a"})");
    }
  CHECK_THAT(run_with(step + "outputs: {success: {x: !expr $.input.late}}\n", "on: true"),
             ContainsSubstring("the expression '$.input.late' failed"));
}

TEST_CASE("an optional value for something required: accepted before the run, told when it does not come") {
  const std::string step = "steps:\n" + plugin_step("a", "say", "input: {message: a, fail: !expr $.input.on}");
  const auto with = [&](const std::string& rest) {
    return step + plugin_step("b", "say", rest) + "outputs: {success: !expr $.steps.b.outputs.success}\n";
  };
  const std::string field = with("input: {message: !wait-optional $.steps.a.outputs.success.message}");
  CHECK(run_with(field, "on: false") == R"(success {"message":"a","number":7})");
  CHECK_THAT(run_with(field, "on: true"),
             ContainsSubstring("schema evaluation resulted in invalid data for steps.b.starting (Validation failed for "
                               "'input' -> 'message': This field is required"));
  CHECK_THAT(run_with(field, "on: true"),
             ContainsSubstring("its !wait-optional '$.steps.a.outputs.success.message' gave nothing"));
}

TEST_CASE("an optional value for a whole required field: told when it does not come, no crash") {
  const std::string properties =
      "{p: {type: {type_id: ref, id: SayInput, namespace: $.steps.b.starting.inputs.input}, required: false}, "
      "l: {type: {type_id: list, items: {type_id: ref, id: Input, namespace: $.steps.loop.execute.inputs.items}}, "
      "required: false}}";
  Workbench bench;
  bench.files.texts["s.yaml"] =
      workflow("steps:\n" + plugin_step("x", "hello", "input: {fail: no}") + "outputs: {success: {}}\n");
  const std::string steps = "steps:\n" + plugin_step("b", "say", "input: !wait-optional $.input.p") +
                            "  loop: {kind: foreach, workflow: s.yaml, items: !soft-optional $.input.l}\n";
  const std::string say = text_of(
      bench.run(workflow(steps + "outputs: {success: !expr $.steps.b.outputs.success}\n", properties), "l: []"));
  CHECK_THAT(say,
             ContainsSubstring("schema evaluation resulted in invalid data for steps.b.starting (Validation failed "
                               "for 'input': This field is required"));
  CHECK_THAT(say, ContainsSubstring("!wait-optional '$.input.p'"));
  Workbench other;
  other.files = bench.files;
  CHECK_THAT(text_of(other.run(workflow(steps + "outputs: {success: !expr $.steps.loop.outputs.success}\n", properties),
                               "p: {message: x}")),
             ContainsSubstring("steps.loop.execute (Validation failed for 'items': This field is required"));
}

}  // namespace venvoy::workflow
