// The pip that belongs to an interpreter, kept in the store: one for each interpreter and version of pip. To set one up
// for each environment, as venv does, takes longer than all else.
//
//   tool-v1/<key>/pip/…   manifest: {"tool": "pip", "version", "place", "python"}
#pragma once

#include <filesystem>
#include <memory>

#include <boost/asio/awaitable.hpp>

#include "cache/lease.hpp"
#include "venv/internal/job.hpp"

namespace venvoy::venv::internal {

// Copies it from the interpreter if it is not in the store. The lease's path is the `tools` of a Target. `scratch` is a
// folder for temporary files. The job outlives the coroutine. Throws an Error: install (this Python has no pip),
// environment, cancelled, io.
boost::asio::awaitable<std::shared_ptr<cache::Lease>> lease_own_pip(const Job& job, Interpreter python,
                                                                    std::filesystem::path scratch);

}  // namespace venvoy::venv::internal
