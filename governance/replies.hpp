// Answers as both the command and the daemon give them (spec/governance.md 8.6, 8.7).
#pragma once

#include <string>
#include <string_view>

#include "governance/governor.hpp"
#include "schema/value.hpp"

namespace venvoy::governance {

struct Reply {
  int status = 200;  // of HTTP
  schema::Value body;
};

// 200, 403 with the reason, or 503 with the error's kind.
Reply decision_reply(const Decision& decision);
// The same for old clients, to whom a denial is 200 with `"allowed": false` (`X-Governance-Compat: aios`).
Reply compatible_reply(const Decision& decision);

// {"success":true,"map":{…},"revision":N} for a scope.
Reply map_reply(const RuleMap& map, const std::string& cluster_id);
Reply update_reply(const RuleStore::Updated& updated, const std::string& cluster_id);

// {"success":false,"error":{"kind":…,"message":…}}
Reply error_reply(int status, std::string_view kind, std::string_view message);
// For an Error of a request: 400 bad_request, 404 unknown, 412 stale, 422 unknown_rule, 503 for the rest.
Reply error_reply(const Error& error);

// The answer of an executor (8.9): 200, 404, 422 or 504.
Reply executor_reply(const Evaluation& evaluation);

// 0 allow or done, 2 bad input, 3 deny, 4 error (8.6).
int exit_code_of(const Reply& reply) noexcept;

}  // namespace venvoy::governance
