#include <utility>

#include "venv/installer.hpp"

namespace venvoy::venv {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

// Isolated (-I): nothing of PYTHONPATH and of the user's own packages may pass for something that is installed.
Command pip(const fs::path& environment, std::initializer_list<std::string> command) {
  Arguments arguments = {"-I", "-m", "pip", "--no-input", "--disable-pip-version-check", "--no-color"};
  arguments.insert(arguments.end(), command);
  return {environment / "bin" / "python", std::move(arguments)};
}

bool is_local(const std::string& place) {
  return place.find("://") == std::string::npos || place.starts_with("file:");
}

// pip has no word for "offline": no index, and of the places for packages those on this machine.
void add_pip_indexes(Arguments& arguments, const Settings& settings) {
  if (settings.offline) arguments.push_back("--no-index");
  if (settings.index_url) arguments.insert(arguments.end(), {"--index-url", *settings.index_url});
  for (const std::string& url : settings.extra_index_urls)
    arguments.insert(arguments.end(), {"--extra-index-url", url});
  for (const std::string& place : settings.find_links)
    if (!settings.offline || is_local(place)) arguments.insert(arguments.end(), {"--find-links", place});
}

void add_pip_steering(Arguments& arguments, const Steering& steering) {
  if (!steering.constraints.empty()) arguments.insert(arguments.end(), {"--constraint", steering.constraints.string()});
}

class PipInstaller final : public Installer {
 public:
  std::string_view name() const noexcept override { return "pip"; }
  std::string_view version() const noexcept override { return {}; }
  bool knows_dates() const noexcept override { return false; }

  // In two commands, as venv keeps to itself what pip's own installation says when it fails.
  std::vector<Command> make_environment(const fs::path& python, const fs::path& environment) const override {
    return {{python, {"-I", "-m", "venv", "--without-pip", environment.string()}},
            {environment / "bin" / "python", {"-I", "-m", "ensurepip", "--upgrade", "--default-pip"}}};
  }

  Command build_wheel(const fs::path& environment, const fs::path& project, const fs::path& output,
                      const Settings& settings, const Steering&) const override {
    Command command = pip(environment, {"wheel", "--no-deps", "--progress-bar", "off", "--wheel-dir", output.string()});
    add_pip_indexes(command.arguments, settings);
    command.arguments.push_back(project.string());
    return command;
  }

  Command install(const fs::path& environment, const std::string& what, const Settings& settings,
                  const Steering& steering) const override {
    Command command = pip(environment, {"install", "--compile", "--progress-bar", "off"});
    add_pip_indexes(command.arguments, settings);
    add_pip_steering(command.arguments, steering);
    command.arguments.push_back(what);
    return command;
  }

  Command fetch_wheel(const fs::path& environment, const std::string& requirement, const fs::path& output,
                      const Settings& settings) const override {
    Command command = pip(environment, {"download", "--no-deps", "--only-binary", ":all:", "--progress-bar", "off",
                                        "--dest", output.string()});
    add_pip_indexes(command.arguments, settings);
    command.arguments.push_back(requirement);
    return command;
  }
};

}  // namespace

std::shared_ptr<const Installer> make_pip_installer() {
  return std::make_shared<PipInstaller>();
}

}  // namespace venvoy::venv
