// The whole way from a reference to a leased environment.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "venv/internal/job.hpp"
#include "venv/known_env.hpp"
#include "venv/ready_env.hpp"

namespace venvoy::venv::internal {

// Origin and contract, interpreter, key, lease or build. The job outlives the coroutine. Throws as Environments::get.
boost::asio::awaitable<ReadyEnvPtr> make_ready(const Job& job);

// What make_ready would do with policy IfNotPresent; of a job that only looks. The job outlives the coroutine. Throws
// what make_ready would throw for sure.
boost::asio::awaitable<KnownEnv> look_up(const Job& job);

}  // namespace venvoy::venv::internal
