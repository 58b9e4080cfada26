// venvoy runs …: the history of runs on this machine.
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/quantity.hpp"
#include "cli/state_folder.hpp"
#include "report/history.hpp"
#include "report/why.hpp"
#include "schema/json.hpp"

namespace venvoy::cli {
namespace {

using report::RunFacts;
using report::RunSummary;
using report::StepRecord;
using schema::Map;
using schema::Value;

constexpr std::size_t default_count = 20;
constexpr std::size_t all_runs = 1'000'000;

double seconds_of(std::chrono::microseconds time) {
  return static_cast<double>(time.count()) / 1e6;
}

// JSON as it was kept, as data again; as a text when it was cut off.
Value kept_data(const std::string& json) {
  try {
    return schema::read_json(json);
  } catch (const Error&) {
    return json;
  }
}

Map summary_map(const RunSummary& run) {
  Map map{{"run", run.run}, {"workflow", run.workflow}, {"context", run.context}, {"state", run.state()}};
  map.insert("began", rfc3339_utc(run.begin));
  if (run.ended) {
    map.insert("ended", rfc3339_utc(*run.ended));
    map.insert("seconds", seconds_of(*run.ended - run.begin));
  }
  if (!run.output_id.empty()) map.insert("output", run.output_id);
  if (!run.error.empty()) map.insert("error", run.error);
  return map;
}

std::string state_of(const StepRecord& step, bool died) {
  if (step.ended) return std::string(to_text(step.outcome));
  if (!step.started) return "waiting";
  return died ? "died" : "running";
}

void add_name(Map& map, const workflow::StepName& name) {
  map.insert("step", name.step);
  if (name.loop.empty()) return;
  map.insert("loop", name.loop);
  map.insert("item", name.item);
}

Map step_map(const StepRecord& step, bool died) {
  Map map;
  add_name(map, step.name);
  map.insert("state", state_of(step, died));
  const auto add = [&](const char* name, const std::string& text) {
    if (!text.empty()) map.insert(name, text);
  };
  add("plugin_step", step.plugin_step);
  add("reference", step.reference);
  add("version", step.version);
  add("environment", step.environment);
  add("node", step.node);
  if (step.started) map.insert("started", rfc3339_utc(*step.started));
  if (step.started && step.ended) map.insert("seconds", seconds_of(step.run_time()));
  add("stage", step.stage);
  add("output_id", step.output_id);
  add("error", step.error);
  if (!step.input.empty()) map.insert("input", kept_data(step.input));
  if (!step.output.empty()) map.insert("output", kept_data(step.output));
  if (step.items > 0) {
    Map items{{"count", static_cast<std::int64_t>(step.items)}};
    for (const auto outcome : {workflow::Outcome::succeeded, workflow::Outcome::failed, workflow::Outcome::cancelled})
      items.insert(to_text(outcome), static_cast<std::int64_t>(step.items_ended[static_cast<std::size_t>(outcome)]));
    map.insert("items", std::move(items));
  }
  return map;
}

// The command line is in order, so what the history refuses is no usage error.
template <class Work>
auto as_failure(const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::usage) throw;
    throw Error(ErrorCode::unresolvable, error.what()).with_hint(error.hint());
  }
}

class RunsCommand {
 public:
  explicit RunsCommand(const CommonOptions& common) : common_(common) {
    history_ = report::History::open(state_folder(common_));
  }

  void list(std::size_t count, const std::optional<std::string>& workflow) {
    std::vector<RunSummary> runs;
    if (history_) runs = history_->list(workflow ? all_runs : count);
    if (workflow) std::erase_if(runs, [&](const RunSummary& run) { return run.workflow != *workflow; });
    if (runs.size() > count) runs.resize(count);
    schema::List list;
    for (const RunSummary& run : runs) list.push_back(summary_map(run));
    write_out(data_document(std::move(list), common_.output));
  }

  void show(const std::string& name) {
    const RunSummary run = found(name);
    const RunFacts facts = history_->load(run);
    Map map = summary_map(run);
    map.insert("host", run.host);
    map.insert("venvoy", run.version);
    if (!facts.input.empty()) map.insert("input", kept_data(facts.input));
    if (!facts.output.empty()) map.insert("output_data", kept_data(facts.output));
    if (!facts.plugins.empty()) map.insert("plugins", plugins(facts));
    schema::List warnings;
    for (const std::string& warning : facts.warnings) warnings.emplace_back(warning);
    if (!warnings.empty()) map.insert("warnings", std::move(warnings));
    schema::List steps;
    for (const StepRecord& step : facts.steps) steps.emplace_back(step_map(step, run.died));
    for (const report::PlannedStep& planned : facts.planned)
      if (planned.loop.empty() && !facts.find({planned.id, {}, {}}))
        steps.emplace_back(Map{{"step", planned.id}, {"state", "not run"}});
    map.insert("steps", std::move(steps));
    if (facts.left_out > 0) map.insert("steps_left_out", static_cast<std::int64_t>(facts.left_out));
    write_out(data_document(map, common_.output));
  }

  void log(const std::string& name, const std::optional<std::string>& step) {
    const RunSummary run = found(name);
    const RunFacts facts = history_->load(run);
    if (step) find_step(facts, *step);
    std::string text;
    schema::List lines;
    for (const StepRecord& record : facts.steps) {
      if (step && report::step_title(record.name) != *step && record.name.step != *step) continue;
      const auto add = [&](const report::LogLine& line) {
        if (common_.output == OutputForm::json) {
          Map map;
          add_name(map, record.name);
          map.insert("time", rfc3339_utc(line.time));
          map.insert("level", to_text(line.level));
          map.insert("text", line.text);
          lines.push_back(std::move(map));
        } else {
          text += fmt::format("{} {}: {}\n", rfc3339_utc(line.time), report::step_title(record.name), line.text);
        }
      };
      for (const report::LogLine& line : record.first_log) add(line);
      if (record.dropped_lines > 0)
        text += fmt::format("… {} lines of {} were not kept\n", record.dropped_lines, report::step_title(record.name));
      for (const report::LogLine& line : record.last_log) add(line);
    }
    write_out(common_.output == OutputForm::json ? data_document(std::move(lines), OutputForm::json) : text);
  }

  void why(const std::string& name, const std::string& step) {
    const RunSummary run = found(name);
    const RunFacts facts = history_->load(run);
    const workflow::StepName step_name = find_step(facts, step);
    const report::Why reason = report::why(facts, step_name, run.died);
    if (common_.output != OutputForm::json) return write_out(report::why_text(facts, step_name, reason));
    Map map;
    add_name(map, step_name);
    map.insert("why", reason.sentence);
    schema::List needs;
    for (const report::NeedMet& met : reason.needs) {
      Map need{{"name", met.need->name}, {"for", met.need->stage_for}, {"came", met.came}};
      if (met.came) need.insert("after_seconds", seconds_of(met.after));
      if (!met.instead.empty()) need.insert("instead", met.instead);
      needs.push_back(std::move(need));
    }
    map.insert("needs", std::move(needs));
    if (!reason.error.empty()) map.insert("error", reason.error);
    write_out(data_document(map, OutputForm::json));
  }

  void remove(const std::vector<std::string>& names, bool all, const std::optional<std::string>& older_than) {
    std::vector<RunSummary> runs;
    for (const std::string& name : names) runs.push_back(found(name));
    if (history_ && (all || older_than)) {
      const auto age = older_than ? parse_duration(*older_than, "--older-than") : std::chrono::milliseconds(0);
      for (RunSummary& run : history_->list(all_runs))
        if (run.state() != "running" && system_clock().wall() - run.begin >= age) runs.push_back(std::move(run));
    }
    schema::List removed;
    for (const RunSummary& run : runs) {
      as_failure([&] { history_->remove(run); });
      removed.emplace_back(run.run);
    }
    write_out(data_document(Map{{"removed", std::move(removed)}}, common_.output));
  }

 private:
  RunSummary found(const std::string& name) const {
    if (!history_)
      throw Error(ErrorCode::unresolvable, fmt::format("there is no history in {}", state_folder(common_).string()));
    return as_failure([&] { return history_->find(name); });
  }

  // A step by its title, or by its key when that is outside of loops.
  static workflow::StepName find_step(const RunFacts& facts, const std::string& title) {
    std::vector<std::string> titles;
    for (const StepRecord& step : facts.steps) {
      if (report::step_title(step.name) == title) return step.name;
      titles.push_back(report::step_title(step.name));
    }
    for (const report::PlannedStep& planned : facts.planned) {
      if (!planned.loop.empty()) continue;
      if (planned.id == title) return {planned.id, {}, {}};
      titles.push_back(planned.id);
    }
    throw Error(ErrorCode::unresolvable,
                fmt::format("the run {} has no step '{}'{}", facts.run, title, did_you_mean(title, titles)));
  }

  static schema::List plugins(const RunFacts& facts) {
    schema::List list;
    for (const report::PluginRecord& plugin : facts.plugins) {
      Map map{{"reference", plugin.reference}};
      if (!plugin.commit.empty()) map.insert("version", plugin.commit);
      if (!plugin.ready.empty()) map.insert("environment", plugin.ready);
      list.push_back(std::move(map));
    }
    return list;
  }

  const CommonOptions& common_;
  std::optional<report::History> history_;
};

struct RunsArguments {
  std::string run;
  std::string step;
  std::optional<std::string> only_step;
  std::vector<std::string> runs;
  std::size_t count = default_count;
  std::optional<std::string> workflow;
  std::optional<std::string> older_than;
  bool all = false;
};

constexpr const char* run_help = "Id of the run, or how it begins, or 'latest'";

}  // namespace

void add_runs_command(CLI::App& app, CommonOptions& common, Action& action) {
  CLI::App* runs = app.add_subcommand("runs", "Look at what ran: with which commits, how long, and why");
  runs->require_subcommand(1);
  runs->footer("Example: venvoy runs ls");
  const auto arguments = std::make_shared<RunsArguments>();
  const auto on = [&](CLI::App* command, auto work) {
    command->callback([&common, &action, arguments, work] {
      action = [&common, arguments, work] {
        RunsCommand history(common);
        work(history, *arguments);
        return exit_number(PlainExit::ok);
      };
    });
  };

  CLI::App* list = runs->add_subcommand("ls", "The runs, the newest first");
  list->add_option("-n,--count", arguments->count, "How many at most")->capture_default_str();
  list->add_option("--workflow", arguments->workflow, "Runs of this workflow file only, as it was written")
      ->type_name("FILE");
  list->footer("Example: venvoy runs ls -n 5");
  on(list, [](RunsCommand& history, const RunsArguments& given) { history.list(given.count, given.workflow); });

  CLI::App* show = runs->add_subcommand("show", "A run and its steps: input, output, commits, times");
  show->add_option("RUN", arguments->run, run_help)->required();
  show->footer("Example: venvoy runs show latest");
  on(show, [](RunsCommand& history, const RunsArguments& given) { history.show(given.run); });

  CLI::App* log = runs->add_subcommand("log", "What the steps of a run have printed");
  log->add_option("RUN", arguments->run, run_help)->required();
  log->add_option("STEP", arguments->only_step, "Of this step only: its key, or loop[item].step");
  log->footer("Example: venvoy runs log latest greet");
  on(log, [](RunsCommand& history, const RunsArguments& given) { history.log(given.run, given.only_step); });

  CLI::App* why = runs->add_subcommand("why", "Why a step ran, waited, was disabled, failed or never began");
  why->add_option("RUN", arguments->run, run_help)->required();
  why->add_option("STEP", arguments->step, "Key of the step, or loop[item].step")->required();
  why->footer("Example: venvoy runs why latest greet");
  on(why, [](RunsCommand& history, const RunsArguments& given) { history.why(given.run, given.step); });

  CLI::App* remove = runs->add_subcommand("rm", "Forget runs");
  CLI::Option* names = remove->add_option("RUN", arguments->runs, run_help);
  CLI::Option* all = remove->add_flag("--all", arguments->all, "All that have ended");
  CLI::Option* older = remove->add_option("--older-than", arguments->older_than, "All that began longer ago: 30d, 12h")
                           ->type_name("TIME");
  names->excludes(all)->excludes(older);
  remove->callback([names, all, older, &common, &action, arguments] {
    if (names->empty() && all->empty() && older->empty())
      throw CLI::ValidationError("RUN", "say which runs, --all, or --older-than TIME");
    action = [&common, arguments] {
      RunsCommand(common).remove(arguments->runs, arguments->all, arguments->older_than);
      return exit_number(PlainExit::ok);
    };
  });
  remove->footer("Example: venvoy runs rm --older-than 30d");
}

}  // namespace venvoy::cli
