#include "governance/governor.hpp"

#include <fmt/format.h>

#include "base/sha256.hpp"
#include "base/text.hpp"
#include "os/files.hpp"
#include "os/on_pool.hpp"
#include "schema/json.hpp"

namespace venvoy::governance {

namespace asio = boost::asio;

namespace {

using schema::List;
using schema::Map;
using schema::Value;

constexpr std::size_t max_logged_text = 8 << 10;

// Sorts by time: the milliseconds of the clock, then chance.
std::string new_decision_id() {
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(system_clock().wall().time_since_epoch());
  return fmt::format("d-{:011x}{}", now.count(), os::random_name());
}

std::string log_time() {
  const std::string text = rfc3339_utc(system_clock().wall());
  return text.substr(0, text.size() - 4) + "Z";  // milliseconds
}

std::string outcome_text(const Verdict& verdict, bool allowed_on_error) {
  if (allowed_on_error) return "allowed_on_error";
  return verdict.outcome == Outcome::allow ? "allow" : verdict.outcome == Outcome::deny ? "deny" : "error";
}

List text_list(const std::vector<std::string>& texts) {
  List list;
  for (const std::string& text : texts) list.emplace_back(text);
  return list;
}

}  // namespace

Governor::Governor(Settings settings, const std::filesystem::path& state_dir, std::filesystem::path build_script,
                   LocalServices services, std::string actor)
    : settings_(std::move(settings)),
      rules_(settings_.rules_file),
      registry_(settings_),
      code_(state_dir / "governance", std::move(build_script)),
      log_(settings_.log, settings_.secret_names),
      logger_(services.logger),
      pool_(services.pool),
      actor_(std::move(actor)) {
  if (settings_.seed && !std::filesystem::exists(settings_.rules_file)) {
    try {
      rules_.seed(read_update(schema::read_json(*settings_.seed, "CLUSTER_CONTROLLER_GATEWAY_ACTIONS_MAP")),
                  "environment");
    } catch (Error& error) {
      throw error.add_frame("the variable CLUSTER_CONTROLLER_GATEWAY_ACTIONS_MAP");
    }
  }
  static_cast<void>(rules_.read());
  static_cast<void>(mode_in_force(settings_));
  local_ = std::make_unique<LocalEvaluator>(std::move(services), settings_.local, registry_, code_);
  remote_ = std::make_unique<RemoteEvaluator>(settings_.remote, [this] { return mode_in_force(settings_); });
}

Governor::~Governor() = default;

RuleStore::Updated Governor::update(const UpdateRequest& request, const CancelToken& cancel) {
  if (!request.cluster_id.empty()) check_cluster_id(request.cluster_id);
  const Update update = read_update(request.body);
  // What a remote executor knows only it can tell.
  if (request.verify && mode_in_force(settings_).mode == Mode::local)
    for (const auto& [action, rule] : update) {
      if (!rule) continue;
      try {
        static_cast<void>(registry_.find(rule->id, cancel));
      } catch (Error& error) {
        error.add_frame(fmt::format("the rule of '{}'", action));
        throw;  // as the PolicyError that it may be
      }
    }
  return rules_.update(request.cluster_id, update, request.actor, request.expected_revision, cancel);
}

bool Governor::on_error_allows(const Action& action) const {
  const auto found = settings_.on_error_of.find(action.name);
  return (found == settings_.on_error_of.end() ? settings_.on_error : found->second) == OnError::allow;
}

asio::awaitable<Decision> Governor::decide(ActionQuestion question, CancelToken cancel) {
  const Action& action = require_action(question.action);
  check_input(action, question.input);
  if (!question.cluster_id.empty()) check_cluster_id(question.cluster_id);
  Decision decision;
  decision.action = action.name;
  decision.input = question.input;
  std::shared_ptr<const RuleMap> map;
  if (settings_.enabled) {
    try {
      map = rules_.read();
    } catch (const Error& error) {
      decision.outcome = Outcome::error;
      decision.error_kind = "config";
      decision.error = error.what();
    }
  }
  if (decision.outcome == Outcome::error) {
    Map record({{"ts", log_time()},
                {"decision_id", new_decision_id()},
                {"actor", question.actor},
                {"action", decision.action},
                {"outcome", "error"},
                {"error", decision.error}});
    note(decision, std::move(record));
    co_return decision;
  }
  const Rule* rules[2] = {nullptr, nullptr};
  if (map) {
    if (const auto rule = map->network.find(action.name); rule != map->network.end()) rules[0] = &rule->second;
    const Rules& cluster = map->scope(question.cluster_id);
    if (const auto rule = cluster.find(action.name); !question.cluster_id.empty() && rule != cluster.end())
      rules[1] = &rule->second;
  }
  for (const bool of_cluster : {false, true}) {
    const Rule* rule = rules[of_cluster];
    if (!rule) continue;
    Value input = decision.input;
    std::string scope = of_cluster ? "cluster:" + question.cluster_id : "network";
    decision = co_await ask_rule(question, action, *rule, std::move(scope), map->revision, std::move(input), cancel);
    if (decision.outcome != Outcome::allow) co_return decision;
  }
  if (decision.rule.empty()) {
    decision.decision_id = new_decision_id();
    ++counts_.decisions[std::make_pair(decision.action, std::string("no_rule"))];
    logger_.debug("governance: {} is allowed, outcome no_rule ({})", decision.action, decision.decision_id);
  }
  co_return decision;
}

asio::awaitable<Decision> Governor::ask_rule(const ActionQuestion& question, const Action& action, const Rule& rule,
                                             std::string scope, std::int64_t revision, Value input,
                                             CancelToken cancel) {
  const auto begin = std::chrono::steady_clock::now();
  const std::string id = rule.id.text();
  Evaluation evaluation;
  std::string mode_text = "local";
  Mode mode = Mode::local;
  std::string mode_error;
  try {
    mode = mode_in_force(settings_).mode;
  } catch (const Error& error) {
    mode_error = error.what();
  }
  if (!mode_error.empty()) {
    evaluation = failed_evaluation("config", mode_error);
  } else {
    mode_text = to_text(mode);
    PolicyQuestion asked;
    asked.id = rule.id;
    asked.parameters = rule.parameters;
    asked.input = input;
    Evaluator& evaluator = *(mode == Mode::remote ? static_cast<Evaluator*>(remote_.get()) : local_.get());
    evaluation = co_await evaluator.evaluate(std::move(asked), cancel);
  }
  const Verdict verdict = judge(action, input, evaluation);
  const auto microseconds =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin).count();
  counts_.microseconds += static_cast<std::uint64_t>(microseconds);
  ++counts_.evaluations;

  Decision decision;
  decision.action = action.name;
  decision.rule = id;
  decision.outcome = verdict.outcome;
  decision.input = verdict.outcome == Outcome::allow ? verdict.input : input;
  decision.reason = verdict.reason;
  if (verdict.outcome == Outcome::deny) decision.reason_text = verdict.reason_text();
  decision.error_kind = verdict.error_kind;
  decision.error = verdict.error;
  decision.allowed_on_error = verdict.outcome == Outcome::error && on_error_allows(action);
  if (decision.allowed_on_error) decision.outcome = Outcome::allow;

  const auto clean = [&](const std::string& text) {
    return log_.without_secrets_of(input, std::string(to_valid_utf8(text.substr(0, max_logged_text))));
  };
  Map record({{"ts", log_time()}, {"decision_id", new_decision_id()}});
  record.set("request_id", question.request_id);
  record.set("actor", question.actor);
  record.set("scope", scope);
  record.set("action", decision.action);
  record.set("rule", id);
  record.set("code_sha256", evaluation.code_sha256.empty() ? Value() : Value(evaluation.code_sha256));
  record.set("map_revision", revision);
  record.set("mode", mode_text);
  record.set("isolation", evaluation.isolation.empty() ? Value() : Value(evaluation.isolation));
  record.set("outcome", outcome_text(verdict, decision.allowed_on_error));
  record.set("reason", verdict.outcome == Outcome::deny ? Value(clean(decision.reason_text)) : Value());
  Value error;
  if (verdict.outcome == Outcome::error) error = Map({{"kind", verdict.error_kind}, {"message", clean(verdict.error)}});
  record.set("error", error);
  record.set("ms", microseconds / 1000);
  record.set("input_sha256", sha256_hex(schema::write_json(input, {.indent = 0, .sort_keys = true})));
  record.set("modified", text_list(verdict.modified));
  record.set("dry_run", question.dry_run);
  record.set("output", log_.without_secrets_of(input, evaluation.output));
  if (log_.settings().include_input) record.set("input", log_.masked(input));
  note(decision, std::move(record));
  co_return decision;
}

// Into the log, and counted. A record that cannot be written turns an allow into an error where records are required.
void Governor::note(Decision& decision, Value record) {
  decision.decision_id = record.find("decision_id")->as_text();
  try {
    log_.write(record);
  } catch (const Error& error) {
    logger_.error("a decision could not be logged ({}): {}", error.what(), schema::write_json(record, {.indent = 0}));
    if (log_.settings().required && decision.outcome == Outcome::allow) {
      decision.outcome = Outcome::error;
      decision.allowed_on_error = false;
      decision.error_kind = "config";
      decision.error = fmt::format("the decision could not be logged, which is required ({})", error.what());
    }
  }
  ++counts_.decisions[std::make_pair(decision.action, record.find("outcome")->as_text())];
}

asio::awaitable<Evaluation> Governor::evaluate(PolicyQuestion question, CancelToken cancel) {
  co_return co_await local_->evaluate(std::move(question), std::move(cancel));
}

}  // namespace venvoy::governance
