// A deployer without processes and disks: plugins are C++ functions with schemas built in C++.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/error.hpp"
#include "deployer/deployer.hpp"
#include "deployer/registry.hpp"
#include "schema/plugin_schema.hpp"
#include "schema/type.hpp"
#include "schema/value.hpp"
#include "workflow/engine.hpp"

namespace venvoy::test {

// --- schemas, shortly written ---------------------------------------------------------------------------------------

using Properties = std::vector<std::pair<std::string, schema::Property>>;
schema::Property required(schema::TypePtr type);
schema::Property optional(schema::TypePtr type);
// A scope with one object.
schema::TypePtr scope_of(const std::string& id, Properties properties);
// A step that has no outputs and handles no signals yet.
schema::StepSchema step_schema(const std::string& id, schema::TypePtr input);
void add_output(schema::StepSchema& step, const std::string& id, schema::TypePtr data, bool error = false);
void add_cancel_handler(schema::StepSchema& step);

// --- plugins ---------------------------------------------------------------------------------------------------------

class FakeWorld;

// One run of a step, as the step's function sees it.
class FakeCall {
 public:
  using Duration = std::chrono::milliseconds;

  FakeCall(FakeWorld& world, std::string run_id, std::string step_id, schema::Value input);

  FakeWorld& world() const noexcept { return world_; }
  const std::string& run_id() const noexcept { return run_id_; }
  const std::string& step_id() const noexcept { return step_id_; }
  const schema::Value& input() const noexcept { return input_; }

  // False when a signal has come before the time was over. Both throw an Error (plugin) when the plugin is killed.
  boost::asio::awaitable<bool> sleep(Duration time);
  boost::asio::awaitable<void> wait_until(std::function<bool()> condition);

  void signal() { signalled_ = true; }
  void kill() { killed_ = true; }

 private:
  void check_alive() const;

  FakeWorld& world_;
  const std::string run_id_;
  const std::string step_id_;
  const schema::Value input_;
  bool signalled_ = false;
  bool killed_ = false;
};

using FakeFunction = std::function<boost::asio::awaitable<deployer::StepAnswer>(std::shared_ptr<FakeCall>)>;

struct FakeStep {
  schema::StepSchema schema;
  FakeFunction run;
};

struct FakePlugin {
  std::vector<FakeStep> steps;
  std::optional<Error> prepare_failure;
  std::optional<Error> start_failure;
  std::chrono::milliseconds start_time{0};
};

// All that there is, and what has happened to it. Outlives every run in it; used on one thread at a time.
class FakeWorld {
 public:
  std::map<std::string, FakePlugin> plugins;  // by source
  // "prepare SOURCE", "deployer KIND SETTINGS", "start SOURCE", "run STEP", "answer STEP OUTPUT", "fail STEP",
  // "signal STEP SIGNAL", "kill SOURCE", "close SOURCE", and what the steps' functions write.
  std::vector<std::string> journal;
  // The inputs that the steps have got, by the id of the run.
  std::map<std::string, std::vector<schema::Value>> inputs;
  int live_processes = 0;
  int most_live_processes = 0;

  int count(const std::string& entry) const;
  // The place of the first such entry in the journal; fails the test if there is none.
  std::size_t index_of(const std::string& entry) const;
  // Writes to the journal and wakes everybody who waits.
  void note(std::string entry);
  void wake();
  boost::asio::awaitable<void> wait(std::optional<std::chrono::steady_clock::time_point> until);

 private:
  std::set<boost::asio::steady_timer*> sleepers_;
};

// A deployer named "fake" of some deployment type, with the settings `deploy_time` (milliseconds), `deploy_succeed` and
// `label`.
std::shared_ptr<deployer::DeployerKind> fake_kind(FakeWorld& world, std::string deployment_type);

// A configuration with a fake deployer for the types "builtin" and "python".
class FakeDeployers final : public workflow::Deployers {
 public:
  explicit FakeDeployers(FakeWorld& world);

  const deployer::Registry& registry() const override { return registry_; }
  deployer::Deployer& local(const std::string& deployment_type) override;
  std::shared_ptr<deployer::Deployer> with_settings(const std::string& deployment_type,
                                                    const schema::Value& settings) override;

 private:
  deployer::Registry registry_;
  std::map<std::string, std::shared_ptr<deployer::Deployer>> local_;
  std::map<std::string, std::shared_ptr<deployer::Deployer>> of_settings_;
};

// Sub-workflows by name; their positions have the same name.
class FakeFiles final : public workflow::WorkflowFiles {
 public:
  std::map<std::string, std::string> texts;

  File read_sub_workflow(const std::string& name) const override;
};

}  // namespace venvoy::test
