// The configuration file (spec/workflow.md section 2, spec/command.md section 4).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/issue.hpp"
#include "base/log.hpp"
#include "deployer/registry.hpp"
#include "os/environment.hpp"
#include "schema/type.hpp"
#include "schema/value.hpp"

namespace venvoy::api {

struct Configuration {
  LogLevel log_level = LogLevel::info;
  // Ids of step outputs that are logged, and at which level.
  std::map<std::string, LogLevel> logged_outputs;
  // Deployment type -> what its deployer is configured with, checked against the registry.
  std::map<std::string, schema::Value> deployers;
  // Names of properties whose values are masked, besides the built-in ones.
  std::vector<std::string> secret_names;
  // The key `governance`, checked against its type; see governance::read_settings.
  std::optional<schema::Value> governance;
};

struct ReadConfiguration {
  Configuration configuration;
  Issues issues;  // with places in the file; the configuration is usable if none is an error
};

// An object type with every key of a configuration file, and what each means.
schema::TypePtr configuration_type(const deployer::Registry& registry);

// Without a file: podman for images, as in the Go engine, and the Python deployer.
ReadConfiguration default_configuration(const deployer::Registry& registry, const os::Environment& environment);

// Reads a file's text. `VENVOY_…` variables of the environment go over the scalars of Python deployers
// (`VENVOY_MODULE_PULL_POLICY`). Both forms of naming deployers are read, but not both in one file.
ReadConfiguration read_configuration(std::string_view text, const std::string& file, const deployer::Registry& registry,
                                     const os::Environment& environment);

}  // namespace venvoy::api
