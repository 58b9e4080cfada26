// One making of an environment: what is wanted, and what it may use and tell.
#pragma once

#include <functional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "base/cancel.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/progress.hpp"
#include "contract/contract.hpp"
#include "source/module_ref.hpp"
#include "venv/environments.hpp"
#include "venv/installer.hpp"
#include "venv/interpreter.hpp"
#include "venv/settings.hpp"

namespace venvoy::venv::internal {

// Blocking work for os::on_pool.
template <class Result>
using Work = std::function<Result(const CancelToken&)>;

// Told on the loop's thread.
using Announce = std::function<void(Progress)>;

// Everything in it outlives the making; coroutines take it by reference.
struct Job {
  const Services& services;
  Interpreters& interpreters;
  Installers& installers;
  const contract::Contract& contract;
  source::ModuleRef reference;
  std::string shown;  // the reference without secrets
  Settings settings;
  bool renew = false;  // policy Always: ask what a name means now, build anew
  Logger logger;
  CancelToken cancel;
  Announce announce;
  // Nothing is to be asked of a server, built or replaced (`venvoy plan`).
  bool look_only = false;
};

Progress progress_of(Progress::Kind kind, const std::string& reference);

// A stage between its `_started` and its `_finished`, which is told on every way out.
class Stage {
 public:
  Stage(const Job& job, Progress::Kind started, Progress::Kind finished, std::string text = {});
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  void done(std::string text);
  void failed(const Error& error);

 private:
  void end(std::string text, std::string outcome);

  const Job& job_;
  Progress::Kind finished_;
  bool ended_ = false;
};

// Runs a coroutine as a stage; an Error that it throws is told as the reason. `body` says when the stage is done.
template <class Result>
boost::asio::awaitable<Result> in_stage(const Job& job, Progress::Kind started, Progress::Kind finished,
                                        std::function<boost::asio::awaitable<Result>(Stage&)> body) {
  Stage stage(job, started, finished);
  try {
    Result result = co_await body(stage);
    co_return result;
  } catch (const Error& error) {
    stage.failed(error);
    throw;
  }
}

// "2026-01-02T03:04:05Z"
std::string time_text(WallTime time);

// The 64 digits of the SHA-256 of names and values (see cache::KeyBuilder): names of records.
std::string name_of(const cache::KeyInputs& inputs);

}  // namespace venvoy::venv::internal
