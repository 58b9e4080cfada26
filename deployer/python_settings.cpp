#include "deployer/python_settings.hpp"

#include <memory>
#include <utility>

#include "deployer/internal/settings_types.hpp"

namespace venvoy::deployer {
namespace {

using internal::object;
using internal::one_of_words;
using internal::Properties;
using schema::make_type;
using schema::Property;
using schema::TypePtr;
using schema::Value;

// Python itself has some ten open while it imports.
constexpr std::int64_t fewest_open_files = 16;

TypePtr text(std::int64_t min = 1) {
  schema::StringType type;
  type.min = min;
  return make_type(std::move(type));
}
TypePtr version_text() {
  schema::StringType type;
  type.min = 1;
  type.max = 255;
  type.pattern = schema::Pattern(R"(^\d+\.\d+\.\d+$)");
  return make_type(std::move(type));
}
TypePtr at_least(std::int64_t min) {
  schema::IntegerType type;
  type.min = min;
  return make_type(std::move(type));
}
// A number with units, so that "64kB" and "60s" can be written. "kB" and "KiB" are the same 1024 bytes.
TypePtr byte_count() {
  schema::IntegerType type;
  type.min = 1;
  type.units = std::make_shared<const schema::Units>(
      schema::Units{{"B", "B", "byte", "bytes"},
                    {{1024, {"kB", "KiB", "kilobyte", "kilobytes"}},
                     {1024 * 1024, {"MB", "MiB", "megabyte", "megabytes"}},
                     {1024 * 1024 * 1024, {"GB", "GiB", "gigabyte", "gigabytes"}}}});
  return make_type(std::move(type));
}
TypePtr duration_milliseconds() {
  schema::IntegerType type;
  type.min = 1;
  type.units = std::make_shared<const schema::Units>(schema::Units{{"ms", "ms", "millisecond", "milliseconds"},
                                                                   {{1000, {"s", "s", "second", "seconds"}},
                                                                    {60'000, {"m", "m", "minute", "minutes"}},
                                                                    {3'600'000, {"h", "H", "hour", "hours"}}}});
  return make_type(std::move(type));
}
// Of a whole store.
TypePtr store_size() {
  schema::IntegerType type;
  type.min = 1;
  type.units =
      std::make_shared<const schema::Units>(schema::Units{{"B", "B", "byte", "bytes"},
                                                          {{1LL << 10, {"kB", "kB", "kilobyte", "kilobytes"}},
                                                           {1LL << 20, {"MB", "MB", "megabyte", "megabytes"}},
                                                           {1LL << 30, {"GB", "GB", "gigabyte", "gigabytes"}},
                                                           {1LL << 40, {"TB", "TB", "terabyte", "terabytes"}}}});
  return make_type(std::move(type));
}
TypePtr age_seconds() {
  schema::IntegerType type;
  type.min = 1;
  type.units = std::make_shared<const schema::Units>(schema::Units{{"s", "s", "second", "seconds"},
                                                                   {{60, {"m", "m", "minute", "minutes"}},
                                                                    {3600, {"h", "h", "hour", "hours"}},
                                                                    {86'400, {"d", "d", "day", "days"}}}});
  return make_type(std::move(type));
}
TypePtr list_of(TypePtr items) {
  return make_type(schema::ListType{std::move(items), {}, {}});
}

Property key(TypePtr type, const char* description) {
  Property property;
  property.type = std::move(type);
  property.required = false;
  property.display = schema::Display{std::nullopt, description, std::nullopt};
  return property;
}

Property required_key(TypePtr type, const char* description) {
  Property property = key(std::move(type), description);
  property.required = true;
  return property;
}

// Keys of `slurm`, and the options of salloc(1) that they are.
struct SlurmOption {
  const char* key;
  const char* option;
  const char* meaning;
};
constexpr SlurmOption slurm_options[] = {
    {"partition", "partition", "The partition of the job."},
    {"account", "account", "The account that the job is charged to."},
    {"qos", "qos", "The quality of service of the job."},
    {"time", "time", "How long the job may run, as Slurm writes it: 30, 2:00:00, 1-12."},
    {"cpus", "cpus-per-task", "How many processors on each node."},
    {"memory", "mem", "How much memory on each node, as Slurm writes it: 4G."},
    {"constraint", "constraint", "Features that the nodes must have."},
};

Properties remote_properties(const char* program) {
  return {
      {"places", key(at_least(1),
                     "How many steps run at a time on each machine. Default: one for each processor that may be "
                     "used there.")},
      {"keeper", key(text(),
                     "Where the program venvoy-keeper lies on those machines, with the scripts beside it. Default: "
                     "where it lies on this one.")},
      {"ownStores", key(schema::bool_type(),
                        "Whether `workdir` lies on a disk of each machine's own. Environments are then brought there "
                        "from this machine, once. Default: false, all machines share it.")},
      {"extraArguments", key(list_of(text()), std::string_view(program) == "ssh" ? "Further arguments of ssh."
                                                                                 : "Further arguments of salloc.")}};
}

Properties properties() {
  const TypePtr rewrite = object("SourceRewrite", {{"from", required_key(text(), "Prefix of a URL.")},
                                                   {"to", required_key(text(0), "What stands there instead.")}});
  const TypePtr limits = object(
      "Limits",
      {{"stderrTail", key(byte_count(),
                          "How much of the end of a plugin's standard error is kept for error messages. "
                          "Default: 64kB.")},
       {"helloTimeout", key(duration_milliseconds(), "How long a plugin may take to say hello. Default: 60s.")},
       {"memory", key(byte_count(),
                      "How much memory a plugin may use, with all that it starts. What uses more is ended. Default: "
                      "no limit.")},
       {"cpuTime", key(duration_milliseconds(),
                       "How much processor time a plugin may use, with all that it starts. What uses more is ended. "
                       "Default: no limit.")},
       {"wallTime", key(duration_milliseconds(),
                        "How long a step may run, from its input to its output. What runs longer is ended. Default: "
                        "no limit.")},
       {"openFiles", key(at_least(fewest_open_files),
                         "How many files a plugin, and each process that it starts, may have open. Default: the limit "
                         "that venvoy was started with.")}});
  Properties ssh_keys = remote_properties("ssh");
  ssh_keys.insert(ssh_keys.begin(), {"hosts", required_key(list_of(text()), "Machines, as ssh names them.")});
  const TypePtr ssh = object("SshLauncher", std::move(ssh_keys));
  Properties slurm_keys = remote_properties("salloc");
  for (const auto& [name, option, meaning] : slurm_options) slurm_keys.emplace_back(name, key(text(), meaning));
  slurm_keys.emplace_back("nodes", key(at_least(1), "How many nodes the job has. Default: 1."));
  const TypePtr slurm = object("SlurmLauncher", std::move(slurm_keys));
  return {
      {"pythonPath", key(text(),
                         "The Python interpreter to use, and no other. Default: the first that suits the plugin of "
                         "python3 and python in PATH, /usr/bin/python3 and python3.N in PATH.")},
      {"pythonSemver", key(version_text(),
                           "The version that the interpreter is thought to have; another one is a "
                           "warning. Default: not compared.")},
      {"workdir", key(text(), "Folder in which the store of environments lies. Default: /tmp.")},
      {"modulePullPolicy", key(one_of_words({"Always", "IfNotPresent"}),
                               "Whether a plugin that is there is used (IfNotPresent, the default) or installed anew "
                               "(Always).")},
      {"overrideModuleCompatibility",
       key(schema::bool_type(),
           "Run plugins that do not say that they can be run by the Python deployer. Default: "
           "false.")},
      {"dependencyResolution",
       key(one_of_words({"auto", "locked", "asOfCommit", "newest"}),
           "Which versions of its dependencies a plugin gets: those of its lock file (locked), those that were there "
           "at the date of its commit (asOfCommit), or the newest. Default: auto, which is the first of these that "
           "is there.")},
      {"installer", key(one_of_words({"auto", "uv", "pip"}),
                        "What installs packages. Default: auto, which is uv where "
                        "it is found and pip otherwise.")},
      {"indexUrl", key(text(), "The package index. Default: the installers' own configuration.")},
      {"extraIndexUrls", key(list_of(text()), "Further package indexes. Default: the installers' own configuration.")},
      {"findLinks", key(list_of(text()),
                        "Folders or pages with packages. Default: the installers' own "
                        "configuration.")},
      {"sourceRewrites", key(list_of(rewrite),
                             "Prefixes of repository URLs to replace, for mirrors. The longest one "
                             "counts.")},
      {"launcher", key(one_of_words({"exec", "forkserver", "ssh", "slurm"}),
                       "How a plugin's process is started: by starting Python anew each time (exec), or, from the "
                       "second use on, by a fork of a process that has imported what the plugin needs (forkserver); "
                       "or so on other machines, by ssh or as a job of Slurm. Default: forkserver.")},
      {"ssh", key(ssh, "The machines of the launcher ssh.")},
      {"slurm", key(slurm, "The job of the launcher slurm.")},
      {"maxConcurrentDeployments", key(at_least(1), "How many plugins are made ready at a time. Default: 4.")},
      {"cacheMaxSize", key(store_size(),
                           "How large the store may be, such as 20GB: what was not used for longest goes first, and "
                           "nothing that is in use. Looked at by itself now and then. Default: no limit.")},
      {"cacheMaxAge", key(age_seconds(),
                          "What was not used for longer goes from the store, such as 30d. Looked at by itself now and "
                          "then. Default: 60d.")},
      {"sharedStore", key(schema::bool_type(),
                          "The store may lie on NFSv4, Lustre or CephFS, where other machines use it too, if locks "
                          "between processes work there. Default: false.")},
      {"limits", key(limits, "Limits for each plugin process.")},
  };
}

std::optional<std::string> text_of(const Value& data, std::string_view name) {
  const Value* value = data.find(name);
  if (!value) return std::nullopt;
  return value->as_text();
}

std::vector<std::string> texts_of(const Value& data, std::string_view name) {
  std::vector<std::string> texts;
  if (const Value* value = data.find(name))
    for (const Value& item : value->as_list()) texts.push_back(item.as_text());
  return texts;
}

venv::InstallerChoice installer_of(const Value& data) {
  const auto name = text_of(data, "installer");
  if (name == "uv") return venv::InstallerChoice::uv;
  if (name == "pip") return venv::InstallerChoice::pip;
  return venv::InstallerChoice::automatic;
}

venv::DependencyResolution resolution_of(const Value& data) {
  const auto name = text_of(data, "dependencyResolution");
  if (name == "locked") return venv::DependencyResolution::locked;
  if (name == "asOfCommit") return venv::DependencyResolution::as_of_commit;
  if (name == "newest") return venv::DependencyResolution::newest;
  return venv::DependencyResolution::automatic;
}

void read_limits(PythonLimits& limits, const Value& data) {
  const Value* given = data.find("limits");
  if (!given) return;
  if (const Value* size = given->find("stderrTail")) limits.stderr_tail = static_cast<std::size_t>(size->as_integer());
  if (const Value* time = given->find("helloTimeout"))
    limits.hello_timeout = std::chrono::milliseconds(time->as_integer());
  if (const Value* size = given->find("memory")) limits.process.memory = static_cast<std::uint64_t>(size->as_integer());
  if (const Value* time = given->find("cpuTime"))
    limits.process.processor_time = std::chrono::milliseconds(time->as_integer());
  if (const Value* time = given->find("wallTime")) limits.wall_time = std::chrono::milliseconds(time->as_integer());
  if (const Value* count = given->find("openFiles"))
    limits.process.open_files = static_cast<std::uint64_t>(count->as_integer());
}

void read_remote(RemoteSettings& settings, const Value& data) {
  settings.keeper = text_of(data, "keeper");
  if (const Value* own = data.find("ownStores")) settings.own_stores = own->as_bool();
  if (const Value* count = data.find("places")) settings.places = static_cast<std::size_t>(count->as_integer());
  settings.extra_arguments = texts_of(data, "extraArguments");
}

void read_ssh(SshSettings& settings, const Value& data) {
  read_remote(settings, data);
  settings.hosts = texts_of(data, "hosts");
}

void read_slurm(SlurmSettings& settings, const Value& data) {
  read_remote(settings, data);
  for (const auto& [name, option, meaning] : slurm_options)
    if (auto value = text_of(data, name)) settings.options.emplace_back(option, std::move(*value));
  if (const Value* count = data.find("nodes")) settings.nodes = static_cast<std::size_t>(count->as_integer());
}

}  // namespace

std::string_view to_text(LauncherChoice choice) noexcept {
  switch (choice) {
    case LauncherChoice::exec:
      return "exec";
    case LauncherChoice::forkserver:
      return "forkserver";
    case LauncherChoice::ssh:
      return "ssh";
    case LauncherChoice::slurm:
      return "slurm";
  }
  return "";
}

std::optional<LauncherChoice> launcher_named(std::string_view text) noexcept {
  for (const LauncherChoice choice :
       {LauncherChoice::exec, LauncherChoice::forkserver, LauncherChoice::ssh, LauncherChoice::slurm})
    if (to_text(choice) == text) return choice;
  return std::nullopt;
}

const RemoteSettings* remote_settings(const PythonSettings& settings) noexcept {
  if (settings.launcher == LauncherChoice::ssh) return &settings.ssh;
  return settings.launcher == LauncherChoice::slurm ? &settings.slurm : nullptr;
}

std::filesystem::path script_there(const RemoteSettings& settings, const std::filesystem::path& script_here) {
  if (!settings.keeper) return script_here;
  return std::filesystem::path(*settings.keeper).parent_path() / script_here.filename();
}

TypePtr python_settings_type() {
  static const TypePtr type = object("PythonConfig", properties());
  return type;
}

PythonSettings read_python_settings(const Value& data) {
  PythonSettings settings;
  if (const auto workdir = text_of(data, "workdir")) settings.workdir = *workdir;
  settings.environment.python_path = text_of(data, "pythonPath");
  settings.environment.python_semver = text_of(data, "pythonSemver");
  if (text_of(data, "modulePullPolicy") == "Always") settings.environment.pull_policy = venv::PullPolicy::always;
  settings.environment.installer = installer_of(data);
  settings.environment.dependency_resolution = resolution_of(data);
  settings.environment.index_url = text_of(data, "indexUrl");
  settings.environment.extra_index_urls = texts_of(data, "extraIndexUrls");
  settings.environment.find_links = texts_of(data, "findLinks");
  if (const Value* value = data.find("overrideModuleCompatibility")) settings.override_compatibility = value->as_bool();
  settings.environment.override_compatibility = settings.override_compatibility.value_or(false);
  if (const Value* rewrites = data.find("sourceRewrites"))
    for (const Value& rewrite : rewrites->as_list())
      settings.source_rewrites.push_back({rewrite.find("from")->as_text(), rewrite.find("to")->as_text()});
  if (const auto launcher = text_of(data, "launcher"))
    settings.launcher = launcher_named(*launcher).value_or(settings.launcher);
  if (const Value* ssh = data.find("ssh")) read_ssh(settings.ssh, *ssh);
  if (const Value* slurm = data.find("slurm")) read_slurm(settings.slurm, *slurm);
  if (const Value* count = data.find("maxConcurrentDeployments"))
    settings.max_concurrent_deployments = static_cast<std::size_t>(count->as_integer());
  if (const Value* size = data.find("cacheMaxSize"))
    settings.cache_max_bytes = static_cast<std::uint64_t>(size->as_integer());
  if (const Value* age = data.find("cacheMaxAge")) settings.cache_max_age = std::chrono::seconds(age->as_integer());
  if (const Value* shared = data.find("sharedStore")) settings.shared_store = shared->as_bool();
  read_limits(settings.limits, data);
  return settings;
}

std::vector<std::string> scalar_python_settings() {
  std::vector<std::string> names;
  for (const auto& [name, property] : properties()) {
    const schema::TypeId id = property.type->id();
    if (id != schema::TypeId::list && id != schema::TypeId::object) names.push_back(name);
  }
  return names;
}

}  // namespace venvoy::deployer
