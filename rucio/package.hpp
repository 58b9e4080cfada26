// A policy package that is at hand: to be read, and perhaps to be asked.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "contract/supported_version.hpp"
#include "rucio/workshop.hpp"

namespace venvoy::rucio {

// A distribution in a site-packages folder.
struct InstalledFiles {
  std::string name;  // normalised (PEP 503)
  std::string version;
  std::string info;                // its folder `<name>-<version>.dist-info`
  std::vector<std::string> files;  // relative to the site-packages, without byte code
  std::vector<std::string> needs;  // normalised names of what it requires
};

struct Package {
  source::ModuleRef reference;
  std::string shown;     // the reference without secrets
  std::string version;   // as its metadata says; empty if there is none
  std::string commit;    // full id, of git references
  std::string branch;    // that the reference names, if it is one; "HEAD" for no version at all
  std::string identity;  // commit, version of the index, or hash of the tree; empty where nothing was resolved

  std::filesystem::path root;  // the folder to import from
  std::string module;
  std::string folder;  // of the module, relative to `root`
  std::vector<std::string> modules;
  std::vector<std::string> module_files;  // relative to `root`
  std::string distribution;
  std::vector<std::string> requires_dist;
  std::string requires_python;
  std::string metadata_file;  // relative to `root`

  // How it is run: an interpreter and what else has to be in its path. Nothing for packages that are only read.
  std::filesystem::path python;
  std::vector<std::filesystem::path> dependency_roots;
  std::optional<InstalledFiles> own_files;
  std::vector<InstalledFiles> dependencies;  // installed with it, without the package itself
  std::vector<venv::ReadyEnvPtr> held;

  bool can_run() const noexcept { return !python.empty(); }
};

struct OpenOptions {
  // Run nothing of the package, its build back end neither: its source tree is read.
  bool read_only = false;
  std::string module;  // the module, where the package has several; empty: as Rucio's configuration would name it
};

// A reference, a wheel, a project's folder, or the folder of a module alone. Throws an Error: reference, unresolvable,
// network, authentication, install, environment, document (metadata that cannot be read, no such module), cancelled.
Package open_package(Workshop& workshop, const std::string& reference, const OpenOptions& options = {});

// Rucio itself, as far as it is at hand.
struct Host {
  contract::HostVersion version;
  std::vector<std::filesystem::path> roots;  // empty: the version cannot be had
  std::vector<venv::ReadyEnvPtr> held;
};

enum class HostUse { read, run };

// The host of a version from the index: to be read, or with what it needs to load policy packages, in the versions that
// it names itself. `python`: the interpreter of the package that is to be loaded; empty if it is only read. Throws as
// Workshop::environment.
Host find_host(Workshop& workshop, const contract::HostVersion& version, HostUse use,
               const std::filesystem::path& python);
// The same to be read; one that cannot be had has no roots, and a warning says so.
Host find_host_to_read(Workshop& workshop, const contract::HostVersion& version);

// Runs one of our scripts with a request and gives its answer. Throws an Error (document) with what the script says.
nlohmann::json ask_script(Workshop& workshop, const std::string& script, const nlohmann::json& request);

nlohmann::json host_facts(const std::optional<contract::HostVersion>& host);

}  // namespace venvoy::rucio
