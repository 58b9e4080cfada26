// An environment that is there and stays there.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cache/lease.hpp"

namespace venvoy::venv {

struct Distribution {
  std::string name;
  std::string version;
};

// From a resolved module to an interpreter that can import it. Holds the lease: as long as one of these lives, nobody
// removes the environment. Letting go of the last one may remove a superseded generation, which takes a while: not on
// the event loop (see Environments::give_back).
struct ReadyEnv {
  cache::Lease lease;
  std::filesystem::path python;  // of the environment, absolute
  std::string module;            // what `python -m` takes
  std::string reference;         // as written, without secrets
  std::string source_kind;       // "git", "index" or "path"
  std::string version;           // full commit, version, or tree hash
  std::string python_version;    // "3.11.2"
  std::string installer;         // "uv" or "pip": who made it
  std::vector<Distribution> distributions;
  bool built_now = false;  // by this call, or found
};

using ReadyEnvPtr = std::shared_ptr<const ReadyEnv>;

}  // namespace venvoy::venv
