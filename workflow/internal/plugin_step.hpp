// A plugin step in one run.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/text.hpp"
#include "workflow/internal/step_run.hpp"
#include "workflow/run_observer.hpp"

namespace venvoy::workflow::internal {

class PluginStepRun final : public StepRun {
 public:
  PluginStepRun(WorkflowRun& run, std::size_t index);

  boost::asio::awaitable<void> live() override;
  void provide(std::size_t stage, schema::Map fields) override;

 private:
  boost::asio::awaitable<std::shared_ptr<deployer::Plugin>> deploy_plugin();
  bool is_enabled() const;
  boost::asio::awaitable<void> run_plugin(deployer::Plugin& plugin);
  boost::asio::awaitable<schema::Value> ask_gate(const schema::StepSchema& schema, schema::Value input);
  boost::asio::awaitable<std::unique_ptr<deployer::PluginProcess>> start_process(deployer::Plugin& plugin);
  boost::asio::awaitable<deployer::StepAnswer> run_in(deployer::PluginProcess& process,
                                                      const schema::StepSchema& schema, schema::Value input);
  std::chrono::milliseconds closure_wait() const;

  void end_deploy_failed(const Error& error);
  void end_disabled();
  void end_closed();
  void end_start_failed(const Error& error);
  void end_run_failed(const Error& error);
  void end_with_output(const schema::StepSchema& schema, deployer::StepAnswer answer);
  void finish(Outcome outcome, PluginStage stage, const std::string& output, schema::Value data, std::string error);

  const std::string title_;  // "<step>/<plugin step>", as in the Go engine's messages
};

}  // namespace venvoy::workflow::internal
