// Filling a generation of the store with an environment.
#pragma once

#include <memory>
#include <optional>

#include <boost/asio/awaitable.hpp>

#include "cache/lease.hpp"
#include "venv/internal/job.hpp"
#include "venv/internal/origin.hpp"

namespace venvoy::venv::internal {

// Builds the plugin's wheel if the store does not have it, installs it with its dependencies into the generation,
// checks that the module can be run, and publishes. On every error nothing remains. Job, origin and interpreter outlive
// the coroutine. Throws an Error: install, environment, unresolvable, network, authentication, cancelled, limit, io.
boost::asio::awaitable<std::shared_ptr<cache::Lease>> build_environment(const Job& job, const Origin& origin,
                                                                        const Interpreter& python,
                                                                        std::shared_ptr<cache::Building> building);

// The keys of what is built. Nothing in them depends on who installs or starts it (design D4).
cache::Key environment_key(const cache::KeyInputs& origin, const Resolution& resolution, const Interpreter& python,
                           const Settings& settings);
cache::Key wheel_key(const cache::KeyInputs& origin, const Resolution& resolution, const Interpreter& python,
                     const Settings& settings);

// What `python -m` takes: by the reference's name, or of a local path by the package's (spec/workflow.md 8.5).
std::string module_of(const source::ModuleRef& reference, const std::string& package);

// `<generation>/venv`
inline std::filesystem::path environment_in(const std::filesystem::path& generation) {
  return generation / "venv";
}

}  // namespace venvoy::venv::internal
