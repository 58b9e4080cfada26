#include "report/junit.hpp"

#include <map>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "report/internal/xml.hpp"

namespace venvoy::report {

using internal::xml_lines;
using internal::xml_text;
using workflow::Outcome;

namespace {

struct JUnitSuite {
  std::string name;
  std::string cases;
  std::size_t tests = 0;
  std::size_t failures = 0;
  std::size_t errors = 0;
  std::size_t skipped = 0;
  std::chrono::microseconds time{};
};

double in_seconds(std::chrono::microseconds time) {
  return static_cast<double>(time.count()) / 1e6;
}

class JUnitWriter {
 public:
  explicit JUnitWriter(const RunFacts& facts) : facts_(facts) { suite_of({}).name = facts.workflow; }

  std::string write() {
    for (const PlannedStep& planned : facts_.planned) {
      JUnitSuite& suite = suite_of(planned.loop);
      suite.name = planned.file;
      if (!planned.loop.empty()) continue;
      const StepRecord* step = facts_.find({planned.id, {}, {}});
      if (step)
        add_case(suite, *step);
      else
        add_skipped(suite, planned.id, "it never began");
    }
    for (const StepRecord& step : facts_.steps)
      if (!step.name.loop.empty() || !facts_.find_planned(step.name)) add_case(suite_of(step.name.loop), step);
    if (!facts_.error.empty() && !has_failed()) add_run_error();
    return document();
  }

 private:
  JUnitSuite& suite_of(const std::string& loop) { return suites_[loop]; }

  bool has_failed() const {
    for (const auto& [loop, suite] : suites_)
      if (suite.failures + suite.errors > 0) return true;
    return false;
  }

  void open_case(JUnitSuite& suite, const std::string& name, std::chrono::microseconds time) {
    ++suite.tests;
    suite.time += time;
    suite.cases += fmt::format("    <testcase name=\"{}\" classname=\"{}\" time=\"{:.6f}\"", xml_text(name),
                               xml_text(suite.name), in_seconds(time));
  }

  void add_skipped(JUnitSuite& suite, const std::string& name, const std::string& why) {
    open_case(suite, name, {});
    ++suite.skipped;
    suite.cases += fmt::format("><skipped message=\"{}\"/></testcase>\n", xml_text(why));
  }

  void add_case(JUnitSuite& suite, const StepRecord& step) {
    const std::string name = step_title(step.name);
    if (step.ended && step.outcome == Outcome::disabled) return add_skipped(suite, name, "disabled");
    if (step.ended && step.outcome == Outcome::cancelled && !step.started)
      return add_skipped(suite, name, "it never began");
    if (step.ended && step.outcome == Outcome::cancelled) return add_skipped(suite, name, "stopped");
    open_case(suite, name, step.run_time());
    suite.cases += ">";
    if (!step.ended)
      add_problem(suite.errors, suite, "error", "it has not ended", {});
    else if (step.outcome == Outcome::failed && step.has_error_output())
      add_problem(suite.failures, suite, "failure", fmt::format("output '{}'", step.output_id),
                  step.error.empty() ? step.output : step.error);
    else if (step.outcome == Outcome::failed)
      add_problem(suite.errors, suite, "error", step.stage, step.error);
    add_log(suite, step);
    suite.cases += "</testcase>\n";
  }

  static void add_problem(std::size_t& count, JUnitSuite& suite, const char* element, const std::string& message,
                          const std::string& text) {
    ++count;
    suite.cases += fmt::format("<{0} message=\"{1}\">{2}</{0}>", element, xml_text(message), xml_lines(text));
  }

  static void add_log(JUnitSuite& suite, const StepRecord& step) {
    if (step.first_log.empty()) return;
    suite.cases += "<system-err>";
    for (const LogLine& line : step.first_log) suite.cases += xml_lines(line.text) + "\n";
    if (step.dropped_lines > 0) suite.cases += fmt::format("… {} lines left out\n", step.dropped_lines);
    for (const LogLine& line : step.last_log) suite.cases += xml_lines(line.text) + "\n";
    suite.cases += "</system-err>";
  }

  void add_run_error() {
    JUnitSuite& suite = suite_of({});
    open_case(suite, "(the run)", {});
    suite.cases += ">";
    add_problem(suite.errors, suite, "error", "the run failed", facts_.error);
    suite.cases += "</testcase>\n";
  }

  std::string document() const {
    JUnitSuite all;
    std::string text;
    for (const auto& [loop, suite] : suites_) {
      if (suite.tests == 0 && !loop.empty()) continue;
      all.tests += suite.tests;
      all.failures += suite.failures;
      all.errors += suite.errors;
      all.skipped += suite.skipped;
      const auto time = loop.empty() && facts_.ended ? *facts_.ended - facts_.begin : suite.time;
      const std::string name = loop.empty() ? suite.name : fmt::format("{} (for each item of {})", suite.name, loop);
      text += fmt::format(
          "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.6f}\" "
          "timestamp=\"{}\">\n",
          xml_text(name), suite.tests, suite.failures, suite.errors, suite.skipped, in_seconds(time),
          rfc3339_utc(facts_.begin).substr(0, 19));
      text += suite.cases;
      if (loop.empty() && facts_.left_out > 0)
        text += fmt::format(
            "    <system-out>{} steps of loop items are left out: they were quicker than these, or failed "
            "after many others had</system-out>\n",
            facts_.left_out);
      text += "  </testsuite>\n";
    }
    return fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" "
        "errors=\"{}\" "
        "skipped=\"{}\" time=\"{:.6f}\">\n{}</testsuites>\n",
        xml_text(facts_.workflow), all.tests, all.failures, all.errors, all.skipped,
        facts_.ended ? in_seconds(*facts_.ended - facts_.begin) : 0.0, text);
  }

  const RunFacts& facts_;
  std::map<std::string, JUnitSuite> suites_;  // by loop
};

}  // namespace

std::string junit_xml(const RunFacts& facts) {
  return JUnitWriter(facts).write();
}

}  // namespace venvoy::report
