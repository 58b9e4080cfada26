// One question to one policy, and what came of it (spec/governance.md 8.5, 8.9).
#pragma once

#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "base/cancel.hpp"
#include "governance/registry.hpp"
#include "schema/value.hpp"

namespace venvoy::governance {

struct PolicyQuestion {
  RuleId id;
  schema::Value parameters = schema::Map();  // of the rule map; the registry's are put below them
  schema::Value input = schema::Map();
  // A management command in place of an evaluation; `input` is then its data.
  std::optional<std::string> management;
};

struct Evaluation {
  // What the policy returned; nothing if it failed.
  std::optional<schema::Value> answer;
  std::string error_kind;
  std::string error;
  // What is known of the way there, for the log.
  std::string code_sha256;  // of an archive, or the commit or version of a plugin
  std::string isolation;    // "process", "process+netns", "process+netns+landlock"; "remote"
  std::string output;       // the end of what the policy printed
};

class Evaluator {
 public:
  virtual ~Evaluator() = default;
  // On the engine's loop. Throws nothing but Error (cancelled): every failure is in the result.
  virtual boost::asio::awaitable<Evaluation> evaluate(PolicyQuestion question, CancelToken cancel) = 0;
};

// A failed evaluation.
Evaluation failed_evaluation(std::string kind, std::string message);

// `over` put over `below`, key by key. Both are objects.
schema::Value merged(const schema::Value& below, const schema::Value& over);

}  // namespace venvoy::governance
