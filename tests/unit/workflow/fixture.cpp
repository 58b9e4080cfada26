#include "unit/workflow/fixture.hpp"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "schema/json.hpp"
#include "schema/yaml.hpp"
#include "support/catch.hpp"

namespace venvoy::workflow {

namespace asio = boost::asio;

namespace {

std::string name_text(const StepName& name) {
  return name.item.empty() ? name.step : fmt::format("{}[{}]", name.step, name.item);
}

std::string item_text(const StepName& loop, std::size_t index) {
  return fmt::format("{}#{}", name_text(loop), index);
}

}  // namespace

// --- events ----------------------------------------------------------------------------------------------------------

void Recorder::open(const std::string& name) {
  if (name != "run" && (open_.empty() || open_.front() != "run")) problems_.push_back(name + " begins outside the run");
  if (std::find(open_.begin(), open_.end(), name) != open_.end()) problems_.push_back(name + " begins twice");
  open_.push_back(name);
}

void Recorder::close(const std::string& name) {
  const auto place = std::find(open_.begin(), open_.end(), name);
  if (place == open_.end()) return problems_.push_back(name + " ends without a beginning");
  open_.erase(place);
  if (name == "run" && !open_.empty()) problems_.push_back(fmt::format("left open: {}", fmt::join(open_, ", ")));
}

void Recorder::check_pairs() const {
  CHECK(fmt::format("{}", fmt::join(problems_, "; ")).empty());
  CHECK(fmt::format("{}", fmt::join(open_, "; ")).empty());
}

void Recorder::run_started(const RunStarted& event) {
  events.push_back("run started " + event.workflow);
  open("run");
}

void Recorder::run_finished(const RunFinished& event) {
  events.push_back(fmt::format("run finished {} {}", to_text(event.outcome), event.output_id));
  close("run");
}

void Recorder::step_deployed(const StepDeployed& event) {
  events.push_back(fmt::format("deployed {} {}", name_text(event.name), event.reference));
}

void Recorder::step_started(const StepStarted& event) {
  events.push_back(fmt::format("started {} {}", name_text(event.name), event.plugin_step));
  open("step " + name_text(event.name));
}

void Recorder::step_finished(const StepFinished& event) {
  const std::string name = name_text(event.name);
  events.push_back(fmt::format("finished {} {} {}.{}", name, to_text(event.outcome), event.stage, event.output_id));
  // A step that ends before it was started has only this one.
  if (std::find(open_.begin(), open_.end(), "step " + name) == open_.end()) open("step " + name);
  close("step " + name);
}

void Recorder::item_started(const ItemStarted& event) {
  events.push_back(fmt::format("item {} of {}", item_text(event.loop, event.index), event.count));
  open("item " + item_text(event.loop, event.index));
}

void Recorder::item_finished(const ItemFinished& event) {
  events.push_back(fmt::format("item {} {}", item_text(event.loop, event.index), to_text(event.outcome)));
  close("item " + item_text(event.loop, event.index));
}

int Recorder::count(const std::string& event) const {
  return static_cast<int>(std::count(events.begin(), events.end(), event));
}

std::size_t Recorder::index_of(const std::string& event) const {
  const auto place = std::find(events.begin(), events.end(), event);
  INFO(event);
  REQUIRE(place != events.end());
  return static_cast<std::size_t>(place - events.begin());
}

void Lines::write(LogLevel level, std::string_view, std::string_view message) {
  lines.push_back(fmt::format("{} {}", to_text(level), message));
}

bool Lines::contains(const std::string& text) const {
  return std::any_of(lines.begin(), lines.end(), [&](const auto& line) { return line.find(text) != line.npos; });
}

// --- the gate --------------------------------------------------------------------------------------------------------

asio::awaitable<GateDecision> TestGate::may_run(RunQuestion question) {
  GateDecision decision;
  if (on_run) decision = on_run(question);
  co_return decision;
}

asio::awaitable<GateDecision> TestGate::may_run_step(StepQuestion question) {
  GateDecision decision;
  if (on_step) decision = on_step(question);
  co_return decision;
}

asio::awaitable<GateDecision> TestGate::may_cancel(CancelQuestion) {
  co_return GateDecision();
}

// --- the bench -------------------------------------------------------------------------------------------------------

Workbench::Workbench() {
  world.plugins["demo"] = demo_plugin();
  world.plugins["single"] = single_plugin();
  options.logger = Logger(log);
  options.observer = &recorder;
  options.run_id = "run-1";
}

void Workbench::when(const std::string& entry, std::function<void()> action) {
  actions_.emplace_back(entry, std::move(action));
}

void Workbench::drive(asio::io_context& loop) {
  const auto end = std::chrono::steady_clock::now() + 60s;
  while (loop.run_one_until(end) > 0) {
    for (auto& [entry, action] : actions_)
      if (action && world.count(entry) > 0) std::exchange(action, nullptr)();
  }
  INFO("the journal: " << fmt::format("{}", fmt::join(world.journal, "; ")));
  REQUIRE(loop.stopped());
}

Checked Workbench::check(const std::string& text, PrepareOptions prepare_options) {
  asio::io_context loop(1);
  Checked checked;
  std::exception_ptr failure;
  const auto done = [&](std::exception_ptr error, Checked result) {
    failure = error;
    checked = std::move(result);
  };
  asio::co_spawn(loop, prepare({text, "workflow.yaml"}, files, deployers, std::move(prepare_options)), done);
  drive(loop);
  if (failure) std::rethrow_exception(failure);
  return checked;
}

RunResult Workbench::run(const std::string& text, const std::string& input) {
  Checked checked = check(text);
  INFO(text_of(checked.issues));
  REQUIRE(checked.plan != nullptr);
  return run(std::move(checked.plan), input);
}

RunResult Workbench::run(std::shared_ptr<const Plan> plan, const std::string& input) {
  asio::io_context loop(1);
  RunResult result;
  std::exception_ptr failure;
  const auto done = [&](std::exception_ptr error, RunResult value) {
    failure = error;
    result = std::move(value);
  };
  schema::Value data = schema::to_text_value(schema::read_yaml(input, "input.yaml"));
  asio::co_spawn(loop, workflow::run(std::move(plan), std::move(data), deployers, options, control), done);
  drive(loop);
  if (failure) std::rethrow_exception(failure);
  recorder.check_pairs();
  CHECK(world.live_processes == 0);
  return result;
}

// --- texts -----------------------------------------------------------------------------------------------------------

std::string workflow(const std::string& body, const std::string& properties) {
  return "version: v0.2.0\ninput:\n  root: Input\n  objects:\n    Input:\n      id: Input\n      properties: " +
         properties + "\n" + body;
}

std::string plugin_step(const std::string& id, const std::string& step, const std::string& rest) {
  std::string text =
      fmt::format("  {}:\n    plugin: {{src: demo, deployment_type: builtin}}\n    step: {}\n", id, step);
  std::size_t begin = 0;
  while (begin < rest.size()) {
    const std::size_t end = std::min(rest.find('\n', begin), rest.size());
    text += "    " + rest.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  return text;
}

std::string text_of(const RunResult& result) {
  if (result.failure) return result.failure->what();
  return fmt::format("{} {}", result.output_id,
                     schema::write_json(result.output_data, {.indent = 0, .sort_keys = true}));
}

std::string text_of(const Issues& issues) {
  std::string text;
  for (const Issue& issue : issues) text += fmt::format("{} {}\n", issue.at.text(), issue.text);
  return text;
}

}  // namespace venvoy::workflow
