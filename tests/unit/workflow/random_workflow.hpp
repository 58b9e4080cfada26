// Workflows by chance, and a simple model of the rules that says what must come of them (spec/workflow.md 4.3, 5.2).
#pragma once

#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "unit/workflow/fixture.hpp"

namespace venvoy::workflow {

// An output of an earlier task: "outputs.success", "crashed.error", …
struct Reference {
  std::size_t task;
  std::string output;
};

// A step of the plugin "task". Tasks refer to earlier ones only, so that the model is one loop.
struct Task {
  enum class Ending { success, error, crash };
  Ending ending = Ending::success;
  bool flag = true;
  bool stopped = false;                         // a literal `stop_if: true`
  std::optional<bool> enabled;                  // a literal
  std::optional<std::size_t> enabled_from;      // the flag of that task's success
  std::optional<std::size_t> number_from;       // one more than that task's number; its own index without
  std::vector<Reference> needs;                 // in `input`
  std::vector<Reference> waits;                 // in `wait_for`
  std::vector<Reference> optionals;             // `!wait-optional` in `input`
  std::vector<Reference> late;                  // `!soft-optional` in `input`
  std::vector<std::vector<Reference>> choices;  // a `!oneof` each
};

enum class Fate { produced, impossible, undecided };

class RandomWorkflow {
 public:
  // Without `may_stall` nobody refers to what is decided only by the end of the run.
  RandomWorkflow(std::uint32_t seed, std::size_t size, bool may_stall);

  const std::vector<Task>& tasks() const noexcept { return tasks_; }
  // Whether the model says that the task's plugin runs.
  bool runs(std::size_t task) const { return ran_[task]; }
  Fate fate(const Reference& reference) const { return fates_[reference.task].at(reference.output); }
  Fate fate_of_all(const std::vector<Reference>& references) const;
  std::int64_t number(std::size_t task) const { return numbers_[task]; }
  std::vector<Reference> some_references(std::size_t most);

  // The steps as YAML, with `steps:`.
  std::string steps() const;

 private:
  Reference earlier(std::size_t task);
  Task make_task(std::size_t index);
  void predict(std::size_t index);
  Fate starting(const Task& task) const;
  bool chance(int percent) { return static_cast<int>(random_() % 100) < percent; }

  std::mt19937 random_;
  const bool may_stall_;
  std::vector<Task> tasks_;
  std::vector<std::map<std::string, Fate>> fates_;
  std::vector<std::int64_t> numbers_;
  std::vector<bool> ran_;
};

// The plugin "task": its steps yield to others some times, as chance will have it, before they end.
test::FakePlugin task_plugin(std::uint32_t seed);

std::string path_of(const Reference& reference);

}  // namespace venvoy::workflow
