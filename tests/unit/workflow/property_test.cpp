// Runs of workflows made by chance against a simple model of the rules. The seeds are fixed.
#include <map>

#include <fmt/format.h>

#include "support/catch.hpp"
#include "unit/workflow/random_workflow.hpp"

namespace venvoy::workflow {
using Catch::ContainsSubstring;

namespace {

struct Size {
  std::size_t steps;
  std::uint32_t runs;
};

const std::vector<Size>& sizes() {
  static const std::vector<Size> all = {{1, 10}, {5, 80}, {30, 60}, {200, 8}, {1000, 2}};
  return all;
}

// When steps have begun and ended, by the events of a run.
class Course {
 public:
  explicit Course(const Recorder& recorder) {
    for (std::size_t index = 0; index < recorder.events.size(); ++index) {
      const std::string& event = recorder.events[index];
      const std::size_t name = event.find(' ') + 1;
      const std::string step = event.substr(name, event.find(' ', name) - name);
      if (event.rfind("started ", 0) == 0 && !started.emplace(step, index).second) twice = true;
      if (event.rfind("finished ", 0) == 0 && !finished.emplace(step, index).second) twice = true;
    }
  }

  std::map<std::string, std::size_t> started;
  std::map<std::string, std::size_t> finished;
  bool twice = false;
};

// Whether the place at which a reference is decided, if the model says that it is produced, lies before `start`.
bool came_before(const Course& course, const Reference& reference, std::size_t start) {
  const std::string name = fmt::format("t{}", reference.task);
  if (reference.output == "enabling.resolved") return true;  // no event tells it
  const bool begins = reference.output == "starting.started";
  const auto& places = begins ? course.started : course.finished;
  const auto place = places.find(name);
  return place != places.end() && place->second < start;
}

void check_order(const RandomWorkflow& random, const Recorder& recorder) {
  const Course course(recorder);
  CHECK_FALSE(course.twice);
  for (std::size_t index = 0; index < random.tasks().size(); ++index) {
    const auto start = course.started.find(fmt::format("t{}", index));
    if (start == course.started.end()) continue;
    INFO("task " << index);
    CHECK(random.runs(index));
    const Task& task = random.tasks()[index];
    std::vector<Reference> wanted = task.needs;
    wanted.insert(wanted.end(), task.waits.begin(), task.waits.end());
    if (task.number_from) wanted.push_back({*task.number_from, "outputs.success"});
    if (task.enabled_from) wanted.push_back({*task.enabled_from, "outputs.success"});
    for (const Reference& reference : task.optionals)
      if (random.fate(reference) == Fate::produced) wanted.push_back(reference);
    for (const Reference& reference : wanted) {
      INFO(path_of(reference));
      CHECK(came_before(course, reference, start->second));
    }
    for (const std::vector<Reference>& options : task.choices)
      CHECK(std::any_of(options.begin(), options.end(), [&](const Reference& option) {
        return random.fate(option) == Fate::produced && came_before(course, option, start->second);
      }));
  }
}

std::unique_ptr<Workbench> bench_for(std::uint32_t seed) {
  auto bench = std::make_unique<Workbench>();
  bench->world.plugins["task"] = task_plugin(seed + 1);
  bench->options.logger = Logger();
  return bench;
}

// An output that waits for everything, and what the model says of it: nothing when it would wait for ever.
struct Everything {
  std::string text;
  std::optional<schema::Map> expected = schema::Map();
};

Everything everything(const RandomWorkflow& random) {
  Everything output{"outputs:\n  success:\n    fixed: text\n"};
  output.expected->set("fixed", "text");
  for (std::size_t task = 0; task < random.tasks().size(); ++task)
    for (const char* name : {"outputs.success", "crashed.error", "disabled.output", "outputs.error"}) {
      const std::string key = fmt::format("{}-{}", name, task);
      output.text += fmt::format("    {}: !wait-optional {}\n", key, path_of({task, name}));
      const Fate fate = random.fate({task, name});
      if (fate == Fate::undecided) output.expected.reset();
      if (!output.expected || fate != Fate::produced) continue;
      if (name == std::string("outputs.success"))
        output.expected->set(key, schema::Map{{"number", random.number(task)}, {"flag", random.tasks()[task].flag}});
      else if (name == std::string("outputs.error"))
        output.expected->set(key, schema::Map{{"error", "it says so"}});
      else if (name == std::string("crashed.error"))
        output.expected->set(key, schema::Map{{"output", "it has crashed"}});
      else
        output.expected->set(key, schema::Map{{"message", fmt::format("Step t{}/task disabled", task)}});
    }
  return output;
}

}  // namespace

TEST_CASE("property: what waits for everything gets exactly what the model says, and every step runs as it says") {
  int decided = 0;
  for (const Size& size : sizes())
    for (std::uint32_t seed = 0; seed < size.runs; ++seed) {
      INFO("size " << size.steps << ", seed " << seed);
      const RandomWorkflow random(seed, size.steps, seed % 2 == 0);
      const Everything output = everything(random);
      const auto bench = bench_for(seed);
      const RunResult result = bench->run(workflow(random.steps() + output.text));
      check_order(random, bench->recorder);
      if (output.expected) {
        ++decided;
        CHECK_FALSE(result.failure);
        CHECK(result.output_data == schema::Value(*output.expected));
      } else {
        CHECK_THAT(text_of(result), ContainsSubstring("no steps running, no more executable steps"));
      }
      for (std::size_t task = 0; task < size.steps; ++task)
        CHECK(bench->world.count(fmt::format("run t{}", task)) == (random.runs(task) ? 1 : 0));
    }
  CHECK(decided > 50);
}

TEST_CASE("property: of several outputs one that the model allows comes, or the reason why none can") {
  std::map<std::string, int> seen;
  for (const Size& size : sizes())
    for (std::uint32_t seed = 1000; seed < 1000 + size.runs; ++seed) {
      INFO("size " << size.steps << ", seed " << seed);
      RandomWorkflow random(seed, size.steps, seed % 2 == 0);
      std::string text = random.steps() + "outputs:\n";
      std::map<std::string, Fate> fates;
      for (const char* id : {"one", "two"}) {
        const std::vector<Reference> references = random.some_references(3);
        fates[id] = random.fate_of_all(references);
        text += fmt::format("  {}:\n", id);
        for (std::size_t index = 0; index < references.size(); ++index)
          text += fmt::format("    k{}: !expr {}\n", index, path_of(references[index]));
      }
      const auto bench = bench_for(seed);
      const RunResult result = bench->run(workflow(text));
      check_order(random, bench->recorder);
      const bool possible = fates["one"] == Fate::produced || fates["two"] == Fate::produced;
      const bool open = fates["one"] == Fate::undecided || fates["two"] == Fate::undecided;
      if (possible) {
        REQUIRE_FALSE(result.failure);
        CHECK(fates[result.output_id] == Fate::produced);
      } else {
        CHECK_THAT(text_of(result), ContainsSubstring(open ? "no steps running, no more executable steps"
                                                           : "all outputs marked as unresolvable"));
      }
      ++seen[possible ? "possible" : open ? "open" : "impossible"];
    }
  for (const char* kind : {"possible", "open", "impossible"}) CHECK(seen[kind] > 1);
}

TEST_CASE("property: a run that is aborted at any moment ends, with its steps closed and its events paired") {
  for (const Size& size : sizes())
    for (std::uint32_t seed = 2000; seed < 2000 + size.runs; ++seed) {
      INFO("size " << size.steps << ", seed " << seed);
      const RandomWorkflow random(seed, size.steps, seed % 2 == 0);
      const auto bench = bench_for(seed);
      bench->when(fmt::format("run t{}", seed % size.steps), [&] { bench->control->abort(); });
      bench->run(workflow(random.steps() + everything(random).text));
      const Course course(bench->recorder);
      CHECK_FALSE(course.twice);
      // Every step has ended once, whether it ran or not.
      CHECK(course.finished.size() == size.steps);
      for (std::size_t task = 0; task < size.steps; ++task)
        CHECK(bench->world.count(fmt::format("run t{}", task)) <= 1);
    }
}

}  // namespace venvoy::workflow
