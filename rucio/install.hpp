// `package install` and `package rollback`: what the charts' init container does, checked and in one step.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "base/exit_code.hpp"
#include "rucio/check.hpp"
#include "rucio/target_directory.hpp"

namespace venvoy::rucio {

struct InstallOptions {
  std::filesystem::path target;
  CheckOptions check;  // `deployed` is taken from the target
  OpenOptions open;
  bool force = false;  // install although its contract or a rule says no
  std::string now;     // RFC 3339
};

struct InstallOutcome {
  PackageExit exit = PackageExit::ok;
  bool unchanged = false;
  InstallRecords records;                                // of the target, afterwards
  std::vector<std::string> installed;                    // modules of this call
  std::vector<std::pair<Package, CheckReport>> checked;  // in the order of the references
};

// What the package needs and the host does not bring; never Rucio itself. By name; pointers into the package.
std::vector<const InstalledFiles*> dependencies_to_bring(const Package& package, const CheckReport& report);

// All of the packages, or none: whatever fails, the target stays as it was. A package that must not be installed is an
// outcome with its exit; other failures are Errors.
InstallOutcome install_packages(Workshop& workshop, const std::vector<std::string>& references,
                                const InstallOptions& options, const CancelToken& cancel);

}  // namespace venvoy::rucio
