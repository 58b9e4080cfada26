// venvoy run
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/progress_display.hpp"
#include "cli/quantity.hpp"
#include "cli/run_outputs.hpp"
#include "cli/session.hpp"

namespace venvoy::cli {
namespace {

struct RunArguments {
  std::string workflow = "workflow.yaml";
  std::optional<std::string> input;
  std::vector<std::string> set;
  std::string progress = "auto";
  std::optional<std::string> timeout;
  std::optional<std::string> launcher;
  RunOutputOptions outputs;
};

// Puts `value` at a dotted path of `input`, making the maps on the way.
schema::Value with_value(schema::Value input, std::string_view path, std::string_view value) {
  const std::size_t dot = path.find('.');
  const std::string key(path.substr(0, dot));
  schema::Map map = input.kind() == schema::Kind::map ? input.take_map() : schema::Map();
  schema::Value& entry = map.find_or_add(key);
  entry =
      dot == std::string_view::npos ? schema::Value(value) : with_value(std::move(entry), path.substr(dot + 1), value);
  return map;
}

void apply_settings(schema::Value& input, const std::vector<std::string>& settings) {
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    if (equals == 0 || equals == std::string::npos)
      throw Error(ErrorCode::usage, fmt::format("--set takes KEY=VALUE, not '{}'", setting));
    input = with_value(std::move(input), std::string_view(setting).substr(0, equals),
                       std::string_view(setting).substr(equals + 1));
  }
}

class RunCommand {
 public:
  RunCommand(const RunArguments& arguments, const CommonOptions& common)
      : arguments_(arguments),
        common_(common),
        files_(common.context),
        masker_(arguments.outputs.no_mask ? nullptr : std::make_shared<report::Masker>()),
        talk_(common, &files_, masker_) {}

  int run() {
    std::optional<std::chrono::milliseconds> timeout;
    try {
      if (arguments_.timeout) timeout = parse_duration(*arguments_.timeout, "--timeout");
    } catch (const Error& error) {
      talk_.error(error);
      return usage_exit;
    }
    try {
      return prepare_and_run(timeout);
    } catch (const Error& error) {
      talk_.error(error);
      return error.code() == ErrorCode::usage ? usage_exit : exit_number(RunExit::prepare_failed);
    }
  }

 private:
  int prepare_and_run(std::optional<std::chrono::milliseconds> timeout) {
    auto configuration = load_configuration(common_, files_, talk_);
    if (!configuration) return exit_number(RunExit::prepare_failed);
    if (masker_) masker_->add_names(configuration->secret_names);
    const auto main = files_.read(arguments_.workflow);
    std::optional<workflow::WorkflowFiles::File> input_file;
    if (arguments_.input) input_file = files_.read(*arguments_.input);

    const bool events_on_stderr = arguments_.progress == "json";
    RunOutputs outputs(arguments_.outputs, {common_, talk_, masker_, main.name, events_on_stderr});
    int code = exit_number(RunExit::prepare_failed);
    try {
      api::RuntimeOptions options = runtime_options(common_, talk_);
      if (arguments_.launcher) options.launcher = deployer::launcher_named(*arguments_.launcher);
      Session session(std::move(*configuration), std::move(options));
      ProgressDisplay display(events_on_stderr ? "none" : arguments_.progress, session, talk_);
      workflow::RunObserver* observer = outputs.observer(display.observer());
      const workflow::Checked checked = session.prepare(main, files_, observer, Session::Purpose::run);
      const std::string wrong = tell_issues(checked, main);
      if (!checked.plan) {
        outputs.fail(wrong);
      } else {
        outputs.set_plan(*checked.plan);
        display.expect_steps(checked.plan->steps.size());
        display.expect_duration([&] { return outputs.usual_duration(); });
        code = run_plan(session, checked.plan, input_file, observer, display, outputs, timeout);
      }
    } catch (const Error& error) {
      outputs.fail(error.what());
      outputs.finish();
      throw;
    }
    // The engine is gone, so nothing more comes.
    outputs.finish();
    return code;
  }

  // Each on standard error, and all of them as one text.
  std::string tell_issues(const workflow::Checked& checked, const workflow::WorkflowFiles::File& main) const {
    if (!checked.plan && masker_)
      if (const auto parsed = workflow::parse_document(main.text, main.name); parsed.document)
        learn_literals(*masker_, *parsed.document);
    std::string all;
    for (const Issue& issue : checked.issues) {
      if (issue.severity != Severity::error) continue;
      talk_.issue(issue);
      all += (all.empty() ? "" : "\n") + report::one_line(issue);
    }
    return all;
  }

  int run_plan(Session& session, const std::shared_ptr<const workflow::Plan>& plan,
               const std::optional<workflow::WorkflowFiles::File>& input_file, workflow::RunObserver* observer,
               ProgressDisplay& display, RunOutputs& outputs, std::optional<std::chrono::milliseconds> timeout) {
    try {
      return run_with_input(session, plan, input_file, observer, display, outputs, timeout);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::usage) throw;
      talk_.error(error);
      outputs.fail(error.what());
      return exit_number(RunExit::run_failed);
    }
  }

  int run_with_input(Session& session, const std::shared_ptr<const workflow::Plan>& plan,
                     const std::optional<workflow::WorkflowFiles::File>& input_file, workflow::RunObserver* observer,
                     ProgressDisplay& display, RunOutputs& outputs, std::optional<std::chrono::milliseconds> timeout) {
    InputFile input = read_input(input_file);
    apply_settings(input.value, arguments_.set);
    if (masker_) masker_->learn(input.value);
    const Issues issues = input_issues(*plan, input);
    for (const Issue& issue : issues) talk_.issue(issue);
    if (!issues.empty()) {
      outputs.fail(report::one_line(issues.front()));
      return exit_number(RunExit::run_failed);
    }
    const workflow::RunResult result =
        session.run(plan, std::move(input.value), {observer, timeout, outputs.run(), masker_});
    display.finish();
    if (result.failure) {
      talk_.error(*result.failure);
      // A denied run has not begun; of a denied step the run tells what came of it.
      const bool denied = result.failure->code() == ErrorCode::denied;
      return exit_number(denied ? RunExit::prepare_failed : RunExit::run_failed);
    }
    std::string document;
    try {
      document = result_document(result, common_.output);
    } catch (const Error& error) {
      talk_.error(error);
      return exit_number(RunExit::prepare_failed);
    }
    write_out(document);
    return exit_number(result.error_output ? RunExit::error_output : RunExit::output);
  }

  const RunArguments& arguments_;
  const CommonOptions& common_;
  ContextFiles files_;
  std::shared_ptr<report::Masker> masker_;  // null with --no-mask
  Talk talk_;
};

}  // namespace

void add_run_command(CLI::App& app, CommonOptions& common, Action& action) {
  CLI::App* command = app.add_subcommand("run", "Run a workflow and print its result");
  const auto arguments = std::make_shared<RunArguments>();
  command->add_option("WORKFLOW", arguments->workflow, "The workflow file")->capture_default_str();
  command->add_option("-i,--input", arguments->input, "The workflow's input")->type_name("FILE");
  command
      ->add_option("--set", arguments->set,
                   "A value of the input, over the file's; dots lead into maps; may be repeated")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  command
      ->add_option("--progress", arguments->progress,
                   "How progress is shown on standard error: auto (live on a terminal, plain elsewhere), live, plain, "
                   "json (events, a line each) or none")
      ->check(CLI::IsMember({"auto", "live", "plain", "json", "none"}));
  command->add_option("--timeout", arguments->timeout, "Abort the run after this time: 90, 90s, 5m, 1h 30m")
      ->type_name("TIME");
  command
      ->add_option("--launcher", arguments->launcher,
                   "How steps are started: by a new Python each (exec), by a fork of one that has imported what the "
                   "plugin needs (forkserver), or on other machines (ssh, slurm); over the configuration's")
      ->check(CLI::IsMember({"exec", "forkserver", "ssh", "slurm"}));
  add_run_output_options(*command, arguments->outputs);
  command->footer(
      "Exit codes: 0 an output; 1 it could not be prepared; 2 an error output, or a wrong command line; 3 it "
      "failed.\n\n"
      "Example: venvoy run workflow.yaml -i input.yaml --set name=World");
  command->callback([&common, &action, arguments] {
    action = [&common, arguments] { return RunCommand(*arguments, common).run(); };
  });
}

}  // namespace venvoy::cli
