// Constructs that public Arcaflow workflows are made of, each in a workflow of our own.
#include "support/catch.hpp"
#include "unit/workflow/fixture.hpp"

namespace venvoy::workflow {
using Catch::ContainsSubstring;

namespace {

std::string run_text(const std::string& text, const std::string& input = "{}",
                     const std::map<std::string, std::string>& files = {}) {
  Workbench bench;
  bench.files.texts = files;
  return text_of(bench.run(text, input));
}

const std::string told = "outputs: {success: !expr $.steps.a.outputs.success}\n";

}  // namespace

TEST_CASE(
    "an input of optional fields with display texts and defaults in JSON; one for a text that is no JSON is the text") {
  CHECK(run_text(workflow(
            "steps:\n" + plugin_step("a", "say", "input: {message: !expr $.input.user, number: !expr $.input.time}") +
                told,
            R"(
        user:
          display:
            name: User
            description: |
              A name for what is
              run together
          type: {type_id: string}
          default: "''"
          required: false
        time: {type: {type_id: integer}, default: 60, required: false})")) ==
        R"(success {"message":"''","number":60})");
}

TEST_CASE("a step whose whole input comes from the workflow's input, by the step's own schema") {
  CHECK(run_text(workflow("steps:\n" + plugin_step("a", "say", "input: !expr $.input.params") + told,
                          "{params: {type: {type_id: ref, id: SayInput, namespace: $.steps.a.starting.inputs.input}}}"),
                 "params: {message: hi, number: '12'}") == R"(success {"message":"hi","number":12})");
}

TEST_CASE("a whole input that is passed on may leave its optional fields out") {
  Workbench bench;
  bench.run(workflow("steps:\n" + plugin_step("a", "say", "input: !expr $.input.params") + told,
                     "{params: {type: {type_id: ref, id: SayInput, namespace: $.steps.a.starting.inputs.input}}}"),
            "params: {message: hi}");
  CHECK(bench.world.inputs.at("a").front() == schema::Value(schema::Map{{"message", "hi"}}));
}

TEST_CASE("deploy settings with parts from another step's output and from the input") {
  Workbench bench;
  CHECK(text_of(bench.run(workflow("steps:\n" + plugin_step("setup", "say", "input: {message: cluster}") +
                                       plugin_step("a", "say",
                                                   "input: {message: x}\ndeploy:\n  deployer_name: fake\n"
                                                   "  label: !expr $.steps.setup.outputs.success.message\n"
                                                   "  deploy_time: !expr $.input.t") +
                                       told,
                                   "{t: {type: {type_id: integer}}}"),
                          "t: 0")) == R"(success {"message":"x","number":7})");
  CHECK(bench.world.index_of("answer setup success") <
        bench.world.index_of(R"(deployer builtin {"deploy_time":0,"label":"cluster"})"));
}

TEST_CASE("a collector that runs beside the work and is stopped when the work is done") {
  Workbench bench;
  const std::string text = text_of(bench.run(workflow(
      "steps:\n" +
      plugin_step("collect", "wait", "input: {wait_time_ms: 60000}\nstop_if: !expr $.steps.after.outputs") +
      plugin_step("before", "wait", "input: {wait_time_ms: 1}\nwait_for: !expr $.steps.collect.starting.started") +
      plugin_step("work", "say", "input: {message: done}\nwait_for: !expr $.steps.before.outputs") +
      plugin_step("after", "wait", "input: {wait_time_ms: 1}\nwait_for: !expr $.steps.work.outputs") +
      "outputs:\n  success:\n    work: !expr $.steps.work.outputs.success\n"
      "    collected: !expr $.steps.collect.outputs.cancelled_early.message\n")));
  CHECK(text == R"(success {"collected":"Plugin slept for 60000 ms.","work":{"message":"done","number":7}})");
  std::vector<std::size_t> places;
  for (const char* entry : {"run collect", "run before", "run work", "run after", "signal collect cancel"})
    places.push_back(bench.world.index_of(entry));
  CHECK(std::is_sorted(places.begin(), places.end()));
}

TEST_CASE("a value of a map in an output is taken by its key in brackets") {
  CHECK(run_text(
            workflow("steps:\n" + plugin_step("g", "give", "input: {}") +
                     "outputs: {success: {host: !expr \"$.steps.g.outputs.success.environment['HOST-NAME']\"}}\n")) ==
        R"(success {"host":"box"})");
}

TEST_CASE("a loop over bindConstants, whose items carry the constant; items and constant by their schemas") {
  const std::string item = workflow(
      "steps:\n" + plugin_step("a", "say", "input: !expr $.input.item") +
          plugin_step("b", "say", "input: !expr $.input.constant\nwait_for: !expr $.steps.a.outputs") +
          "outputs: {success: {a: !expr $.steps.a.outputs.success.message, b: !expr "
          "$.steps.b.outputs.success.message}}\n",
      "{item: {type: {type_id: ref, id: SayInput, namespace: $.steps.a.starting.inputs.input}, required: true}, "
      "constant: {type: {type_id: ref, id: SayInput, namespace: $.steps.b.starting.inputs.input}}}");
  const std::string text =
      workflow("steps:\n" + plugin_step("first", "say", "input: {message: x}") +
                   "  loop:\n    kind: foreach\n    items: !expr 'bindConstants($.input.tests, $.input.params)'\n"
                   "    workflow: item.yaml\n    parallelism: 1\n    wait_for: !expr $.steps.first.outputs\n" +
                   plugin_step("last", "say", "input: {message: end}\nwait_for: !expr $.steps.loop.outputs") +
                   "outputs:\n  success:\n    payload: {end: !expr $.steps.last.outputs.success.message, work: !expr "
                   "$.steps.loop.outputs.success.data}\n",
               "{tests: {type: {type_id: list, items: {type_id: ref, id: SayInput, namespace: "
               "$.steps.loop.execute.inputs.items.item}}}, params: {type: {type_id: ref, id: SayInput, namespace: "
               "$.steps.loop.execute.inputs.items.constant}}}");
  CHECK(run_text(text, "{tests: [{message: t1}, {message: t2}], params: {message: c}}", {{"item.yaml", item}}) ==
        R"(success {"payload":{"end":"end","work":[{"a":"t1","b":"c"},{"a":"t2","b":"c"}]}})");
}

TEST_CASE("outputs for success and failure side by side, with structures of their own") {
  const auto text = [](const char* fail) {
    return workflow("steps:\n" + plugin_step("a", "say", "input: {message: m, fail: " + std::string(fail) + "}") +
                    "outputs:\n  success:\n    result: {of: [!expr $.steps.a.outputs.success]}\n"
                    "  error:\n    reason: !expr $.steps.a.outputs.error\n");
  };
  CHECK(run_text(text("no")) == R"(success {"result":{"of":[{"message":"m","number":7}]}})");
  CHECK(run_text(text("yes")) == R"(error {"reason":{"error":"failed: m"}})");
}

TEST_CASE("comments, anchors, merge keys and folded texts in a workflow file") {
  CHECK(run_text("# A workflow\nversion: v0.2.0\ninput: &nothing {root: R, objects: {R: {id: R, properties: {}}}}\n"
                 "steps:\n  a: &step\n    plugin: &plugin {src: demo, deployment_type: builtin}  # where from\n"
                 "    step: say\n    input:\n      message: >-\n        folded\n        text\n"
                 "  b:\n    <<: *step\n    input: {message: other}\n  c:\n    plugin: *plugin\n    step: hello\n"
                 "    input: {fail: false}\n"
                 "outputs:\n  success: {a: !expr $.steps.a.outputs.success.message, b: !expr "
                 "$.steps.b.outputs.success.message, c: !expr $.steps.c.outputs.success}\n") ==
        R"(success {"a":"folded text","b":"other","c":{}})");
}

}  // namespace venvoy::workflow
