// What a run comes to: data, conditions, failures that expressions can read.
#include "support/catch.hpp"
#include "unit/workflow/fixture.hpp"

namespace venvoy::workflow {
using Catch::ContainsSubstring;

namespace {

// The text of the result of a workflow with these steps and outputs.
std::string outcome(const std::string& steps, const std::string& outputs, const std::string& properties = "{}",
                    const std::string& input = "{}") {
  Workbench bench;
  return text_of(bench.run(workflow("steps:\n" + steps + "outputs:\n" + outputs, properties), input));
}

const std::string say_hi = plugin_step("a", "say", "input: {message: hi}");
const std::string say_no = plugin_step("a", "say", "input: {message: hi, fail: true}");

}  // namespace

TEST_CASE("TestE2E ExampleExecutor TestSimpleValidWaitWorkflow: one step and one output") {
  Workbench bench;
  const RunResult result =
      bench.run(workflow("steps:\n" + say_hi + "output:\n  text: !expr $.steps.a.outputs.success.message\n"));
  CHECK(text_of(result) == R"(success {"text":"hi"})");
  CHECK_FALSE(result.error_output);
  CHECK(outcome(plugin_step("w", "wait", "input: {wait_time_ms: 1}"), "  success: !expr $.steps.w.outputs.success\n") ==
        R"(success {"message":"Plugin slept for 1 ms."})");
}

TEST_CASE("TestE2EMultipleOutputs: error outputs by their name, or by their declaration") {
  const std::string outputs = "  success: !expr $.steps.a.outputs.success\n  error: !expr $.steps.a.outputs.error\n";
  Workbench good;
  CHECK_FALSE(good.run(workflow("steps:\n" + say_hi + "outputs:\n" + outputs)).error_output);
  Workbench bad;
  const RunResult result = bad.run(workflow("steps:\n" + say_no + "outputs:\n" + outputs));
  CHECK(text_of(result) == R"(error {"error":"failed: hi"})");
  CHECK(result.error_output);
  const std::string schema = "{root: R, objects: {R: {id: R, properties: {error: {type: {type_id: string}}}}}}";
  for (const bool error : {false, true}) {
    Workbench declared;
    const std::string declaration = "outputSchema:\n  error: {schema: " + schema + (error ? ", error: true}\n" : "}\n");
    CHECK(
        declared.run(workflow("steps:\n" + say_no + "outputs:\n  error: !expr $.steps.a.outputs.error\n" + declaration))
            .error_output == error);
  }
}

TEST_CASE("TestE2EWorkflowDefaultInput TestSharedInput: the input with its defaults, used twice") {
  const std::string properties = "{n: {type: {type_id: string}, default: '\"Arca\"', required: false}}";
  const std::string steps = plugin_step("a", "say", "input: {message: !expr $.input.n, note: !expr $.input.n}");
  const std::string outputs =
      "  success: {one: !expr $.steps.a.outputs.success.message, two: !expr $.steps.a.outputs.success.message}\n";
  CHECK(outcome(steps, outputs, properties) == R"(success {"one":"Arca","two":"Arca"})");
  CHECK(outcome(steps, outputs, properties, "n: Lot") == R"(success {"one":"Lot","two":"Lot"})");
}

TEST_CASE("an input that does not fit ends the run before anything starts") {
  Workbench bench;
  const RunResult result =
      bench.run(workflow("steps:\n" + say_hi + "outputs: {success: {}}\n", "{n: {type: {type_id: integer}}}"), "n: x");
  REQUIRE(result.failure);
  CHECK(result.failure->code() == ErrorCode::schema);
  CHECK_THAT(text_of(result), ContainsSubstring("invalid workflow input (Validation failed for 'n'"));
  CHECK(bench.world.count("start demo") == 0);
}

TEST_CASE("literals reach a plugin in the types of its schema, without defaults") {
  Workbench bench;
  bench.run(workflow("steps:\n" + plugin_step("a", "say", "input: {message: 5, number: '6', fail: no}") +
                     "outputs: {success: !expr $.steps.a.outputs.success}\n"));
  CHECK(bench.world.inputs.at("a").front() ==
        schema::Value(schema::Map{{"message", "5"}, {"number", 6}, {"fail", false}}));
}

TEST_CASE("literals without a schema stay texts, nulls as written") {
  CHECK(outcome(say_hi, "  success: {a: 5, b: [true, ~, null, 1.5], c: '', d: {}}\n") ==
        R"(success {"a":"5","b":["true","~","null","1.5"],"c":"","d":{}})");
}

TEST_CASE("an output without dependencies ends the run at once, the step is closed") {
  Workbench bench;
  CHECK(text_of(bench.run(workflow("steps:\n" +
                                   plugin_step("a", "deaf", "input: {wait_time_ms: 1}\nclosure_wait_timeout: 1") +
                                   "outputs: {success: {}}\n"))) == "success {}");
}

TEST_CASE("of outputs that are possible at once the first in the file wins") {
  CHECK(outcome(say_hi, "  z: {x: !expr $.steps.a.outputs.success.number}\n  a: !expr $.steps.a.outputs.success\n") ==
        R"(z {"x":7})");
  CHECK(outcome(say_hi, "  z: !expr $.steps.a.outputs.success\n  a: {}\n") == "a {}");
}

TEST_CASE("TestOutputFailed TestMissingInputsWrongOutput: outputs that cannot come end the run with the reason") {
  Workbench bench;
  const RunResult result = bench.run(workflow(
      "steps:\n" + say_no + plugin_step("b", "say", "input: {message: !expr $.steps.a.outputs.success.message}") +
      "outputs:\n  success: !expr $.steps.b.outputs.success\n  other: !expr $.steps.a.crashed.error\n"));
  REQUIRE(result.failure);
  CHECK(result.failure->code() == ErrorCode::evaluation);
  CHECK(text_of(result) ==
        "all outputs marked as unresolvable: output 'success' needs steps.a.outputs.success, but step 'a' ended with "
        "outputs.error; output 'other' needs steps.a.crashed.error, but step 'a' ended with outputs.error");
}

TEST_CASE("the end of a run tells why a step did not get there") {
  const std::string output = "outputs:\n  success: !expr $.steps.a.outputs\n";
  Workbench bench;
  CHECK(text_of(bench.run(
            workflow("steps:\n" + plugin_step("a", "crash", "input: {message: \"boom\\nand more\"}") + output))) ==
        "all outputs marked as unresolvable: output 'success' needs steps.a.outputs, but step 'a' ended with "
        "crashed.error (the plugin has ended with exit code 1: boom)");
}

TEST_CASE("several failures are told in one sentence, each once") {
  // Both are evaluated at once, at the start of the run.
  const std::string field = "input: {message: x}\nenabled: !expr 1 / $.input.n == 1";
  Workbench bench;
  const RunResult result =
      bench.run(workflow("steps:\n" + plugin_step("a", "say", field) + plugin_step("b", "say", field) +
                             "outputs:\n  success: !expr $.steps.a.outputs.success\n",
                         "{n: {type: {type_id: integer}}}"),
                "n: 0");
  REQUIRE(result.failure);
  CHECK(result.failure->code() == ErrorCode::evaluation);
  CHECK(text_of(result).find("multiple errors: ") == 0);
  CHECK_THAT(text_of(result), ContainsSubstring("steps.a.enabling"));
  CHECK_THAT(text_of(result), ContainsSubstring("; ") && ContainsSubstring("steps.b.enabling"));
}

TEST_CASE("the stages of a step can be read") {
  CHECK(
      outcome(say_hi,
              "  success: {a: !expr $.steps.a.starting.started, b: !expr $.steps.a.enabling.resolved, "
              "c: !expr $.steps.a.enabling, d: !expr $.steps.a.outputs}\n") ==
      R"(success {"a":{},"b":{"enabled":true},"c":{"resolved":{"enabled":true}},"d":{"success":{"message":"hi","number":7}}})");
}

// --- what has gone wrong can be read ---------------------------------------------------------------------------------

TEST_CASE("TestProvider_StartFail: crashes can be read by expressions, whole and in parts") {
  const std::string crash = plugin_step("a", "crash", "input: {message: boom}");
  const std::string text = "the plugin has ended with exit code 1: boom";
  CHECK(outcome(crash, "  success: {x: !expr $.steps.a.crashed.error.output}\n") == "success {\"x\":\"" + text + "\"}");
  CHECK(outcome(crash, "  success: !expr $.steps.a.crashed.error\n") == "success {\"output\":\"" + text + "\"}");
  CHECK(outcome(crash, "  success: {x: !expr $.steps.a.crashed}\n") ==
        "success {\"x\":{\"error\":{\"output\":\"" + text + "\"}}}");
  CHECK(outcome(crash + plugin_step("b", "say",
                                    "input: {message: !expr $.steps.a.crashed.error.output}\n"
                                    "wait_for: !expr $.steps.a.crashed.error"),
                "  success: {x: !expr $.steps.b.outputs.success.message}\n") == "success {\"x\":\"" + text + "\"}");
}

TEST_CASE("a plugin that does not start has crashed") {
  Workbench bench;
  bench.world.plugins["demo"].start_failure = Error(ErrorCode::start, "no hello");
  CHECK(text_of(bench.run(workflow("steps:\n" + say_hi + "outputs:\n  success: !expr $.steps.a.crashed.error\n"))) ==
        R"(success {"output":"no hello"})");
  CHECK(bench.log->contains("warning Plugin step a/say start failed. no hello"));
}

TEST_CASE("an answer that the plugin's schema does not allow is a crash") {
  CHECK_THAT(
      outcome(plugin_step("a", "odd", "input: {message: strange}"), "  success: !expr $.steps.a.crashed.error\n"),
      ContainsSubstring("ended with the output 'strange', which its schema does not declare"));
  CHECK_THAT(
      outcome(plugin_step("a", "odd", "input: {message: success}"), "  success: !expr $.steps.a.crashed.error\n"),
      ContainsSubstring("the output 'success' does not fit the plugin's own schema"));
}

TEST_CASE("TestProvider_DeployFail TestMissingInputsFailedDeployment: a failed deployment can be read") {
  const std::string failing =
      plugin_step("a", "say", "input: {message: x}\ndeploy: {deployer_name: fake, deploy_succeed: false}");
  CHECK(outcome(failing, "  success: {x: !expr $.steps.a.deploy_failed.error.error}\n") ==
        R"(success {"x":"intentional deployment fail after 0 ms"})");
  CHECK(outcome(failing, "  success: !expr $.steps.a.deploy_failed\n") ==
        R"(success {"error":{"error":"intentional deployment fail after 0 ms"}})");
  CHECK_THAT(outcome(failing, "  success: !expr $.steps.a.outputs.success\n"),
             ContainsSubstring("output 'success' needs steps.a.deploy"));
}

TEST_CASE("deploy settings may come from expressions and are shared by steps with the same") {
  Workbench bench;
  const std::string settings = "\ndeploy: {deployer_name: fake, label: !expr $.input.l}";
  bench.run(workflow("steps:\n" + plugin_step("a", "say", "input: {message: x}" + settings) +
                         plugin_step("b", "say", "input: {message: x}" + settings) +
                         "outputs: {success: {a: !expr $.steps.a.outputs, b: !expr $.steps.b.outputs}}\n",
                     "{l: {type: {type_id: string}}}"),
            "l: there");
  CHECK(bench.world.count(R"(deployer builtin {"label":"there"})") == 1);
}

TEST_CASE("what can no longer happen is impossible as soon as that is known") {
  struct Row {
    std::string step;
    const char* never;
  };
  const std::string dead = "\nenabled: !expr false";
  for (const Row& row : std::vector<Row>{{say_hi, "crashed.error"},
                                         {say_hi, "deploy_failed.error"},
                                         {say_hi, "closed.result"},
                                         {say_hi, "disabled.output"},
                                         {say_hi, "outputs.error"},
                                         {plugin_step("a", "crash", "input: {message: x}"), "closed.result"},
                                         {plugin_step("a", "crash", "input: {message: x}"), "deploy_failed.error"},
                                         {plugin_step("a", "crash", "input: {message: x}"), "outputs.success"},
                                         {plugin_step("a", "say", "input: {message: x}" + dead), "outputs.success"},
                                         {plugin_step("a", "say", "input: {message: x}" + dead), "crashed.error"},
                                         {plugin_step("a", "say", "input: {message: x}" + dead), "closed.result"},
                                         {plugin_step("a", "say", "input: {message: x}" + dead), "deploy_failed.error"},
                                         {plugin_step("a", "say", "input: {message: x}" + dead), "starting.started"}}) {
    INFO(row.step << row.never);
    CHECK_THAT(outcome(row.step, "  success: !expr $.steps.a." + std::string(row.never) + "\n"),
               ContainsSubstring("all outputs marked as unresolvable"));
  }
}

TEST_CASE("a step whose input cannot come cannot fail any more either, although it never runs") {
  const std::string steps =
      say_no + plugin_step("b", "say", "input: {message: !expr $.steps.a.outputs.success.message}");
  for (const char* stage : {"crashed.error", "deploy_failed.error", "outputs.success", "starting.started"}) {
    INFO(stage);
    CHECK_THAT(outcome(steps, "  success: !expr $.steps.b." + std::string(stage) + "\n"),
               ContainsSubstring("all outputs marked as unresolvable"));
    CHECK(outcome(steps, "  success: {x: !wait-optional $.steps.b." + std::string(stage) + "}\n") == "success {}");
  }
}

TEST_CASE("what waits for the closing of an idle step would wait for ever: told with what is waited for") {
  const std::string steps =
      say_no + plugin_step("b", "say", "input: {message: !expr $.steps.a.outputs.success.message}");
  Workbench bench;
  const RunResult result =
      bench.run(workflow("steps:\n" + steps + "outputs:\n  success: !expr $.steps.b.closed.result\n"));
  REQUIRE(result.failure);
  CHECK(text_of(result) ==
        "no steps running, no more executable steps; cannot construct any output: output 'success' waits for "
        "steps.b.closed.result");
}

TEST_CASE("an expression that fails on its data ends the run with node and expression") {
  const std::string steps = plugin_step("g", "give", "input: {}");
  for (const char* expression : {"$.steps.g.outputs.success.names[5]", "$.steps.g.outputs.success.environment[\"X\"]",
                                 "1 / 0", "stringToInt(\"x\")"}) {
    INFO(expression);
    const std::string text = outcome(steps, "  success: {x: !expr '" + std::string(expression) + "'}\n");
    CHECK_THAT(text, ContainsSubstring("cannot resolve expressions for outputs.success (the expression '"));
    CHECK_THAT(text, ContainsSubstring(expression));
  }
  CHECK_THAT(outcome(steps + plugin_step("b", "say", "input: {message: !expr '$.steps.g.outputs.success.names[5]'}"),
                     "  success: !expr $.steps.b.outputs.success\n"),
             ContainsSubstring("cannot resolve expressions for steps.b.starting (the expression '"));
}

TEST_CASE("TestWorkflow_Execute_Error_MalformedOutputSchema: data that does not fit its declaration") {
  const std::string text =
      outcome(say_hi,
              "  success: {x: !expr $.steps.a.outputs.success.message}\noutputSchema:\n  success: {schema: {root: R, "
              "objects: {R: {id: R, properties: {x: {type: {type_id: string, max: 1}}}}}}}\n");
  CHECK_THAT(text,
             ContainsSubstring("output schema cannot unserialize output data of 'success' (Validation failed for 'x'"));
  CHECK(text.find("bug") == std::string::npos);
}

TEST_CASE("a value that proves wrong only in the run is told with node and field") {
  const std::string text =
      outcome(plugin_step("a", "say", "input: {message: x}\nclosure_wait_timeout: !expr $.input.n"),
              "  success: !expr $.steps.a.outputs.success\n", "{n: {type: {type_id: integer}}}", "n: -5");
  CHECK_THAT(text,
             ContainsSubstring("schema evaluation resulted in invalid data for steps.a.starting (Validation failed "
                               "for 'closure_wait_timeout'"));
}

// --- functions and texts ---------------------------------------------------------------------------------------------

TEST_CASE("TestWorkflowWithMathAndFunctions") {
  CHECK(outcome(
            say_hi,
            "  success: {x: !expr 'intToString($.input.a + $.input.b) + \" and \" + floatToString($.input.c * 2.0)'}\n",
            "{a: {type: {type_id: integer}}, b: {type: {type_id: integer}}, c: {type: {type_id: float}}}",
            "{a: 2, b: 3, c: 1.25}") == R"(success {"x":"5 and 2.5"})");
}

TEST_CASE("TestWorkflowWithEscapedCharacters: quoting styles give the same text") {
  const char* const same = R"(success {"x":"it's \"so\""})";
  for (const char* value :
       {"!expr '`it''s \"so\"`'", "!expr '\"it''s \\\"so\\\"\"'", "!expr \"'it\\\\'s \\\"so\\\"'\"",
        "!expr |-\n      'it\\'s \"so\"'", "!expr |-\n      \"it's \\\"so\\\"\"", "!expr |-\n      `it's \"so\"`"}) {
    INFO(value);
    CHECK(outcome(say_hi, "  success:\n    x: " + std::string(value) + "\n") == same);
  }
}

TEST_CASE("a null that a plugin gives for an optional property is dropped under an optional tag") {
  for (const char* tag : {"!wait-optional", "!soft-optional"}) {
    Workbench bench;
    for (test::FakeStep& step : bench.world.plugins["demo"].steps)
      if (step.schema.id == "say")
        step.run = [](std::shared_ptr<FakeCall>) -> boost::asio::awaitable<deployer::StepAnswer> {
          deployer::StepAnswer answer;
          answer.output_id = "success";
          answer.data = schema::Map{{"message", "m"}, {"number", 1}, {"note", nullptr}};
          co_return answer;
        };
    CHECK(text_of(bench.run(workflow("steps:\n" + say_hi +
                                     "outputs: {success: {m: !expr $.steps.a.outputs.success.message, n: " + tag +
                                     " $.steps.a.outputs.success.note}}\n"))) == R"(success {"m":"m"})");
  }
}

TEST_CASE("values of every kind pass from step to step") {
  CHECK(outcome(
            plugin_step("g", "give", "input: {}") +
                plugin_step("t", "take", "input: {value: [!expr $.steps.g.outputs.success, !expr $.input, {lit: x}]}"),
            "  success: !expr $.steps.t.outputs.success\n", "{n: {type: {type_id: integer}}}", "n: 5") ==
        R"(success {"value":[{"environment":{"HOST-NAME":"box","USER":"me"},"flag":true,"names":["zero","one"],)"
        R"("ratio":0.5},{"n":5},{"lit":"x"}]})");
  CHECK(outcome(plugin_step("g", "give", "input: {}"),
                "  success: {x: !expr '$.steps.g.outputs.success.environment[\"HOST-NAME\"]', "
                "y: !expr '$.steps.g.outputs.success.names[-1]'}\n") == R"(success {"x":"box","y":"one"})");
}

}  // namespace venvoy::workflow
