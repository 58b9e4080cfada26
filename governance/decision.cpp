#include "governance/decision.hpp"

#include <fmt/format.h>

#include "schema/json.hpp"

namespace venvoy::governance {
namespace {

using schema::Kind;
using schema::Value;

Verdict failed_verdict(std::string kind, std::string message) {
  Verdict verdict;
  verdict.outcome = Outcome::error;
  verdict.error_kind = std::move(kind);
  verdict.error = std::move(message);
  return verdict;
}

bool fits_subject(FieldKind kind, const Value& value) noexcept {
  switch (kind) {
    case FieldKind::any:
      return true;
    case FieldKind::text:
      return value.kind() == Kind::text;
    case FieldKind::object:
      return value.kind() == Kind::map;
  }
  return false;
}

// The answer may be the whole input, or only the subject; everything but the subject stays as it was.
Verdict with_new_input(const Action& action, const Value& input, const Value* given) {
  Verdict verdict;
  verdict.input = input;
  const ActionField* subject = subject_of(action, input);
  if (!given || !subject) return verdict;
  const Value* whole = given->find(subject->name);
  const Value& replacement = whole ? *whole : *given;
  if (!fits_subject(subject->kind, replacement))
    return failed_verdict("bad_output", fmt::format("the policy has put {} in the place of '{}'",
                                                    to_text(replacement.kind()), subject->name));
  if (replacement == *input.find(subject->name)) return verdict;
  schema::Map map = input.as_map();
  map.set(subject->name, replacement);
  verdict.input = std::move(map);
  verdict.modified.emplace_back(subject->name);
  try {
    check_input(action, verdict.input);
  } catch (const Error& error) {
    return failed_verdict("bad_output", error.what());
  }
  return verdict;
}

}  // namespace

std::string Verdict::reason_text() const {
  if (reason.kind() == Kind::text) return reason.as_text();
  return reason.is_null() ? "no reason was given" : schema::write_json(reason, {.indent = 0});
}

Verdict judge(const Action& action, const Value& input, const Evaluation& evaluation) {
  if (!evaluation.answer) return failed_verdict(evaluation.error_kind, evaluation.error);
  const Value& answer = *evaluation.answer;
  if (answer.kind() != Kind::map)
    return failed_verdict(
        "bad_output", fmt::format("the policy has answered {} in place of an object with 'allowed'", describe(answer)));
  const Value* allowed = answer.find("allowed");
  if (!allowed) {
    const Value* success = answer.find("success");
    const Value* message = answer.find("message");
    if (success && success->kind() == Kind::boolean && !success->as_bool())
      return failed_verdict("policy_failed", message && message->kind() == Kind::text ? message->as_text()
                                                                                      : "the policy reports a failure");
    return failed_verdict("bad_output", "the policy's answer has no 'allowed'");
  }
  if (allowed->kind() != Kind::boolean)
    return failed_verdict("bad_output", fmt::format("'allowed' of the policy's answer is {}, neither true nor false",
                                                    describe(*allowed)));
  if (allowed->as_bool()) return with_new_input(action, input, answer.find("input_data"));
  Verdict verdict;
  verdict.outcome = Outcome::deny;
  for (const char* key : {"message", "reason", "input_data"})
    if (const Value* reason = answer.find(key)) {
      verdict.reason = *reason;
      break;
    }
  return verdict;
}

}  // namespace venvoy::governance
