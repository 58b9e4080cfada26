// `package which`: which package a host of Rucio would load, and why (spec/policy-packages.md 2.1).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "os/environment.hpp"
#include "rucio/config_file.hpp"

namespace venvoy::rucio {

enum class Component { server, daemon, client };

struct WhichQuestion {
  std::string vo;  // empty: none was named
  Component component = Component::server;
};

struct ActivePackage {
  std::optional<std::string> package;  // nothing: Rucio's own rules
  std::string origin;                  // "environment", "file", "default"
  std::string key;                     // the variable, or the option: "[policy] package"; of "default" what decides
  int line = 0;                        // of the file; 0 for the others
  std::vector<std::string> hints;
};

// Where a host looks for its configuration: $RUCIO_CONFIG, else the first `rucio.cfg` in etc of $RUCIO_HOME,
// $VIRTUAL_ENV, $CONDA_PREFIX and in /opt/rucio/etc. Throws an Error (unresolvable) with the places.
std::string find_rucio_config(const os::Environment& environment);

// Throws an Error (document) that names the variable, or has the position in the file, for what a host would refuse or
// misunderstand: an empty variable, quotes or a comment in a value, a text that is no boolean, no module's name.
ActivePackage active_package(const ConfigFile& config, const os::Environment& environment,
                             const WhichQuestion& question);

// Whether Rucio would find a module by this text: words of letters, digits and '_', joined by dots.
bool is_module_name(std::string_view text) noexcept;

}  // namespace venvoy::rucio
