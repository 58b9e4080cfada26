// What `venvoy plugin check` tells about a schema.
#include "schema/plugin_findings.hpp"

#include "schema_support.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::schema;
using namespace venvoy::schema::test;

namespace {

std::vector<std::string> findings(const std::string& steps) {
  ReadOptions options;
  options.origin = SchemaOrigin::plugin;
  const auto plugin = read_plugin_schema(from_json("{'steps': {" + steps + "}}"), options);
  std::vector<std::string> texts;
  for (const PluginFinding& finding : plugin_findings(*plugin))
    texts.push_back((finding.wrong ? "error: " : "warning: ") + finding.what.sentence());
  return texts;
}

std::string step(const std::string& properties, const std::string& outputs = "'ok'") {
  const std::string output =
      outputs.empty() ? "" : outputs + ": {'schema': {'root': 'O', 'objects': {'O': {'id': 'O', 'properties': {}}}}}";
  return "'s': {'id': 's', 'input': {'root': 'A', 'objects': {'A': {'id': 'A', 'properties': {" + properties +
         "}}}}, 'outputs': {" + output + "}}";
}

const std::string place = "Validation failed for 'steps' -> '[s]' -> 'input' -> 'objects' -> '[A]' -> 'properties' -> ";

}  // namespace

TEST_CASE("a good schema has no findings", "[plugin_findings]") {
  CHECK(findings(step("'a': {'type': {'type_id': 'integer', 'max': 5}, 'default': '5', 'examples': ['1']}")).empty());
}

TEST_CASE("what is wrong or doubtful about a schema is found", "[plugin_findings]") {
  using Texts = std::vector<std::string>;
  CHECK(findings("") == Texts{"error: Validation failed for 'steps': the plugin has no steps"});
  CHECK(findings(step("", "")) ==
        Texts{"error: Validation failed for 'steps' -> '[s]': the step has no outputs, so it can never end"});
  CHECK(findings(step("'a': {'type': {'type_id': 'integer', 'max': 3}, 'default': '5'}")) ==
        Texts{"error: " + place +
              "'[a]' -> 'default': the default does not fit its own type, so the field must always be given: "
              "Validation failed: Must be at most 3"});
  CHECK(findings(step("'a': {'type': {'type_id': 'ref', 'id': 'Z', 'namespace': 'n'}}")).size() == 1);
  CHECK(findings(step("'a': {'type': {'type_id': 'ref', 'id': 'Z', 'namespace': 'n'}}"))[0].starts_with("error: "));
  CHECK(findings(step("'a': {'type': {'type_id': 'any'}, 'examples': ['nonsense']}")) ==
        Texts{"warning: " + place + "'[a]' -> 'examples': the example 'nonsense' is no JSON"});
  const auto pattern = findings(
      step("'a': {'type': {'type_id': 'list', 'items': {'type_id': 'map', 'keys': {'type_id': 'string'}, 'values': "
           "{'type_id': 'string', 'pattern': '(?=a)b'}}}}"));
  REQUIRE(pattern.size() == 1);
  CHECK(pattern[0].starts_with(
      "warning: " + place + "'[a]' -> 'type' -> 'items' -> 'values': the pattern '(?=a)b' is checked by the plugin"));
  CHECK(findings(step("'a': {'type': {'type_id': 'one_of_int', 'discriminator_field_name': 'k'}}")) ==
        Texts{"warning: " + place + "'[a]' -> 'type' -> 'types': a union without types accepts nothing"});
}
