// Asking the host for permission.
#pragma once

#include <optional>
#include <string>
#include <vector>
#include <venvoy/value.hpp>

namespace venvoy {

struct Decision {
  bool allowed = true;
  std::string reason;  // of a denial, for whoever reads the failure
  // An input to use in place of the one that was asked about. Not for deployments.
  std::optional<Value> input;
};

// A plugin is about to be fetched and installed, or taken from the store.
struct DeployRequest {
  std::string reference;    // as written, without secrets
  std::string source_kind;  // "git", "index" or "path"
  std::string pull_policy;  // "IfNotPresent" or "Always"
  bool override_compatibility = false;
};

// A run is about to begin.
struct RunRequest {
  std::string workflow;  // the file as written
  std::string digest;    // SHA-256 of its text, hexadecimal
  std::vector<std::string> plugins;
  Value input;
};

// A step is about to get its input.
struct StepRequest {
  std::string workflow;
  std::string plugin;       // reference
  std::string step;         // key in the workflow
  std::string plugin_step;  // the plugin's name for it
  Value input;
};

// Allows everything unless overridden. Each is called on a thread of the engine that may block, several at a time. An
// exception that leaves one is a denial with its text as reason. The engine waits for an answer, also when it is
// destroyed.
class Gate {
 public:
  virtual ~Gate() = default;
  virtual Decision may_deploy(const DeployRequest&) { return {}; }
  virtual Decision may_run(const RunRequest&) { return {}; }
  virtual Decision may_run_step(const StepRequest&) { return {}; }
};

}  // namespace venvoy
