// Preparing workflows and running them.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/cancel.hpp"
#include "base/log.hpp"
#include "deployer/registry.hpp"
#include "workflow/action_gate.hpp"
#include "workflow/plan.hpp"
#include "workflow/run_observer.hpp"
#include "workflow/run_result.hpp"

namespace venvoy::workflow {

// The deployers of one configuration: made when they are needed for the first time (spec/workflow.md 9-12).
class Deployers {
 public:
  virtual ~Deployers() = default;
  virtual const deployer::Registry& registry() const = 0;
  // The deployer that the configuration has for steps without a `deploy` of their own. Throws an Error (document) when
  // it has none of that type, (environment) when it cannot be made.
  virtual deployer::Deployer& local(const std::string& deployment_type) = 0;
  // The one for a step with these settings, shared by all steps with the same.
  virtual std::shared_ptr<deployer::Deployer> with_settings(const std::string& deployment_type,
                                                            const schema::Value& settings) = 0;
};

// Where workflow files come from.
class WorkflowFiles {
 public:
  struct File {
    std::string text;
    std::string name;  // for positions
  };
  virtual ~WorkflowFiles() = default;
  // A sub-workflow, by the name that the workflow gives it. Throws an Error (io) "error reading file <path>".
  virtual File read_sub_workflow(const std::string& name) const = 0;
};

struct PrepareOptions {
  Logger logger;
  RunObserver* observer = nullptr;  // may be null; outlives the call
  CancelToken cancel;
  std::size_t max_concurrent_deployments = 4;
  // Make plugins ready also when the files have errors already, and warn (lint.hpp), to find everything in one go.
  bool find_everything = false;
  // A run follows at once: see deployer::PrepareContext.
  bool about_to_run = false;
};

// Reads the workflow's files, makes every plugin ready, each once, and checks everything that can be known before a
// run. What is wrong comes back as issues, all of them; a plugin that cannot be made ready is an issue at its
// reference. Throws an Error only when cancelled. Runs on the engine's loop; everything passed by reference outlives
// it.
boost::asio::awaitable<Checked> prepare(WorkflowFiles::File main, const WorkflowFiles& files, Deployers& deployers,
                                        PrepareOptions options);

struct RunOptions {
  Logger logger;
  RunObserver* observer = nullptr;  // may be null; outlives the run
  ActionGate* gate = nullptr;       // may be null; outlives the run
  std::string run_id;
  std::optional<std::chrono::milliseconds> timeout;
  // Step outputs with these ids are logged at these levels (spec/workflow.md section 2, `logged_outputs`).
  std::map<std::string, LogLevel> logged_outputs;
  // What of data may be seen in log lines; without it all of it. Called on the loop.
  std::function<schema::Value(const schema::Value&)> shown_in_logs;
  // How long an abort waits for an output that can still be made (spec/workflow.md 6.6).
  std::chrono::milliseconds abort_wait{5000};
};

// Asks a run to end early; on the engine's loop only. Safe to keep longer than the run.
class RunControl {
 public:
  // The first call aborts the run as spec/workflow.md 6.6 says; further ones do nothing. A run with a gate asks it
  // first, and goes on when that is denied; then a later call asks again.
  void abort(std::string reason = "asked to stop");
  bool aborted() const noexcept { return aborted_; }

 private:
  friend class RunControlAccess;
  bool aborted_ = false;
  std::string reason_;
  std::function<void()> on_abort_;
};

// Runs a plan with an input as it was read from a file or built by a host: `input` is unserialized by the plan's input
// scope first. Never throws for what a workflow or its plugins do: that is in the result. Completes when every step is
// closed.
boost::asio::awaitable<RunResult> run(std::shared_ptr<const Plan> plan, schema::Value input, Deployers& deployers,
                                      RunOptions options, std::shared_ptr<RunControl> control);

}  // namespace venvoy::workflow
