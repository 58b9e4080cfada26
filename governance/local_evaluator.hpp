// Evaluation on this machine: in an environment and a process of its own (spec/governance.md 8.5).
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/log.hpp"
#include "contract/contract.hpp"
#include "deployer/fork_server.hpp"
#include "deployer/launcher.hpp"
#include "deployer/python_deployer.hpp"
#include "governance/evaluation.hpp"
#include "governance/policy_code.hpp"
#include "governance/settings.hpp"
#include "os/environment.hpp"

namespace venvoy::governance {

// What the evaluator shares with the engine; everything outlives it.
struct LocalServices {
  boost::asio::any_io_executor executor;  // the engine's loop
  boost::asio::thread_pool& pool;
  const contract::Contract& contract;  // of policies that are plugins
  deployer::Launcher& launcher;
  // For fork servers: a process that is isolated as always is forked, where otherwise a Python is started.
  os::Keeper* keeper = nullptr;  // null: no fork servers
  std::function<bool()> fork_servers;
  std::filesystem::path starter;  // plugin_starter.py
  std::function<deployer::PythonWorkshop()> workshop;
  std::function<venv::Settings()> environments;  // how they are to be made
  // Folder with venvoy_policy_evaluator.py.
  std::filesystem::path scripts;
  os::Environment environment;  // of this process
  Logger logger;
};

class LocalEvaluator final : public Evaluator {
 public:
  LocalEvaluator(LocalServices services, const LocalSettings& settings, Registry& registry, PolicyCode& code);
  ~LocalEvaluator() override;

  boost::asio::awaitable<Evaluation> evaluate(PolicyQuestion question, CancelToken cancel) override;

  // Gives the environments back; on the loop, before the engine goes.
  void let_go();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace venvoy::governance
