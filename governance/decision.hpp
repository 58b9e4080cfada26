// What a policy's answer means for an action (spec/governance.md 8.6).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "governance/actions.hpp"
#include "governance/evaluation.hpp"
#include "schema/value.hpp"

namespace venvoy::governance {

enum class Outcome { allow, deny, error };

struct Verdict {
  Outcome outcome = Outcome::allow;
  schema::Value input;   // of an allow: what the action runs with
  schema::Value reason;  // of a denial: a text, or what the policy gave in its place
  std::string error_kind;
  std::string error;
  // Names of the input's fields that the policy has changed.
  std::vector<std::string> modified;

  std::string reason_text() const;
};

// `input` is what the policy was asked about.
Verdict judge(const Action& action, const schema::Value& input, const Evaluation& evaluation);

}  // namespace venvoy::governance
