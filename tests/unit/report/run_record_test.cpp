#include "report/run_record.hpp"

#include "report/event.hpp"
#include "report/html_report.hpp"
#include "report/junit.hpp"
#include "report/why.hpp"
#include "schema/json.hpp"
#include "support/catch.hpp"

namespace venvoy::report {
namespace {

using namespace std::chrono_literals;
using schema::Map;
using schema::Value;
using workflow::Outcome;
using workflow::StepName;

class RecordClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point monotonic() const override { return {}; }
  WallTime wall() const override { return now; }
  WallTime now{std::chrono::sys_days{std::chrono::year{2026} / 1 / 2}};
};

struct Run {
  RecordClock clock;
  RunRecord record;
  explicit Run(RecordLimits limits = {}) : record("20260102T000000-abcdef", "workflow.yaml", clock, limits) {}

  void begin(const Value& input = Map()) { record.run_started({"workflow.yaml", "x", input}); }
  void start(const StepName& name, const Value& input = Map()) { record.step_started({name, "hello", input, 1ms}); }
  void end(const StepName& name, Outcome outcome, const std::string& stage = "outputs",
           const std::string& output = "success", const std::string& error = {}) {
    record.step_finished({name, outcome, stage, output, Map{{"message", "done"}}, error});
  }
  void step(const StepName& name, std::chrono::milliseconds time, Outcome outcome = Outcome::succeeded) {
    start(name);
    clock.now += time;
    end(name, outcome);
  }
};

StepName item_step(std::size_t item) {
  return {"each", std::to_string(item), "loop"};
}

TEST_CASE("a loop of many items is kept by its slowest and its failed steps") {
  RecordLimits limits;
  limits.slowest_item_steps = 100;
  limits.failed_item_steps = 50;
  limits.failed_items = 20;
  Run run(limits);
  run.begin();
  const StepName loop{"loop", {}, {}};
  run.start(loop);
  constexpr std::size_t items = 100'000;
  for (std::size_t item = 0; item < items; ++item) {
    run.record.item_started({loop, item, items});
    const bool fails = item % 1000 == 999;
    run.step(item_step(item), item % 777 == 0 ? 50ms : 1ms, fails ? Outcome::failed : Outcome::succeeded);
    run.record.item_finished({loop, item, fails ? Outcome::failed : Outcome::succeeded, fails ? "no" : ""});
  }
  run.end(loop, Outcome::failed, "failed", "error");
  const RunFacts facts = run.record.facts();
  CHECK(facts.steps.size() == 1 + 100 + 50);
  CHECK(facts.left_out == items - 150);
  CHECK(facts.ended_item_steps[0] == items - 100);
  CHECK(facts.ended_item_steps[1] == 100);
  CHECK(facts.failed_items.size() == 20);
  const StepRecord& kept_loop = *facts.find(loop);
  CHECK(kept_loop.items == items);
  CHECK(kept_loop.items_ended[0] == items - 100);
  std::size_t slow = 0;
  for (const StepRecord& step : facts.steps)
    if (step.outcome == Outcome::succeeded && !step.name.loop.empty()) slow += step.run_time() == 50ms;
  CHECK(slow == 100);
}

TEST_CASE("inputs, outputs and logs have limits, each and all together") {
  RecordLimits limits;
  limits.value_bytes = 1000;
  limits.all_value_bytes = 5000;
  limits.least_value_bytes = 64;
  limits.first_lines = 5;
  limits.last_lines = 10;
  limits.line_bytes = 20;
  Run run(limits);
  run.begin(Map{{"long", std::string(5000, 'x')}});
  std::size_t bytes = run.record.facts().input.size();
  CHECK(bytes < 1200);
  for (int step = 0; step < 50; ++step) {
    const StepName name{"s" + std::to_string(step), {}, {}};
    run.start(name, Map{{"long", std::string(5000, 'x')}});
    run.end(name, Outcome::succeeded);
  }
  for (int line = 0; line < 1000; ++line)
    run.record.step_log({{"s0", {}, {}}, LogLevel::info, "line " + std::to_string(line) + std::string(50, '.')});
  const RunFacts facts = run.record.facts();
  for (const StepRecord& step : facts.steps) bytes += step.input.size() + step.output.size();
  CHECK(bytes < 5000 + 50 * 250);
  const StepRecord& chatty = *facts.find({"s0", {}, {}});
  CHECK(chatty.first_log.size() == 5);
  CHECK(chatty.last_log.size() == 10);
  CHECK(chatty.dropped_lines == 985);
  CHECK(chatty.last_log.back().text == "line 999............…");
}

TEST_CASE("changes are told once, and what is no longer kept") {
  RecordLimits limits;
  limits.slowest_item_steps = 1;
  Run run(limits);
  run.begin();
  run.step(item_step(0), 1ms);
  RunRecord::Changes changes = run.record.changes_since(0);
  CHECK(changes.facts.steps.size() == 1);
  run.step(item_step(1), 2ms);
  changes = run.record.changes_since(changes.revision);
  REQUIRE(changes.removed.size() == 1);
  CHECK(changes.removed.front() == item_step(0));
  REQUIRE(changes.facts.steps.size() == 1);
  CHECK(changes.facts.steps.front().name == item_step(1));
  changes = run.record.changes_since(changes.revision);
  CHECK(changes.facts.steps.empty());
}

TEST_CASE("the beginning of a value as JSON") {
  CHECK(json_excerpt(Map{{"a", 1}}, 1000) == R"({"a":1})");
  const std::string text = json_excerpt(std::string(1000, 'x'), 50);
  CHECK(text.size() < 100);
  CHECK(text.find("bytes more") != std::string::npos);
  schema::List numbers;
  for (int number = 0; number < 100'000; ++number) numbers.emplace_back(number);
  const std::string list = json_excerpt(numbers, 200);
  CHECK(list.size() < 400);
  CHECK(list.find(" more\"]") != std::string::npos);
  CHECK(schema::read_json(list).kind() == schema::Kind::list);
  CHECK(json_excerpt(Map{{"x", Value::invalid("too large")}}, 100) == R"x({"x":"(too large)"})x");
  // Characters stay whole.
  std::string umlauts;
  for (int letter = 0; letter < 100; ++letter) umlauts += "ä";
  CHECK_NOTHROW(schema::read_json(json_excerpt(umlauts, 33)));
}

// --- what is made of the facts
// -----------------------------------------------------------------------------------------

RunFacts some_facts(const std::string& text) {
  Run run;
  run.begin(Map{{"name", text}});
  const auto planned = [](const std::string& id) {
    PlannedStep step;
    step.id = id;
    step.file = "workflow.yaml";
    step.line = 7;
    step.plugin = "p@git+https://example.org/p.git@1861f7c17abfb7b1f6e18ae552f0d4caa4a821b5";
    step.plugin_step = "hello";
    return step;
  };
  run.step({"good", {}, {}}, 30ms);
  run.start({"bad", {}, {}}, Map{{"text", text}});
  run.record.step_log({{"bad", {}, {}}, LogLevel::info, text});
  run.clock.now += 70ms;
  run.end({"bad", {}, {}}, Outcome::failed, "outputs", "error");
  run.start({"crash", {}, {}});
  run.end({"crash", {}, {}}, Outcome::failed, "crashed", "error", text);
  run.end({"off", {}, {}}, Outcome::disabled, "disabled", "output");
  run.end({"late", {}, {}}, Outcome::cancelled, "closed", "result");
  run.record.run_finished({Outcome::failed, {}, text, {}});
  RunFacts facts = run.record.facts();
  for (const char* id : {"good", "bad", "crash", "off", "late"}) facts.planned.push_back(planned(id));
  facts.planned[4].needs.push_back(
      {"steps.bad.outputs.success", Need::Kind::must, "starting", "bad", "outputs", "success"});
  facts.planned[1].needs.push_back(
      {"steps.good.outputs.success", Need::Kind::must, "starting", "good", "outputs", "success"});
  facts.planned[3].enabled = "$.input.go";
  return facts;
}

TEST_CASE("why: one sentence for each way to end") {
  const RunFacts facts = some_facts("no");
  const auto sentence = [&](const char* step) { return why(facts, {step, {}, {}}).sentence; };
  CHECK(sentence("good") == "it ran for 30 ms and ended with the output 'success'; it had to wait for no other step");
  CHECK(
      sentence("bad") ==
      "it failed after 70 ms with its error output 'error'; it waited for steps.good.outputs.success, which came after "
      "30 ms");
  CHECK(sentence("crash") == "it crashed after 0 ms; it had to wait for no other step");
  CHECK(sentence("off") == "it was disabled: its `enabled` ($.input.go) was not true");
  CHECK(sentence("late") ==
        "it never began: steps.bad.outputs.success did not come, since it ended with outputs.error");
}

TEST_CASE("JUnit: failures, errors and what was skipped") {
  const std::string xml = junit_xml(some_facts("a <b> & \"c\" \x01 ]]>"));
  CHECK(xml.find("<testsuite name=\"workflow.yaml\" tests=\"5\" failures=\"1\" errors=\"1\" skipped=\"2\"") !=
        std::string::npos);
  CHECK(xml.find("<failure message=\"output 'error'\">") != std::string::npos);
  CHECK(xml.find("<error message=\"crashed\">a &lt;b&gt; &amp; &quot;c&quot;   ]]&gt;</error>") != std::string::npos);
  CHECK(xml.find("<skipped message=\"disabled\"/>") != std::string::npos);
}

TEST_CASE("whatever is in the facts stays text in the report") {
  const std::string hostile = "</script><script>alert(1)</script><!--<script> \" ' & <img src=x onerror=alert(2)> \xFF";
  RunFacts facts = some_facts(hostile);
  facts.workflow = hostile;
  facts.planned[0].id = facts.steps[0].name.step = hostile;
  GraphPicture graph;
  graph.title = hostile;
  graph.nodes.push_back({"steps." + hostile, hostile, hostile, hostile, GraphPicture::Shape::step, {}});
  const std::string page = html_report(facts, {graph, {{hostile, hostile}}});
  CHECK(page.find("<script>alert") == std::string::npos);
  CHECK(page.find("<img") == std::string::npos);
  CHECK(page.find("<!--") == std::string::npos);
  // One of our own, and one for the data of each step.
  std::size_t scripts = 0;
  for (std::size_t at = 0; (at = page.find("<script", at)) != std::string::npos; ++at) ++scripts;
  CHECK(scripts == 1 + facts.steps.size());
}

TEST_CASE("a report of a thousand steps") {
  Run run;
  run.begin();
  for (int step = 0; step < 1000; ++step) run.step({"step" + std::to_string(step), {}, {}}, 1ms);
  run.record.run_finished({Outcome::succeeded, "success", {}, Map()});
  const std::string page = html_report(run.record.facts(), {});
  CHECK(page.size() < 3'000'000);
  CHECK(page.find("step-data-999") != std::string::npos);
}

TEST_CASE("an event as a line of JSON") {
  RecordClock clock;
  std::vector<std::string> lines;
  EventMaker maker("r1", clock, [&](const Event& event) { lines.push_back(event_json(event)); });
  maker.step_started({{"a", "2.0", "outer.inner"}, "hello", Map{{"x", "a\nb"}}, 1500us});
  maker.step_finished({{"a", {}, {}}, Outcome::succeeded, "outputs", "success", Value::invalid("?"), {}});
  CHECK(
      lines.at(0) ==
      R"({"v":1,"type":"step_started","time":"2026-01-02T00:00:00.000000Z","run":"r1","step":"a","loop":"outer.inner",)"
      R"("item":"2.0","plugin_step":"hello","seconds":0.0015,"data":{"x":"a\nb"}})");
  CHECK(lines.at(1) ==
        R"({"v":1,"type":"step_finished","time":"2026-01-02T00:00:00.000000Z","run":"r1","step":"a","stage":"outputs",)"
        R"("output":"success","outcome":"succeeded"})");
}

}  // namespace
}  // namespace venvoy::report
