// Runs, as hosts see them.
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "api/internal/conversion.hpp"
#include "api/internal/engine_core.hpp"
#include "api/internal/event_source.hpp"
#include "api/run_id.hpp"
#include "workflow/engine.hpp"

namespace venvoy {

namespace asio = boost::asio;
using api::internal::to_public;
using api::internal::to_schema;
using api::internal::translated;
using api::internal::usage_error;

struct Run::State {
  std::string id;
  std::thread::id loop;
  std::unique_ptr<api::internal::EventSource> events;
  CancelToken::Registration abort;

  mutable std::mutex mutex;
  mutable std::condition_variable change;
  std::shared_ptr<EngineCore::Work> work;  // until the end
  std::optional<workflow::RunResult> result;
  std::vector<StepFailure> step_failures;
  std::optional<std::chrono::steady_clock::time_point> deadline;

  // On the loop. What belongs to the host goes before the result is there; what holds the engine, last.
  void end(workflow::RunResult given) {
    abort = {};
    if (given.failure) given.failure = as_asked(*given.failure);
    step_failures = events->take_step_failures();
    events.reset();
    std::shared_ptr<EngineCore::Work> done;
    {
      const std::lock_guard lock(mutex);
      result = std::move(given);
      done = std::move(work);
      change.notify_all();
    }
  }

  // When steps were closed because somebody wanted the run to end, the failure may be that no output is left; what
  // programs want to know is that it was ended.
  Error as_asked(const Error& error) const {
    const bool late = deadline && std::chrono::steady_clock::now() >= *deadline;
    if (error.code() != ErrorCode::evaluation || !(late || work->token().cancelled())) return error;
    return Error(late ? ErrorCode::timed_out : ErrorCode::cancelled, error.what());
  }

  void require_other_thread() const {
    if (std::this_thread::get_id() == loop) throw usage_error("an observer cannot wait for the engine that calls it");
  }
};

namespace {

workflow::RunResult result_of(std::exception_ptr error, workflow::RunResult result) {
  if (!error) return result;
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& unforeseen) {
    result.failure = Error(ErrorCode::internal, unforeseen.what());
  }
  return result;
}

Result to_result(const workflow::RunResult& inner, const std::vector<StepFailure>& step_failures) {
  Result result;
  result.step_failures = step_failures;
  if (inner.failure) {
    result.failure = to_public(*inner.failure);
    return result;
  }
  result.output_id = inner.output_id;
  result.output = to_public(schema::nulls_as_written(inner.output_data));
  result.error_output = inner.error_output;
  return result;
}

}  // namespace

Run Workflow::start(const Value& input, RunOptions options) const {
  const auto state = std::make_shared<Run::State>();
  translated([&] {
    const auto core = state_->core.lock();
    if (!core) throw usage_error("the workflow is not ready, or its engine is gone");
    const auto work = core->begin(options.cancellation);
    api::Runtime& runtime = core->runtime();
    state->id = api::new_run_id();
    state->loop = runtime.loop_thread();
    state->events = std::make_unique<api::internal::EventSource>(std::move(options.observer), state->id);
    workflow::RunOptions inner;
    inner.logger = runtime.options().logger.with("source", "workflow");
    inner.observer = state->events.get();
    inner.gate = core->gate();
    inner.run_id = state->id;
    inner.timeout = options.timeout;
    inner.logged_outputs = runtime.configuration().logged_outputs;
    auto control = std::make_shared<workflow::RunControl>();
    auto running = workflow::run(core->plan(state_->plan), to_schema(input), runtime, std::move(inner), control);
    state->work = work;
    if (options.timeout) state->deadline = std::chrono::steady_clock::now() + *options.timeout;
    state->abort = work->token().on_cancel(
        [executor = runtime.executor(), control] { asio::post(executor, [control] { control->abort(); }); });
    asio::co_spawn(runtime.executor(), std::move(running),
                   [state](std::exception_ptr error, workflow::RunResult result) {
                     state->end(result_of(error, std::move(result)));
                   });
  });
  return Run(state);
}

const std::string& Run::id() const noexcept {
  return state_->id;
}

void Run::cancel() {
  std::shared_ptr<EngineCore::Work> work;
  {
    const std::lock_guard lock(state_->mutex);
    work = state_->work;
  }
  if (work) work->cancel();
}

bool Run::ended() const {
  const std::lock_guard lock(state_->mutex);
  return state_->result.has_value();
}

Result Run::wait() const {
  state_->require_other_thread();
  std::unique_lock lock(state_->mutex);
  state_->change.wait(lock, [this] { return state_->result.has_value(); });
  Result result;
  translated([&] { result = to_result(*state_->result, state_->step_failures); });
  return result;
}

std::optional<Result> Run::wait_for(std::chrono::milliseconds time) const {
  state_->require_other_thread();
  {
    std::unique_lock lock(state_->mutex);
    if (!state_->change.wait_for(lock, time, [this] { return state_->result.has_value(); })) return std::nullopt;
  }
  return wait();
}

}  // namespace venvoy
