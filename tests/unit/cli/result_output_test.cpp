#include "cli/result_output.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"

namespace venvoy::cli {
namespace {

using schema::List;
using schema::Map;
using schema::Value;

workflow::RunResult result(Value data) {
  workflow::RunResult result;
  result.output_id = "success";
  result.output_data = std::move(data);
  return result;
}

TEST_CASE("the result document in both forms") {
  struct Row {
    Value data;
    std::string yaml;
    std::string json;
  };
  const std::vector<Row> rows = {
      {Map{{"b", 1}, {"a", List{"x", true, nullptr}}},
       "output_data:\n    a:\n        - x\n        - true\n        - null\n    b: 1\noutput_id: success\n",
       "{\n  \"output_data\": {\n    \"a\": [\n      \"x\",\n      true,\n      null\n    ],\n    \"b\": 1\n  },\n"
       "  \"output_id\": \"success\"\n}\n"},
      {Map{}, "output_data: {}\noutput_id: success\n", "{\n  \"output_data\": {},\n  \"output_id\": \"success\"\n}\n"},
      // What reads as something else is quoted.
      {Map{{"text", "true"}, {"number", "1"}, {"empty", ""}},
       "output_data:\n    empty: \"\"\n    number: \"1\"\n    text: \"true\"\noutput_id: success\n",
       "{\n  \"output_data\": {\n    \"empty\": \"\",\n    \"number\": \"1\",\n    \"text\": \"true\"\n  },\n"
       "  \"output_id\": \"success\"\n}\n"},
      // Keys that are integers, as Go writes them.
      {Map{{2, "b"}, {1, "a"}}, "output_data:\n    1: a\n    2: b\noutput_id: success\n",
       "{\n  \"output_data\": {\n    \"1\": \"a\",\n    \"2\": \"b\"\n  },\n  \"output_id\": \"success\"\n}\n"},
  };
  for (const Row& row : rows) {
    CHECK(result_document(result(row.data), OutputForm::yaml) == row.yaml);
    CHECK(result_document(result(row.data), OutputForm::json) == row.json);
  }
}

TEST_CASE("data that no document holds is an error") {
  CHECK_THROWS_AS(result_document(result(Value::invalid("an integer beyond 64 bits")), OutputForm::yaml), Error);
  CHECK_THROWS_AS(data_document(List{Value::invalid("x")}, OutputForm::json), Error);
}

TEST_CASE(
    "TestPrintTwoColumnTable TestSwapColumnsHappy TestUnnestLongerSortedEmpty "
    "TestPrintObjectNamespaceTable_EmptyNamespace: the table of namespaces, the objects first") {
  CHECK(namespace_table_text({}).empty());
  const std::string table = namespace_table_text({{"Input", "$.steps.a.starting.inputs.input"}, {"VeryLongName", "n"}});
  CHECK(table ==
        "OBJECT          NAMESPACE   \n"
        "Input            $.steps.a.starting.inputs.input\n"
        "VeryLongName     n\n");
}

TEST_CASE("the version block has the Go engine's lines") {
  const std::string block = go_version_block();
  CHECK(block.substr(0, 32) == "Arcaflow Engine\n===============\n");
  CHECK_THAT(block, Catch::ContainsSubstring("\nVersion: ") && Catch::ContainsSubstring("\nApache 2.0 license\n"));
}

}  // namespace
}  // namespace venvoy::cli
