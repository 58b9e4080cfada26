// The Go engine's tests (spec/workflow.md Appendix B) that no other file of this folder has a counterpart for. A test
// case that is a counterpart has the Go test's name in its own; tests/APPENDIX_B.md says where each is.
#include "support/catch.hpp"
#include "unit/workflow/fixture.hpp"

namespace venvoy::workflow {
using Catch::ContainsSubstring;

TEST_CASE(
    "TestWithDoubleSerializationDetection TestInvalidSerializationDetectorSchema: data reaches a plugin and an "
    "expression as it is, defaults once") {
  // A text that looks like an escaped one would change with every further reading.
  Workbench bench;
  const std::string properties =
      "{m: {type: {type_id: string}}, d: {type: {type_id: string}, default: '\"\\\"q\\\"\"', required: false}}";
  CHECK(text_of(bench.run(
            workflow("steps:\n" + plugin_step("a", "say", "input: {message: !expr $.input.m, note: !expr $.input.d}") +
                         "outputs: {success: !expr $.steps.a.outputs.success}\n",
                     properties),
            "m: '\"5\"'")) == R"(success {"message":"\"5\"","note":"\"q\"","number":7})");
  CHECK(bench.world.inputs.at("a").front().find("message")->as_text() == "\"5\"");
}

TEST_CASE("TestWorkflowWithNamespacedScopes: input by the schema of a step, through the input to the step") {
  Workbench bench;
  CHECK(text_of(bench.run(
            workflow("steps:\n" + plugin_step("a", "wait", "input: !expr $.input.w") +
                         "outputs: {success: !expr $.steps.a.outputs.success}\n",
                     "{w: {type: {type_id: ref, id: WaitInput, namespace: $.steps.a.starting.inputs.input}}}"),
            "w: {wait_time_ms: '2'}")) == R"(success {"message":"Plugin slept for 2 ms."})");
}

TEST_CASE(
    "TestAddInputNamespacedScopes TestAddOutputNamespacedScopes: namespaces of inputs, lists of inputs and outputs") {
  Workbench bench;
  bench.files.texts["s.yaml"] = workflow(
      "steps: {x: {plugin: single, input: {message: x}}}\noutputs: {success: {said: !expr $.steps.x.outputs}}\n",
      "{n: {type: {type_id: integer}, required: false}}");
  const Checked checked =
      bench.check(workflow("steps: {l: {kind: foreach, workflow: s.yaml, items: []}}\noutputs: {o: {}}\n"));
  REQUIRE(checked.plan);
  std::string table;
  for (const NamespaceRow& row : namespace_table(*checked.plan)) table += row.object + " " + row.name_space + "\n";
  CHECK(table ==
        "ClosedInfo $.steps.l.closed.outputs.result\n"
        "DisabledMessageOutput $.steps.l.disabled.outputs.output\n"
        "EnabledOutput $.steps.l.enabling.outputs.resolved\n"
        "Input $.steps.l.execute.inputs.items\n"
        "error $.steps.l.failed.outputs.error\n"
        "data $.steps.l.outputs.outputs.success\n");
}

TEST_CASE("TestProvider: a step of a kind that only tests know is refused") {
  Workbench bench;
  CHECK_THAT(text_of(bench.check(workflow("steps: {d: {kind: dummy, name: Arca}}\noutputs: {o: {}}\n")).issues),
             ContainsSubstring("the following step provider is not supported: dummy"));
}

TEST_CASE("TestRegistry: a step has the stages of its kind, and is a plugin without that key") {
  const auto issues = [](const std::string& step, const std::string& stage) {
    Workbench bench;
    bench.files.texts["s.yaml"] =
        workflow("steps: {x: {plugin: single, input: {message: x}}}\noutputs: {success: {}}\n");
    return text_of(
        bench.check(workflow("steps: {a: " + step + "}\noutputs: {o: {e: !expr $.steps.a." + stage + "}}\n")).issues);
  };
  for (const char* step :
       {"{plugin: single, input: {message: x}}", "{kind: plugin, plugin: single, input: {message: x}}"}) {
    CHECK(issues(step, "crashed.error") == "");
    CHECK_THAT(issues(step, "failed.error"), ContainsSubstring("failed"));
  }
  const std::string loop = "{kind: foreach, workflow: s.yaml, items: [{}]}";
  CHECK(issues(loop, "failed.error") == "");
  CHECK_THAT(issues(loop, "crashed.error"), ContainsSubstring("crashed"));
}

TEST_CASE("TestProvider_HappyError: what a plugin is given is checked at each stage, then a good run ends in outputs") {
  const auto issues = [](const std::string& rest) {
    Workbench bench;
    return text_of(bench.check(workflow("steps:\n" + plugin_step("a", "wait", rest) + "outputs: {o: {}}\n")).issues);
  };
  CHECK_THAT(issues("input: {wait_time_ms: 1}\ndeploy: {deployer_name: fake, deploy_time: long}"),
             ContainsSubstring("stage 'deploy'"));
  CHECK_THAT(issues("input: {wait_time_ms: long}"), ContainsSubstring("stage 'starting'"));
  CHECK_THAT(issues("input: {wait_time_ms: 1}\nenabled: [a]"), ContainsSubstring("stage 'enabling'"));
  Workbench bench;
  bench.run(workflow("steps:\n" + plugin_step("a", "wait", "input: {wait_time_ms: 1}") +
                     "outputs: {o: !expr $.steps.a.outputs.success}\n"));
  CHECK(bench.recorder.count("finished a succeeded outputs.success") == 1);
}

TEST_CASE("Test_SchemaWorkflow_ValidateCompatibility Test_SchemaWorkflow_UnserializeType: a document with every key") {
  Workbench bench;
  bench.files.texts["s.yaml"] = workflow("steps: {x: {plugin: single, input: {message: x}}}\noutputs: {success: {}}\n");
  const Checked checked = bench.check(workflow(
      "steps:\n" +
      plugin_step("a", "wait",
                  "kind: plugin\ninput: {wait_time_ms: 1}\ndeploy: {deployer_name: fake}\nenabled: yes\n"
                  "stop_if: no\nwait_for: {}\nclosure_wait_timeout: 100") +
      "  l: {kind: foreach, workflow: s.yaml, items: [{}], parallelism: 2, enabled: !expr true, wait_for: []}\n"
      "outputs: {success: {}}\noutputSchema: {success: {schema: {root: R, objects: {R: {id: R, properties: {}}}}, "
      "display: {name: Fine}, error: no}}\n"));
  CHECK(text_of(checked.issues) == "");
}

}  // namespace venvoy::workflow
