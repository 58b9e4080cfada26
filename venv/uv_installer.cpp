#include <utility>

#include <fmt/format.h>

#include "venv/installer.hpp"
#include "venv/lock_file.hpp"

namespace venvoy::venv {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

void add_uv_indexes(Arguments& arguments, const Settings& settings) {
  if (settings.offline) arguments.push_back("--offline");
  if (settings.index_url) arguments.insert(arguments.end(), {"--default-index", *settings.index_url});
  for (const std::string& url : settings.extra_index_urls) arguments.insert(arguments.end(), {"--index", url});
  for (const std::string& place : settings.find_links) arguments.insert(arguments.end(), {"--find-links", place});
}

// uv's cache and the user's configuration of it stay in use; its output has no colours since it is no terminal.
class UvInstaller final : public Installer {
 public:
  UvInstaller(fs::path program, std::string version, bool has_dates_of_packages)
      : program_(std::move(program)), version_(std::move(version)), has_dates_of_packages_(has_dates_of_packages) {}

  std::string_view name() const noexcept override { return "uv"; }
  std::string_view version() const noexcept override { return version_; }
  bool needs_index() const noexcept override { return false; }
  bool needs_tools() const noexcept override { return false; }
  bool builds_in_environment() const noexcept override { return false; }

  Command make_environment(const Target& target) const override {
    return {program_,
            {"venv", "--no-project", "--no-python-downloads", "--python", target.python.string(),
             target.environment.string()}};
  }

  // Without sources: what pip would not see must not decide what is built.
  Command build_wheel(const Target& target, const fs::path& project, const fs::path& output, const Settings& settings,
                      const Steering& steering) const override {
    Arguments arguments = {"build",        "--wheel",      "--no-python-downloads",
                           "--no-sources", "--python",     target.python.string(),
                           "--out-dir",    output.string()};
    add_uv_indexes(arguments, settings);
    add_steering(arguments, steering);
    arguments.push_back(project.string());
    return {program_, std::move(arguments)};
  }

  Command install(const Target& target, const std::string& what, const Settings& settings,
                  const Steering& steering) const override {
    Command command = install_more(target, {what}, settings, steering);
    if (settings.dependencies) command.arguments.push_back("--no-deps");
    return command;
  }

  Command install_more(const Target& target, const std::vector<std::string>& requirements, const Settings& settings,
                       const Steering& steering) const override {
    Arguments arguments = install_into(target.environment);
    arguments.push_back("--compile-bytecode");
    add_uv_indexes(arguments, settings);
    add_steering(arguments, steering);
    arguments.insert(arguments.end(), requirements.begin(), requirements.end());
    return {program_, std::move(arguments)};
  }

  Command fetch_wheel(const Target& target, const std::string& requirement, const fs::path& output,
                      const Settings& settings, const Steering&) const override {
    Arguments arguments = install_into(target.environment);
    arguments.insert(arguments.end(), {"--target", output.string(), "--no-deps", "--only-binary", ":all:"});
    add_uv_indexes(arguments, settings);
    arguments.push_back(requirement);
    return {program_, std::move(arguments)};
  }

  // What it would write at the head of a file of requirements; of none, so that nothing is looked up.
  Command tell_indexes(const Settings& settings) const override {
    Arguments arguments = {"pip", "compile", "--quiet", "--no-header", "--no-deps", "--emit-index-url"};
    add_uv_indexes(arguments, settings);
    arguments.push_back("/dev/null");
    return {program_, std::move(arguments)};
  }

 private:
  void add_steering(Arguments& arguments, const Steering& steering) const {
    if (!steering.constraints.empty())
      arguments.insert(arguments.end(), {"--constraints", steering.constraints.string()});
    if (steering.before.empty()) return;
    if (steering.constraints.empty()) {
      arguments.insert(arguments.end(), {"--exclude-newer", steering.before});
      return;
    }
    if (!has_dates_of_packages_) return;
    for (const std::string_view name : never_locked)
      arguments.insert(arguments.end(), {"--exclude-newer-package", fmt::format("{}={}", name, steering.before)});
  }

  static std::string python_of(const fs::path& environment) { return (environment / "bin" / "python").string(); }

  // Copies: links would let everybody who changes or cleans uv's cache change environments that are ready.
  static Arguments install_into(const fs::path& environment) {
    return {"pip", "install", "--no-python-downloads", "--python", python_of(environment), "--link-mode", "copy"};
  }

  fs::path program_;
  std::string version_;
  bool has_dates_of_packages_;  // its option --exclude-newer-package
};

}  // namespace

std::shared_ptr<const Installer> make_uv_installer(fs::path program, std::string version, bool has_dates_of_packages) {
  return std::make_shared<UvInstaller>(std::move(program), std::move(version), has_dates_of_packages);
}

}  // namespace venvoy::venv
