// venvoy check
#include <memory>
#include <optional>
#include <string>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "base/exit_code.hpp"
#include "cli/commands.hpp"
#include "cli/session.hpp"
#include "report/plain_progress.hpp"

namespace venvoy::cli {
namespace {

struct CheckArguments {
  std::string workflow = "workflow.yaml";
  std::optional<std::string> input;
};

// A failure to reach what a file names says nothing about the file.
bool could_not_look(ErrorCode code) {
  switch (code) {
    case ErrorCode::network:
    case ErrorCode::authentication:
    case ErrorCode::environment:
    case ErrorCode::cancelled:
    case ErrorCode::io:
    case ErrorCode::internal:
      return true;
    default:
      return false;
  }
}

schema::Value to_value(const Issue& issue) {
  schema::Map map{{"severity", issue.severity == Severity::error ? "error" : "warning"}, {"text", issue.text}};
  if (issue.at.known()) {
    map.insert("file", issue.at.file);
    map.insert("line", issue.at.line);
    map.insert("column", issue.at.column);
  }
  if (!issue.hint.empty()) map.insert("hint", issue.hint);
  return map;
}

class CheckCommand {
 public:
  CheckCommand(const CheckArguments& arguments, const CommonOptions& common)
      : arguments_(arguments), common_(common), files_(common.context), talk_(common, &files_) {}

  int run() {
    CheckExit exit = CheckExit::clean;
    try {
      look();
    } catch (const Error& error) {
      if (error.code() == ErrorCode::usage) throw;
      add({Severity::error, error.position(), error.what(), error.hint(), error.code()});
    }
    if (!findings_.empty()) exit = looked_ ? CheckExit::findings : CheckExit::could_not_look;
    write_out(data_document(schema::Map{{"findings", std::move(findings_)}}, common_.output));
    return exit_number(exit);
  }

 private:
  void look() {
    auto configuration = load_configuration(common_, files_, talk_);
    if (!configuration) throw Error(ErrorCode::document, "the workflow cannot be checked with this configuration");
    const auto main = files_.read(arguments_.workflow);
    std::optional<workflow::WorkflowFiles::File> input_file;
    if (arguments_.input) input_file = files_.read(*arguments_.input);

    Session session(std::move(*configuration), runtime_options(common_, talk_));
    report::PlainProgress progress([this](std::string_view text) { talk_.line(text); }, system_clock());
    const workflow::Checked checked = session.prepare(main, files_, talk_.quiet() ? nullptr : &progress, true);
    for (const Issue& issue : checked.issues) add(issue);
    if (!input_file) return;
    try {
      const InputFile input = read_input(input_file);
      if (checked.plan)
        for (const Issue& issue : input_issues(*checked.plan, input)) add(issue);
    } catch (const Error& error) {
      add({Severity::error, error.position(), error.what(), error.hint(), error.code()});
    }
  }

  void add(const Issue& issue) {
    talk_.issue(issue);
    looked_ = looked_ || !could_not_look(issue.code);
    findings_.push_back(to_value(issue));
  }

  const CheckArguments& arguments_;
  const CommonOptions& common_;
  ContextFiles files_;
  Talk talk_;
  schema::List findings_;
  bool looked_ = false;  // a finding says something about what was checked
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
