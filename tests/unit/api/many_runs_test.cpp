// Several engines at once, often, and what a host has that they must leave alone.
#include <algorithm>
#include <array>
#include <csignal>
#include <thread>

#include "support/catch.hpp"
#include "world.hpp"

namespace venvoy::test {
namespace {

constexpr std::size_t engines = 4;
constexpr int runs = 1000;

// Its loop has no items but in every tenth run: then a plugin is started.
std::string loop_workflow() {
  return R"(version: v0.2.0
input:
  root: Input
  objects:
    Input:
      id: Input
      properties:
        names:
          type: {type_id: list, items: {type_id: object, id: Input, properties: {name: {type: {type_id: string}}}}}
steps:
  greet_all:
    kind: foreach
    workflow: greet.yaml
    items: !expr $.input.names
outputs:
  success:
    greetings: !expr $.steps.greet_all.outputs.success.data
)";
}

volatile std::sig_atomic_t signals_seen = 0;

// Of the end of an engine's keeper the host may hear: that is a child of its process.
void count_signal(int number) {
  if (number != SIGCHLD) signals_seen = signals_seen + 1;
}

// What is wrong with the workflow; empty if its runs were made.
std::string run_often(const World& world, std::array<int, runs>& wrong) {
  Engine engine(world.options());
  PrepareOptions prepare;
  prepare.files = {{"loop.yaml", loop_workflow()}, {"greet.yaml", hello_workflow(world.reference)}};
  const Workflow workflow = engine.prepare("loop.yaml", std::move(prepare));
  if (!workflow.ready()) return workflow.diagnostics().front().rendered();
  for (int number = 0; number < runs; ++number) {
    Value::List names;
    if (number % 10 == 0) names.push_back(Value::Map{{"name", std::to_string(number)}});
    const std::size_t count = names.size();
    const Result result = workflow.run(Value::Map{{"names", std::move(names)}});
    wrong[static_cast<std::size_t>(number)] = result.failure || result.output.at("greetings").as_list().size() != count;
  }
  return {};
}

}  // namespace

TEST_CASE("four engines run a thousand times each, side by side, and leave the host's signal handlers alone") {
  constexpr std::array numbers{SIGCHLD, SIGPIPE, SIGINT};
  std::array<struct sigaction, numbers.size()> before = {};
  struct sigaction own = {};
  own.sa_handler = count_signal;
  for (std::size_t i = 0; i < numbers.size(); ++i) sigaction(numbers[i], &own, &before[i]);

  std::array<std::array<int, runs>, engines> wrong = {};
  std::array<std::string, engines> not_ready;
  std::array<std::thread, engines> threads;
  for (std::size_t i = 0; i < engines; ++i)
    threads[i] = std::thread([&, i] { not_ready[i] = run_often(World::shared(), wrong[i]); });
  for (std::thread& thread : threads) thread.join();

  for (std::size_t i = 0; i < numbers.size(); ++i) {
    struct sigaction after = {};
    sigaction(numbers[i], &before[i], &after);
    CHECK(after.sa_handler == count_signal);
  }
  // Nobody writes into a closed pipe.
  CHECK(signals_seen == 0);
  for (const std::string& why : not_ready) CHECK(why == "");
  for (const auto& each : wrong) CHECK(std::count(each.begin(), each.end(), 0) == runs);
}

}  // namespace venvoy::test
