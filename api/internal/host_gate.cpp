#include "api/internal/host_gate.hpp"

#include "api/internal/conversion.hpp"
#include "os/on_pool.hpp"

namespace venvoy::api::internal {

namespace asio = boost::asio;

namespace {

// Questions that wait for an answer at a time.
constexpr std::size_t gate_threads = 4;

workflow::GateDecision to_inner(Decision decision) {
  workflow::GateDecision result;
  result.allowed = decision.allowed;
  result.reason = std::move(decision.reason);
  if (decision.input) result.input = to_schema(*decision.input);
  return result;
}

Decision denied(std::string reason) {
  return {false, std::move(reason), std::nullopt};
}

}  // namespace

HostGate::HostGate(std::shared_ptr<Gate> gate) : gate_(std::move(gate)), pool_(quiet_pool(gate_threads)) {}

HostGate::~HostGate() {
  pool_.join();
}

asio::awaitable<Decision> HostGate::ask(std::function<Decision(Gate&)> question) {
  std::function<Decision(const CancelToken&)> work = [gate = gate_, question = std::move(question)](auto&) {
    try {
      return question(*gate);
    } catch (const std::exception& error) {
      return denied(error.what());
    } catch (...) {
      return denied("the gate has thrown something");
    }
  };
  CancelToken never;
  Decision decision = co_await os::on_pool<Decision>(pool_, std::move(never), std::move(work));
  co_return decision;
}

asio::awaitable<deployer::GateAnswer> HostGate::may_deploy(deployer::DeployQuestion question) {
  DeployRequest request{question.reference, question.source_kind, question.pull_policy,
                        question.override_compatibility};
  std::function<Decision(Gate&)> asking = [request = std::move(request)](Gate& gate) {
    return gate.may_deploy(request);
  };
  Decision decision = co_await ask(std::move(asking));
  deployer::GateAnswer answer;
  answer.allowed = decision.allowed;
  answer.reason = std::move(decision.reason);
  co_return answer;
}

asio::awaitable<workflow::GateDecision> HostGate::may_run(workflow::RunQuestion question) {
  RunRequest request{question.workflow, question.digest, question.plugins, to_public(question.input)};
  std::function<Decision(Gate&)> asking = [request = std::move(request)](Gate& gate) { return gate.may_run(request); };
  Decision decision = co_await ask(std::move(asking));
  co_return to_inner(std::move(decision));
}

asio::awaitable<workflow::GateDecision> HostGate::may_run_step(workflow::StepQuestion question) {
  StepRequest request{question.workflow, question.plugin, question.step, question.plugin_step,
                      to_public(question.input)};
  std::function<Decision(Gate&)> asking = [request = std::move(request)](Gate& gate) {
    return gate.may_run_step(request);
  };
  Decision decision = co_await ask(std::move(asking));
  co_return to_inner(std::move(decision));
}

asio::awaitable<workflow::GateDecision> HostGate::may_cancel(workflow::CancelQuestion) {
  co_return workflow::GateDecision();
}

}  // namespace venvoy::api::internal
