// What puts packages into environments (design D7): uv, or the interpreter's own venv and pip.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/cancel.hpp"
#include "base/log.hpp"
#include "os/environment.hpp"
#include "os/keeper.hpp"
#include "venv/settings.hpp"

namespace venvoy::venv {

// Which versions an installer may choose from.
struct Steering {
  // A file of names with versions and hashes; empty: none.
  std::filesystem::path constraints;
  // Only what was on the index by then, as "2026-01-02T03:04:05Z"; empty: all. Where there are constraints too it holds
  // for packages that lock files never name.
  std::string before;
};

struct Command {
  std::filesystem::path program;
  std::vector<std::string> arguments;
  std::vector<std::string> environment = {};  // "NAME=value", beyond what all of them get
};

// Where a command works: folders that are absolute.
struct Target {
  std::filesystem::path environment;  // of a virtual environment
  std::filesystem::path python;       // the interpreter that it is of
  std::filesystem::path tools;        // where the package `pip` lies, if that is the installer
};

// Says which commands make an environment; who runs them is another matter. None of them asks anybody anything, reads a
// project's or directory's configuration, or goes online if the settings say so. What both installers leave in an
// environment is the same.
class Installer {
 public:
  virtual ~Installer() = default;
  virtual std::string_view name() const noexcept = 0;  // "uv", "pip"
  // Empty for pip: it comes with each interpreter.
  virtual std::string_view version() const noexcept = 0;
  // Whether it looks only at an index of ours, which its environment names, and which does the steering by dates and
  // hashes: then no command names the places of the settings.
  virtual bool needs_index() const noexcept = 0;
  // Whether the target's `tools` must be there (internal/own_pip.hpp).
  virtual bool needs_tools() const noexcept = 0;
  // Whether build_wheel needs the target's environment, and not only its interpreter.
  virtual bool builds_in_environment() const noexcept = 0;

  // A new environment of the target's interpreter.
  virtual Command make_environment(const Target& target) const = 0;
  // The wheel of a project, in the folder `output`. The environment stays as it is.
  virtual Command build_wheel(const Target& target, const std::filesystem::path& project,
                              const std::filesystem::path& output, const Settings& settings,
                              const Steering& steering) const = 0;
  // Installs a wheel's file, or `name==version`, and compiles it to byte code: with its dependencies, or without them
  // if the settings name others.
  virtual Command install(const Target& target, const std::string& what, const Settings& settings,
                          const Steering& steering) const = 0;
  // Installs requirements with all they need, and compiles them.
  virtual Command install_more(const Target& target, const std::vector<std::string>& requirements,
                               const Settings& settings, const Steering& steering) const = 0;
  // Brings the wheel of a requirement, packed or unpacked, to the folder `output`: without dependencies, and without
  // running code of the package, so not if there is only a source archive.
  virtual Command fetch_wheel(const Target& target, const std::string& requirement, const std::filesystem::path& output,
                              const Settings& settings, const Steering& steering) const = 0;
  // Prints `--index-url <URL>` and `--extra-index-url <URL>`, a line for each place where it would look. Only of those
  // that need no index.
  virtual Command tell_indexes(const Settings& settings) const = 0;
};

std::shared_ptr<const Installer> make_uv_installer(std::filesystem::path program, std::string version,
                                                   bool has_dates_of_packages);
// `run_pip_script`: run_pip.py, absolute.
std::shared_ptr<const Installer> make_pip_installer(std::filesystem::path run_pip_script);

// Chooses, and asks uv for its version only once. Used on the keeper's thread.
class Installers {
 public:
  // Both outlive this object.
  Installers(os::Keeper& keeper, const os::Environment& environment) : keeper_(keeper), environment_(environment) {}

  // `automatic` is uv if it is there (named by VENVOY_UV, in PATH, or beside the keeper) and new enough, else pip.
  // Throws an Error (environment) if uv is asked for and cannot be used, (cancelled).
  boost::asio::awaitable<std::shared_ptr<const Installer>> choose(InstallerChoice choice, Logger logger,
                                                                  CancelToken cancel);

 private:
  // uv, or why not.
  struct Uv {
    std::shared_ptr<const Installer> installer;
    std::string trouble;
  };
  boost::asio::awaitable<Uv> find_uv(CancelToken cancel);

  os::Keeper& keeper_;
  const os::Environment& environment_;
  std::optional<Uv> uv_;
};

}  // namespace venvoy::venv
