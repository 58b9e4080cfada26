// The governor in the place of the engine's gates (spec/governance.md 8.8).
#pragma once

#include <string>

#include "deployer/deploy_gate.hpp"
#include "governance/governor.hpp"
#include "workflow/action_gate.hpp"

namespace venvoy::governance {

// An error of a policy counts as a denial, unless the configuration lets the action go on.
class EngineGates final : public workflow::ActionGate, public deployer::DeployGate {
 public:
  // The governor outlives the gates. `actor` and `request_id` are whose run it is; empty: the governor's own.
  explicit EngineGates(Governor& governor, std::string actor = {}, std::string request_id = {});

  boost::asio::awaitable<deployer::GateAnswer> may_deploy(deployer::DeployQuestion question) override;
  boost::asio::awaitable<workflow::GateDecision> may_run(workflow::RunQuestion question) override;
  boost::asio::awaitable<workflow::GateDecision> may_run_step(workflow::StepQuestion question) override;
  boost::asio::awaitable<workflow::GateDecision> may_cancel(workflow::CancelQuestion question) override;

 private:
  boost::asio::awaitable<workflow::GateDecision> ask(std::string action, schema::Value input);

  Governor& governor_;
  std::string actor_;
  std::string request_id_;
};

// What a person reads about a decision that does not allow: the reason of a denial, or the error.
std::string refusal_text(const Decision& decision);

}  // namespace venvoy::governance
