// Running a plan: the second half of engine.hpp.
#include <algorithm>
#include <map>
#include <set>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "base/sha256.hpp"
#include "schema/check.hpp"
#include "workflow/engine.hpp"
#include "workflow/internal/cancel_asking.hpp"
#include "workflow/internal/gate_answer.hpp"
#include "workflow/internal/workflow_run.hpp"

namespace venvoy::workflow {

namespace asio = boost::asio;

// The one place that may reach into a RunControl: connects it as long as this object lives.
class RunControlAccess {
 public:
  explicit RunControlAccess(RunControl& control) : control_(control) {}
  void connect(std::function<void()> on_abort) {
    control_.on_abort_ = std::move(on_abort);
    if (control_.aborted_) control_.on_abort_();
  }
  ~RunControlAccess() { control_.on_abort_ = nullptr; }
  // The request to abort was denied: it may be made again.
  void forget_request() { control_.aborted_ = false; }
  const std::string& reason() const noexcept { return control_.reason_; }
  RunControlAccess(const RunControlAccess&) = delete;
  RunControlAccess& operator=(const RunControlAccess&) = delete;

 private:
  RunControl& control_;
};

void RunControl::abort(std::string reason) {
  if (std::exchange(aborted_, true)) return;
  reason_ = std::move(reason);
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

// The plugins of a plan and of its loops, each once. `seen` has the plans that have been looked at.
void collect_plugins(const Plan& plan, std::set<const Plan*>& seen, std::vector<std::string>& plugins) {
  if (!seen.insert(&plan).second) return;
  for (const PlanStep& step : plan.steps) {
    if (step.is_loop())
      collect_plugins(*step.body, seen, plugins);
    else if (std::find(plugins.begin(), plugins.end(), step.plugin_source) == plugins.end())
      plugins.push_back(step.plugin_source);
  }
}

RunQuestion question_about(const Plan& plan, const schema::Value& input) {
  RunQuestion question{plan.document->file, sha256_hex(plan.document->text), {}, input};
  std::set<const Plan*> seen;
  collect_plugins(plan, seen, question.plugins);
  return question;
}

RunFinished report_of(const RunResult& result) {
  if (!result.failure)
    return {result.error_output ? Outcome::failed : Outcome::succeeded, result.output_id, {}, result.output_data};
  const bool cancelled = result.failure->code() == ErrorCode::cancelled;
  return {cancelled ? Outcome::cancelled : Outcome::failed, {}, result.failure->what(), {}};
}

// How often a run of the plan starts each plugin, as far as can be seen before it: a loop does so more than once.
void count_starts(const Plan& plan, std::size_t times, std::map<deployer::Plugin*, std::size_t>& starts) {
  constexpr std::size_t more_than_once = 2;
  for (const PlanStep& step : plan.steps) {
    if (step.is_loop())
      count_starts(*step.body, more_than_once, starts);
    else if (step.plugin)
      starts[step.plugin.get()] += times;
  }
}

// Tells the plugins of a plan, which outlives it, that they are going to be used.
class PluginsInUse {
 public:
  explicit PluginsInUse(const Plan& plan) {
    count_starts(plan, 1, starts_);
    for (const auto& [plugin, count] : starts_) plugin->begin_run(count);
  }
  ~PluginsInUse() {
    for (const auto& [plugin, count] : starts_) plugin->end_run();
  }
  asio::awaitable<void> close_unused() const {
    for (const auto& started : starts_) co_await started.first->close_unused();
  }
  PluginsInUse(const PluginsInUse&) = delete;
  PluginsInUse& operator=(const PluginsInUse&) = delete;

 private:
  std::map<deployer::Plugin*, std::size_t> starts_;
};

// The run itself, between the events of its start and its end.
asio::awaitable<RunResult> run_checked(std::shared_ptr<const Plan> plan, schema::Value input,
                                       const internal::RunSetting& setting, std::shared_ptr<RunControl> control) {
  const RunOptions& options = setting.options;
  if (options.gate) {
    RunQuestion question = question_about(*plan, input);
    GateDecision decision;
    try {
      decision = co_await options.gate->may_run(std::move(question));
    } catch (const Error& error) {
      decision = internal::denial(error);
    }
    if (!decision.allowed)
      co_return failed(Error(ErrorCode::denied, "a policy has denied the run: " + decision.reason));
    if (decision.input) input = internal::replaced_input(*plan->input, *decision.input, {});
  }
  if (options.logger.enabled(LogLevel::debug))
    options.logger.debug("the graph of {}:\n{}", plan->document->file, plan->graph.mermaid());
  const PluginsInUse in_use(*plan);
  internal::WorkflowRun run(plan, setting, options.logger, {});
  RunControlAccess* access = nullptr;
  internal::CancelAsking cancelling(setting, run, [&access] { access->forget_request(); });
  RunControlAccess connection(*control);
  access = &connection;
  connection.connect([&cancelling, &connection] { cancelling.request(connection.reason()); });
  co_await cancelling.settled();  // of a request from before the run
  if (options.timeout) run.set_deadline(std::chrono::steady_clock::now() + *options.timeout);
  RunResult result = co_await run.execute(std::move(input));
  co_await cancelling.settled();
  co_await in_use.close_unused();
  co_return result;
}

}  // namespace

asio::awaitable<RunResult> run(std::shared_ptr<const Plan> plan, schema::Value input, Deployers& deployers,
                               RunOptions options, std::shared_ptr<RunControl> control) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const internal::RunSetting setting{executor, deployers, options};
  if (options.observer) options.observer->run_started({plan->document->file, options.run_id, input});
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
