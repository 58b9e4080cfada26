// From a reference to an interpreter that can import what it names: resolve, check the contract, install once, lease
// (design D4 to D7, D10).
#pragma once

#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/progress.hpp"
#include "cache/store.hpp"
#include "contract/contract.hpp"
#include "os/environment.hpp"
#include "os/keeper.hpp"
#include "source/module_ref.hpp"
#include "source/resolver.hpp"
#include "venv/known_env.hpp"
#include "venv/ready_env.hpp"
#include "venv/settings.hpp"

namespace venvoy::venv {

// What all work on environments needs; everything outlives the Environments.
struct Services {
  boost::asio::any_io_executor executor;  // the engine's loop
  boost::asio::thread_pool& pool;         // for what blocks
  os::Keeper& keeper;
  source::GitSource& git;
  cache::Store store;
  const Clock* clock = &system_clock();
  // What interpreters and installers get, and where PATH and VENVOY_UV (the uv to use, if it is not in PATH) are read.
  os::Environment environment = os::current_environment();
};

struct GetContext {
  Logger logger;
  ProgressSink* progress = nullptr;  // may be null; outlives the call
  CancelToken cancel;
  // Ask the network what a branch or tag means now, and build anew, whatever has been done before: policy Always for
  // this call (`cache pull`).
  bool refresh = false;
};

// All environments of one engine. On the loop's thread only; the coroutines move blocking work to the pool.
class Environments {
 public:
  explicit Environments(Services services);
  ~Environments();

  // The environment for a reference, made if it is not there. `contract` outlives this object, since a making may be
  // shared by callers of whom the first gives up. Everybody who asks for the same with the same settings at the same
  // time waits for one making; it is given up when all of them have been cancelled, and the last one waits until that
  // is done. A LocalRef is relative to the working directory of the process. Throws an Error in one sentence:
  // reference, unresolvable, network, authentication, contract_missing, contract_unreadable, environment (no such
  // Python, work directory, full disk), install (with the tail of the installer's output), cancelled, limit, io.
  boost::asio::awaitable<ReadyEnvPtr> get(source::ModuleRef reference, const contract::Contract& contract,
                                          Settings settings, GetContext context);

  // What get() would do, as far as that can be told without the network and without building anything. What is learned
  // on the way of a commit that lies in a mirror, or of an interpreter, is noted in the store as always; nothing else
  // is changed. Throws what get() would throw for sure (reference, contract_missing, environment, …).
  boost::asio::awaitable<KnownEnv> look(source::ModuleRef reference, const contract::Contract& contract,
                                        Settings settings, GetContext context);

  // Lets go of an environment on the pool; for those who hold the last pointer on the loop.
  void give_back(ReadyEnvPtr environment);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace venvoy::venv
