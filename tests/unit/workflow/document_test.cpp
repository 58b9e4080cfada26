#include "workflow/document.hpp"

#include "support/catch.hpp"
#include "unit/workflow/fixture.hpp"

namespace venvoy::workflow {
using Catch::ContainsSubstring;

namespace {

ParsedDocument parse(const std::string& text, const ParseOptions& options = {}) {
  return parse_document(text, "flow.yaml", options);
}

const std::string head = "version: v0.2.0\ninput: {}\n";
const std::string one_step = "steps:\n  a: {plugin: x, input: {}}\n";
const std::string one_output = "outputs: {success: {}}\n";

struct Complaint {
  const char* text;
  const char* place;  // of the first issue
  const char* message;
};

// Each text gives exactly one issue, at the place and with the words beside it.
void check_complaints(const std::vector<Complaint>& table) {
  for (const Complaint& complaint : table) {
    const ParsedDocument parsed = parse(complaint.text);
    INFO(complaint.text << text_of(parsed.issues));
    REQUIRE(parsed.issues.size() == 1);
    CHECK(parsed.issues.front().at.text() == "flow.yaml:" + std::string(complaint.place));
    CHECK_THAT(parsed.issues.front().text, ContainsSubstring(complaint.message));
    CHECK(parsed.issues.front().severity == Severity::error);
  }
}

// The issues of a value that stands as the output `o` of a workflow; the value begins at 5:6.
Issues issues_of_value(const std::string& value) {
  return parse(head + one_step + "outputs:\n  o: " + value + "\n").issues;
}

struct ValueComplaint {
  const char* value;
  const char* place;
  const char* message;
};

void check_values(const std::vector<ValueComplaint>& table) {
  for (const ValueComplaint& complaint : table) {
    const Issues issues = issues_of_value(complaint.value);
    INFO(complaint.value << "\n" << text_of(issues));
    REQUIRE(issues.size() == 1);
    CHECK(issues.front().at.text() == "flow.yaml:" + std::string(complaint.place));
    CHECK_THAT(issues.front().text, ContainsSubstring(complaint.message));
  }
}

const DocValue& value_of(const ParsedDocument& parsed) {
  return parsed.document->outputs.front().value;
}

ParsedDocument parse_value(const std::string& value) {
  ParsedDocument parsed = parse(head + one_step + "outputs:\n  o: " + value + "\n");
  INFO(text_of(parsed.issues));
  REQUIRE(parsed.issues.empty());
  return parsed;
}

}  // namespace

TEST_CASE("a document keeps steps, fields and outputs in the order of the file") {
  const ParsedDocument parsed = parse(head +
                                      "steps:\n  z: {plugin: x, input: {}}\n  a: {kind: foreach, items: [], workflow: "
                                      "s.yaml}\noutputs: {b: {}, a: {}}\n");
  CHECK(text_of(parsed.issues).empty());
  const Document& document = *parsed.document;
  CHECK(document.version == "v0.2.0");
  CHECK(document.step_ids() == std::vector<std::string>{"z", "a"});
  CHECK(document.steps[0].kind == "plugin");
  CHECK(document.steps[1].kind == "foreach");
  CHECK(document.steps[1].find("workflow") != nullptr);
  CHECK(document.steps[1].find("kind") == nullptr);
  CHECK(document.find_step("z") == &document.steps[0]);
  CHECK(document.find_step("y") == nullptr);
  CHECK(document.outputs[0].key == "b");
  CHECK(document.position(*document.steps[1].id_node).text() == "flow.yaml:5:3");
}

TEST_CASE("TestNoWorkflowFile TestEmptyWorkflowFile TestInvalidYAML: what is no document at all") {
  CHECK(parse("").document == nullptr);
  CHECK(parse("# nothing\n").document == nullptr);
  CHECK(parse("version: [\n").document == nullptr);
  check_complaints({
      {"", "1:1", "empty workflow file provided in context"},
      {"# only a comment\n\n", "1:1", "empty YAML file given"},
      {"version: [\n", "2:1", "invalid workflow YAML ("},
      {"a: 1\nb: 2\na: 3\n", "3:1", "duplicate key 'a'"},
      {"steps:\n  a: {}\n  b: {}\n  a: {}\n", "4:3", "duplicate key 'a'"},
      {"[a]: 1\n", "1:1", "key"},
      {"- a\n- b\n", "1:1", "Must be a map to convert to object, a list given"},
      {"text\n", "1:1", "Must be a map to convert to object, a text given"},
  });
}

TEST_CASE("TestInvalidWorkflow TestEmptySteps TestNoSteps: the sections of a document") {
  check_complaints({
      {"version: v0.2.0\ninput: {}\nsteps: {}\noutputs: {o: {}}\n", "3:8", "Must have at least 1 items, 0 given"},
      {"version: v0.2.0\ninput: {}\noutputs: {o: {}}\n", "1:1",
       "Validation failed for 'steps': This field is required"},
      {"version: v0.2.0\ninput: {}\nsteps: [a]\noutputs: {o: {}}\n", "3:8", "'steps': Must be a map, a list given"},
      {"version: v0.2.0\nsteps: {a: {plugin: x}}\noutputs: {o: {}}\n", "1:1", "'input': This field is required"},
      {"input: {}\nsteps: {a: {plugin: x}}\noutputs: {o: {}}\n", "1:1", "'version': This field is required"},
      {"version: v0.2.0\ninput: {}\nsteps: {a: {plugin: x}}\n", "1:1", "required because 'outputs' is not set"},
      {"version: v0.2.0\ninput: {}\nsteps: {a: {plugin: x}}\noutputs: {}\n", "4:10", "'outputs': Must have at least 1"},
      {"version: v0.2.0\ninput: {}\nsteps: {a: {plugin: x}}\noutputs: x\n", "4:10", "'outputs': Must be a map"},
      {"version: v0.2.0\ninput: {}\nsteps: {a: {plugin: x}}\noutputs: {o: {}}\noutput: {}\n", "5:1",
       "Field conflicts 'outputs'"},
      {"version: v0.2.0\ninput: {}\nsteps: {a: {plugin: x}}\noutputs: {o: {}}\nouptuts: {}\n", "5:1",
       "Invalid parameter 'ouptuts', expected one of: input, output, outputSchema, outputs, steps, version"},
      {"version: v0.2.0\ninput: {}\nsteps: {a: {plugin: x}}\noutputs: {o: {}}\noutputSchema: 5\n", "5:15",
       "'outputSchema': Must be a map"},
      {"version: v0.2.0\ninput: {}\nsteps: {a: [x]}\noutputs: {o: {}}\n", "3:12", "step a has an invalid type"},
      {"version: v0.2.0\ninput: {}\nsteps: {a b: {plugin: x}}\noutputs: {o: {}}\n", "3:9",
       "String 'a b' must match the pattern"},
      {"version: v0.2.0\ninput: {}\nsteps: {a: {plugin: x}}\noutputs: {o o: {}}\n", "4:11",
       "String 'o o' must match the pattern"},
      {"version: v0.2.0\ninput: !expr x\nsteps: {a: {plugin: x}}\noutputs: {o: {}}\n", "2:8",
       "unsupported data type for 'any' type"},
      {"version: v0.2.0\ninput: {}\nsteps: {a: {plugin: x}}\noutputs: {o: {}}\noutputSchema: {o: !expr x}\n", "5:19",
       "unsupported data type for 'any' type"},
  });
}

TEST_CASE("output goes neither with outputs nor with outputSchema") {
  const ParsedDocument parsed = parse(head + one_step + "output: {}\noutputSchema: {}\n");
  CHECK_THAT(text_of(parsed.issues), ContainsSubstring("flow.yaml:5:1 Validation failed for 'output': Field conflicts "
                                                       "'outputSchema'"));
}

TEST_CASE("TestEngineWorkflow_ParseVersion: the version of the main workflow is compared, its form always") {
  const std::string rest = "\ninput: {}\n" + one_step + one_output;
  CHECK(parse("version: v0.2.0" + rest).issues.empty());
  CHECK_THAT(text_of(parse("version: v0.1000.0" + rest).issues),
             ContainsSubstring("flow.yaml:1:10 unsupported workflow schema version: v0.1000.0"));
  CHECK(parse("version: v0.1000.0" + rest, {.check_version = false}).issues.empty());
  for (const char* wrong : {"0.2.0", "v0.2", "v0.2.0-rc", "[v0.2.0]", "''"}) {
    INFO(wrong);
    CHECK_THAT(text_of(parse("version: " + std::string(wrong) + rest, {.check_version = false}).issues),
               ContainsSubstring("must match the pattern"));
  }
}

TEST_CASE("unknown kinds and keys of steps are told with the known and the nearest ones") {
  check_complaints({
      {"version: v0.2.0\ninput: {}\nsteps:\n  a:\n    kind: dummy\noutputs: {o: {}}\n", "5:11",
       "the following step provider is not supported: dummy (only the following providers are supported: plugin, "
       "foreach)"},
      {"version: v0.2.0\ninput: {}\nsteps:\n  a:\n    kind: [plugin]\noutputs: {o: {}}\n", "5:11",
       "the kind must be a text, a list given"},
      {"version: v0.2.0\ninput: {}\nsteps:\n  a:\n    plugin: x\n    inptu: {}\noutputs: {o: {}}\n", "6:5",
       "did you mean 'input'?"},
      {"version: v0.2.0\ninput: {}\nsteps:\n  a:\n    kind: foreach\n    stop_if: {}\noutputs: {o: {}}\n", "6:5",
       "invalid step configuration for a (Invalid parameter 'stop_if', expected one of: enabled, items, parallelism, "
       "wait_for, workflow"},
  });
}

TEST_CASE("several issues come in one go, in the order of the file") {
  const ParsedDocument parsed = parse(
      "version: 2\ninput: {}\nsteps:\n  a: {plugin: x, inpt: {}}\n  b: {plugin: x, input: !expt y}\n"
      "outputs:\n  o: !expr '$.steps.'\n  p: !oneof {}\nother: 1\n");
  CHECK(parsed.document != nullptr);
  const std::string text = text_of(parsed.issues);
  INFO(text);
  CHECK(parsed.issues.size() == 7);
  for (const char* place : {":1:10", ":4:18", ":5:25", ":7:", ":8:6", ":9:1"})
    CHECK_THAT(text, ContainsSubstring(place));
  for (std::size_t index = 1; index < parsed.issues.size(); ++index)
    CHECK(parsed.issues[index - 1].at.line <= parsed.issues[index].at.line);
}

TEST_CASE("unknown tags are refused with the nearest one, the tags of YAML itself are passed over") {
  check_values({
      {"!exp $.input", "6:6", "unknown tag !exp, did you mean '!expr'?"},
      {"{a: [!ref x]}", "6:11", "unknown tag !ref"},
      {"!waitoptional x", "6:6", "did you mean '!wait-optional'?"},
  });
  const ParsedDocument parsed = parse_value("{a: !!int 5, b: !!str 6}");
  const auto& entries = std::get<DocValue::Entries>(value_of(parsed).form);
  CHECK(std::get<DocValue::Literal>(entries[0].value.form).value == schema::Value("5"));
}

TEST_CASE("TestBuildExpression_WrongType TestBuildWaitOptionalExpr_InvalidTag: tags for texts stand on texts only") {
  for (const std::string tag : {"!expr", "!ordisabled", "!wait-optional", "!soft-optional"}) {
    INFO(tag);
    CHECK_THAT(text_of(issues_of_value("{k: " + tag + " [a]}")),
               ContainsSubstring("flow.yaml:6:10 " + tag + " found on non-string node at outputs -> o -> k"));
    CHECK_THAT(text_of(issues_of_value("[" + tag + " {a: b}]")),
               ContainsSubstring(tag + " found on non-string node at outputs -> o -> 0"));
  }
}

TEST_CASE("TestBuildWaitOptionalExpr_InvalidExpr: an expression that cannot be read is told with its place") {
  check_values({
      {"!expr '$.input +'", "6:12", "failed to compile expression at outputs -> o ("},
      {"!expr $.input +* 3", "6:21", "failed to compile expression at outputs -> o ("},
      {"!expr ''", "6:12", "failed to compile expression at outputs -> o ("},
      {"{a: {b: !wait-optional '$.input['}}", "6:29", "failed to compile expression at outputs -> o -> a -> b ("},
      {"!soft-optional 1 1", "6:23", "failed to compile expression at outputs -> o ("},
      {"!expr |\n    $.input.a\n    + * $.input.b\n", "8:7", "failed to compile expression at outputs -> o ("},
  });
}

TEST_CASE("TestExpressionWithWhitespace: blanks around an expression do not matter") {
  for (const char* value : {"!expr $.input", "!expr ' $.input '", "!expr |\n    $.input\n", "!expr |-\n    $.input\n",
                            "!expr >\n    $.input\n", "!expr \"\\n$.input\\n\""}) {
    INFO(value);
    const ParsedDocument parsed = parse_value(value);
    CHECK(std::holds_alternative<DocValue::Expression>(value_of(parsed).form));
  }
}

TEST_CASE("TestBuildWaitOptionalExpr_Simple TestBuildSoftOptionalExpr_Simple") {
  const ParsedDocument wait = parse_value("!wait-optional $.input");
  CHECK(std::get<DocValue::Optional>(value_of(wait).form).wait == DocValue::Wait::until_decided);
  const ParsedDocument soft = parse_value("!soft-optional $.input");
  CHECK(std::get<DocValue::Optional>(value_of(soft).form).wait == DocValue::Wait::never);
}

TEST_CASE("TestBuildOneOfExpression_Simple") {
  const ParsedDocument parsed =
      parse_value("!oneof {discriminator: which, one_of: {b: !expr $.input, a: {x: 1}}, remark: passed over}");
  const auto& one_of = std::get<DocValue::OneOf>(value_of(parsed).form);
  CHECK(one_of.discriminator == "which");
  REQUIRE(one_of.options.size() == 2);
  CHECK(one_of.options[0].key == "b");
  CHECK(std::holds_alternative<DocValue::Expression>(one_of.options[0].value.form));
  CHECK(std::holds_alternative<DocValue::Entries>(one_of.options[1].value.form));
}

TEST_CASE("TestBuildOneOfExpression_InputValidation: what a !oneof must have") {
  check_values({
      {"!oneof text", "6:6", "!oneof found on non-map node at outputs -> o"},
      {"!oneof [a]", "6:6", "!oneof found on non-map node at outputs -> o"},
      {"!oneof {one_of: {a: {}}}", "6:6", "key \"discriminator\" not present within !oneof at outputs -> o"},
      {"!oneof {discriminator: d}", "6:6", "key \"one_of\" not present within !oneof at outputs -> o"},
      {"!oneof {discriminator: d, options: {a: {}}}", "6:6", "key \"one_of\" not present within !oneof"},
      {"!oneof {discriminator: [d], one_of: {a: {}}}", "6:29", "key \"discriminator\" should be a string"},
      {"!oneof {discriminator: '', one_of: {a: {}}}", "6:29", "key \"discriminator\" is empty"},
      {"!oneof {discriminator: d, one_of: [a]}", "6:40", "key \"one_of\" should be a map"},
      {"!oneof {discriminator: d, one_of: {}}", "6:40", "has no options"},
  });
}

TEST_CASE("TestBuildResultOrDisabledExpression_Simple: with and without the leading dollar") {
  struct Row {
    const char* text;
    const char* disabled;
  };
  for (const Row& row : {Row{"$.steps.a.outputs.success", "$.steps.a.disabled.output"},
                         Row{"steps.a.outputs", "steps.a.disabled.output"},
                         Row{"$.steps.a-b.outputs.x.y", "$.steps.a-b.disabled.output"}}) {
    INFO(row.text);
    const ParsedDocument parsed = parse_value("!ordisabled " + std::string(row.text));
    const auto& one_of = std::get<DocValue::OneOf>(value_of(parsed).form);
    CHECK(one_of.discriminator == "result");
    REQUIRE(one_of.options.size() == 2);
    CHECK(one_of.options[0].key == "enabled");
    CHECK(std::get<DocValue::Expression>(one_of.options[0].value.form).expression.text() == row.text);
    CHECK(one_of.options[1].key == "disabled");
    CHECK(std::get<DocValue::Expression>(one_of.options[1].value.form).expression.text() == row.disabled);
  }
}

TEST_CASE("TestBuildResultOrDisabledExpression_InvalidPattern") {
  check_values({
      {"!ordisabled $.input.a", "6:6", "unable to parse expression in !ordisabled"},
      {"!ordisabled $.steps.a", "6:6", "unable to parse expression in !ordisabled"},
      {"!ordisabled ''", "6:6", "unable to parse expression in !ordisabled"},
  });
}

TEST_CASE("both forms of a plugin reference are read") {
  const ParsedDocument parsed = parse(head + "steps:\n  a: {plugin: 'x@git+https://h/r'}\n" +
                                      "  b: {plugin: {src: y, deployment_type: builtin}}\n" + one_output);
  Issues issues;
  const auto old_form = plugin_of(*parsed.document, parsed.document->steps[0], issues);
  const auto new_form = plugin_of(*parsed.document, parsed.document->steps[1], issues);
  CHECK(text_of(issues).empty());
  REQUIRE(old_form);
  CHECK(old_form->source == "x@git+https://h/r");
  CHECK(old_form->deployment_type == "python");
  CHECK(parsed.document->position(*old_form->source_node).text() == "flow.yaml:4:15");
  REQUIRE(new_form);
  CHECK(new_form->source == "y");
  CHECK(new_form->deployment_type == "builtin");
  CHECK(parsed.document->position(*new_form->source_node).text() == "flow.yaml:5:21");
}

TEST_CASE("a plugin reference that is wrong") {
  struct Row {
    const char* fields;
    const char* message;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"{input: {}}",
            "flow.yaml:4:6 invalid step configuration for a (Validation failed for 'plugin': This field"},
           {"{plugin: ''}", "flow.yaml:4:15 invalid step configuration for a (Validation failed for 'plugin': String"},
           {"{plugin: [x]}", "Must be a map to convert to object"},
           {"{plugin: !expr $.input}", "flow.yaml:4:15"},
           {"{plugin: {src: x}}", "'plugin' -> 'deployment_type': This field is required"},
           {"{plugin: {deployment_type: x}}", "'plugin' -> 'src': This field is required"},
           {"{plugin: {src: '', deployment_type: x}}", "flow.yaml:4:21"},
           {"{plugin: {src: [a], deployment_type: x}}", "'plugin' -> 'src': must be a text"},
           {"{plugin: {src: x, deploymenttype: y}}", "did you mean 'deployment_type'?"}}) {
    const ParsedDocument parsed = parse(head + "steps:\n  a: " + row.fields + "\n" + one_output);
    REQUIRE(parsed.document);
    Issues issues;
    INFO(row.fields);
    CHECK_FALSE(plugin_of(*parsed.document, parsed.document->steps[0], issues));
    REQUIRE(issues.size() == 1);
    CHECK_THAT(text_of(issues), ContainsSubstring(row.message));
  }
}

}  // namespace venvoy::workflow
