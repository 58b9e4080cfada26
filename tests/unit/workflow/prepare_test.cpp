// From texts to a plan: what is found before a run.
#include "support/catch.hpp"
#include "unit/workflow/fixture.hpp"

namespace venvoy::workflow {
using Catch::ContainsSubstring;

namespace {

// The body of a workflow starts in line 8; a step that plugin_step has written has its `input` three lines below its
// id.
std::string issues_of(const std::string& text) {
  Workbench bench;
  const Checked checked = bench.check(text);
  CHECK((checked.plan == nullptr) == has_errors(checked.issues));
  return text_of(checked.issues);
}

std::string step_issues(const std::string& rest, const std::string& step = "say",
                        const std::string& properties = "{}") {
  return issues_of(workflow("steps:\n" + plugin_step("a", step, rest) + "outputs: {success: {}}\n", properties));
}

struct Row {
  const char* text;
  const char* message;
};

std::string output_issues(const std::string& value) {
  return issues_of(
      workflow("steps:\n" + plugin_step("a", "say", "input: {message: hi}") + "outputs:\n  success: " + value + "\n",
               "{n: {type: {type_id: integer}}, s: {type: {type_id: string}}, free: {type: {type_id: any}}}"));
}

}  // namespace

TEST_CASE("a plan knows steps, outputs and what is what in the graph") {
  Workbench bench;
  const Checked checked = bench.check(workflow("steps:\n" + plugin_step("a", "say", "input: {message: hi}") +
                                               "outputs:\n  error: {}\n  fine: {x: y}\n"));
  CHECK(text_of(checked.issues).empty());
  REQUIRE(checked.plan);
  const Plan& plan = *checked.plan;
  REQUIRE(plan.steps.size() == 1);
  CHECK(plan.steps[0].id() == "a");
  CHECK(plan.steps[0].plugin_source == "demo");
  CHECK(plan.steps[0].plugin_step == "say");
  CHECK(plan.find_step("a") == 0);
  CHECK_FALSE(plan.find_step("b"));
  REQUIRE(plan.outputs.size() == 2);
  CHECK(plan.outputs[0].error);
  CHECK_FALSE(plan.outputs[1].error);
  CHECK(plan.graph.node(plan.steps[0].stages[position(PluginStage::starting)].node).name == "steps.a.starting");
  CHECK(plan.graph.node(plan.outputs[1].node).name == "outputs.fine");
}

TEST_CASE("TestMissingInput TestMismatchedStepInputTypes TestMismatchedInputTypes: the fields of a step") {
  const std::string number = "{n: {type: {type_id: integer}}, s: {type: {type_id: string}}}";
  struct Field {
    const char* rest;
    const char* step;
    const char* message;
  };
  for (const Field& row : std::initializer_list<Field>{
           {"", "say", "workflow.yaml:9:3 required input 'input' of type 'scope' not found for step 'a'"},
           {"input: {}", "say",
            "workflow.yaml:12:12 input validation failed for workflow step 'a' stage 'starting' (Validation failed for "
            "'input': could not find required field message)"},
           {"input: {message: x, number: !expr $.input.s}", "say", "workflow.yaml:12:"},
           {"input: {message: x, number: !expr $.input.s}", "say", "'input' -> 'number'"},
           {"input: {message: x, number: banana}", "say", "'input' -> 'number'"},
           {"input: {message: x, nubmer: 5}", "say", "Invalid parameter 'nubmer'"},
           {"input: {message: !expr $.input.n}", "say", "unsupported data type for 'string' type"},
           {"input: {message: x}\nenabled: banana", "say", "stage 'enabling' (Validation failed for 'enabled'"},
           {"input: {message: x}\nclosure_wait_timeout: -1", "say", "'closure_wait_timeout'"},
           {"input: {message: x}\nclosure_wait_timeout: !expr $.input.s", "say", "'closure_wait_timeout'"},
           {"input: {message: x}\ndeploy: {}", "say", "deployer_name"},
           {"input: {message: x}\ndeploy: {deployer_name: other}", "say", "other"},
           {"input: {message: x}\ndeploy: {deployer_name: fake, x: y}", "say", "Invalid parameter 'x'"}}) {
    INFO(row.rest);
    const std::string issues = step_issues(row.rest, row.step, number);
    CHECK_THAT(issues, ContainsSubstring(row.message));
    CHECK(std::count(issues.begin(), issues.end(), '\n') == 1);
  }
}

TEST_CASE("TestProvider_VerifyCancelSignal: stop_if needs a cancel handler") {
  CHECK(step_issues("input: {wait_time_ms: 5}\nstop_if: false", "wait") == "");
  CHECK_THAT(step_issues("input: {wait_time_ms: 5}\nstop_if: false", "stubborn"),
             ContainsSubstring("workflow.yaml:13:5 input validation failed for workflow step 'a' stage 'cancelled' "
                               "(Validation failed for 'stop_if': error due to attempting to use disabled property: "
                               "Cancel signal with ID 'cancel' is not present in plugin 'demo'"));
}

TEST_CASE("TestProvider_Utility: the step of a plugin") {
  CHECK(issues_of(workflow("steps: {a: {plugin: single, input: {message: x}}}\noutputs: {success: {}}\n")).empty());
  CHECK_THAT(issues_of(workflow("steps:\n  a: {plugin: demo, input: {message: x}}\noutputs: {success: {}}\n")),
             ContainsSubstring("workflow.yaml:9:3 invalid step configuration for a (Validation failed for 'step': This "
                               "field is required"));
  CHECK_THAT(step_issues("input: {}", "sya"),
             ContainsSubstring("workflow.yaml:11:11 the step 'sya' does not exist in the 'demo' plugin, did you mean "
                               "'say'?"));
  CHECK_THAT(step_issues("input: {}", "!expr $.input"), ContainsSubstring("Validation failed for 'step'"));
}

TEST_CASE("names in expressions that do not exist are told with place and nearest name") {
  struct Name {
    const char* expression;
    int column;
    const char* message;
  };
  for (const Name& row : std::initializer_list<Name>{{"$.steps.b.outputs.success", 30, "\"b\""},
                                                     {"$.steps.a.output.success", 32, "did you mean"},
                                                     {"$.steps.a.outputs.sucess", 40, "did you mean"},
                                                     {"$.steps.a.outputs.success.mesage", 48, "did you mean"},
                                                     {"$.input.m", 30, "\"m\""},
                                                     {"$.stesp.a", 24, "did you mean"}}) {
    const std::string issues = output_issues("{x: !expr " + std::string(row.expression) + "}");
    INFO(row.expression << "\n" << issues);
    CHECK_THAT(issues, ContainsSubstring("workflow.yaml:14:"));
    CHECK_THAT(issues, ContainsSubstring(row.message));
    CHECK(std::count(issues.begin(), issues.end(), '\n') == 1);
  }
}

TEST_CASE("TestDependOnNoOutputs: stages without outputs cannot be referred to") {
  for (const char* stage : {"deploy", "running", "cancelled"}) {
    INFO(stage);
    CHECK_THAT(step_issues("input: {message: x}\nwait_for: !expr $.steps.a." + std::string(stage)),
               ContainsSubstring("does not have a property named \"" + std::string(stage) + "\""));
  }
}

TEST_CASE("references that are too short") {
  for (const Row& row : std::initializer_list<Row>{{"!expr $.steps.a", "invalid dependency $.steps.a"},
                                                   {"!expr $.steps", "invalid dependency $.steps"},
                                                   {"!expr $", "invalid dependency $"}}) {
    INFO(row.text);
    CHECK_THAT(output_issues(row.text), ContainsSubstring(row.message));
  }
}

TEST_CASE("what an output can be") {
  for (const Row& row : std::initializer_list<Row>{
           {"text", "invalid type for output root object: string (must be an object)"},
           {"[]", "invalid type for output root object: list"},
           {"!expr $.input.n", "invalid type for output root object: integer"},
           {"!ordisabled $.steps.a.outputs.success", "invalid type for output root object: one_of_string"},
           {"{x: [!expr $.input.n, !expr $.input.s]}", "mismatching types in list"},
           {"{x: [!wait-optional $.input.n]}", "!wait-optional cannot be an item of a list"},
           {"{x: [!soft-optional $.input.n]}", "!soft-optional cannot be an item of a list"},
           {"{x: !ordisabled $.steps.a.outputs.success.message}", "type of OneOf option is not an object"},
           {"{x: !oneof {discriminator: d, one_of: {p: text}}}", "type of OneOf option is not an object"},
           {"{x: !oneof {discriminator: message, one_of: {p: !expr $.steps.a.outputs.success}}}",
            "has conflicting field"},
           {"{x: !expr 'nofunction(1)'}", "nofunction"},
           {"{x: !expr intToString($.input.s)}", "error while validating arg/param type compatibility"},
           {"{x: !expr 5 > 3.0}", ""}}) {
    const std::string issues = output_issues(row.text);
    INFO(row.text << "\n" << issues);
    CHECK_THAT(issues, ContainsSubstring("workflow.yaml:14:"));
    CHECK_THAT(issues, ContainsSubstring(row.message));
  }
}

TEST_CASE("an `any` from the input feeds `any` fields only") {
  const std::string properties = "{free: {type: {type_id: any}}}";
  CHECK(step_issues("input: {value: !expr $.input.free}", "take", properties).empty());
  CHECK_THAT(step_issues("input: {message: !expr $.input.free}", "say", properties),
             ContainsSubstring("unsupported data type for 'string' type"));
}

TEST_CASE("cycles are refused with the steps in their order") {
  CHECK_THAT(step_issues("input: {message: !expr $.steps.a.outputs.success.message}"),
             ContainsSubstring("workflow.yaml:9:3 your workflow has a cycle: a -> a"));
  const std::string pair = issues_of(
      workflow("steps:\n" + plugin_step("a", "say", "input: {message: x}\nwait_for: !expr $.steps.c.outputs") +
               plugin_step("b", "say", "input: {message: !expr $.steps.a.outputs.success.message}") +
               plugin_step("c", "say",
                           "input: {message: x}\nenabled: !expr $.steps.b.enabling.resolved.enabled\n"
                           "wait_for: {x: [!expr $.steps.b.outputs.success]}") +
               "outputs: {success: {}}\n"));
  INFO(pair);
  CHECK_THAT(pair, ContainsSubstring("your workflow has a cycle: a -> b -> c -> a"));
  CHECK(std::count(pair.begin(), pair.end(), '\n') == 1);
}

TEST_CASE("a cycle through a !oneof and through a !wait-optional") {
  CHECK_THAT(step_issues("input: {value: !ordisabled $.steps.a.outputs.success}", "take"),
             ContainsSubstring("your workflow has a cycle: a -> a"));
  CHECK_THAT(step_issues("input: {value: !wait-optional $.steps.a.outputs.success}", "take"),
             ContainsSubstring("your workflow has a cycle: a -> a"));
}

TEST_CASE("several issues of the types come in one go, in the order of the file") {
  const std::string issues =
      issues_of(workflow("steps:\n" + plugin_step("a", "say", "input: {message: !expr $.input.x, number: no}") +
                         plugin_step("b", "say", "input: {mesage: y}\nwait_for: !expr $.steps.q.outputs") +
                         "outputs:\n  success: {x: !expr $.steps.a.outputs.nothing}\n  other: text\n"));
  INFO(issues);
  std::vector<std::size_t> places;
  for (const char* text : {"workflow.yaml:12:", "'number'", "workflow.yaml:16:", "workflow.yaml:17:", "nothing",
                           "invalid type for output root"}) {
    places.push_back(issues.find(text));
    INFO(text);
    CHECK(places.back() != std::string::npos);
  }
  CHECK(std::is_sorted(places.begin(), places.end()));
}

TEST_CASE("two tags at the same path of one stage are no collision") {
  CHECK(step_issues("input: {message: x}\nwait_for: !oneof {discriminator: d, one_of: {p: !expr $.input}}\n"
                    "closure_wait_timeout: !wait-optional $.input.n",
                    "say", "{n: {type: {type_id: integer}, required: false}}")
            .empty());
  CHECK(output_issues("{a.b: !wait-optional $.input.n, a: {b: !wait-optional $.input.n}}").empty());
}

// --- plugins ---------------------------------------------------------------------------------------------------------

TEST_CASE("each plugin is made ready once, in whatever form and how often it is written") {
  Workbench bench;
  bench.files.texts["sub.yaml"] =
      workflow("steps:\n" + plugin_step("x", "hello", "input: {fail: false}") + "outputs: {success: {}}\n");
  const Checked checked = bench.check(workflow("steps:\n" + plugin_step("a", "say", "input: {message: x}") +
                                               plugin_step("b", "say", "input: {message: x}") +
                                               "  c: {plugin: single, input: {message: x}}\n"
                                               "  d: {plugin: {src: single, deployment_type: python}, input: "
                                               "{message: x}}\n"
                                               "  e: {kind: foreach, items: [], workflow: sub.yaml}\n"
                                               "  f: {kind: foreach, items: [], workflow: sub.yaml}\n"
                                               "outputs: {success: {}}\n"));
  CHECK(text_of(checked.issues).empty());
  CHECK(bench.world.count("prepare demo") == 1);
  CHECK(bench.world.count("prepare single") == 1);
  CHECK(bench.world.live_processes == 0);
}

TEST_CASE("a plugin that cannot be made ready is an issue at each of its references") {
  Workbench bench;
  bench.world.plugins["demo"].prepare_failure = Error(ErrorCode::plugin, "it says nothing");
  const Checked checked = bench.check(workflow("steps:\n" + plugin_step("a", "say", "input: {message: x}") +
                                               plugin_step("b", "say", "input: {message: x}") +
                                               "  c: {plugin: unknown, input: {}}\noutputs: {success: {}}\n"));
  CHECK(text_of(checked.issues) ==
        "workflow.yaml:10:19 failed to load schema for step a (failed to deploy plugin of deployment type 'builtin' "
        "with source 'demo' (it says nothing))\n"
        "workflow.yaml:14:19 failed to load schema for step b (failed to deploy plugin of deployment type 'builtin' "
        "with source 'demo' (it says nothing))\n"
        "workflow.yaml:17:15 failed to load schema for step c (failed to deploy plugin of deployment type 'python' "
        "with source 'unknown' (there is no plugin unknown))\n");
}

TEST_CASE("what cannot be planned hides nothing else") {
  Workbench bench;
  const std::string issues = text_of(
      bench
          .check(workflow("steps:\n  a: {plugin: unknown, input: {x: !expr $.input.nmae}}\n" +
                              plugin_step("b", "say", "input: {message: !expr $.steps.a.outputs.success.x}") +
                              plugin_step("c", "say", "input: {message: x, number: banana}") +
                              "outputs:\n  success: {x: !expr $.steps.a.outputs.success, y: !expr $.steps.d.outputs}\n"
                              "  other: !expr $.steps.b.outputs.success\n",
                          "{name: {type: {type_id: string}}}"))
          .issues);
  INFO(issues);
  for (const char* text : {"there is no plugin unknown", "nmae", "'number'", "$.steps.d.outputs"})
    CHECK_THAT(issues, ContainsSubstring(text));
  // Nothing is said about what depends on the step.
  CHECK(std::count(issues.begin(), issues.end(), '\n') == 4);
}

TEST_CASE("an input that cannot be read hides nothing else") {
  const std::string issues =
      step_issues("input: {message: !expr $.input.x, nubmer: 5}", "say", "{x: {type: {type_id: strin}}}");
  INFO(issues);
  CHECK_THAT(issues, ContainsSubstring("strin"));
  CHECK_THAT(issues, ContainsSubstring("nubmer"));
  CHECK(std::count(issues.begin(), issues.end(), '\n') == 2);
}

TEST_CASE("TestProvider_MissingDeployer: a deployment type without a deployer") {
  CHECK_THAT(issues_of(workflow("steps:\n  a: {plugin: {src: x, deployment_type: image}, input: {}}\n"
                                "outputs: {success: {}}\n")),
             ContainsSubstring("missing local deployer for requested type image"));
}

TEST_CASE("with errors in the files plugins are made ready only when everything is to be found") {
  const std::string text = workflow("steps:\n  a: {plugin: unknown, input: {}, x: y}\noutputs: {success: {}}\n");
  Workbench bench;
  const Checked fast = bench.check(text);
  CHECK(fast.issues.size() == 1);
  CHECK(bench.world.journal.empty());
  PrepareOptions options;
  options.find_everything = true;
  const Checked thorough = bench.check(text, options);
  CHECK(thorough.issues.size() == 2);
  CHECK(thorough.plan == nullptr);
}

TEST_CASE("a cancelled preparation throws") {
  Workbench bench;
  CancelSource source;
  source.cancel();
  PrepareOptions options;
  options.cancel = source.token();
  try {
    bench.check(workflow("steps:\n" + plugin_step("a", "say", "input: {message: x}") + "outputs: {success: {}}\n"),
                options);
    FAIL("it was not cancelled");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::cancelled);
  }
}

// --- output schemas --------------------------------------------------------------------------------------------------

namespace {

std::string schema_issues(const std::string& declaration) {
  return output_issues("{n: !expr $.input.n, s: !expr $.input.s}\noutputSchema:\n  success: " + declaration);
}

std::string declared(const std::string& properties) {
  return "{schema: {root: R, objects: {R: {id: R, properties: " + properties + "}}}}";
}

}  // namespace

TEST_CASE("TestWorkflow_Execute_Error_OutputSchema_OutputKey: declared outputs are compared before the run") {
  const std::string integer = "{type: {type_id: integer}}";
  const std::string text = "{type: {type_id: string}}";
  CHECK(schema_issues(declared("{n: " + integer + ", s: " + text + "}")).empty());
  CHECK(schema_issues(declared("{n: {type: {type_id: float}}, s: " + text + "}")).empty());
  CHECK_THAT(schema_issues(declared("{n: " + integer + "}")), ContainsSubstring("'s'"));
  CHECK_THAT(schema_issues(declared("{n: " + integer + ", s: " + text + ", m: " + text + "}")),
             ContainsSubstring("could not find required field m"));
  CHECK_THAT(schema_issues(declared("{n: {type: {type_id: bool}}, s: " + text + "}")),
             ContainsSubstring("output 'success' does not fit its declared schema (Validation failed for 'n'"));
  CHECK_THAT(schema_issues("{error: true}"), ContainsSubstring("Validation failed for 'schema': This field is"));
  CHECK_THAT(schema_issues("{schema: {}, errors: true}"), ContainsSubstring("did you mean 'error'?"));
}

}  // namespace venvoy::workflow
