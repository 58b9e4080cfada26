// How environments are to be made: the part of a deployer's configuration that `venv` works by (spec/command.md 4).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "source/git_url.hpp"

namespace venvoy::venv {

enum class PullPolicy { if_not_present, always };
enum class InstallerChoice { automatic, uv, pip };
// How versions of dependencies are chosen (design D6): as the plugin's lock file says, as they were at the date of its
// commit, or the newest. `automatic` is the first of these that is there.
enum class DependencyResolution { automatic, locked, as_of_commit, newest };

struct Settings {
  std::optional<std::string> python_path;    // given: exactly this one
  std::optional<std::string> python_semver;  // given and different: a warning
  PullPolicy pull_policy = PullPolicy::if_not_present;
  InstallerChoice installer = InstallerChoice::automatic;
  DependencyResolution dependency_resolution = DependencyResolution::automatic;
  // Nothing: whatever the installers' own configuration says. No secrets in them.
  std::optional<std::string> index_url;
  std::vector<std::string> extra_index_urls;
  std::vector<std::string> find_links;
  // A missing contract becomes a warning.
  bool override_compatibility = false;
  // The same, because nobody has said otherwise (design D5: the binary was called by the Go engine's name).
  bool contract_is_advice = false;
  // References that are allowed to lack the contract this time: the whole text as written (or as messages show it,
  // without secrets), or the module's name.
  std::vector<std::string> allow_incompatible;
  bool offline = false;
  // Given: exactly these requirements are installed with the package, in place of those that its metadata declares.
  std::optional<std::vector<std::string>> dependencies;
};

}  // namespace venvoy::venv
