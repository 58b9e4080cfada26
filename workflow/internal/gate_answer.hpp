// What becomes of a gate's answer.
#pragma once

#include <fmt/format.h>

#include "base/error.hpp"
#include "schema/check.hpp"
#include "workflow/action_gate.hpp"

namespace venvoy::workflow::internal {

// An Error that leaves a gate is a denial.
inline GateDecision denial(const Error& error) {
  GateDecision decision;
  decision.allowed = false;
  decision.reason = error.what();
  return decision;
}

// The input that a gate has put in the place of the one it was asked about (spec/governance.md 8.6: it is checked
// again). Throws an Error (denied).
inline schema::Value replaced_input(const schema::Type& type, const schema::Value& input,
                                    const schema::UnserializeOptions& options) {
  try {
    return schema::unserialize(type, input, options);
  } catch (const schema::MismatchError& error) {
    throw Error(ErrorCode::denied,
                fmt::format("the input that a policy has put in place does not fit ({})", error.what()));
  }
}

}  // namespace venvoy::workflow::internal
