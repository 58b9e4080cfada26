// A plugin in a ready environment.
#pragma once

#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "cache/store.hpp"
#include "deployer/deployer.hpp"
#include "deployer/launcher.hpp"
#include "deployer/pilots.hpp"
#include "deployer/python_settings.hpp"
#include "deployer/stderr_logs.hpp"
#include "os/keeper.hpp"
#include "venv/environments.hpp"

namespace venvoy::deployer::internal {

// Where a plugin lives and what it is started with. The launcher outlives the plugin.
struct PluginHouse {
  boost::asio::any_io_executor executor;
  boost::asio::thread_pool& pool;
  Launcher& launcher;
  cache::Store store;
  PythonLimits limits;
  std::shared_ptr<StderrLogs> stderr_logs;  // may be null
  std::shared_ptr<venv::Environments> environments;
  venv::ReadyEnvPtr environment;
  Logger logger;
  os::Keeper* keeper = nullptr;  // of fork servers; null: every step starts Python anew. Outlives the plugin
  std::filesystem::path starter;
  bool about_to_run = false;                 // see PrepareContext; no step is started on another machine
  std::shared_ptr<PilotPool> pilots = {};    // steps are started on other machines; null: here
  std::filesystem::path starter_there = {};  // the same script there
  // store_filler.py here and there, where those machines have stores of their own; else empty.
  std::filesystem::path filler = {};
  std::filesystem::path filler_there = {};
};

// Learns the plugin's schema, from the store or by starting the plugin once. Throws an Error (plugin, protocol, start,
// schema, cancelled): "failed to read plugin schema from '<reference>' (…)".
boost::asio::awaitable<std::shared_ptr<Plugin>> make_python_plugin(PluginHouse house, CancelToken cancel);

// The schema that a plugin in this environment has been asked for before; null if none is kept, or none that can be
// read. A small file is read.
std::shared_ptr<const schema::PluginSchema> stored_schema(const cache::Store& store, const std::string& environment_key,
                                                          unsigned generation);

}  // namespace venvoy::deployer::internal
