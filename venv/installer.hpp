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
  std::filesystem::path constraints;  // a file; empty: none
  std::string before;                 // only what was on the index by then, as "2026-01-02T03:04:05Z"; empty: all
};

struct Command {
  std::filesystem::path program;
  std::vector<std::string> arguments;
};

// Says which commands make an environment; who runs them is another matter. None of them asks anybody anything, reads a
// project's or directory's configuration, or goes online if the settings say so. Paths are absolute. `environment` is
// the folder of a virtual environment.
class Installer {
 public:
  virtual ~Installer() = default;
  virtual std::string_view name() const noexcept = 0;  // "uv", "pip"
  // Empty for pip: it comes with each environment.
  virtual std::string_view version() const noexcept = 0;
  // Whether it can follow Steering::before.
  virtual bool knows_dates() const noexcept = 0;

  // A new environment of an interpreter: to be run one after the other.
  virtual std::vector<Command> make_environment(const std::filesystem::path& python,
                                                const std::filesystem::path& environment) const = 0;
  // The wheel of a project, in the folder `output`. The environment says for which Python, and stays as it is.
  virtual Command build_wheel(const std::filesystem::path& environment, const std::filesystem::path& project,
                              const std::filesystem::path& output, const Settings& settings,
                              const Steering& steering) const = 0;
  // Installs a wheel's file, or `name==version`, with its dependencies, and compiles it to byte code.
  virtual Command install(const std::filesystem::path& environment, const std::string& what, const Settings& settings,
                          const Steering& steering) const = 0;
  // Brings the wheel of a requirement, packed or unpacked, to the folder `output`: without dependencies, and without
  // running code of the package, so not if there is only a source archive.
  virtual Command fetch_wheel(const std::filesystem::path& environment, const std::string& requirement,
                              const std::filesystem::path& output, const Settings& settings) const = 0;
};

std::shared_ptr<const Installer> make_uv_installer(std::filesystem::path program, std::string version);
std::shared_ptr<const Installer> make_pip_installer();

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
