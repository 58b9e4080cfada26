#include "governance/replies.hpp"

namespace venvoy::governance {
namespace {

using schema::Map;
using schema::Value;

schema::List names_list(const std::vector<std::string>& names) {
  schema::List list;
  for (const std::string& name : names) list.emplace_back(name);
  return list;
}

}  // namespace

Reply decision_reply(const Decision& decision) {
  Map body;
  const bool allowed = decision.outcome == Outcome::allow;
  body.set("success", allowed);
  body.set("allowed", allowed);
  body.set("action", decision.action);
  if (!decision.rule.empty()) body.set("rule", decision.rule);
  body.set("decision_id", decision.decision_id);
  switch (decision.outcome) {
    case Outcome::allow:
      body.set("data", decision.input);
      if (decision.allowed_on_error) {
        body.set("allowed_on_error", true);
        body.set("error", Map({{"kind", decision.error_kind}, {"message", decision.error}}));
      }
      return {200, std::move(body)};
    case Outcome::deny:
      body.set("reason", decision.reason.is_null() ? Value(decision.reason_text) : decision.reason);
      return {403, std::move(body)};
    case Outcome::error:
      break;
  }
  body.set("error", Map({{"kind", decision.error_kind}, {"message", decision.error}}));
  return {503, std::move(body)};
}

Reply compatible_reply(const Decision& decision) {
  Reply reply = decision_reply(decision);
  if (decision.outcome != Outcome::deny) return reply;
  Map body = reply.body.take_map();
  body.set("success", true);
  body.set("message", decision.reason_text);
  return {200, std::move(body)};
}

Reply map_reply(const RuleMap& map, const std::string& cluster_id) {
  return {200, Map({{"success", true}, {"map", to_value(map.scope(cluster_id))}, {"revision", map.revision}})};
}

Reply update_reply(const RuleStore::Updated& updated, const std::string& cluster_id) {
  Map body = map_reply(*updated.map, cluster_id).body.take_map();
  body.set("changed", names_list(updated.change.changed));
  body.set("removed", names_list(updated.change.removed));
  return {200, std::move(body)};
}

Reply error_reply(int status, std::string_view kind, std::string_view message) {
  return {status, Map({{"success", false}, {"error", Map({{"kind", kind}, {"message", message}})}})};
}

Reply error_reply(const Error& error) {
  const std::string text = error.hint().empty() ? error.what() : std::string(error.what()) + "; " + error.hint();
  if (const auto* policy = dynamic_cast<const PolicyError*>(&error)) {
    if (policy->kind() == "not_found") return error_reply(422, "unknown_rule", text);
    return error_reply(503, policy->kind(), text);
  }
  if (dynamic_cast<const StaleRevision*>(&error)) return error_reply(412, "stale", text);
  switch (error.code()) {
    case ErrorCode::usage:
    case ErrorCode::document:
    case ErrorCode::schema:
    case ErrorCode::limit:
      return error_reply(400, "bad_request", text);
    case ErrorCode::unresolvable:
      return error_reply(404, "unknown", text);
    default:
      return error_reply(503, "config", text);
  }
}

Reply executor_reply(const Evaluation& evaluation) {
  if (evaluation.answer) return {200, Map({{"success", true}, {"data", *evaluation.answer}})};
  const int status = evaluation.error_kind == "not_found" ? 404 : evaluation.error_kind == "timeout" ? 504 : 422;
  return {status, Map({{"success", false}, {"message", evaluation.error}, {"kind", evaluation.error_kind}})};
}

int exit_code_of(const Reply& reply) noexcept {
  if (reply.status == 200) return 0;
  if (reply.status == 403) return 3;
  return reply.status == 400 || reply.status == 404 || reply.status == 412 || reply.status == 422 ? 2 : 4;
}

}  // namespace venvoy::governance
