// What work on policy packages needs of the engine. Everything blocks: it is called from a thread that is not the
// engine's, and the program that owns the engine gives the real form.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "os/environment.hpp"
#include "os/run_program.hpp"
#include "source/git_mirror.hpp"
#include "source/module_ref.hpp"
#include "venv/ready_env.hpp"

namespace venvoy::rucio {

// A commit that a reference means.
struct GitMeaning {
  std::string commit;
  source::VersionKind kind = source::VersionKind::commit;
  std::string name;  // of the branch or tag, without `refs/…/`
};

class Workshop {
 public:
  virtual ~Workshop() = default;

  // The environment of a reference, under the contract of policy packages. `dependencies` as in venv::Settings;
  // `python`: its interpreter, empty for one that suits. Throws what venv::Environments::get throws.
  virtual venv::ReadyEnvPtr environment(const source::ModuleRef& reference,
                                        std::optional<std::vector<std::string>> dependencies,
                                        const std::filesystem::path& python) = 0;
  // What a reference means; its work tree in `target`, if that is given, which must not be there. Throws what
  // source::GitSource throws.
  virtual GitMeaning git(const source::GitRef& reference, std::optional<std::filesystem::path> target) = 0;
  // As os::run_program.
  virtual os::ProgramResult run(os::ProgramSpec spec, os::ProgramLimits limits) = 0;
  // An interpreter for our own scripts. Throws an Error (environment).
  virtual std::filesystem::path python() = 0;
  // A new folder, which is removed with the workshop.
  virtual std::filesystem::path new_folder() = 0;

  virtual const os::Environment& process_environment() const = 0;
  virtual const Logger& logger() const = 0;
  virtual bool offline() const = 0;
};

}  // namespace venvoy::rucio
