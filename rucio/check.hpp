// `package check`: the contract with a host, and the lint rules (spec/policy-packages.md 4.2, 4.3).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/exit_code.hpp"
#include "rucio/package.hpp"
#include "rucio/probe.hpp"

namespace venvoy::rucio {

struct Finding {
  std::string rule;   // "L-01"
  std::string level;  // "error" or "warning"
  std::string file;   // relative to the folder that is imported from, or of the project
  int line = 1;
  std::string text;
};

// What is deployed by now.
struct Deployed {
  std::string commit;
  std::string version;
};

struct CheckOptions {
  std::optional<contract::HostVersion> host;
  Audience audience;
  std::string image_python = "3.9";  // of the image that the package will run in
  std::optional<Deployed> deployed;
  ProbeLimits limits;
};

struct CheckReport {
  contract::HostVerdict verdict = contract::HostVerdict::none;
  nlohmann::json declared;  // {"type", "value"} of SUPPORTED_VERSION, or null
  std::vector<Finding> findings;
  bool import_failed = false;
  std::vector<std::string> host_distributions;  // what Rucio itself requires, normalised; empty if that is not known

  bool has_errors() const noexcept;
};

// A package that can be run is also asked for its contract and its algorithms. Throws as ask_script and ask_package do.
CheckReport check_package(Workshop& workshop, const Package& package, const CheckOptions& options);

// By what a report holds the first of: not parsable, mismatch, does not import, any other error.
PackageExit exit_of(const CheckReport& report);

// {"reference", "commit", "module", "distribution", "version", "host_version", "host_major", "verdict", "findings"}
nlohmann::json to_json(const CheckReport& report, const Package& package, const CheckOptions& options);

}  // namespace venvoy::rucio
