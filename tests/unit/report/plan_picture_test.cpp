#include "report/plan_picture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "support/catch.hpp"
#include "support/fake_deployer.hpp"

namespace venvoy::report {
namespace {

namespace asio = boost::asio;

test::FakePlugin talking_plugin() {
  schema::StepSchema say =
      test::step_schema("say", test::scope_of("SayInput", {{"message", test::optional(schema::string_type())}}));
  test::add_output(say, "success", test::scope_of("Said", {{"message", test::required(schema::string_type())}}));
  test::add_output(say, "error", test::scope_of("NotSaid", {{"error", test::required(schema::string_type())}}), true);
  test::FakePlugin plugin;
  plugin.steps.push_back({say, nullptr});
  return plugin;
}

// The picture of a workflow whose steps and outputs are `body`, as lines "from>to[ label][ ?]".
GraphPicture picture_of_workflow(const std::string& body) {
  test::FakeWorld world;
  world.plugins["demo"] = talking_plugin();
  test::FakeDeployers deployers(world);
  test::FakeFiles files;
  const std::string head =
      "version: v0.2.0\ninput:\n  root: I\n  objects:\n    I: {id: I, properties: {name: {type: {type_id: string}}}}\n";
  files.texts["sub.yaml"] = head +
                            "steps:\n  x: {plugin: {deployment_type: builtin, src: demo}, step: say, input: {}}\n"
                            "outputs:\n  success: {said: !expr $.steps.x.outputs.success.message}\n";
  asio::io_context loop(1);
  workflow::Checked checked;
  std::exception_ptr failure;
  const auto done = [&](std::exception_ptr error, workflow::Checked result) {
    failure = error;
    checked = std::move(result);
  };
  asio::co_spawn(loop, workflow::prepare({head + body, "workflow.yaml"}, files, deployers, {}), done);
  loop.run();
  if (failure) std::rethrow_exception(failure);
  for (const Issue& issue : checked.issues) FAIL(issue.at.text() << " " << issue.text);
  REQUIRE(checked.plan);
  return picture_of(*checked.plan);
}

std::string step(const std::string& id, const std::string& message, const std::string& more = "") {
  return "  " + id +
         ":\n    plugin: {deployment_type: builtin, src: demo}\n    step: say\n    input: {message: " + message +
         "}\n" + more;
}

std::string edges_of(const GraphPicture& picture) {
  std::string text;
  for (const GraphPicture::Edge& edge : picture.edges)
    text += picture.nodes[edge.from].id + ">" + picture.nodes[edge.to].id +
            (edge.label.empty() ? "" : " " + edge.label) + (edge.conditional ? " ?" : "") + "\n";
  return text;
}

TEST_CASE("steps, loops and outputs in the order of the file") {
  const GraphPicture picture = picture_of_workflow(
      "steps:\n" + step("b", "!expr $.steps.a.outputs.success.message") + step("a", "!expr $.input.name") +
      "  l: {kind: foreach, workflow: sub.yaml, items: [{name: x}]}\n"
      "outputs:\n  success: {b: !expr $.steps.b.outputs.success, l: !expr $.steps.l.outputs.success}\n"
      "  error: {e: !expr $.steps.l.failed.error}\n");
  CHECK(picture.title == "workflow.yaml");
  std::string nodes;
  for (const GraphPicture::Node& node : picture.nodes) nodes += node.id + "|" + node.text + "|" + node.detail + "\n";
  CHECK(nodes ==
        "input|input|\nsteps.b|b|say \xC2\xB7 demo\nsteps.a|a|say \xC2\xB7 demo\nsteps.l|l|sub.yaml\n"
        "outputs.success|success|output\noutputs.error|error|output\n");
  CHECK(picture.nodes[3].shape == GraphPicture::Shape::loop);
  CHECK(picture.nodes[5].shape == GraphPicture::Shape::error_output);
  CHECK(edges_of(picture) ==
        "input>steps.a\nsteps.b>outputs.success\nsteps.a>steps.b\nsteps.l>outputs.success\n"
        "steps.l>outputs.error failed.error\n");
}

TEST_CASE("what is used of a step stands at its edge, and is dashed where it may be missing") {
  const GraphPicture picture = picture_of_workflow(
      "steps:\n" + step("a", "x") + step("b", "!wait-optional $.steps.a.outputs.success.message") +
      step("c", "!expr $.steps.a.outputs.error.error", "    wait_for: !expr $.steps.a.outputs.success\n") +
      step("d", "x", "    wait_for: !expr $.steps.a.outputs\n") +
      "outputs:\n  success:\n    which: !oneof {discriminator: kind, one_of: {b: !expr $.steps.b.outputs.success, "
      "c: !expr $.steps.c.outputs.error}}\n");
  CHECK(edges_of(picture) ==
        "steps.a>steps.b ?\nsteps.a>steps.c outputs.success, outputs.error\nsteps.a>steps.d outputs\n"
        "steps.b>outputs.success ?\nsteps.c>outputs.success outputs.error ?\n");
}

}  // namespace
}  // namespace venvoy::report
