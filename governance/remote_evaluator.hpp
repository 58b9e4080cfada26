// Evaluation by an executor elsewhere (spec/governance.md 8.9).
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/thread_pool.hpp>

#include "governance/evaluation.hpp"
#include "governance/execution_mode.hpp"
#include "governance/settings.hpp"

namespace venvoy::governance {

// Sends rule id, input and the rule map's parameters, nothing else; the rule need not be in our registry. Whoever
// answers is not trusted.
class RemoteEvaluator final : public Evaluator {
 public:
  // `mode` says which executor is meant at the time of a question.
  RemoteEvaluator(const RemoteSettings& settings, std::function<ModeInForce()> mode);
  ~RemoteEvaluator() override;

  boost::asio::awaitable<Evaluation> evaluate(PolicyQuestion question, CancelToken cancel) override;

 private:
  RemoteSettings settings_;
  std::function<ModeInForce()> mode_;
  // Threads of its own, since executors may be slow; made when the first question comes.
  std::unique_ptr<boost::asio::thread_pool> pool_;
};

// What an executor's reply says. For tests and fuzzing.
Evaluation read_executor_reply(long status, std::string_view body);

// How long to wait before attempt number `attempt` (1 is the first that is repeated): 200 ms, doubling, and up to a
// quarter more by `jitter`, 0 to 1.
std::chrono::milliseconds remote_delay(int attempt, double jitter) noexcept;

}  // namespace venvoy::governance
