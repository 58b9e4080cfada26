#include "cli/session.hpp"

#include <fmt/format.h>

#include "api/run_id.hpp"
#include "schema/check.hpp"
#include "schema/locate.hpp"

namespace venvoy::cli {

// What the first interrupt stops. Shared with the handler, which may run until the very end.
struct Session::Stop {
  CancelSource preparing;
  std::shared_ptr<workflow::RunControl> running = std::make_shared<workflow::RunControl>();
};

InputFile read_input(const std::optional<workflow::WorkflowFiles::File>& file) {
  InputFile input;
  input.file = file.value_or(workflow::WorkflowFiles::File{"{}", "input"});
  try {
    input.root = schema::read_yaml(input.file.text, input.file.name);
  } catch (Error& error) {
    throw error.add_frame("failed to YAML decode input");
  }
  input.value = schema::to_text_value(input.root);
  return input;
}

Issues input_issues(const workflow::Plan& plan, const InputFile& input) {
  Issues issues;
  try {
    schema::unserialize(*plan.input, input.value);
  } catch (const schema::MismatchError& error) {
    for (const schema::Mismatch& mismatch : error.mismatches())
      issues.push_back({Severity::error,
                        schema::locate(input.root, mismatch.path).position(input.file.name),
                        fmt::format("invalid workflow input ({})", mismatch.sentence()),
                        {}});
  }
  return issues;
}

Session::Session(api::Configuration configuration, api::RuntimeOptions options)
    : stop_(std::make_shared<Stop>()),
      runtime_(std::move(configuration), std::move(options)),
      interrupts_(runtime_.executor(), runtime_.options().logger.with("source", "main"), [stop = stop_] {
        stop->preparing.cancel();
        stop->running->abort();
      }) {}

Session::~Session() = default;

CancelToken Session::cancel_token() const {
  return stop_->preparing.token();
}

workflow::Checked Session::prepare(const workflow::WorkflowFiles::File& main, const ContextFiles& files,
                                   workflow::RunObserver* observer, Purpose purpose) {
  workflow::PrepareOptions options;
  options.find_everything = purpose == Purpose::check;
  options.about_to_run = purpose == Purpose::run;
  options.logger = runtime_.options().logger.with("source", "executor");
  options.observer = observer;
  options.cancel = cancel_token();
  options.max_concurrent_deployments = runtime_.max_concurrent_deployments();
  return runtime_.wait_for(workflow::prepare(main, files, runtime_, std::move(options)));
}

workflow::RunResult Session::run(std::shared_ptr<const workflow::Plan> plan, schema::Value input, RunWishes wishes) {
  workflow::RunOptions options;
  options.logger = runtime_.options().logger.with("source", "workflow");
  options.observer = wishes.observer;
  options.run_id = wishes.run_id.empty() ? api::new_run_id() : wishes.run_id;
  options.gate = runtime_.action_gate();
  options.timeout = wishes.timeout;
  if (wishes.masker)
    options.shown_in_logs = [masker = wishes.masker](const schema::Value& data) { return masker->masked(data); };
  options.logged_outputs = runtime_.configuration().logged_outputs;
  return runtime_.wait_for(
      workflow::run(std::move(plan), std::move(input), runtime_, std::move(options), stop_->running));
}

}  // namespace venvoy::cli
