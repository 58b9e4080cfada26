#include <utility>

#include "base/error.hpp"
#include "venv/installer.hpp"

namespace venvoy::venv {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

void add_pip_steering(Arguments& arguments, const Steering& steering) {
  if (!steering.constraints.empty()) arguments.insert(arguments.end(), {"--constraint", steering.constraints.string()});
}

// The interpreter's own pip, which the store keeps (internal/own_pip.hpp), so that it is no part of the environment,
// and need not be set up for each. Where it looks for packages is in its environment variables
// (internal/steered_index.hpp).
class PipInstaller final : public Installer {
 public:
  explicit PipInstaller(fs::path script) : script_(std::move(script)) {}

  std::string_view name() const noexcept override { return "pip"; }
  std::string_view version() const noexcept override { return {}; }
  bool needs_index() const noexcept override { return true; }
  bool needs_tools() const noexcept override { return true; }
  bool builds_in_environment() const noexcept override { return true; }

  Command make_environment(const Target& target) const override {
    return {target.python, {"-I", "-m", "venv", "--without-pip", target.environment.string()}};
  }

  // As pip does it by itself where there are no setuptools, in its later versions.
  Command build_wheel(const Target& target, const fs::path& project, const fs::path& output, const Settings&,
                      const Steering&) const override {
    Command command =
        pip(target, {"wheel", "--use-pep517", "--no-deps", "--progress-bar", "off", "--wheel-dir", output.string()});
    command.arguments.push_back(project.string());
    // What a build needs is used once, and not all of it.
    command.environment = {"PIP_NO_COMPILE=1"};
    return command;
  }

  Command install(const Target& target, const std::string& what, const Settings& settings,
                  const Steering& steering) const override {
    Command command = install_more(target, {what}, settings, steering);
    if (settings.dependencies) command.arguments.push_back("--no-deps");
    return command;
  }

  Command install_more(const Target& target, const std::vector<std::string>& requirements, const Settings&,
                       const Steering& steering) const override {
    Command command = pip(target, {"install", "--use-pep517", "--compile", "--progress-bar", "off"});
    add_pip_steering(command.arguments, steering);
    command.arguments.insert(command.arguments.end(), requirements.begin(), requirements.end());
    return command;
  }

  Command fetch_wheel(const Target& target, const std::string& requirement, const fs::path& output, const Settings&,
                      const Steering&) const override {
    Command command = pip(target, {"download", "--no-deps", "--only-binary", ":all:", "--progress-bar", "off", "--dest",
                                   output.string()});
    command.arguments.push_back(requirement);
    return command;
  }

  // venv/scripts/pip_places.py asks pip itself.
  Command tell_indexes(const Settings&) const override {
    throw Error(ErrorCode::internal, "pip has no command that tells its indexes");
  }

 private:
  // Isolated (-I): nothing of PYTHONPATH and of the user's own packages may pass for something that is installed.
  Command pip(const Target& target, std::initializer_list<std::string> command) const {
    Arguments arguments = {
        "-I", script_.string(), target.tools.string(), "--no-input", "--disable-pip-version-check", "--no-color"};
    arguments.insert(arguments.end(), command);
    return {target.environment / "bin" / "python", std::move(arguments)};
  }

  fs::path script_;
};

}  // namespace

std::shared_ptr<const Installer> make_pip_installer(fs::path run_pip_script) {
  return std::make_shared<PipInstaller>(std::move(run_pip_script));
}

}  // namespace venvoy::venv
