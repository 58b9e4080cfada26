#include "governance/rule_map.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "governance/actions.hpp"
#include "schema/json.hpp"

namespace venvoy::governance {
namespace {

using schema::Kind;
using schema::Map;
using schema::Value;

constexpr std::size_t max_clusters = 10'000;
// As text; a rule's parameters are settings, not data.
constexpr std::size_t max_parameter_bytes = std::size_t{64} << 10;

Error wrong(std::string text) {
  return Error(ErrorCode::usage, std::move(text));
}

std::string text_at(const Value& entry, std::string_view key) {
  const Value* value = entry.find(key);
  return value && value->kind() == Kind::text ? value->as_text() : std::string();
}

Rule rule_from(const std::string& action, const std::string& id, const Value* parameters) {
  Rule rule;
  try {
    rule.id = RuleId::parse(id);
  } catch (Error& error) {
    throw error.add_frame(fmt::format("the rule of '{}'", action));
  }
  if (!parameters) return rule;
  if (parameters->kind() != Kind::map)
    throw wrong(fmt::format("'parameters' of '{}' must be an object, not {}", action, to_text(parameters->kind())));
  if (schema::write_json(*parameters, {.indent = 0}).size() > max_parameter_bytes)
    throw wrong(fmt::format("'parameters' of '{}' are longer than {} bytes", action, max_parameter_bytes));
  rule.parameters = *parameters;
  return rule;
}

std::optional<Rule> rule_of(const std::string& action, const Value& value) {
  if (value.kind() == Kind::text) {
    if (value.as_text().empty()) return std::nullopt;
    return rule_from(action, value.as_text(), nullptr);
  }
  if (value.kind() != Kind::map)
    throw wrong(
        fmt::format("the rule of '{}' must be a rule id, an object or \"\", not {}", action, to_text(value.kind())));
  for (const auto& [key, ignored] : value.as_map()) {
    const std::string name = key.kind() == Kind::text ? key.as_text() : describe(key);
    if (name != "policyRuleURI" && name != "parameters" && name != "changed_by" && name != "changed_at")
      throw wrong(fmt::format("the rule of '{}' has an unknown key '{}'{}", action, to_valid_utf8(name.substr(0, 80)),
                              did_you_mean(name, {"policyRuleURI", "parameters"})));
  }
  const Value* id = value.find("policyRuleURI");
  if (!id || id->kind() != Kind::text) throw wrong(fmt::format("the rule of '{}' has no text 'policyRuleURI'", action));
  if (id->as_text().empty()) return std::nullopt;
  return rule_from(action, id->as_text(), value.find("parameters"));
}

Map entry_of(const Rule& rule) {
  return Map({{"policyRuleURI", rule.id.text()}, {"parameters", rule.parameters}});
}

Rules read_rules(const Value& value, const std::string& what) {
  Rules rules;
  if (value.kind() != Kind::map) throw Error(ErrorCode::document, fmt::format("'{}' is no object", what));
  for (auto& [action, rule] : read_update(value)) {
    if (!rule) continue;
    if (const Value* entry = value.find(action)) {
      rule->changed_by = text_at(*entry, "changed_by");
      rule->changed_at = text_at(*entry, "changed_at");
    }
    rules.emplace(action, std::move(*rule));
  }
  return rules;
}

}  // namespace

const Rules& RuleMap::scope(const std::string& cluster_id) const {
  static const Rules none;
  if (cluster_id.empty()) return network;
  const auto found = clusters.find(cluster_id);
  return found == clusters.end() ? none : found->second;
}

Value to_value(const Rules& rules) {
  Map map;
  for (const auto& [action, rule] : rules) map.set(action, entry_of(rule));
  return map;
}

Value to_value_with_authors(const Rules& rules) {
  Map map;
  for (const auto& [action, rule] : rules) {
    Map entry = entry_of(rule);
    if (!rule.changed_by.empty()) entry.set("changed_by", rule.changed_by);
    if (!rule.changed_at.empty()) entry.set("changed_at", rule.changed_at);
    map.set(action, std::move(entry));
  }
  return map;
}

std::string RuleMap::to_text() const {
  Map by_cluster;
  for (const auto& [id, rules] : clusters)
    if (!rules.empty()) by_cluster.set(id, to_value_with_authors(rules));
  const Map file({{"version", 1},
                  {"revision", revision},
                  {"network", to_value_with_authors(network)},
                  {"clusters", std::move(by_cluster)}});
  return schema::write_json(file) + "\n";
}

RuleMap RuleMap::from_text(std::string_view text, const std::string& file) {
  try {
    const Value root = schema::read_json(text, file);
    const Value* version = root.find("version");
    if (!version || version->kind() != Kind::integer || version->as_integer() != 1)
      throw Error(ErrorCode::document, "it is no rules file of version 1");
    const Value* revision = root.find("revision");
    if (!revision || revision->kind() != Kind::integer || revision->as_integer() < 0)
      throw Error(ErrorCode::document, "'revision' is no number");
    RuleMap map;
    map.revision = revision->as_integer();
    const Value* network = root.find("network");
    const Value* clusters = root.find("clusters");
    if (!network || !clusters || clusters->kind() != Kind::map)
      throw Error(ErrorCode::document, "'network' or 'clusters' is missing");
    map.network = read_rules(*network, "network");
    for (const auto& [id, rules] : clusters->as_map()) {
      if (id.kind() != Kind::text) throw Error(ErrorCode::document, "a cluster's id is no text");
      check_cluster_id(id.as_text());
      map.clusters[id.as_text()] = read_rules(rules, id.as_text());
    }
    return map;
  } catch (const Error& error) {
    throw Error(ErrorCode::document, fmt::format("the rules file '{}' is damaged ({})", file, error.what()))
        .with_hint("repair it, or put back the revision before it, which is kept beside it as '.previous'");
  }
}

Update read_update(const Value& body) {
  if (body.kind() != Kind::map)
    throw wrong(fmt::format("the update must be an object of actions and rules, not {}", to_text(body.kind())));
  Update update;
  for (const auto& [key, value] : body.as_map()) {
    if (key.kind() != Kind::text) throw wrong("the name of an action must be a text");
    const std::string& given = key.as_text();
    const Action* action = nullptr;
    try {
      action = &require_action(given);
    } catch (const Error& error) {
      throw wrong(error.what()).with_hint(error.hint());
    }
    const std::string name(action->name);
    if (!update.emplace(name, rule_of(given, value)).second)
      throw wrong(fmt::format("both 'add_cluster' and 'create_cluster' are given, which are one action"));
  }
  return update;
}

Change apply(RuleMap& map, const std::string& cluster_id, const Update& update, const std::string& actor,
             const std::string& time) {
  Change change;
  if (update.empty()) return change;
  if (!cluster_id.empty() && !map.clusters.contains(cluster_id) && map.clusters.size() >= max_clusters)
    throw Error(ErrorCode::limit, fmt::format("there are rules for {} clusters already", max_clusters));
  Rules& rules = cluster_id.empty() ? map.network : map.clusters[cluster_id];
  for (const auto& [action, rule] : update) {
    if (rule) {
      Rule& place = rules[action];
      place = *rule;
      place.changed_by = actor;
      place.changed_at = time;
      change.changed.push_back(action);
    } else if (rules.erase(action) > 0) {
      change.removed.push_back(action);
    }
  }
  if (!cluster_id.empty() && rules.empty()) map.clusters.erase(cluster_id);
  ++map.revision;
  return change;
}

void check_cluster_id(std::string_view id) {
  bool good = !id.empty() && id.size() <= 253;
  for (const char symbol : id)
    good = good && (is_digit(symbol) || (symbol >= 'a' && symbol <= 'z') || (symbol >= 'A' && symbol <= 'Z') ||
                    is_in("._-", symbol));
  if (!good) throw wrong("the id of a cluster is 1 to 253 letters, digits, '.', '_' and '-'");
}

}  // namespace venvoy::governance
