#include "workflow/step_order.hpp"

#include "support/catch.hpp"

namespace venvoy::workflow {
namespace {

using Lists = std::vector<StepList>;

// What steps with these inputs depend on; the plugin of none of them is there.
Lists dependencies_of(const std::vector<std::string>& inputs) {
  std::string text = "version: v0.2.0\ninput: {}\nsteps:\n";
  for (std::size_t index = 0; index < inputs.size(); ++index)
    text +=
        "  " + std::string(1, static_cast<char>('a' + index)) + ":\n    plugin: x\n    input: " + inputs[index] + "\n";
  const ParsedDocument parsed = parse_document(text + "outputs: {success: {}}\n", "workflow.yaml");
  for (const Issue& issue : parsed.issues) FAIL(issue.at.text() << " " << issue.text);
  return step_dependencies(*parsed.document);
}

TEST_CASE("the steps that expressions name") {
  struct Row {
    std::string input;  // of the third step
    StepList needs;
  };
  for (const Row& row : std::vector<Row>{
           {"{}", {}},
           {"{x: steps.a}", {}},
           {"{x: !expr $.input.steps.a}", {}},
           {"{x: !expr $.steps.a.outputs}", {0}},
           {"{x: [{y: !expr '$.steps.b.outputs.success.x + $.steps.a.outputs.success.y'}]}", {0, 1}},
           {"{x: !expr '$.steps[\"b\"].outputs'}", {1}},
           {"{x: !expr 'intToString($.steps.b.outputs.success.x)'}", {1}},
           {"{x: !expr '$.input.list[$.steps.b.outputs.success.x]'}", {1}},
           {"{x: !expr $.steps.c.enabling.resolved}", {}},
           {"{x: !expr $.steps.nobody.outputs}", {}},
           {"{x: !wait-optional $.steps.a.outputs.success.x}", {0}},
           {"{x: !soft-optional $.steps.a.outputs.success.x}", {0}},
           {"!oneof {discriminator: k, one_of: {p: !expr $.steps.a.outputs, q: !expr $.steps.b.outputs}}", {0, 1}},
       }) {
    INFO(row.input);
    CHECK(dependencies_of({"{}", "{}", row.input})[2] == row.needs);
  }
}

TEST_CASE("steps that can run side by side") {
  CHECK(parallel_groups({}).empty());
  CHECK(parallel_groups({{}, {}, {}}) == Lists{{0, 1, 2}});
  CHECK(parallel_groups({{1}, {2}, {}}) == Lists{{2}, {1}, {0}});
  CHECK(parallel_groups({{}, {0}, {0}, {1, 2}, {}}) == Lists{{0, 4}, {1, 2}, {3}});
  // The second one stops the first one, of which it needs something.
  CHECK(parallel_groups({{1}, {0}, {1}}) == Lists{{0}, {1}, {2}});
}

}  // namespace
}  // namespace venvoy::workflow
