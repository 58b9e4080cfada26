// Loops.
#include "support/catch.hpp"
#include "unit/workflow/fixture.hpp"

namespace venvoy::workflow {
using Catch::ContainsSubstring;

namespace {

// An item {message, fail?}: `success` {said}, or nothing when it fails.
const std::string say_item =
    workflow("steps:\n" + plugin_step("x", "say", "input: {message: !expr $.input.message, fail: !expr $.input.fail}") +
                 "outputs:\n  success: {said: !expr $.steps.x.outputs.success.message}\n",
             "{message: {type: {type_id: string}}, fail: {type: {type_id: bool}, required: false, default: 'false'}}");
// An item {message, count}: ends when so many are there.
const std::string meet_item =
    workflow("steps:\n" + plugin_step("x", "meet", "input: !expr $.input.m") +
                 "outputs:\n  success: {met: !expr $.steps.x.outputs.success.message}\n",
             "{m: {type: {type_id: ref, id: MeetInput, namespace: $.steps.x.starting.inputs.input}}}");
// An item that runs until it is told to stop; it answers the signal with `success` or not at all.
std::string wait_item(const std::string& output) {
  return workflow("steps:\n" + plugin_step("x", "wait", "input: {wait_time_ms: 60000}") +
                  "outputs:\n  success: {x: !expr $.steps.x.outputs." + output + ".message}\n");
}

std::string loop(const std::string& fields, const std::string& outputs, const std::string& more_steps = "",
                 const std::string& properties = "{}") {
  return workflow(
      "steps:\n  l: {kind: foreach, workflow: s.yaml, " + fields + "}\n" + more_steps + "outputs:\n" + outputs,
      properties);
}

std::string run_loop(const std::string& item, const std::string& text, const std::string& input = "{}") {
  Workbench bench;
  bench.files.texts["s.yaml"] = item;
  return text_of(bench.run(text, input));
}

const std::string success = "  success: !expr $.steps.l.outputs.success\n";
const std::string two_bad = "items: [{message: a}, {message: b, fail: yes}, {message: c}, {message: d, fail: true}]";

}  // namespace

TEST_CASE("ExampleNew: the results are in the order of the items, whatever comes first") {
  CHECK(run_loop(say_item, loop("items: [{message: a}, {message: b}, {message: c}], parallelism: 5", success)) ==
        R"(success {"data":[{"said":"a"},{"said":"b"},{"said":"c"}]})");
  CHECK(run_loop(say_item, loop("items: []", success)) == R"(success {"data":[]})");
}

TEST_CASE("TestForeachWithParallelismExpr: so many items run at once as parallelism says") {
  const std::string items =
      "items: [{m: {message: a, count: 2}}, {m: {message: a, count: 2}}, {m: {message: a, count: 4}}, {m: {message: a, "
      "count: 4}}]";
  for (const char* parallelism : {"2", "9"}) {
    Workbench bench;
    bench.files.texts["s.yaml"] = meet_item;
    CHECK_FALSE(bench
                    .run(loop(items + ", parallelism: !expr $.input.p", success, "", "{p: {type: {type_id: integer}}}"),
                         "p: " + std::string(parallelism))
                    .failure);
    CHECK(bench.world.most_live_processes == (parallelism == std::string("2") ? 2 : 4));
  }
  Workbench one;
  one.files.texts["s.yaml"] = say_item;
  one.run(loop("items: [{message: a}, {message: b}, {message: c}]", success));
  CHECK(one.world.most_live_processes == 1);
}

TEST_CASE("failed items: the others run, and their errors and results can be read by index") {
  for (const char* name : {"errors", "messages"}) {
    INFO(name);
    const std::string text =
        run_loop(say_item, loop(two_bad, "  bad: {e: !expr $.steps.l.failed.error." + std::string(name) + "}\n"));
    CHECK_THAT(text, ContainsSubstring(R"(bad {"e":{"1":"all outputs marked as unresolvable)"));
    CHECK_THAT(text, ContainsSubstring(R"("3":"all outputs marked as unresolvable)"));
    CHECK_THAT(
        run_loop(say_item, loop(two_bad, "  bad: {e: !expr '$.steps.l.failed.error." + std::string(name) + "[3]'}\n")),
        ContainsSubstring(R"(bad {"e":"all outputs marked as unresolvable)"));
  }
  CHECK(run_loop(say_item, loop(two_bad, "  bad: {d: !expr $.steps.l.failed.error.data}\n")) ==
        R"(bad {"d":{"0":{"said":"a"},"2":{"said":"c"}}})");
}

TEST_CASE("the indexes of failed items are integers, and the whole object has just data and errors") {
  Workbench bench;
  bench.files.texts["s.yaml"] = say_item;
  const RunResult result = bench.run(loop(two_bad, "  bad: !expr $.steps.l.failed.error\n"));
  const schema::Map& map = result.output_data.as_map();
  CHECK(map.size() == 2);
  CHECK(map.find("errors")->as_map().find(schema::Value(1)) != nullptr);
  CHECK(map.find("data")->as_map().find(schema::Value(0)) != nullptr);
}

TEST_CASE("`messages` stands for `errors` of a loop only") {
  Workbench bench;
  bench.files.texts["s.yaml"] = say_item;
  const auto refused = [&](const std::string& expression) {
    const Checked checked =
        bench.check(loop("items: []", "  o: {x: !expr " + expression + "}\n",
                         plugin_step("p", "crash", "input: {message: x}"), "{n: {type: {type_id: string}}}"));
    return checked.plan == nullptr;
  };
  CHECK(refused("$.steps.p.crashed.error.messages"));
  CHECK(refused("$.steps.l.closed.result.messages"));
  CHECK(refused("$.input.messages"));
}

TEST_CASE("a loop that fails: what needs its success is impossible, what waits for the failure runs") {
  const std::string after = plugin_step("b", "say", "input: {message: b}\nwait_for: !expr $.steps.l.failed.error");
  CHECK(run_loop(say_item, loop(two_bad, "  ok: !expr $.steps.l.outputs\n  bad: !expr $.steps.b.outputs.success\n",
                                after)) == R"(bad {"message":"b","number":7})");
  CHECK_THAT(run_loop(say_item, loop(two_bad, success)), ContainsSubstring("all outputs marked as unresolvable"));
  CHECK_THAT(run_loop(say_item, loop("items: []", "  bad: !expr $.steps.l.failed.error\n")),
             ContainsSubstring("all outputs marked as unresolvable"));
  CHECK_THAT(run_loop(say_item, loop("items: []", "  bad: !expr $.steps.l.closed.result\n")),
             ContainsSubstring("all outputs marked as unresolvable"));
  CHECK_THAT(run_loop(say_item, loop(two_bad, "  bad: !expr $.steps.l.closed.result\n")),
             ContainsSubstring("all outputs marked as unresolvable"));
}

TEST_CASE("an item that ends with another output than success has failed") {
  const std::string item = workflow(
      "steps:\n" + plugin_step("x", "say", "input: {message: m, fail: !expr $.input.f}") +
          "outputs:\n  success: {x: !expr $.steps.x.outputs.success.message}\n  sorry: !expr $.steps.x.outputs.error\n",
      "{f: {type: {type_id: bool}}}");
  const std::string text =
      run_loop(item, loop("items: [{f: true}, {f: false}]", "  bad: !expr $.steps.l.failed.error\n"));
  CHECK_THAT(text, ContainsSubstring(R"("data":{"1":{"x":"m"}})"));
  CHECK_THAT(text, ContainsSubstring("ended with the output 'sorry' instead of 'success'"));
}

TEST_CASE("an item that does not fit in the run is a failed item") {
  const std::string item =
      workflow("steps:\n" + plugin_step("x", "hello", "input: {fail: no}") + "outputs: {success: {}}\n",
               "{n: {type: {type_id: integer, max: 5}}}");
  CHECK_THAT(run_loop(item,
                      loop("items: [{n: !expr $.input.n}]",
                           "  bad: !expr $.steps.l.failed.error\n  ok: !expr $.steps.l.outputs\n", "",
                           "{n: {type: {type_id: integer}}}"),
                      "n: 6"),
             ContainsSubstring("'n'"));
}

TEST_CASE("TestMultiDependencyForeach: a failing loop is noticed at once") {
  Workbench bench;
  bench.files.texts["s.yaml"] = say_item;
  const RunResult result = bench.run(loop("items: [{message: a, fail: yes}]",
                                          "  success: {a: !expr $.steps.l.outputs, b: !expr $.steps.long.outputs}\n",
                                          plugin_step("long", "wait", "input: {wait_time_ms: 60000}")));
  REQUIRE(result.failure);
  CHECK(bench.world.count("answer long success") == 0);
}

TEST_CASE("TestWaitForSerial_Foreach TestWaitForStarted_Foreach: loops wait and are waited for") {
  Workbench bench;
  bench.files.texts["s.yaml"] = say_item;
  bench.run(loop("items: [{message: a}], wait_for: !expr $.steps.first.outputs",
                 "  success: !expr $.steps.last.outputs.success\n",
                 plugin_step("last", "say", "input: {message: last}\nwait_for: !expr $.steps.l.outputs.success") +
                     plugin_step("first", "wait", "input: {wait_time_ms: 3}")));
  CHECK(bench.world.index_of("answer first success") < bench.world.index_of("run x"));
  CHECK(bench.world.index_of("answer x success") < bench.world.index_of("run last"));
}

TEST_CASE("TestGracefullyDisabledForeachStepWorkflow: the exact shapes") {
  for (const char* tag : {"!ordisabled $.steps.l.outputs.success",
                          "!oneof {discriminator: result, one_of: {enabled: !expr "
                          "$.steps.l.outputs.success, disabled: !expr $.steps.l.disabled.output}}"}) {
    const std::string text = loop("items: [{message: a}], enabled: !expr $.input.on",
                                  "  success: {x: " + std::string(tag) + "}\n", "", "{on: {type: {type_id: bool}}}");
    CHECK(run_loop(say_item, text, "on: true") == R"(success {"x":{"data":[{"said":"a"}],"result":"enabled"}})");
    CHECK(run_loop(say_item, text, "on: false") ==
          R"(success {"x":{"message":"Step foreach l disabled","result":"disabled"}})");
  }
}

TEST_CASE("TestForeachWithOneOf TestForeachWithOptional: items with options and optional fields") {
  const std::string item = workflow("steps:\n" + plugin_step("x", "take", "input: {value: !expr $.input.choice}") +
                                        "outputs:\n  success: {v: !expr $.steps.x.outputs.success.value}\n",
                                    "\n        choice:\n          type:\n            type_id: one_of_string\n          "
                                    "  discriminator_field_name: result\n"
                                    "            types:\n              enabled: {type_id: ref, id: Said, namespace: "
                                    "$.steps.a.outputs.outputs.success}\n"
                                    "              disabled: {type_id: object, id: DisabledMessageOutput, properties: "
                                    "{message: {type: {type_id: string}}}}");
  const std::string own = [&] {
    std::string text = item;
    const std::string reference = "{type_id: ref, id: Said, namespace: $.steps.a.outputs.outputs.success}";
    text.replace(
        text.find(reference), reference.size(),
        "{type_id: object, id: Said, properties: {message: {type: {type_id: string}}, number: {type: {type_id: "
        "integer}}, note: {type: {type_id: string}, required: false}}}");
    return text;
  }();
  const std::string maker = plugin_step("a", "say", "input: {message: a}\nenabled: !expr $.input.on");
  const std::string text =
      loop("items: [{choice: !ordisabled $.steps.a.outputs.success}]", success, maker, "{on: {type: {type_id: bool}}}");
  CHECK(run_loop(own, text, "on: true") == R"(success {"data":[{"v":{"message":"a","number":7,"result":"enabled"}}]})");
  CHECK(run_loop(own, text, "on: false") ==
        R"(success {"data":[{"v":{"message":"Step a/say disabled","result":"disabled"}}]})");
  const std::string optional_item =
      workflow("steps:\n" + plugin_step("x", "say", "input: {message: m, note: !wait-optional $.input.note}") +
                   "outputs:\n  success: {n: !wait-optional $.steps.x.outputs.success.note, m: m}\n",
               "{note: {type: {type_id: string}, required: false}}");
  const std::string optional = loop("items: [{note: !wait-optional $.steps.a.outputs.success.message}, {}]", success,
                                    maker, "{on: {type: {type_id: bool}}}");
  CHECK(run_loop(optional_item, optional, "on: true") == R"(success {"data":[{"m":"m","n":"a"},{"m":"m"}]})");
  CHECK(run_loop(optional_item, optional, "on: false") == R"(success {"data":[{"m":"m"},{"m":"m"}]})");
}

TEST_CASE("a loop in a loop: results nest, the places of the items are told") {
  Workbench bench;
  bench.files.texts["s.yaml"] = workflow(
      "steps:\n  k: {kind: foreach, workflow: t.yaml, items: !expr $.input.list}\n"
      "outputs: {success: !expr $.steps.k.outputs.success}\n",
      "{list: {type: {type_id: list, items: {type_id: ref, id: Input, namespace: "
      "$.steps.k.execute.inputs.items}}}}");
  bench.files.texts["t.yaml"] = say_item;
  CHECK(text_of(bench.run(loop("items: [{list: [{message: a}]}, {list: [{message: b}, {message: c}]}]", success))) ==
        R"(success {"data":[{"data":[{"said":"a"}]},{"data":[{"said":"b"},{"said":"c"}]}]})");
  CHECK(bench.recorder.count("item k[1]#1 of 2") == 1);
  CHECK(bench.recorder.count("finished x[1.1] succeeded outputs.success") == 1);
}

// --- closing ---------------------------------------------------------------------------------------------------------

TEST_CASE("a loop that is closed while it waits says so") {
  for (const char* field :
       {"enabled: !expr '$.steps.a.outputs.success.message == \"\"'", "wait_for: !expr $.steps.a.outputs.success"}) {
    INFO(field);
    Workbench bench;
    bench.files.texts["s.yaml"] = say_item;
    bench.when("run a", [&] { bench.control->abort(); });
    CHECK(text_of(bench.run(loop("items: [], " + std::string(field),
                                 "  closed: !expr $.steps.l.closed.result\n  ok: !expr $.steps.l.outputs\n",
                                 plugin_step("a", "wait", "input: {wait_time_ms: 60000}")))) ==
          R"(closed {"close_requested":true})");
  }
}

TEST_CASE(
    "TestMultiDependencyDependOnContextDoneForEachDeployment: an aborted loop aborts its items; all are recorded") {
  Workbench bench;
  bench.files.texts["s.yaml"] = wait_item("success");
  bench.when("run x", [&] { bench.control->abort(); });
  const std::string text = text_of(bench.run(loop(
      "items: [{}, {}, {}], parallelism: 2", "  bad: !expr $.steps.l.failed.error\n  ok: !expr $.steps.l.outputs\n")));
  CHECK_THAT(text, ContainsSubstring(R"(bad {"data":{},"errors":{"0":)"));
  CHECK_THAT(text, ContainsSubstring(R"("2":"not started: the loop was closed before its turn")"));
  CHECK(bench.world.count("answer x success") == 0);
  CHECK(bench.recorder.count("item l#0 cancelled") == 1);
  CHECK(bench.recorder.count("item l#2 of 3") == 0);
}

TEST_CASE("an item that is aborted may still succeed") {
  Workbench bench;
  bench.files.texts["s.yaml"] = wait_item("cancelled_early");
  bench.when("run x", [&] { bench.control->abort(); });
  CHECK(text_of(bench.run(loop("items: [{}]", success))) == R"(success {"data":[{"x":"Plugin slept for 60000 ms."}]})");
}

TEST_CASE("items that still run when the workflow has its output are closed") {
  Workbench bench;
  bench.files.texts["s.yaml"] = wait_item("success");
  CHECK(text_of(bench.run(loop("items: [{}, {}], parallelism: 2", "  success: !expr $.steps.b.outputs.success\n",
                               plugin_step("b", "meet", "input: {message: b, count: 1}") +
                                   plugin_step("c", "wait", "input: {wait_time_ms: 60000}")))) ==
        R"(success {"message":"b"})");
}

}  // namespace venvoy::workflow
