// A host's gate in the place of the engine's two.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/thread_pool.hpp>

#include "api/internal/quiet_pool.hpp"
#include "api/venvoy/gate.hpp"
#include "deployer/deploy_gate.hpp"
#include "workflow/action_gate.hpp"

namespace venvoy::api::internal {

// Asks on threads of its own: an answer may take as long as a person does, and must not keep the engine from working.
class HostGate final : public workflow::ActionGate, public deployer::DeployGate {
 public:
  explicit HostGate(std::shared_ptr<Gate> gate);
  ~HostGate() override;

  boost::asio::awaitable<deployer::GateAnswer> may_deploy(deployer::DeployQuestion question) override;
  boost::asio::awaitable<workflow::GateDecision> may_run(workflow::RunQuestion question) override;
  boost::asio::awaitable<workflow::GateDecision> may_run_step(workflow::StepQuestion question) override;
  // It is the host itself that cancels.
  boost::asio::awaitable<workflow::GateDecision> may_cancel(workflow::CancelQuestion question) override;

 private:
  boost::asio::awaitable<Decision> ask(std::function<Decision(Gate&)> question);

  std::shared_ptr<Gate> gate_;
  boost::asio::thread_pool pool_;
};

}  // namespace venvoy::api::internal
