#include "venv/internal/builder.hpp"

#include <algorithm>
#include <exception>
#include <functional>
#include <optional>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "cache/manifest.hpp"
#include "os/both.hpp"
#include "os/event_waits.hpp"
#include "os/files.hpp"
#include "os/on_pool.hpp"
#include "venv/internal/manifest.hpp"
#include "venv/internal/module_check.hpp"
#include "venv/internal/own_pip.hpp"
#include "venv/internal/pyproject.hpp"
#include "venv/internal/run_installer.hpp"
#include "venv/internal/scratch.hpp"
#include "venv/internal/steered_run.hpp"
#include "venv/known_dependencies.hpp"
#include "venv/lock_file.hpp"

namespace venvoy::venv::internal {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using nlohmann::json;
using Kind = Progress::Kind;
using SharedLease = std::shared_ptr<cache::Lease>;

// Dates before 1980 cannot be written in a wheel.
constexpr std::int64_t oldest_wheel_time = 315'532'800;

// One build, and what all its steps need.
struct Site {
  const Job& job;
  const Origin& origin;
  const Interpreter& python;
  std::shared_ptr<cache::Building> building;
  fs::path scratch;
  std::shared_ptr<const Installer> installer;
  bool environment_made = false;
  SharedLease tools = nullptr;  // if the installer needs them
  Choice chosen = {};           // by which the versions of its dependencies were
  std::optional<IndexPlaces> places = std::nullopt;
  bool has_dependencies = false;  // the environment has what the package needs, and not yet the package

  fs::path environment() const { return environment_in(building->path()); }
  Target target() const { return {environment(), python.program, tools ? tools->path() : fs::path()}; }
  InstallerRun run(Command command) const {
    InstallerRun result;
    result.command = std::move(command);
    result.installer = installer->name();
    result.temporary = scratch;
    return result;
  }
};

asio::awaitable<void> make_environment(Site& site) {
  if (site.environment_made) co_return;
  if (site.installer->needs_tools() && !site.tools) {
    SharedLease tools = co_await lease_own_pip(site.job, site.python, site.scratch);
    site.tools = std::move(tools);
  }
  InstallerRun run = site.run(site.installer->make_environment(site.target()));
  run.trouble = "error creating venv for";
  co_await run_installer(site.job, std::move(run));
  site.environment_made = true;
}

// It is made anew when it is needed again.
asio::awaitable<void> discard_environment(Site& site) {
  Work<bool> remove = [&](const CancelToken&) {
    os::remove_tree(site.environment());
    return true;
  };
  const CancelToken not_to_be_cancelled;
  co_await os::on_pool<bool>(site.job.services.pool, not_to_be_cancelled, std::move(remove));
  site.environment_made = site.has_dependencies = false;
}

// Why a choice came to nothing.
std::string said_of(const Choice& choice, const Error& failure) {
  const std::string& message = failure.message();
  // The installers' own words are many lines; ours say it in one.
  if (message.find('\n') == std::string::npos) return message.substr(message.find(": ") + 2);
  if (choice.by == Choice::By::lock) return "what its lock file pins cannot be had for this Python and platform";
  return "what it needs was not on the index yet at the date of its commit";
}

asio::awaitable<Bounds> bounds_of(const Site& site, Choice choice) {
  const SourceFacts& facts = site.origin.resolution.facts;
  Bounds bounds;
  if (choice.by == Choice::By::date) bounds.before = date_text(choice.date);
  if (choice.by != Choice::By::lock) co_return bounds;
  const std::string text = co_await site.origin.lock_text(site.job);
  bounds.lock = facts.lock;
  bounds.pins = read_lock(facts.lock, text).value_or(std::vector<Pin>());
  if (facts.time) bounds.before = date_text(*facts.time);
  co_return bounds;
}

// uv takes what a lock file does not list for free: then the file does not cover the plugin, as with pip, and the
// environment must be made anew.
asio::awaitable<void> require_all_listed(Site& site, Bounds bounds, std::string plugin) {
  if (!bounds.pins || site.installer->needs_index()) co_return;
  const Job& job = site.job;
  Work<fs::path> find = [&](const CancelToken&) { return site_packages_of(site.environment()); };
  const fs::path site_packages = co_await os::on_pool<fs::path>(job.services.pool, job.cancel, std::move(find));
  const json distributions = co_await list_distributions(job, site.python.program, site_packages);
  const std::vector<std::string> unlisted = unlisted_in(distributions, *bounds.pins, plugin);
  if (unlisted.empty()) co_return;
  co_await discard_environment(site);
  const Error error = not_listed(job, bounds.lock, unlisted);
  throw Error(error);
}

struct ByChoices {
  std::vector<Choice> choices;
  std::vector<std::string> variables;
  std::function<Command(const Steering&)> command;
  std::string plugin;  // the name of what is installed; empty: nothing is installed
  bool in_environment = true;
};

asio::awaitable<void> run_one(Site& site, const ByChoices& wanted, Choice choice) {
  if (wanted.in_environment) co_await make_environment(site);
  const Bounds bounds = co_await bounds_of(site, choice);
  Command none;
  SteeredRun steered{site.run(std::move(none)), wanted.command, site.target(), bounds};
  steered.run.environment = wanted.variables;
  co_await run_steered(site.job, *site.installer, std::move(steered), site.places);
  if (!wanted.plugin.empty()) co_await require_all_listed(site, bounds, wanted.plugin);
}

// Runs what `command` makes of one choice after the other, until one finds what is needed.
asio::awaitable<Choice> run_by_choices(Site& site, ByChoices wanted) {
  for (std::size_t index = 0;; ++index) {
    const Choice& choice = wanted.choices[index];
    std::optional<Error> failure;
    try {
      co_await run_one(site, wanted, choice);
    } catch (const Error& error) {
      failure = error;
    }
    if (!failure) co_return choice;
    if (index + 1 == wanted.choices.size() || !found_nothing(*failure)) throw Error(*failure);
    site.job.logger.debug("{}", failure->message());
    site.job.logger.warning(
        "{}: {}, so it is installed {}", site.job.shown, said_of(choice, *failure),
        wanted.choices[index + 1].by == Choice::By::date ? "as of the date of its commit" : "with the newest");
    if (site.has_dependencies) co_await discard_environment(site);
  }
}

void require_project(const Job& job, const fs::path& folder) {
  for (const char* file : {"pyproject.toml", "setup.py"})
    if (fs::exists(folder / file)) return;
  throw Error(ErrorCode::install, fmt::format("error in pip installing {}: there is no Python project in its root, "
                                              "neither pyproject.toml nor setup.py",
                                              job.shown))
      .with_hint("if the project lies in a folder of the repository, add #subdirectory=<folder> to the reference");
}

fs::path only_wheel_in(const Job& job, const fs::path& folder) {
  std::vector<fs::path> wheels;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".whl") wheels.push_back(entry.path());
  if (wheels.size() == 1) return wheels.front();
  throw Error(ErrorCode::install,
              fmt::format("error in pip installing {}: its build backend made {} wheels instead of one", job.shown,
                          wheels.size()));
}

// Others may have been faster; then theirs is the one.
SharedLease keep_wheel(const Site& site, const cache::Key& key, const fs::path& output, std::int64_t time,
                       const CancelToken& cancel) {
  const fs::path wheel = only_wheel_in(site.job, output);
  cache::Staging staging = site.job.services.store.stage_wheel(key, cancel);
  fs::rename(wheel, staging.path() / wheel.filename());
  cache::Manifest manifest;
  manifest.details = {{"file", wheel.filename().string()}, {"time", time}};
  return std::make_shared<cache::Lease>(staging.publish(manifest));
}

// What goes on beside the build of a wheel: the environment is made, and what the package is known to need is installed
// there. A build keeps one core busy, and most of an installation is waiting for the index and compiling.
struct Beside {
  explicit Beside(const asio::any_io_executor& executor) : known(executor), ended(executor) {}

  os::Event known;  // `dependencies` are
  std::vector<std::string> dependencies;
  os::Event ended;  // and the site tells how far it came
  CancelSource stop;
};

// Fires on every way out.
class FireAtEnd {
 public:
  explicit FireAtEnd(os::Event& event) : event_(event) {}
  ~FireAtEnd() { event_.fire(); }
  FireAtEnd(const FireAtEnd&) = delete;
  FireAtEnd& operator=(const FireAtEnd&) = delete;

 private:
  os::Event& event_;
};

std::vector<std::string> dependencies_of(const Job& job, const fs::path& project) {
  if (job.settings.dependencies) return {};  // others are installed in their place
  try {
    return known_dependencies(os::read_file_if_there(project / "pyproject.toml", max_project_file).value_or(""));
  } catch (const Error&) {
    return {};  // the build says what is wrong with the file
  }
}

asio::awaitable<SharedLease> build_wheel(Site& site, Beside& beside, cache::Key key, Stage& stage) {
  const Job& job = site.job;
  const fs::path folder = site.scratch / "project", output = site.scratch / "wheel";
  const Project project = co_await site.origin.export_project(job, folder);
  Work<bool> look = [&](const CancelToken&) {
    require_project(job, project.folder);
    beside.dependencies = dependencies_of(job, project.folder);
    return true;
  };
  co_await os::on_pool<bool>(job.services.pool, job.cancel, std::move(look));
  beside.known.fire();
  const std::int64_t time = project.time.value_or(0);
  std::vector<std::string> variables;
  if (project.time) variables.push_back(fmt::format("SOURCE_DATE_EPOCH={}", std::max(time, oldest_wheel_time)));
  ByChoices wanted{
      site.origin.resolution.for_build, std::move(variables), {}, {}, site.installer->builds_in_environment()};
  wanted.command = [&](const Steering& steering) {
    return site.installer->build_wheel(site.target(), project.folder, output, job.settings, steering);
  };
  co_await run_by_choices(site, std::move(wanted));
  Work<SharedLease> keep = [&](const CancelToken& cancel) { return keep_wheel(site, key, output, time, cancel); };
  SharedLease wheel = co_await os::on_pool<SharedLease>(job.services.pool, job.cancel, std::move(keep));
  stage.done(text_in(wheel->details(), "file"));
  co_return wheel;
}

// Null if there is none in the store.
asio::awaitable<SharedLease> kept_wheel(const Site& site, cache::Key key) {
  Work<SharedLease> look = [&](const CancelToken&) -> SharedLease {
    auto lease = site.job.services.store.lease_wheel(key);
    return lease ? std::make_shared<cache::Lease>(std::move(*lease)) : nullptr;
  };
  SharedLease wheel = co_await os::on_pool<SharedLease>(site.job.services.pool, site.job.cancel, std::move(look));
  co_return wheel;
}

// Of "my_plugin-1.0-py3-none-any.whl", or of "my.plugin==1.0".
std::string name_in(const std::string& wheel_or_requirement, bool is_wheel) {
  return normalised_name(wheel_or_requirement.substr(0, wheel_or_requirement.find(is_wheel ? "-" : "==")));
}

BuiltPackage find_package(const json& distributions, const std::string& normalised) {
  BuiltPackage package;
  for (const json& each : distributions) {
    if (text_in(each, "normalised") != normalised) continue;
    package.name = text_in(each, "name");
    package.version = text_in(each, "version");
    for (const json& module : each.value("modules", json::array()))
      if (module.is_string()) package.modules.push_back(module.get<std::string>());
  }
  return package;
}

void require_module(const Site& site, const BuiltPackage& package) {
  if (!site.job.contract.is_run_as_module()) return;
  const std::string module = module_of(site.job.reference, package.name);
  const auto fault = module_fault(site.environment(), module);
  if (!fault) return;
  const std::string has = package.modules.empty() ? "it has no modules" : "it has " + quoted_list(package.modules);
  throw Error(ErrorCode::install, fmt::format("{}; {}", *fault, has))
      .with_hint(fmt::format("the name before '@' in '{}' is that of the module to run, with '-' for '_'{}",
                             site.job.shown, did_you_mean(module, package.modules)));
}

// pip tells its version when it is asked where it looks.
MadeBy made_by(const Site& site) {
  const std::string version(site.installer->version());
  return {std::string(site.installer->name()), site.places ? site.places->version : version};
}

asio::awaitable<SharedLease> publish(Site& site, std::string normalised, json wheel) {
  const Job& job = site.job;
  Work<fs::path> find = [&](const CancelToken&) { return site_packages_of(site.environment()); };
  const fs::path site_packages = co_await os::on_pool<fs::path>(job.services.pool, job.cancel, std::move(find));
  const json distributions = co_await list_distributions(job, site.python.program, site_packages);
  Work<SharedLease> finish = [&](const CancelToken&) {
    const BuiltPackage package = find_package(distributions, normalised);
    require_module(site, package);
    cache::Manifest manifest;
    manifest.details =
        make_manifest(job, site.origin, site.chosen, site.python, made_by(site), package, distributions, wheel);
    return std::make_shared<cache::Lease>(site.building->publish(manifest));
  };
  SharedLease lease = co_await os::on_pool<SharedLease>(job.services.pool, job.cancel, std::move(finish));
  co_return lease;
}

// What the settings name in place of the package's own dependencies. Its lock file knows nothing of them.
asio::awaitable<void> install_given_dependencies(Site& site) {
  const auto& given = site.job.settings.dependencies;
  if (!given || given->empty()) co_return;
  ByChoices wanted;
  for (const Choice& choice : site.origin.resolution.for_install)
    if (choice.by != Choice::By::lock) wanted.choices.push_back(choice);
  if (wanted.choices.empty()) wanted.choices.emplace_back();
  wanted.command = [&](const Steering& steering) {
    return site.installer->install_more(site.target(), *given, site.job.settings, steering);
  };
  co_await run_by_choices(site, std::move(wanted));
}

// Where its dependencies are in the environment, the wheel fits with what lies in the installer's own cache, which the
// installation of these has just asked the index about. False if it does not.
asio::awaitable<bool> install_at_hand(Site& site, ByChoices wanted, const std::string& what) {
  if (!site.has_dependencies) co_return false;
  Settings at_hand = site.job.settings;
  at_hand.offline = true;
  wanted.choices.resize(1);
  wanted.command = [&](const Steering& steering) {
    return site.installer->install(site.target(), what, at_hand, steering);
  };
  try {
    const Choice chosen = co_await run_by_choices(site, std::move(wanted));
    site.chosen = chosen;
    co_return true;
  } catch (const Error& error) {
    site.job.logger.debug("{}", error.message());
  }
  co_return false;
}

asio::awaitable<SharedLease> install(Site& site, SharedLease wheel, Stage& stage) {
  const Job& job = site.job;
  co_await make_environment(site);
  const json wheel_facts = wheel ? wheel->details() : json();
  const std::string file = wheel ? text_in(wheel_facts, "file") : site.origin.requirement();
  const std::string what = wheel ? (wheel->path() / file).string() : file;
  const std::string normalised = name_in(fs::path(file).filename(), fs::path(file).extension() == ".whl");
  ByChoices wanted{site.origin.resolution.for_install, {}, {}, normalised};
  wanted.command = [&](const Steering& steering) {
    return site.installer->install(site.target(), what, job.settings, steering);
  };
  const bool installed = co_await install_at_hand(site, wanted, what);
  if (!installed) site.chosen = co_await run_by_choices(site, std::move(wanted));
  co_await install_given_dependencies(site);
  SharedLease lease = co_await publish(site, normalised, wheel_facts);
  stage.done(std::string(site.installer->name()));
  co_return lease;
}

asio::awaitable<SharedLease> install_when_prepared(Site& site, SharedLease wheel, Beside* beside, Stage& stage) {
  if (beside) co_await os::wait_for_event(beside->ended);
  SharedLease lease = co_await install(site, wheel, stage);
  co_return lease;
}

// `beside` is null if nothing goes on beside.
asio::awaitable<SharedLease> install_in_stage(Site& site, SharedLease wheel, Beside* beside) {
  std::function<asio::awaitable<SharedLease>(Stage&)> work = [&](Stage& stage) {
    return install_when_prepared(site, wheel, beside, stage);
  };
  SharedLease lease = co_await in_stage<SharedLease>(site.job, Kind::install_started, Kind::install_finished, work);
  co_return lease;
}

asio::awaitable<SharedLease> build_and_install(Site& site, cache::Key key, std::shared_ptr<Beside> beside) {
  std::function<asio::awaitable<SharedLease>(Stage&)> build = [&](Stage& stage) {
    return build_wheel(site, *beside, key, stage);
  };
  SharedLease wheel;
  try {
    wheel = co_await in_stage<SharedLease>(site.job, Kind::build_started, Kind::build_finished, build);
  } catch (...) {
    beside->stop.cancel();
    beside->known.fire();
    throw;
  }
  SharedLease lease = co_await install_in_stage(site, wheel, beside.get());
  co_return lease;
}

// Nothing that fails here is an error: what is not there is installed with the wheel, and that says what is wrong.
asio::awaitable<void> prepare_beside(Site& site, std::shared_ptr<Beside> beside) {
  const FireAtEnd fire(beside->ended);
  const auto link = site.job.cancel.on_cancel([beside] { beside->stop.cancel(); });
  Job job = site.job;
  job.cancel = beside->stop.token();
  Site own{job, site.origin, site.python, site.building, site.scratch, site.installer};
  try {
    co_await make_environment(own);
    co_await os::wait_for_event(beside->known);
    job.cancel.check();
    site.environment_made = true;
    if (beside->dependencies.empty()) co_return;
    ByChoices wanted;
    wanted.choices = {site.origin.resolution.for_install.front()};
    wanted.command = [&](const Steering& steering) {
      return site.installer->install_more(site.target(), beside->dependencies, job.settings, steering);
    };
    co_await run_by_choices(own, std::move(wanted));
    site.has_dependencies = true;
    co_return;
  } catch (const std::exception& error) {
    job.logger.debug("{}", error.what());
  }
  co_await discard_environment(site);
}

asio::awaitable<SharedLease> fill(std::shared_ptr<Site> owned) {
  Site& site = *owned;
  const Job& job = site.job;
  auto installer = co_await job.installers.choose(job.settings.installer, job.logger, job.cancel);
  site.installer = std::move(installer);
  SharedLease wheel;
  const bool is_project = site.origin.requirement().empty();
  const cache::Key key = wheel_key(site.origin.inputs, site.origin.resolution, site.python, job.settings);
  if (is_project) wheel = co_await kept_wheel(site, key);
  SharedLease lease;
  if (!is_project || wheel) {
    lease = co_await install_in_stage(site, wheel, nullptr);
    co_return lease;
  }
  const auto beside = std::make_shared<Beside>(job.services.executor);
  if (site.installer->builds_in_environment()) {
    beside->ended.fire();
    lease = co_await build_and_install(site, key, beside);
  } else {
    lease = co_await os::both(build_and_install(site, key, beside), prepare_beside(site, beside));
  }
  co_return lease;
}

void add_tool_inputs(cache::KeyBuilder& builder, const Resolution& resolution, const Interpreter& python,
                     const Settings& settings) {
  builder.add("python-version", python.version)
      .add("python-implementation", python.implementation)
      .add("python-abi", python.abi)
      .add("platform", python.platform);
  for (const auto& [name, value] : resolution.inputs) builder.add(name, value);
  for (const auto& [name, value] : index_inputs(settings)) builder.add(name, value);
}

}  // namespace

cache::Key environment_key(const cache::KeyInputs& origin, const Resolution& resolution, const Interpreter& python,
                           const Settings& settings) {
  cache::KeyBuilder builder;
  for (const auto& [name, value] : origin) builder.add(name, value);
  builder.add("python", python.real_path.string())
      .add("python-inode", std::to_string(python.inode))
      .add("python-modified", std::to_string(python.modified));
  add_tool_inputs(builder, resolution, python, settings);
  if (settings.dependencies) builder.add("dependencies", "given");
  for (const std::string& each : settings.dependencies.value_or(std::vector<std::string>()))
    builder.add("dependency", each);
  return builder.finish();
}

cache::Key wheel_key(const cache::KeyInputs& origin, const Resolution& resolution, const Interpreter& python,
                     const Settings& settings) {
  cache::KeyBuilder builder;
  for (const auto& [name, value] : origin) builder.add(name, value);
  add_tool_inputs(builder, resolution, python, settings);
  return builder.finish();
}

std::string module_of(const source::ModuleRef& reference, const std::string& package) {
  return source::import_name(reference.local() ? package : reference.name);
}

asio::awaitable<SharedLease> build_environment(const Job& job, const Origin& origin, const Interpreter& python,
                                               std::shared_ptr<cache::Building> building) {
  std::function<asio::awaitable<SharedLease>(fs::path)> work = [&](fs::path scratch) {
    return fill(std::make_shared<Site>(Site{job, origin, python, building, std::move(scratch), nullptr, false}));
  };
  std::exception_ptr failure;
  try {
    SharedLease lease = co_await with_scratch<SharedLease>(job, work);
    co_return lease;
  } catch (...) {
    failure = std::current_exception();
  }
  Work<bool> discard = [&building](const CancelToken&) {
    const cache::Building unfinished = std::move(*building);
    return true;
  };
  const CancelToken not_to_be_cancelled;
  co_await os::on_pool<bool>(job.services.pool, not_to_be_cancelled, std::move(discard));
  std::rethrow_exception(failure);
}

}  // namespace venvoy::venv::internal
