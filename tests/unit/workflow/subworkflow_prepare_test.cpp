// Sub-workflows and namespaces before a run.
#include "support/catch.hpp"
#include "unit/workflow/fixture.hpp"

namespace venvoy::workflow {
using Catch::ContainsSubstring;

namespace {

const std::string sub_workflow =
    workflow("steps:\n" + plugin_step("x", "say", "input: {message: !expr $.input.message}") +
                 "outputs:\n  success: {said: !expr $.steps.x.outputs.success.message}\n",
             "{message: {type: {type_id: string}}}");

std::string loop_over(const std::string& file, const std::string& items = "[{message: a}]") {
  return workflow("steps:\n  loop: {kind: foreach, workflow: " + file + ", items: " + items +
                  "}\noutputs:\n  success: {}\n");
}

std::string issues_with(const std::map<std::string, std::string>& files, const std::string& text) {
  Workbench bench;
  bench.files.texts = files;
  const Checked checked = bench.check(text);
  CHECK((checked.plan == nullptr) == has_errors(checked.issues));
  return text_of(checked.issues);
}

}  // namespace

TEST_CASE("Test_CacheSubworkflows: three levels of loops are all read, a file used twice once") {
  Workbench bench;
  bench.files.texts["c.yaml"] = sub_workflow;
  bench.files.texts["b.yaml"] = loop_over("c.yaml");
  bench.files.texts["a.yaml"] = loop_over("b.yaml", "[{}]");
  const Checked checked =
      bench.check(workflow("steps:\n  one: {kind: foreach, workflow: a.yaml, items: []}\n"
                           "  two: {kind: foreach, workflow: a.yaml, items: []}\n"
                           "outputs: {success: {}}\n"));
  CHECK(text_of(checked.issues).empty());
  REQUIRE(checked.plan);
  CHECK(checked.plan->steps[0].body == checked.plan->steps[1].body);
  CHECK(checked.plan->steps[0].body->steps[0].body->steps[0].body->steps[0].id() == "x");
}

TEST_CASE("a workflow cannot contain itself") {
  CHECK_THAT(issues_with({{"a.yaml", loop_over("a.yaml")}}, loop_over("a.yaml")),
             ContainsSubstring("a.yaml:9:35 sub-workflow cycle: a.yaml -> a.yaml: a workflow cannot contain itself"));
  CHECK_THAT(issues_with({{"a.yaml", loop_over("b.yaml")}, {"b.yaml", loop_over("a.yaml")}}, loop_over("a.yaml")),
             ContainsSubstring("b.yaml:9:35 sub-workflow cycle: a.yaml -> b.yaml -> a.yaml"));
  const std::string own_name = loop_over("workflow.yaml");
  const std::string issues = issues_with({{"workflow.yaml", own_name}}, own_name);
  CHECK_THAT(issues, ContainsSubstring("workflow.yaml:9:35 sub-workflow cycle: workflow.yaml -> workflow.yaml"));
}

TEST_CASE("a sub-workflow that is not there, or not right") {
  CHECK_THAT(issues_with({}, loop_over("gone.yaml")),
             ContainsSubstring("workflow.yaml:9:35 error reading file gone.yaml"));
  CHECK_THAT(issues_with({{"s.yaml", ""}}, loop_over("s.yaml")), ContainsSubstring("s.yaml:1:1 empty workflow file"));
  CHECK_THAT(issues_with({{"s.yaml", sub_workflow + "x: y\n"}}, loop_over("s.yaml")),
             ContainsSubstring("s.yaml:15:1 Invalid parameter 'x'"));
  const std::string other =
      workflow("steps:\n" + plugin_step("x", "say", "input: {message: a}") + "outputs: {done: {}}\n");
  CHECK_THAT(issues_with({{"s.yaml", other}}, loop_over("s.yaml", "[]")),
             ContainsSubstring("workflow.yaml:9:35 the referenced workflow must contain an output named 'success'"));
  CHECK_THAT(issues_with({}, workflow("steps:\n  loop: {kind: foreach, items: []}\noutputs: {success: {}}\n")),
             ContainsSubstring("Validation failed for 'workflow': This field is required"));
  CHECK_THAT(issues_with({}, loop_over("[a]")), ContainsSubstring("the file name must be a text"));
}

TEST_CASE("the version of a sub-workflow is checked for its form only") {
  std::string later = sub_workflow;
  later.replace(later.find("v0.2.0"), 6, "v0.9.0");
  CHECK(issues_with({{"s.yaml", later}}, loop_over("s.yaml")).empty());
  later.replace(later.find("v0.9.0"), 6, "vv.9.0");
  CHECK_THAT(issues_with({{"s.yaml", later}}, loop_over("s.yaml")), ContainsSubstring("s.yaml:1:10"));
}

TEST_CASE("the fields of a loop") {
  struct Row {
    const char* fields;
    const char* message;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"items: [{mesage: a}]", "'items' -> '[0]'"},
           {"items: text", "stage 'execute' (Validation failed for 'items'"},
           {"parallelism: 2", "required input 'items' of type 'list' not found for step 'loop'"},
           {"items: [], parallelism: 0", "'parallelism'"},
           {"items: [], enabled: banana", "stage 'enabling' (Validation failed for 'enabled'"}}) {
    INFO(row.fields);
    CHECK_THAT(
        issues_with({{"s.yaml", sub_workflow}}, workflow("steps:\n  loop: {kind: foreach, workflow: s.yaml, " +
                                                         std::string(row.fields) + "}\noutputs: {success: {}}\n")),
        ContainsSubstring(row.message));
  }
}

// --- namespaces ------------------------------------------------------------------------------------------------------

namespace {

std::string referring(const std::string& object, const std::string& name_space) {
  return "{p: {type: {type_id: ref, id: " + object + ", namespace: " + name_space + "}}}";
}

std::string say_with_reference(const std::string& object, const std::string& name_space) {
  return workflow("steps:\n" + plugin_step("a", "say", "input: !expr $.input.p") + "outputs: {success: {}}\n",
                  referring(object, name_space));
}

}  // namespace

TEST_CASE(
    "TestApplyAllNamespaces_Pass TestApplyAllNamespaces_MissingNamespace TestApplyAllNamespaces_InvalidObject: the "
    "input may refer to the schemas of steps") {
  CHECK(issues_with({}, say_with_reference("SayInput", "$.steps.a.starting.inputs.input")).empty());
  const std::string unknown = issues_with({}, say_with_reference("SayInput", "$.steps.b.starting.inputs.input"));
  CHECK_THAT(unknown, ContainsSubstring("error validating references for workflow input"));
  CHECK_THAT(unknown, ContainsSubstring("\t$.steps.a.starting.inputs.input: SayInput"));
  CHECK_THAT(issues_with({}, say_with_reference("Nobody", "$.steps.a.starting.inputs.input")),
             ContainsSubstring("Nobody"));
}

TEST_CASE(
    "TestPrintObjectNamespaceTable TestApplyLifecycleScopes_Basic TestUnnestLongerSortedHappy "
    "TestUnnestLongerSortedEmptyGroup: every object with its namespace, sorted, no row for a stage without objects") {
  Workbench bench;
  const Checked checked =
      bench.check(workflow("steps: {a: {plugin: single, input: {message: x}}}\noutputs: {success: {}}\n"));
  REQUIRE(checked.plan);
  std::string table;
  for (const NamespaceRow& row : namespace_table(*checked.plan)) table += row.object + " " + row.name_space + "\n";
  CHECK(table ==
        "ClosedInfo $.steps.a.closed.outputs.result\n"
        "Crashed $.steps.a.crashed.outputs.error\n"
        "DeployError $.steps.a.deploy_failed.outputs.error\n"
        "DisabledMessageOutput $.steps.a.disabled.outputs.output\n"
        "EnabledOutput $.steps.a.enabling.outputs.resolved\n"
        "SayError $.steps.a.outputs.outputs.error\n"
        "Said $.steps.a.outputs.outputs.success\n"
        "SayInput $.steps.a.starting.inputs.input\n"
        "StartedOutput $.steps.a.starting.outputs.started\n");
}

TEST_CASE(
    "TestNestedWorkflowWithNamespacedScopes TestAddScopesWithReferences TestAddScopesWithMissingCache: through a loop, "
    "by its items and by what these refer to") {
  const std::string inner = workflow("steps:\n" + plugin_step("x", "say", "input: !expr $.input.p") +
                                         "outputs: {success: !expr $.steps.x.outputs.success}\n",
                                     referring("SayInput", "$.steps.x.starting.inputs.input"));
  const auto outer = [](const std::string& object, const std::string& name_space, const std::string& items) {
    return workflow("steps:\n  loop: {kind: foreach, workflow: s.yaml, items: " + items + "}\noutputs: {success: {}}\n",
                    "{q: {type: {type_id: list, items: {type_id: ref, id: " + object + ", namespace: " + name_space +
                        "}}}, c: {type: {type_id: integer}, required: false}}");
  };
  CHECK(
      issues_with({{"s.yaml", inner}}, outer("Input", "$.steps.loop.execute.inputs.items", "!expr $.input.q")).empty());
  CHECK_FALSE(issues_with({{"s.yaml", inner}}, outer("Input", "$.steps.nobody.execute.inputs.items", "!expr $.input.q"))
                  .empty());
  const std::string constant =
      workflow("steps:\n" + plugin_step("x", "say", "input: !expr $.input.item") +
                   "outputs: {success: !expr $.steps.x.outputs.success}\n",
               "{item: {type: {type_id: ref, id: SayInput, namespace: $.steps.x.starting.inputs.input}}, "
               "constant: {type: {type_id: string}, required: false}}");
  CHECK(issues_with({{"s.yaml", constant}}, outer("SayInput", "$.steps.loop.execute.inputs.items.item",
                                                  "!expr 'bindConstants($.input.q, \"c\")'"))
            .empty());
}

}  // namespace venvoy::workflow
