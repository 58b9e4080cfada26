// Runs of installers that choose only from what they may (design D6, D7).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "venv/installer.hpp"
#include "venv/internal/job.hpp"
#include "venv/internal/package_indexes.hpp"
#include "venv/internal/run_installer.hpp"

namespace venvoy::venv::internal {

// What an installer may choose from.
struct Bounds {
  std::string before;                    // see Steering
  std::optional<std::vector<Pin>> pins;  // of a lock file
  std::string lock;                      // its name
};

struct SteeredRun {
  InstallerRun run;  // its command is made by `command`; `temporary` is a folder of this making
  std::function<Command(const Steering&)> command;
  Target target;
  Bounds bounds;
};

// Runs it, uv by its own options, pip before an index of ours. `places` remembers where pip looks. Throws an Error:
// those of run_installer, and in their place what the index of ours has seen: network, authentication, install (a file
// that is not the one of the lock file, a package that is not in it, an index without dates).
boost::asio::awaitable<void> run_steered(const Job& job, const Installer& installer, SteeredRun steered,
                                         std::optional<IndexPlaces>& places);

// Nothing fits the bounds, as opposed to: something has gone wrong.
bool found_nothing(const Error& error);

// Of what lies in an environment, names of packages that came from an index although the lock file does not have them.
std::vector<std::string> unlisted_in(const nlohmann::json& distributions, const std::vector<Pin>& pins,
                                     const std::string& plugin);
Error not_listed(const Job& job, const std::string& lock, const std::vector<std::string>& names);

}  // namespace venvoy::venv::internal
