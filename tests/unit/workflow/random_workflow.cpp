#include "unit/workflow/random_workflow.hpp"

#include <algorithm>
#include <memory>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

namespace venvoy::workflow {

namespace asio = boost::asio;

namespace {

const std::vector<std::string>& all_outputs() {
  static const std::vector<std::string> outputs = {"outputs.success",  "outputs.error",      "crashed.error",
                                                   "disabled.output",  "closed.result",      "enabling.resolved",
                                                   "starting.started", "deploy_failed.error"};
  return outputs;
}

const char* text_of(Task::Ending ending) {
  if (ending == Task::Ending::success) return "success";
  return ending == Task::Ending::error ? "error" : "crash";
}

}  // namespace

std::string path_of(const Reference& reference) {
  return fmt::format("$.steps.t{}.{}", reference.task, reference.output);
}

RandomWorkflow::RandomWorkflow(std::uint32_t seed, std::size_t size, bool may_stall)
    : random_(seed), may_stall_(may_stall) {
  for (std::size_t index = 0; index < size; ++index) {
    tasks_.push_back(make_task(index));
    predict(index);
  }
}

Reference RandomWorkflow::earlier(std::size_t task) {
  // Mostly near ones, so that there are long chains, and mostly what comes of them.
  const std::size_t reach = std::min<std::size_t>(task, chance(80) ? 8 : task);
  const std::size_t from = task - 1 - random_() % reach;
  if (chance(80))
    for (const auto& [output, fate] : fates_[from])
      if (fate == Fate::produced && chance(50)) return {from, output};
  const std::string& output = all_outputs()[random_() % all_outputs().size()];
  if (!may_stall_ && fates_[from].at(output) == Fate::undecided) return {from, "outputs.success"};
  return {from, output};
}

std::vector<Reference> RandomWorkflow::some_references(std::size_t most) {
  std::vector<Reference> references;
  for (std::size_t count = 1 + random_() % most; count > 0; --count) references.push_back(earlier(tasks_.size()));
  return references;
}

Task RandomWorkflow::make_task(std::size_t index) {
  Task task;
  task.ending = chance(80) ? Task::Ending::success : chance(50) ? Task::Ending::error : Task::Ending::crash;
  task.flag = chance(80);
  task.stopped = chance(5);
  if (chance(20)) task.enabled = chance(50);
  if (index == 0) return task;
  const auto add = [&](std::vector<Reference>& to, int percent) {
    while (chance(percent)) to.push_back(earlier(index));
  };
  if (!task.enabled && chance(15)) task.enabled_from = earlier(index).task;
  if (chance(20)) task.number_from = earlier(index).task;
  add(task.needs, 25);
  add(task.waits, 25);
  add(task.optionals, 25);
  add(task.late, 10);
  if (chance(20)) {
    add(task.choices.emplace_back(), 60);
    task.choices.back().push_back(earlier(index));
  }
  return task;
}

// --- the model -------------------------------------------------------------------------------------------------------

Fate RandomWorkflow::fate_of_all(const std::vector<Reference>& references) const {
  Fate all = Fate::produced;
  for (const Reference& reference : references) {
    const Fate one = fate(reference);
    if (one == Fate::impossible) return one;
    if (one == Fate::undecided) all = one;
  }
  return all;
}

Fate RandomWorkflow::starting(const Task& task) const {
  std::vector<Fate> parts = {fate_of_all(task.needs), fate_of_all(task.waits)};
  if (task.number_from) parts.push_back(fate({*task.number_from, "outputs.success"}));
  for (const Reference& reference : task.optionals)
    if (fate(reference) == Fate::undecided) parts.push_back(Fate::undecided);
  for (const std::vector<Reference>& options : task.choices) {
    std::vector<Fate> fates;
    for (const Reference& option : options) fates.push_back(fate(option));
    const auto has = [&](Fate wanted) { return std::find(fates.begin(), fates.end(), wanted) != fates.end(); };
    parts.push_back(has(Fate::produced) ? Fate::produced : has(Fate::undecided) ? Fate::undecided : Fate::impossible);
  }
  const auto any = [&](Fate wanted) { return std::find(parts.begin(), parts.end(), wanted) != parts.end(); };
  if (any(Fate::impossible)) return Fate::impossible;
  return any(Fate::undecided) ? Fate::undecided : Fate::produced;
}

void RandomWorkflow::predict(std::size_t index) {
  const Task& task = tasks_[index];
  std::map<std::string, Fate>& fates = fates_.emplace_back();
  for (const std::string& output : all_outputs()) fates[output] = Fate::impossible;
  ran_.push_back(false);
  numbers_.push_back(task.number_from ? numbers_[*task.number_from] + 1 : static_cast<std::int64_t>(index));
  const auto produce = [&](std::initializer_list<const char*> outputs) {
    for (const char* output : outputs) fates[output] = Fate::produced;
  };
  const auto leave_open = [&](std::initializer_list<const char*> outputs) {
    for (const char* output : outputs) fates[output] = Fate::undecided;
  };
  if (task.stopped) return produce({"closed.result"});

  const Fate enabling = task.enabled_from ? fate({*task.enabled_from, "outputs.success"}) : Fate::produced;
  if (enabling == Fate::impossible) return leave_open({"closed.result"});
  if (enabling == Fate::undecided)
    return leave_open({"enabling.resolved", "disabled.output", "starting.started", "outputs.success", "outputs.error",
                       "crashed.error", "closed.result"});
  produce({"enabling.resolved"});
  const bool enabled = task.enabled_from ? tasks_[*task.enabled_from].flag : task.enabled.value_or(true);
  if (!enabled) return produce({"disabled.output"});

  const Fate start = starting(task);
  if (start == Fate::impossible) return leave_open({"closed.result"});
  if (start == Fate::undecided)
    return leave_open({"starting.started", "outputs.success", "outputs.error", "crashed.error", "closed.result"});
  ran_.back() = true;
  produce({"starting.started"});
  if (task.ending == Task::Ending::crash) return produce({"crashed.error"});
  produce({task.ending == Task::Ending::success ? "outputs.success" : "outputs.error"});
}

// --- as YAML ---------------------------------------------------------------------------------------------------------

std::string RandomWorkflow::steps() const {
  std::string text = "steps:\n";
  for (std::size_t index = 0; index < tasks_.size(); ++index) {
    const Task& task = tasks_[index];
    text += fmt::format(
        "  t{}:\n    plugin: {{src: task, deployment_type: builtin}}\n    input:\n      ending: {}\n"
        "      flag: {}\n",
        index, text_of(task.ending), task.flag);
    if (task.number_from)
      text += fmt::format("      number: !expr $.steps.t{}.outputs.success.number + 1\n", *task.number_from);
    else
      text += fmt::format("      number: {}\n", index);
    text += "      data:\n        own: fixed\n";
    int key = 0;
    const auto add = [&](const char* tag, const Reference& reference) {
      text += fmt::format("        k{}: {} {}\n", key++, tag, path_of(reference));
    };
    for (const Reference& reference : task.needs) add("!expr", reference);
    for (const Reference& reference : task.optionals) add("!wait-optional", reference);
    for (const Reference& reference : task.late) add("!soft-optional", reference);
    for (const std::vector<Reference>& options : task.choices) {
      text += fmt::format("        k{}: !oneof\n          discriminator: which\n          one_of:\n", key++);
      for (std::size_t option = 0; option < options.size(); ++option)
        text += fmt::format("            o{}: !expr {}\n", option, path_of(options[option]));
    }
    if (!task.waits.empty()) text += "    wait_for:\n";
    for (const Reference& reference : task.waits)
      text += fmt::format("      w{}: !expr {}\n", key++, path_of(reference));
    if (task.enabled) text += fmt::format("    enabled: {}\n", *task.enabled);
    if (task.enabled_from)
      text += fmt::format("    enabled: !expr $.steps.t{}.outputs.success.flag\n", *task.enabled_from);
    if (task.stopped) text += "    stop_if: true\n";
  }
  return text;
}

// --- the plugin ------------------------------------------------------------------------------------------------------

namespace {

asio::awaitable<deployer::StepAnswer> run_task(std::shared_ptr<std::mt19937> random, std::shared_ptr<FakeCall> call) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  for (std::uint32_t hops = (*random)() % 40; hops > 0; --hops) co_await asio::post(executor, asio::use_awaitable);
  const std::string ending = call->input().find("ending")->as_text();
  if (ending == "crash") throw Error(ErrorCode::plugin, "it has crashed");
  deployer::StepAnswer answer;
  answer.output_id = ending;
  if (ending == "success")
    answer.data = schema::Map{{"number", *call->input().find("number")}, {"flag", *call->input().find("flag")}};
  else
    answer.data = schema::Map{{"error", "it says so"}};
  co_return answer;
}

}  // namespace

test::FakePlugin task_plugin(std::uint32_t seed) {
  schema::StepSchema step =
      test::step_schema("task", test::scope_of("TaskInput", {{"ending", test::required(schema::string_type())},
                                                             {"flag", test::required(schema::bool_type())},
                                                             {"number", test::required(schema::integer_type())},
                                                             {"data", test::optional(schema::any_type())}}));
  test::add_output(step, "success",
                   test::scope_of("TaskDone", {{"number", test::required(schema::integer_type())},
                                               {"flag", test::required(schema::bool_type())}}));
  test::add_output(step, "error", test::scope_of("TaskError", {{"error", test::required(schema::string_type())}}),
                   true);
  test::add_cancel_handler(step);
  const auto random = std::make_shared<std::mt19937>(seed);
  const auto function = [random](std::shared_ptr<FakeCall> call) { return run_task(random, std::move(call)); };
  test::FakePlugin plugin;
  plugin.steps.push_back({std::move(step), function});
  return plugin;
}

}  // namespace venvoy::workflow
