// What is written down about an environment (cache::Manifest::details), and read again by those who find it.
//
// {
//   "reference": as written by who had it built, without secrets,
//   "kind": "git" | "index" | "path", "version": commit, version or tree hash,
//   "origin": {"url", "commit", "subdirectory"} | {"package", "version", "hash"} | {"path", "tree"},
//   "resolution": {"mode": "newest", "input": ""},
//   "python": {"path", "version", "implementation", "abi", "platform"},
//   "installer": {"name", "version"},
//   "package": {"name", "version"},                    the plugin itself
//   "wheel": {"file", "time"},                         of what was built here
//   "distributions": [{"name", "version", "hash"} …],  everything that is installed
//   "built": RFC 3339
// }
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "venv/internal/job.hpp"
#include "venv/internal/origin.hpp"

namespace venvoy::venv::internal {

struct BuiltPackage {
  std::string name;
  std::string version;
  std::vector<std::string> modules;  // top-level names that came with it
};

// An installer.
struct MadeBy {
  std::string name;
  std::string version;
};

// `distributions` is what distributions.py says, `wheel` the manifest of the wheel or null.
nlohmann::json make_manifest(const Job& job, const Origin& origin, const Choice& chosen, const Interpreter& python,
                             const MadeBy& installer, const BuiltPackage& package, const nlohmann::json& distributions,
                             const nlohmann::json& wheel);

// Fills what a manifest knows: reference, source_kind and version are those of this call. What is missing stays empty.
void read_manifest(const nlohmann::json& manifest, ReadyEnv& environment);

// The name of the plugin's own distribution.
std::string package_name(const nlohmann::json& manifest);

}  // namespace venvoy::venv::internal
