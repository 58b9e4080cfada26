// Asking for permission before a run or a step begins (spec/governance.md 8.8).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "schema/value.hpp"

namespace venvoy::workflow {

struct GateDecision {
  bool allowed = true;
  std::string reason;                  // of a denial
  std::optional<schema::Value> input;  // in place of the one that was asked about
};

struct RunQuestion {
  std::string workflow;  // the file as written
  std::string digest;    // SHA-256 of its text, hexadecimal
  std::vector<std::string> plugins;
  schema::Value input;
};

struct StepQuestion {
  std::string workflow;
  std::string plugin;       // reference
  std::string step;         // key in the workflow
  std::string plugin_step;  // the plugin's step id
  schema::Value input;
};

struct CancelQuestion {
  std::string run;
  std::string reason;
};

// Each is asked after the input was validated and before anything happens. An Error that leaves one is a denial.
class ActionGate {
 public:
  virtual ~ActionGate() = default;
  virtual boost::asio::awaitable<GateDecision> may_run(RunQuestion question) = 0;
  virtual boost::asio::awaitable<GateDecision> may_run_step(StepQuestion question) = 0;
  virtual boost::asio::awaitable<GateDecision> may_cancel(CancelQuestion question) = 0;
};

}  // namespace venvoy::workflow
