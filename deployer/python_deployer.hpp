// The Python deployer: plugins that are Python code behind a reference.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>

#include "cache/collect.hpp"
#include "cache/store.hpp"
#include "contract/contract.hpp"
#include "deployer/deploy_gate.hpp"
#include "deployer/deployer.hpp"
#include "deployer/launcher.hpp"
#include "deployer/pilots.hpp"
#include "deployer/python_settings.hpp"
#include "deployer/registry.hpp"
#include "deployer/stderr_logs.hpp"
#include "os/keeper.hpp"
#include "venv/environments.hpp"

namespace venvoy::deployer {

// The parts that all deployers working in one folder share.
struct PythonWorkshop {
  cache::Store store;
  std::shared_ptr<venv::Environments> environments;
  // Starts pruning the store on the pool, if that is due; returns at once. May be empty.
  std::function<void(const cache::PruneOptions&)> keep_up = {};
};

// What a Python deployer is made of; everything that is referred to outlives it and its plugins.
struct PythonServices {
  boost::asio::any_io_executor executor;  // the engine's loop
  boost::asio::thread_pool& pool;
  const contract::Contract& contract;
  Launcher& launcher;
  // For fork servers; without it every step starts Python anew.
  os::Keeper* keeper = nullptr;
  std::filesystem::path starter;  // plugin_starter.py
  DeployGate* gate = nullptr;     // may be null
  // Gives the workshop of a work directory, the same for the same settings. Throws an Error (environment).
  std::function<PythonWorkshop(const PythonSettings&)> workshop;
  // Said on the command line, for this run: they go over every configuration.
  std::function<void(PythonSettings&)> adjust;
  std::shared_ptr<StderrLogs> stderr_logs = {};  // may be null
  // Gives the pilots for settings whose launcher starts steps on other machines, the same for the same settings.
  std::function<std::shared_ptr<PilotPool>(const PythonSettings&)> pilots = {};
};

// The kind `python` of the deployment type `python`.
class PythonKind final : public DeployerKind {
 public:
  explicit PythonKind(PythonServices services) : services_(std::move(services)) {}
  std::string deployment_type() const override { return "python"; }
  std::string name() const override { return "python"; }
  schema::TypePtr settings() const override { return python_settings_type(); }
  std::shared_ptr<Deployer> create(const schema::Value& settings) override;

 private:
  PythonServices services_;
};

// What is known of a plugin without making it ready.
struct PluginOutlook {
  venv::KnownEnv environment;
  // Null where only a start of the plugin can tell.
  std::shared_ptr<const schema::PluginSchema> schema;
  LauncherChoice launcher = LauncherChoice::forkserver;
};

class PythonDeployer final : public Deployer {
 public:
  PythonDeployer(PythonServices services, PythonSettings settings);
  ~PythonDeployer() override;

  boost::asio::awaitable<std::shared_ptr<Plugin>> prepare(std::string source, PrepareContext context) override;

  // Makes the environment for a reference anew, asking the network what a branch or tag means now; prepares nothing
  // else
  // (`venvoy cache pull`).
  boost::asio::awaitable<venv::ReadyEnvPtr> pull(std::string source, PrepareContext context);

  // What prepare() would do: see venv::Environments::look. No gate is asked and no code of the plugin is run.
  boost::asio::awaitable<PluginOutlook> look(std::string source, PrepareContext context);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace venvoy::deployer
