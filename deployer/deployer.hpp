// What the engine asks of whoever can run plugins; python_deployer.hpp is the real one.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "base/cancel.hpp"
#include "base/log.hpp"
#include "base/progress.hpp"
#include "schema/plugin_schema.hpp"
#include "schema/value.hpp"

namespace venvoy::deployer {

// What a plugin's step answered: data, also when the output is one for errors. Not yet checked against the schema.
struct StepAnswer {
  std::string output_id;
  schema::Value data;
};

// A live plugin that has said hello. One step runs in it. Used on the engine's loop only.
class PluginProcess {
 public:
  // Kills the process if it still lives.
  virtual ~PluginProcess() = default;

  // Runs the step to its end. Throws an Error (plugin, protocol) when the plugin dies, breaks the protocol or reports
  // a failure: with exit code or signal, and the tail of its standard error.
  virtual boost::asio::awaitable<StepAnswer> run(std::string run_id, std::string step_id, schema::Value input) = 0;

  // Who wants to hear what the plugin prints, line by line: its standard error (info), and what its step has printed
  // (debug). Some lines from before the call come at once. The listener must neither block nor throw; it is called
  // until close() completes or this object goes.
  using Listener = std::function<void(LogLevel level, std::string_view line)>;
  virtual void listen(Listener) {}

  // Sends a signal to the running step. Failures are logged only: the run itself tells what became of the plugin.
  virtual boost::asio::awaitable<void> signal(std::string run_id, std::string signal_id, schema::Value data) = 0;

  // Lets the plugin end by itself for a short while, then kills it; completes when nothing of it is left. Does not
  // throw.
  virtual boost::asio::awaitable<void> close() = 0;

  // The machine that it runs on; empty: this one.
  virtual std::string node() const { return {}; }

  // Ends the plugin now; a run in it fails.
  virtual void kill() noexcept = 0;
};

// Who a plugin is, for people: logs, reports, `plugin show`.
struct PluginFacts {
  std::string reference;    // as written, without secrets
  std::string source_kind;  // "git", "index" or "path"
  std::string version;      // the full commit, the version, the tree's hash
  std::string environment;  // where it lives
  std::string environment_key;
};

// A plugin that is ready to start: its environment is there and stays there as long as this object lives, its schema
// is known. Shared by all steps that use it.
class Plugin {
 public:
  virtual ~Plugin() = default;
  virtual const std::shared_ptr<const schema::PluginSchema>& schema() const noexcept = 0;
  virtual const PluginFacts& facts() const noexcept = 0;
  // Starts a process and waits for its hello. `progress`, which may be null and outlives the call, hears what is waited
  // for. Throws an Error (start, plugin, protocol).
  virtual boost::asio::awaitable<std::unique_ptr<PluginProcess>> start(Logger logger, ProgressSink* progress) = 0;

  // A run begins that is going to start it that often, as far as can be seen: a hint, so that a plugin can be made
  // ready for many starts. Each is followed by an end_run().
  virtual void begin_run(std::size_t expected_starts) { static_cast<void>(expected_starts); }
  virtual void end_run() noexcept {}
  // Closes, as PluginProcess::close does, the process that was kept for the first start of a run (see
  // PrepareContext::about_to_run), if it has not been needed.
  virtual boost::asio::awaitable<void> close_unused() { co_return; }
};

// What making a plugin ready may use and tell.
struct PrepareContext {
  Logger logger;
  ProgressSink* progress = nullptr;  // may be null; outlives the call
  CancelToken cancel;
  // The plugin is going to be started right after. A process that had to be started for its schema is kept for that.
  bool about_to_run = false;
};

// Makes plugins of one deployment type ready, with one configuration.
class Deployer {
 public:
  virtual ~Deployer() = default;
  // Resolves the source, checks its contract, installs it if need be and learns its schema. Asking twice for the same
  // source gives the same plugin. Throws an Error that says what is wrong with the reference, the repository, the
  // contract, the installation or the plugin.
  virtual boost::asio::awaitable<std::shared_ptr<Plugin>> prepare(std::string source, PrepareContext context) = 0;
};

}  // namespace venvoy::deployer
