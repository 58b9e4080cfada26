#include "api/venvoy/engine.hpp"

#include "api/internal/conversion.hpp"
#include "api/internal/engine_core.hpp"
#include "api/internal/event_source.hpp"
#include "api/internal/host_files.hpp"
#include "schema/check.hpp"

namespace venvoy {

using api::internal::to_public;
using api::internal::to_schema;
using api::internal::translated;
using api::internal::usage_error;

Engine::Engine(EngineOptions options) {
  translated([&] { core_ = std::make_shared<EngineCore>(options); });
}

Engine::~Engine() {
  if (core_) core_->shut_down();
}

Engine::Engine(Engine&&) noexcept = default;

Engine& Engine::operator=(Engine&& other) noexcept {
  if (this == &other) return *this;
  if (core_) core_->shut_down();
  core_ = std::move(other.core_);
  return *this;
}

Workflow Engine::prepare(const std::string& file, PrepareOptions options) {
  const auto state = std::make_shared<Workflow::State>();
  translated([&] {
    if (!core_) throw usage_error("the engine is gone");
    const auto work = core_->begin(options.cancellation);
    api::Runtime& runtime = core_->runtime();
    require_other_thread(runtime);
    const api::internal::HostFiles files(std::move(options.context), std::move(options.files));
    api::internal::EventSource events(std::move(options.observer), {});
    workflow::PrepareOptions inner;
    inner.logger = runtime.options().logger.with("source", "executor");
    inner.observer = &events;
    inner.cancel = work->token();
    inner.max_concurrent_deployments = runtime.max_concurrent_deployments();
    workflow::Checked checked = runtime.wait_for(workflow::prepare(files.read(file), files, runtime, std::move(inner)));
    state->diagnostics = to_public(checked.issues);
    if (!checked.plan) return;
    state->core = core_;
    state->plan = core_->keep(std::move(checked.plan));
  });
  return Workflow(state);
}

bool Workflow::ready() const noexcept {
  return state_->plan != 0;
}

const std::vector<Diagnostic>& Workflow::diagnostics() const noexcept {
  return state_->diagnostics;
}

std::vector<Diagnostic> Workflow::check_input(const Value& input) const {
  std::vector<Diagnostic> found;
  translated([&] {
    const auto core = state_->core.lock();
    const auto plan = core ? core->plan(state_->plan) : nullptr;
    if (!plan) throw usage_error("the workflow is not ready, or its engine is gone");
    try {
      schema::unserialize(*plan->input, to_schema(input));
    } catch (const schema::MismatchError& error) {
      for (const schema::Mismatch& mismatch : error.mismatches())
        found.push_back({Diagnostic::Severity::error, {}, mismatch.sentence(), {}});
    }
  });
  return found;
}

Result Workflow::run(const Value& input, RunOptions options) const {
  return start(input, std::move(options)).wait();
}

}  // namespace venvoy
