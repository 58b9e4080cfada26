#include "cli/go_face.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <unistd.h>

#include <fmt/format.h>

#include "api/state_dir.hpp"
#include "base/exit_code.hpp"
#include "cli/common.hpp"
#include "cli/face.hpp"
#include "cli/log_output.hpp"
#include "cli/result_output.hpp"
#include "cli/run_outputs.hpp"
#include "cli/session.hpp"
#include "os/environment.hpp"
#include "report/diagnostics.hpp"

namespace venvoy::cli {
namespace {

constexpr int prepare_failed = exit_number(RunExit::prepare_failed);

// A failure before anything was prepared: the Go engine prints its usage after it.
struct StartFailure {
  std::string message;
};

std::string with_hint(std::string text, const std::string& hint) {
  return hint.empty() ? text : fmt::format("{}\n{}", text, hint);
}

class GoFace {
 public:
  GoFace(std::string program, const GoFlags& flags, std::uint64_t child_file_limit)
      : program_(std::move(program)), flags_(flags), child_file_limit_(child_file_limit), files_(flags.context) {}

  int run() {
    try {
      load();
    } catch (const StartFailure& failure) {
      logger_.error("{}", failure.message);
      std::cerr << go_usage(program_);
      return prepare_failed;
    }
    Session session(std::move(configuration_), runtime_options());
    const auto plan = prepare(session);
    if (!plan) return prepare_failed;
    if (flags_.get_namespaces) return print_namespaces(*plan);
    return run_plan(session, plan);
  }

 private:
  void load() {
    use_log_level(LogLevel::info);
    logger_ = Logger(sink_);  // until the configured one is there, lines have no labels
    const auto registry = api::make_registry_for_reading();
    const os::Environment environment = os::current_environment();
    api::ReadConfiguration read;
    if (flags_.config.empty()) {
      read = api::default_configuration(*registry, environment);
    } else {
      const std::string frame = fmt::format("Failed to load configuration file {}", flags_.config);
      try {
        const auto file = files_.read(flags_.config);
        read = api::read_configuration(file.text, file.name, *registry, environment);
      } catch (const Error& error) {
        throw StartFailure{fmt::format("{} ({})", frame, error.what())};
      }
      for (const Issue& issue : read.issues) throw StartFailure{fmt::format("{} ({})", frame, report::one_line(issue))};
    }
    configuration_ = std::move(read.configuration);
    masker_->add_names(configuration_.secret_names);
    use_log_level(flags_.debug ? LogLevel::debug : configuration_.log_level);
    logger_ = Logger(sink_).with("source", "main");
    try {
      workflow_ = files_.read(flags_.workflow);
      if (!flags_.input.empty()) input_ = files_.read(flags_.input);
    } catch (const Error& error) {
      throw StartFailure{fmt::format("Failed to load required files into context ({})", error.what())};
    }
  }

  void use_log_level(LogLevel level) {
    sink_ = masked_sink(make_log_sink({LogForm::go, level, ::isatty(STDERR_FILENO) == 1}), masker_);
  }

  api::RuntimeOptions runtime_options() const {
    api::RuntimeOptions options;
    options.state_dir = api::default_state_dir(os::current_environment(), ::geteuid() == 0);
    options.mask = [masker = masker_](std::string_view text) { return masker->masked_text(text); };
    options.context = flags_.context;
    options.logger = Logger(sink_);
    options.contract_is_advice = std::filesystem::path(program_).filename() == "arcaflow";
    options.child_file_limit = child_file_limit_;
    // Whoever governs this machine does so for both faces.
    options.govern = api::RuntimeOptions::Govern::as_configured;
    options.actor = acting_user();
    if (!flags_.config.empty())
      options.configuration_dir =
          std::filesystem::absolute(std::filesystem::path(flags_.context) / flags_.config).parent_path();
    return options;
  }

  std::shared_ptr<const workflow::Plan> prepare(Session& session) {
    try {
      workflow::Checked checked = session.prepare(workflow_, files_, nullptr, Session::Purpose::run);
      for (const Issue& issue : checked.issues)
        if (issue.severity == Severity::error)
          logger_.error("Invalid workflow ({})", with_hint(report::one_line(issue), issue.hint));
      return checked.plan;
    } catch (const Error& error) {
      logger_.error("Invalid workflow ({})", with_hint(error.what(), error.hint()));
      return nullptr;
    }
  }

  int print_namespaces(const workflow::Plan& plan) {
    const std::string table = namespace_table_text(workflow::namespace_table(plan));
    if (table.empty()) logger_.warning("No namespaces found in workflow");
    std::cout << table << std::flush;
    return exit_number(RunExit::output);
  }

  int run_plan(Session& session, const std::shared_ptr<const workflow::Plan>& plan) {
    try {
      InputFile input = read_input(input_);
      const Issues issues = input_issues(*plan, input);
      for (const Issue& issue : issues) logger_.error("Workflow execution failed ({})", report::one_line(issue));
      if (!issues.empty()) return exit_number(RunExit::run_failed);
      masker_->learn(input.value);
      learn_literals(*masker_, *plan);
      return finish(session.run(plan, std::move(input.value), {nullptr, std::nullopt, {}, masker_}));
    } catch (const Error& error) {
      logger_.error("Workflow execution failed ({})", with_hint(place_and_text(error), error.hint()));
      return exit_number(RunExit::run_failed);
    }
  }

  int finish(const workflow::RunResult& result) {
    if (result.failure) {
      logger_.error("Workflow execution failed ({})",
                    with_hint(place_and_text(*result.failure), result.failure->hint()));
      return result.failure->code() == ErrorCode::denied ? prepare_failed : exit_number(RunExit::run_failed);
    }
    try {
      std::cout << result_document(result, OutputForm::yaml) << std::flush;
    } catch (const Error& error) {
      logger_.error("Failed to marshal output ({})", error.what());
      return prepare_failed;
    }
    return exit_number(result.error_output ? RunExit::error_output : RunExit::output);
  }

  static std::string place_and_text(const Error& error) {
    return error.position().known() ? fmt::format("{}: {}", error.position().text(), error.what()) : error.what();
  }

  std::string program_;
  const GoFlags& flags_;
  std::uint64_t child_file_limit_;
  ContextFiles files_;
  std::shared_ptr<report::Masker> masker_ = std::make_shared<report::Masker>();
  std::shared_ptr<LogSink> sink_;
  Logger logger_;
  api::Configuration configuration_;
  workflow::WorkflowFiles::File workflow_;
  std::optional<workflow::WorkflowFiles::File> input_;
};

}  // namespace

int run_go_face(const std::string& program, const std::vector<std::string>& arguments, std::uint64_t child_file_limit) {
  const auto parsed = parse_go_flags(arguments);
  if (const auto* wrong = std::get_if<GoFlagError>(&parsed)) {
    std::cerr << wrong->message << '\n' << go_usage(program);
    return usage_exit;
  }
  const GoFlags& flags = std::get<GoFlags>(parsed);
  if (flags.help) {
    std::cerr << go_usage(program);
    return 0;
  }
  if (flags.version) {
    std::cout << go_version_block() << std::flush;
    return 0;
  }
  return GoFace(program, flags, child_file_limit).run();
}

}  // namespace venvoy::cli
