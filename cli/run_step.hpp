// One step of one plugin, without a workflow.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "base/cancel.hpp"
#include "base/log.hpp"
#include "deployer/deployer.hpp"
#include "schema/plugin_schema.hpp"

namespace venvoy::cli {

// Starts the plugin, runs the step and ends the plugin. When cancelled, the plugin gets the signal `cancel` and a few
// seconds, if its step takes that, and is killed otherwise; an answer in time counts as if nothing had happened
// (spec/workflow.md 1.10). Plugin and step outlive the call. Throws an Error: what starting and running throw, or
// cancelled.
boost::asio::awaitable<deployer::StepAnswer> run_step(boost::asio::any_io_executor executor, deployer::Plugin& plugin,
                                                      const schema::StepSchema& step, schema::Value input,
                                                      Logger logger, CancelToken cancel);

}  // namespace venvoy::cli
