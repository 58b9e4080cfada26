#include "rucio/package.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/files.hpp"
#include "os/keeper.hpp"

namespace venvoy::rucio {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t max_answer = 64u << 20;
constexpr std::chrono::seconds script_timeout{120};
constexpr std::size_t max_said = 2000;

// What Rucio's loaders of policy packages import (spec/policy-packages.md section 8).
constexpr std::array host_needs = {
    "packaging", "dogpile-cache", "jsonschema", "requests",    "urllib3",           "sqlalchemy", "typing-extensions",
    "alembic",   "boto3",         "paramiko",   "google-auth", "prometheus-client", "statsd",     "oic",
};

std::vector<std::string> texts(const json& list) {
  std::vector<std::string> result;
  for (const json& each : list)
    if (each.is_string()) result.push_back(each.get<std::string>());
  return result;
}

fs::path site_packages_of(const venv::ReadyEnv& environment) {
  std::error_code error;
  const fs::path lib = environment.python.parent_path().parent_path() / "lib";
  for (const fs::directory_entry& entry : fs::directory_iterator(lib, error))
    if (fs::is_directory(entry.path() / "site-packages")) return entry.path() / "site-packages";
  throw Error(ErrorCode::environment, fmt::format("'{}' has no site-packages", lib.string()));
}

InstalledFiles to_installed(const json& facts) {
  return {facts.value("normalised", ""), facts.value("version", ""), facts.value("info", ""),
          texts(facts.value("files", json::array())), texts(facts.value("needs", json::array()))};
}

void take_facts(Package& package, const json& facts) {
  package.module = facts.value("module", "");
  package.folder = facts.value("folder", "");
  package.modules = texts(facts.value("modules", json::array()));
  package.module_files = texts(facts.value("module_files", json::array()));
  package.distribution = facts.value("distribution", "");
  package.version = facts.value("version", "");
  package.requires_dist = texts(facts.value("requires", json::array()));
  package.requires_python = facts.value("requires_python", "");
  package.metadata_file = facts.value("metadata_file", "");
  if (!package.module.empty()) return;
  throw Error(ErrorCode::unresolvable,
              fmt::format("{} has no Python package in it that a host could import", package.shown))
      .with_hint("a policy package is a folder with an __init__.py, in the root of the project or in src/");
}

bool is_project(const fs::path& folder) {
  return std::ranges::any_of(std::array{"pyproject.toml", "setup.py", "setup.cfg"},
                             [&](const char* name) { return fs::exists(folder / name); });
}

bool is_wheel(const source::ModuleRef& reference) {
  return reference.local() && reference.local()->path.extension() == ".whl";
}

// The folder of a module alone: seen through a link, so that nothing beside it can be imported.
void open_module_folder(Workshop& workshop, Package& package, const fs::path& folder) {
  const std::string name = folder.filename().string();
  package.root = workshop.new_folder();
  fs::create_directory_symlink(folder, package.root / name);
  package.python = workshop.python();
  take_facts(package, ask_script(workshop, "policy_facts.py",
                                 {{"layout", "module"}, {"root", package.root.string()}, {"module", name}}));
}

void open_tree(Workshop& workshop, Package& package, const fs::path& folder, const OpenOptions& options) {
  package.root = folder;
  take_facts(package, ask_script(workshop, "policy_facts.py",
                                 {{"layout", "tree"}, {"root", folder.string()}, {"module", options.module}}));
}

json installed_facts(Workshop& workshop, const venv::ReadyEnv& environment, const std::string& module) {
  const json& manifest = environment.lease.details();
  const std::string name = manifest.value("package", json::object()).value("name", "");
  return ask_script(workshop, "policy_facts.py",
                    {{"layout", "installed"},
                     {"root", site_packages_of(environment).string()},
                     {"distribution", name},
                     {"module", module}});
}

// What it needs, without Rucio: that is there where it will run, and would take long to bring.
std::vector<std::string> dependencies_to_install(const json& facts) {
  std::vector<std::string> wanted;
  for (const json& each : facts.value("mandatory", json::array()))
    if (each.value("name", "") != "rucio") wanted.push_back(each.value("text", ""));
  return wanted;
}

void open_installed(Workshop& workshop, Package& package, const OpenOptions& options) {
  venv::ReadyEnvPtr environment = workshop.environment(package.reference, std::vector<std::string>(), {});
  json facts = installed_facts(workshop, *environment, options.module);
  const std::vector<std::string> wanted = dependencies_to_install(facts);
  if (!wanted.empty() && !options.read_only) {
    environment = workshop.environment(package.reference, wanted, {});
    facts = installed_facts(workshop, *environment, options.module);
  }
  package.root = site_packages_of(*environment);
  package.identity = environment->version;
  if (!options.read_only) {
    package.python = environment->python;
    package.dependency_roots = {package.root};
  }
  take_facts(package, facts);
  package.own_files = to_installed(facts);
  for (const json& each : facts.value("mandatory", json::array()))
    package.own_files->needs.push_back(each.value("name", ""));
  for (const json& other : facts.value("others", json::array())) package.dependencies.push_back(to_installed(other));
  package.held.push_back(std::move(environment));
}

void note_git(Package& package, const source::GitRef& reference, const GitMeaning& meaning) {
  package.commit = meaning.commit;
  if (package.identity.empty()) package.identity = meaning.commit;
  if (meaning.kind == source::VersionKind::branch) package.branch = reference.version;
  if (meaning.kind == source::VersionKind::default_branch) package.branch = "HEAD";
}

void open_git(Workshop& workshop, Package& package, const source::GitRef& reference, const OpenOptions& options) {
  if (options.read_only) {
    const fs::path target = workshop.new_folder() / "tree";
    note_git(package, reference, workshop.git(reference, target));
    return open_tree(workshop, package, reference.subdirectory.empty() ? target : target / reference.subdirectory,
                     options);
  }
  open_installed(workshop, package, options);
  package.commit = package.identity;
  if (source::CommitId::parse(reference.version)) return;
  try {
    note_git(package, reference, workshop.git(reference, std::nullopt));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled) throw;
    workshop.logger().debug("whether {} names a branch is not known: {}", package.shown, error.what());
  }
  // A branch may have moved on since; what is looked at is that of the environment.
  package.commit = package.identity;
}

}  // namespace

json ask_script(Workshop& workshop, const std::string& script, const json& request) {
  os::ProgramSpec spec;
  spec.program = workshop.python();
  spec.arguments = {"-I", os::find_support_file(script).string()};
  spec.environment = workshop.process_environment();
  spec.working_directory = "/";
  spec.input = request.dump(-1, ' ', false, json::error_handler_t::replace);
  os::ProgramLimits limits;
  limits.timeout = script_timeout;
  limits.max_output = max_answer;
  const os::ProgramResult result = workshop.run(std::move(spec), limits);
  json answer = json::parse(result.output, nullptr, false);
  if (result.exit.ok() && answer.is_object()) return answer;
  const std::string said = to_valid_utf8(trim(tail(result.error_tail, max_said)));
  throw Error(ErrorCode::document,
              fmt::format("{} ({})", said.empty() ? script + " gives no answer" : said, result.exit.text()));
}

Package open_package(Workshop& workshop, const std::string& text, const OpenOptions& options) {
  Package package;
  package.reference = source::parse_module_ref(text);
  package.shown = package.reference.to_safe_text();
  const source::LocalRef* local = package.reference.local();
  if (const source::GitRef* git = package.reference.git()) {
    open_git(workshop, package, *git, options);
  } else if (!local || is_wheel(package.reference)) {
    open_installed(workshop, package, options);
  } else {
    std::error_code error;
    const fs::path folder = fs::canonical(local->path, error);
    if (error || !fs::is_directory(folder, error))
      throw Error(ErrorCode::unresolvable, fmt::format("there is no folder '{}'", local->path.string()))
          .with_hint("a path in a reference is that of a project, of a module or of a wheel");
    if (!is_project(folder))
      open_module_folder(workshop, package, folder);
    else if (options.read_only)
      open_tree(workshop, package, folder, options);
    else
      open_installed(workshop, package, options);
  }
  if (options.read_only) package.python.clear();
  return package;
}

Host find_host(Workshop& workshop, const contract::HostVersion& version, HostUse use, const fs::path& python) {
  const source::ModuleRef reference = source::parse_module_ref("rucio==" + version.text);
  Host host;
  host.version = version;
  host.held.push_back(workshop.environment(reference, std::vector<std::string>(), python));
  if (use == HostUse::run) {
    const json facts = installed_facts(workshop, *host.held.front(), "rucio");
    std::vector<std::string> wanted;
    for (const char* name : host_needs) {
      std::string requirement = name;
      for (const json& each : facts.value("mandatory", json::array()))
        if (each.value("name", "") == name) requirement = each.value("text", "");
      wanted.push_back(std::move(requirement));
    }
    host.held.front() = workshop.environment(reference, std::move(wanted), python);
  }
  host.roots.push_back(site_packages_of(*host.held.front()));
  return host;
}

Host find_host_to_read(Workshop& workshop, const contract::HostVersion& version) {
  try {
    return find_host(workshop, version, HostUse::read, {});
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled || error.code() == ErrorCode::environment) throw;
    workshop.logger().warning(
        "Rucio {} cannot be had from the package index, so its actions, schema, modules and dependencies are not "
        "compared with the package's",
        version.text);
    workshop.logger().debug("{}", error.what());
    return {version, {}, {}};
  }
}

json host_facts(const std::optional<contract::HostVersion>& host) {
  if (!host) return nullptr;
  return {{"version", host->text},
          {"major", host->major},
          {"numbers", host->numbers},
          {"rule", host->rule == contract::HostVersion::Rule::list ? "list" : "specifier"},
          {"refuses_surl", host->refuses_surl()},
          {"default_algorithms", host->has_default_algorithms()},
          {"needs_schema", host->needs_schema()}};
}

}  // namespace venvoy::rucio
