// Running a plan: the second half of engine.hpp.
#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "base/sha256.hpp"
#include "schema/check.hpp"
#include "workflow/engine.hpp"
#include "workflow/internal/workflow_run.hpp"

namespace venvoy::workflow {

namespace asio = boost::asio;

// The one place that may reach into a RunControl.
class RunControlAccess {
 public:
  static void connect(RunControl& control, std::function<void()> on_abort) {
    control.on_abort_ = std::move(on_abort);
    if (control.aborted_) control.on_abort_();
  }
  static void disconnect(RunControl& control) { control.on_abort_ = nullptr; }
};

void RunControl::abort() {
  if (std::exchange(aborted_, true)) return;
  if (on_abort_) on_abort_();
}

std::string_view to_text(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::succeeded:
      return "succeeded";
    case Outcome::failed:
      return "failed";
    case Outcome::cancelled:
      return "cancelled";
    case Outcome::disabled:
      return "disabled";
  }
  return "";
}

namespace {

RunResult failed(Error error) {
  RunResult result;
  result.failure = std::move(error);
  return result;
}

RunQuestion question_about(const Plan& plan, const schema::Value& input) {
  RunQuestion question{plan.document->file, sha256_hex(plan.document->text), {}, input};
  for (const PlanStep& step : plan.steps)
    if (!step.is_loop()) question.plugins.push_back(step.plugin_source);
  return question;
}

RunFinished report_of(const RunResult& result) {
  if (!result.failure) return {result.error_output ? Outcome::failed : Outcome::succeeded, result.output_id, {}};
  const bool cancelled = result.failure->code() == ErrorCode::cancelled;
  return {cancelled ? Outcome::cancelled : Outcome::failed, {}, result.failure->what()};
}

// The run itself, between the events of its start and its end.
asio::awaitable<RunResult> run_checked(std::shared_ptr<const Plan> plan, schema::Value input,
                                       const internal::RunSetting& setting, std::shared_ptr<RunControl> control) {
  const RunOptions& options = setting.options;
  if (options.gate) {
    RunQuestion question = question_about(*plan, input);
    GateDecision decision = co_await options.gate->may_run(std::move(question));
    if (!decision.allowed)
      co_return failed(Error(ErrorCode::denied, "a policy has denied the run: " + decision.reason));
    if (decision.input) input = schema::unserialize(*plan->input, *decision.input);
  }
  if (options.logger.enabled(LogLevel::debug))
    options.logger.debug("the graph of {}:\n{}", plan->document->file, plan->graph.mermaid());
  internal::WorkflowRun run(plan, setting, options.logger, {});
  RunControlAccess::connect(*control, [&run] { run.abort(); });
  if (options.timeout) run.set_deadline(std::chrono::steady_clock::now() + *options.timeout);
  RunResult result = co_await run.execute(std::move(input));
  RunControlAccess::disconnect(*control);
  co_return result;
}

}  // namespace

asio::awaitable<RunResult> run(std::shared_ptr<const Plan> plan, schema::Value input, Deployers& deployers,
                               RunOptions options, std::shared_ptr<RunControl> control) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const internal::RunSetting setting{executor, deployers, options};
  if (options.observer) options.observer->run_started({plan->document->file, options.run_id});
  RunResult result;
  try {
    input = schema::unserialize(*plan->input, input);
    result = co_await run_checked(plan, std::move(input), setting, control);
  } catch (Error& error) {
    if (error.code() == ErrorCode::schema) error.add_frame("invalid workflow input");
    result = failed(error);
  }
  if (options.observer) options.observer->run_finished(report_of(result));
  co_return result;
}

}  // namespace venvoy::workflow
