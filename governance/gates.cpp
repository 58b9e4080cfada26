#include "governance/gates.hpp"

#include <fmt/format.h>

#include "schema/value.hpp"

namespace venvoy::governance {

namespace asio = boost::asio;

using schema::Map;
using schema::Value;

EngineGates::EngineGates(Governor& governor, std::string actor, std::string request_id)
    : governor_(governor),
      actor_(actor.empty() ? governor.actor() : std::move(actor)),
      request_id_(std::move(request_id)) {}

std::string refusal_text(const Decision& decision) {
  if (decision.outcome == Outcome::deny)
    return fmt::format("{} (rule {}, decision {})", decision.reason_text, decision.rule, decision.decision_id);
  return fmt::format("the policy failed, {}: {} (rule {}, decision {})", decision.error_kind, decision.error,
                     decision.rule, decision.decision_id);
}

asio::awaitable<workflow::GateDecision> EngineGates::ask(std::string action, Value input) {
  Map whole = input.take_map();
  whole.set("actor", actor_);
  whole.set("request_id", request_id_);
  const bool has_input = whole.contains("input");
  const Value before = has_input ? *whole.find("input") : Value();
  ActionQuestion question;
  question.action = std::move(action);
  question.input = std::move(whole);
  question.actor = actor_;
  question.request_id = request_id_;
  const CancelToken never;
  const Decision decision = co_await governor_.decide(std::move(question), never);
  workflow::GateDecision answer;
  answer.allowed = decision.outcome == Outcome::allow;
  if (!answer.allowed) answer.reason = refusal_text(decision);
  if (answer.allowed && has_input)
    if (const Value* after = decision.input.find("input"); after && !(*after == before)) answer.input = *after;
  co_return answer;
}

asio::awaitable<deployer::GateAnswer> EngineGates::may_deploy(deployer::DeployQuestion question) {
  Map input({{"reference", question.reference},
             {"source", question.source_kind},
             {"pull_policy", question.pull_policy},
             {"compat_override", question.override_compatibility}});
  Value value = std::move(input);
  const workflow::GateDecision decision = co_await ask("engine.deploy_plugin", std::move(value));
  deployer::GateAnswer answer;
  answer.allowed = decision.allowed;
  answer.reason = decision.reason;
  co_return answer;
}

asio::awaitable<workflow::GateDecision> EngineGates::may_run(workflow::RunQuestion question) {
  schema::List plugins;
  for (const std::string& plugin : question.plugins) plugins.emplace_back(plugin);
  Map input({{"workflow", Map({{"digest", question.digest}, {"name", question.workflow}})},
             {"plugins", std::move(plugins)},
             {"input", std::move(question.input)}});
  Value value = std::move(input);
  co_return co_await ask("engine.run_workflow", std::move(value));
}

asio::awaitable<workflow::GateDecision> EngineGates::may_run_step(workflow::StepQuestion question) {
  Map input({{"plugin", question.plugin},
             {"step", question.step},
             {"plugin_step", question.plugin_step},
             {"input", std::move(question.input)},
             {"workflow", question.workflow}});
  Value value = std::move(input);
  co_return co_await ask("engine.run_step", std::move(value));
}

asio::awaitable<workflow::GateDecision> EngineGates::may_cancel(workflow::CancelQuestion question) {
  Map input({{"run_id", question.run}, {"reason", question.reason}});
  Value value = std::move(input);
  co_return co_await ask("engine.cancel", std::move(value));
}

}  // namespace venvoy::governance
