// venvoy check
#include <memory>
#include <optional>
#include <string>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "base/exit_code.hpp"
#include "cli/commands.hpp"
#include "cli/findings.hpp"
#include "cli/progress_display.hpp"
#include "cli/session.hpp"

namespace venvoy::cli {
namespace {

struct CheckArguments {
  std::string workflow = "workflow.yaml";
  std::optional<std::string> input;
};

class CheckCommand {
 public:
  CheckCommand(const CheckArguments& arguments, const CommonOptions& common)
      : arguments_(arguments), common_(common), files_(common.context), talk_(common, &files_), findings_(talk_) {}

  int run() {
    try {
      look();
    } catch (const Error& error) {
      if (error.code() == ErrorCode::usage) throw;
      findings_.add(error);
    }
    write_out(data_document(schema::Map{{"findings", findings_.take()}}, common_.output));
    return exit_number(findings_.exit());
  }

 private:
  void look() {
    api::ReadConfiguration configuration = read_configuration(common_, files_);
    for (const Issue& issue : configuration.issues) findings_.add(issue);
    if (has_errors(configuration.issues)) return;
    const auto main = files_.read(arguments_.workflow);
    std::optional<workflow::WorkflowFiles::File> input_file;
    if (arguments_.input) input_file = files_.read(*arguments_.input);

    Session session(std::move(configuration.configuration), runtime_options(common_, talk_));
    ProgressDisplay progress("auto", session, talk_);
    const workflow::Checked checked = session.prepare(main, files_, progress.observer(), Session::Purpose::check);
    progress.finish();
    for (const Issue& issue : checked.issues) findings_.add(issue);
    if (!input_file) return;
    try {
      const InputFile input = read_input(input_file);
      if (checked.plan)
        for (const Issue& issue : input_issues(*checked.plan, input)) findings_.add(issue);
    } catch (const Error& error) {
      findings_.add(error);
    }
  }

  const CheckArguments& arguments_;
  const CommonOptions& common_;
  ContextFiles files_;
  Talk talk_;
  Findings findings_;
};

}  // namespace

void add_check_command(CLI::App& app, CommonOptions& common, Action& action) {
  CLI::App* check = app.add_subcommand("check", "Find everything that can be known to be wrong before a run");
  const auto arguments = std::make_shared<CheckArguments>();
  check->add_option("WORKFLOW", arguments->workflow, "The workflow file")->capture_default_str();
  check->add_option("-i,--input", arguments->input, "Check this input file too")->type_name("FILE");
  check->footer(
      "References, contracts, schemas, types and the input are looked at, and all findings told at once.\n"
      "Exit code: 0 nothing found, 1 findings, 2 wrong usage, 3 a repository or the store could not be reached.\n\n"
      "Example: venvoy check workflow.yaml -i input.yaml");
  check->callback([&common, &action, arguments] {
    action = [&common, arguments] { return CheckCommand(*arguments, common).run(); };
  });
}

}  // namespace venvoy::cli
