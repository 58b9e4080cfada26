// Which policy decides about which action (spec/governance.md 8.3, 8.7).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "governance/rule_id.hpp"
#include "schema/value.hpp"

namespace venvoy::governance {

struct Rule {
  RuleId id;
  schema::Value parameters = schema::Map();  // over those of the registry, key by key
  // Who has set it and when (RFC 3339); empty in files that others have written.
  std::string changed_by;
  std::string changed_at;
};

// Action -> rule, by the actions' own names.
using Rules = std::map<std::string, Rule, std::less<>>;

struct RuleMap {
  std::int64_t revision = 0;
  Rules network;
  std::map<std::string, Rules, std::less<>> clusters;

  // The rules of a scope: the network's without a cluster id. Empty for a cluster without any.
  const Rules& scope(const std::string& cluster_id) const;

  // The rules file: {"version":1,"revision":8,"network":{…},"clusters":{…}}. from_text throws an Error (document) that
  // says what is wrong with it.
  std::string to_text() const;
  static RuleMap from_text(std::string_view text, const std::string& file);
};

// The rules of a scope as replies show them: {"add_node": {"policyRuleURI": "…", "parameters": {…}}}.
schema::Value to_value(const Rules& rules);
// The same with `changed_by` and `changed_at`.
schema::Value to_value_with_authors(const Rules& rules);

// What somebody wants changed: a rule, or nothing for "remove it".
using Update = std::map<std::string, std::optional<Rule>, std::less<>>;

// Reads `{"add_node": "<id>" | {"policyRuleURI": …, "parameters": …} | ""}`. Throws an Error (usage) naming the first
// thing that is wrong; nothing is half-read.
Update read_update(const schema::Value& body);

struct Change {
  std::vector<std::string> changed;
  std::vector<std::string> removed;
};
// Puts the update into a scope of the map; the revision rises if anything was given.
Change apply(RuleMap& map, const std::string& cluster_id, const Update& update, const std::string& actor,
             const std::string& time);

// Throws an Error (usage): ids of clusters are 1 to 253 letters, digits, '.', '_' and '-'.
void check_cluster_id(std::string_view cluster_id);

}  // namespace venvoy::governance
