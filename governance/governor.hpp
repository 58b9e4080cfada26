// Decides about actions: rules, registry, evaluation and decision log put together (spec/governance.md section 8).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "governance/decision.hpp"
#include "governance/decision_log.hpp"
#include "governance/execution_mode.hpp"
#include "governance/local_evaluator.hpp"
#include "governance/policy_code.hpp"
#include "governance/registry.hpp"
#include "governance/remote_evaluator.hpp"
#include "governance/rule_store.hpp"
#include "governance/settings.hpp"

namespace venvoy::governance {

struct ActionQuestion {
  std::string action;      // a name of the table
  std::string cluster_id;  // empty: only the network's rules count
  schema::Value input = schema::Map();
  std::string actor;
  std::string request_id;
  bool dry_run = false;
};

struct Decision {
  Outcome outcome = Outcome::allow;
  schema::Value input;  // of an allow: what the action runs with
  std::string action;
  std::string rule;         // the one that decided; empty if there is none
  std::string decision_id;  // of its record in the log; of an action without rules only for correlation
  schema::Value reason;     // of a denial
  std::string reason_text;
  std::string error_kind;
  std::string error;
  bool allowed_on_error = false;
};

// Counted since the start.
struct GovernorCounts {
  std::map<std::pair<std::string, std::string>, std::uint64_t> decisions;  // by action and outcome
  std::uint64_t microseconds = 0;                                          // spent on evaluations
  std::uint64_t evaluations = 0;
};

// Used on the engine's loop, but for the functions that say otherwise. `<state>/governance` holds what it keeps.
class Governor {
 public:
  // Throws an Error (document, io) when the rules file, the mode or the registry's file is wrong: nobody governs by
  // guesses. Blocks for some system calls.
  Governor(Settings settings, const std::filesystem::path& state_dir, std::filesystem::path build_script,
           LocalServices services, std::string actor);
  ~Governor();

  // Throws an Error (schema) when the input is not what the action needs, (unresolvable) when there is no such action,
  // (usage) for a wrong cluster id, (cancelled). All else is in the decision.
  boost::asio::awaitable<Decision> decide(ActionQuestion question, CancelToken cancel);

  // One policy evaluated here, whatever the mode: the executor's role, and management commands.
  boost::asio::awaitable<Evaluation> evaluate(PolicyQuestion question, CancelToken cancel);

  // Reads and checks an update, and puts it into the rules. `verify`: every rule id must be known to the registry,
  // which is not asked in remote mode. Blocks; any thread. Throws an Error (usage, io), a StaleRevision, or a
  // PolicyError.
  struct UpdateRequest {
    std::string cluster_id;
    schema::Value body;
    bool verify = true;
    std::optional<std::int64_t> expected_revision;
    std::string actor;
  };
  RuleStore::Updated update(const UpdateRequest& request, const CancelToken& cancel);

  // Any thread.
  RuleStore& rules() noexcept { return rules_; }
  Registry& registry() noexcept { return registry_; }
  PolicyCode& code() noexcept { return code_; }
  DecisionLog& log() noexcept { return log_; }
  const Settings& settings() const noexcept { return settings_; }
  // Who acts where nobody else is named: "cli:alice".
  const std::string& actor() const noexcept { return actor_; }

  const GovernorCounts& counts() const noexcept { return counts_; }

  // Gives the policies' environments back, before the engine goes.
  void let_go() { local_->let_go(); }

 private:
  struct Asked;
  boost::asio::awaitable<Decision> ask_rule(const ActionQuestion& question, const Action& action, const Rule& rule,
                                            std::string scope, std::int64_t revision, schema::Value input,
                                            CancelToken cancel);
  bool on_error_allows(const Action& action) const;
  void note(Decision& decision, schema::Value record);

  Settings settings_;
  RuleStore rules_;
  Registry registry_;
  PolicyCode code_;
  DecisionLog log_;
  Logger logger_;
  boost::asio::thread_pool& pool_;
  std::string actor_;
  std::unique_ptr<LocalEvaluator> local_;
  std::unique_ptr<RemoteEvaluator> remote_;
  GovernorCounts counts_;
};

}  // namespace venvoy::governance
