// The one place that builds the real things: threads, keeper, store, deployers (style P19). Not installed; the command
// and the public classes of this folder stand on it.
#pragma once

#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include "api/configuration.hpp"
#include "base/log.hpp"
#include "contract/plugin_contract.hpp"
#include "deployer/exec_launcher.hpp"
#include "deployer/pilots.hpp"
#include "deployer/python_deployer.hpp"
#include "deployer/registry.hpp"
#include "governance/gates.hpp"
#include "governance/governor.hpp"
#include "os/keeper.hpp"
#include "workflow/engine.hpp"

namespace venvoy::api {

// What was said on the command line, or by a host, for all deployers of this runtime.
struct RuntimeOptions {
  Logger logger;
  std::filesystem::path context = ".";  // what references to folders are relative to
  std::optional<std::filesystem::path> workdir;
  std::optional<std::string> python;
  bool offline = false;
  std::vector<std::string> allow_incompatible;
  // A missing contract is a warning unless the configuration says `overrideModuleCompatibility: false` (design D5).
  bool contract_is_advice = false;
  // What must last, see state_dir.hpp. Without it nothing is kept of what plugins write to standard error.
  std::optional<std::filesystem::path> state_dir;
  // Takes the secrets out of what is kept there; may be empty. Called on the loop's thread.
  std::function<std::string(std::string_view)> mask;
  std::optional<deployer::LauncherChoice> launcher;  // over the configuration's
  deployer::DeployGate* deploy_gate = nullptr;       // may be null; outlives the runtime
  // Whether policies decide about deployments, runs and steps: never, where the configuration has the key `governance`,
  // or always, with the defaults where it does not.
  enum class Govern { no, as_configured, always };
  Govern govern = Govern::no;
  std::filesystem::path configuration_dir = ".";  // what relative paths of the key `governance` start from
  std::string actor;                              // who acts, for the decision log: "cli:alice"
  // The soft limit on open files that child processes get: that of a program before it has raised its own.
  std::uint64_t child_file_limit = os::soft_file_limit();
};

// The kinds of deployers that configurations may name. For reading configurations; a Runtime has its own.
std::unique_ptr<deployer::Registry> make_registry_for_reading();

// An engine that is running: one loop on a thread of its own, a pool for what blocks, one keeper. Made and destroyed on
// any thread but the loop's. Several may live in one process.
class Runtime final : public workflow::Deployers {
 public:
  // Throws an Error (start, environment) when the keeper cannot be started.
  Runtime(Configuration configuration, RuntimeOptions options);
  // Ends what is left: all child processes die. Nothing may be under way in wait_for.
  ~Runtime() override;
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  const Configuration& configuration() const noexcept { return configuration_; }
  const RuntimeOptions& options() const noexcept { return options_; }
  boost::asio::any_io_executor executor() { return loop_.get_executor(); }
  std::thread::id loop_thread() const noexcept { return thread_.get_id(); }
  // Where wait_for would wait for itself.
  bool on_loop_thread() const noexcept { return std::this_thread::get_id() == thread_.get_id(); }

  // On the loop's thread only.
  os::Keeper& keeper() noexcept { return *keeper_; }
  // For what blocks.
  boost::asio::thread_pool& pool() noexcept { return pool_; }
  // Who decides about actions; null when nobody does.
  governance::Governor* governor() noexcept { return governor_.get(); }
  // The gate for runs; null when nobody governs.
  workflow::ActionGate* action_gate() noexcept { return gates_.get(); }

  // Runs a coroutine on the loop and waits for its end on the calling thread, which is not the loop's. Throws what the
  // coroutine throws.
  template <class T>
  T wait_for(boost::asio::awaitable<T> work) {
    return boost::asio::co_spawn(loop_, std::move(work), boost::asio::use_future).get();
  }

  // --- on the loop's thread only ---
  const deployer::Registry& registry() const override { return registry_; }
  deployer::Deployer& local(const std::string& deployment_type) override;
  std::shared_ptr<deployer::Deployer> with_settings(const std::string& deployment_type,
                                                    const schema::Value& settings) override;
  // The Python deployer of the configuration, for those who need more than a deployer. Throws as local() does.
  deployer::PythonDeployer& python();
  std::size_t max_concurrent_deployments();

  // Lets go of all plugins, so that the next run learns anew what movable references mean. Only while no run is under
  // way.
  void forget_plugins() { deployers_.clear(); }

  // The store that the configuration's Python deployer works in.
  cache::Store store();

  // What that deployer works with, for those who need environments but no plugins. Lives as long as the runtime.
  struct Parts {
    boost::asio::thread_pool& pool;
    os::Keeper& keeper;
    source::GitSource& git;
    deployer::PythonWorkshop workshop;
    venv::Settings settings;
  };
  Parts parts();

 private:
  boost::asio::awaitable<void> let_go();
  void start_governing();
  struct Workshop;
  Workshop& workshop(const deployer::PythonSettings& settings);
  std::shared_ptr<deployer::PilotPool> pilots(const deployer::PythonSettings& settings);
  void adjust(deployer::PythonSettings& settings) const;
  deployer::PythonSettings python_settings() const;

  Configuration configuration_;
  RuntimeOptions options_;
  boost::asio::io_context loop_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> keep_running_;
  boost::asio::thread_pool pool_;
  contract::PluginContract contract_;
  std::unique_ptr<os::Keeper> keeper_;
  std::unique_ptr<deployer::Launcher> launcher_;
  deployer::Registry registry_;
  std::map<std::string, std::unique_ptr<Workshop>> workshops_;
  std::map<std::string, std::shared_ptr<deployer::PilotPool>> pilots_;
  std::map<std::string, std::shared_ptr<deployer::Deployer>> deployers_;
  std::unique_ptr<governance::Governor> governor_;
  std::unique_ptr<governance::EngineGates> gates_;
  std::thread thread_;
};

}  // namespace venvoy::api
