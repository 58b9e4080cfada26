// venvoy doctor: what is here and what is missing.
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "cache/collect.hpp"
#include "cli/commands.hpp"
#include "cli/quantity.hpp"
#include "deployer/pilot_sources.hpp"
#include "deployer/pilots.hpp"
#include "deployer/python_settings.hpp"
#include "os/environment.hpp"
#include "os/files.hpp"
#include "os/run_program.hpp"
#include "venv/installer.hpp"
#include "venv/interpreter.hpp"

namespace venvoy::cli {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

// An environment with a small plugin takes some 30 MB, and as much again while it is made.
constexpr std::uint64_t too_little_space = std::uint64_t{64} << 20;
constexpr std::uint64_t little_space = std::uint64_t{1} << 30;
constexpr std::uint64_t few_open_files = 1024;
constexpr std::chrono::seconds probe_timeout{60};

// What the interpreter's own installer would need. Run with -I and the place of own_pip.py; needs nothing but Python
// 3.8.
constexpr const char* venv_and_pip_probe = R"(
import json, runpy, sys
def trouble(use):
    try:
        use()
    except (Exception, SystemExit) as error:
        return "%s: %s" % (type(error).__name__, error)
print(json.dumps({
    "venv": trouble(lambda: __import__("venv").EnvBuilder),
    "pip": trouble(lambda: runpy.run_path(sys.argv[1])["own_pip"]()),
}))
)";

// How one thing is.
enum class Health {
  ok,
  warning,  // `run` can work all the same
  missing,  // `run` cannot work
};

std::string_view health_text(Health health) {
  if (health == Health::ok) return "ok";
  return health == Health::warning ? "warning" : "missing";
}

// The parts of an engine that look at the machine, on the calling thread. Their own, since a runtime does not come to
// be where something is missing.
class Examiner {
 public:
  // Throws an Error (start, environment) when the keeper cannot be found or started.
  explicit Examiner(std::uint64_t child_file_limit)
      : loop_(1),
        keep_running_(loop_.get_executor()),
        keeper_(loop_.get_executor(), os::find_keeper_program(), child_file_limit) {}

  asio::any_io_executor executor() { return loop_.get_executor(); }
  os::Keeper& keeper() noexcept { return keeper_; }
  asio::thread_pool& pool() noexcept { return pool_; }

  // Throws what the coroutine throws.
  template <class T>
  T wait_for(asio::awaitable<T> work) {
    auto result = asio::co_spawn(loop_, std::move(work), asio::use_future);
    while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready) loop_.run_one();
    return result.get();
  }

 private:
  asio::io_context loop_;
  asio::executor_work_guard<asio::io_context::executor_type> keep_running_;
  asio::thread_pool pool_{1};
  os::Keeper keeper_;
};

// Has one pilot started, and ended again.
asio::awaitable<std::string> node_of_pilot(std::shared_ptr<deployer::PilotPool> pool) {
  std::string node;
  std::optional<Error> failure;
  try {
    const deployer::Place place = co_await pool->take_place(nullptr);
    node = place.node();
  } catch (const Error& error) {
    failure = error;
  }
  co_await pool->close();
  if (failure) throw *failure;
  co_return node;
}

// What a Python can do for installing packages; a text is what is wrong.
struct PythonTools {
  std::optional<std::string> venv;
  std::optional<std::string> pip;

  bool complete() const noexcept { return !venv && !pip; }
  std::string text() const {
    if (complete()) return "venv and pip work";
    if (venv) return fmt::format("venv does not work ({})", *venv);
    return fmt::format("pip cannot be set up ({})", *pip);
  }
};

// A folder for what is only asked while the store cannot be used.
class SpareFolder {
 public:
  SpareFolder() : path_(fs::temp_directory_path() / ("venvoy-doctor-" + os::random_name())) {
    os::make_directory(path_, 0700);
  }
  ~SpareFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  SpareFolder(const SpareFolder&) = delete;
  SpareFolder& operator=(const SpareFolder&) = delete;

  const fs::path& path() const noexcept { return path_; }

 private:
  fs::path path_;
};

class DoctorCommand {
 public:
  explicit DoctorCommand(const CommonOptions& common)
      : files_(common.context), talk_(common, &files_), common_(common) {}

  int run() {
    look_at([this] { look_at_configuration(); });
    look_at([this] { look_at_store(); });
    look_at([this] { look_at_helpers(); });
    if (examiner_) look_at([this] { look_at_programs(); });
    look_at([this] { look_at_git(); });
    look_at([this] { look_at_limits(); });
    write_out(data_document(std::move(rows_), common_.output));
    if (something_missing_) return exit_number(CheckExit::findings);
    return exit_number(looked_ ? CheckExit::clean : CheckExit::could_not_look);
  }

 private:
  // One place that cannot be looked at keeps nobody from looking at the others.
  template <class Look>
  void look_at(Look look) {
    try {
      look();
    } catch (const Error& error) {
      talk_.error(error);
      looked_ = false;
    }
  }

  void look_at_helpers() {
    try {
      examiner_ = std::make_unique<Examiner>(common_.child_file_limit);
      for (const char* file : {"interpreter_facts.py", "distributions.py", "own_pip.py", "pip_places.py", "run_pip.py",
                               "plugin_starter.py", "plugin_server.py"})
        os::find_support_file(file);
      tell("helpers", Health::ok, os::find_keeper_program().parent_path().string());
    } catch (const Error& error) {
      // Without them nothing can be started, so Pythons and installers cannot be asked.
      tell_error("helpers", Health::missing, error, "install venvoy again, or name the keeper in VENVOY_KEEPER");
      examiner_.reset();
    }
  }

  // --- the configuration ---

  void look_at_configuration() {
    const auto name = configuration_file(common_);
    std::optional<api::Configuration> configuration;
    try {
      configuration = load_configuration(common_, files_, talk_);
    } catch (const Error& error) {
      tell_error("configuration", Health::missing, error, "the rest is looked at with the defaults");
      return;
    }
    if (!configuration)
      return tell("configuration", Health::missing, fmt::format("'{}' is wrong", name.value_or("")),
                  "correct what is told above; the rest is looked at with the defaults");
    const auto python = configuration->deployers.find("python");
    if (python == configuration->deployers.end())
      return tell("configuration", Health::warning, fmt::format("'{}' has no Python deployer", name.value_or("")),
                  "add `python: {deployer_name: python}` to `deployers`");
    settings_ = deployer::read_python_settings(python->second);
    tell("configuration", Health::ok, name ? fmt::format("'{}'", *name) : "no file: the defaults");
  }

  // --- the store ---

  void look_at_store() {
    if (common_.workdir) settings_.workdir = *common_.workdir;
    if (common_.python) settings_.environment.python_path = common_.python;
    cache::StoreOptions options;
    options.workdir = fs::absolute(settings_.workdir);
    options.uid = ::geteuid();
    options.shared_store = settings_.shared_store;
    options.logger = talk_.logger();
    try {
      store_ = cache::Store::open(options);
    } catch (const Error& error) {
      return tell_error("store", Health::missing, error, "choose another directory with `workdir` or --workdir");
    }
    tell("store", Health::ok, fmt::format("{}, of uid {} alone", store_->path().string(), options.uid));
    const auto facts = cache::file_system_of(store_->path());
    tell("file system", Health::ok, cache::judge(facts).name);
    look_at_locks();
    look_at_space();
    look_at_contents();
  }

  void look_at_locks() {
    bool work = false;
    std::string why;
    try {
      work = cache::locks_work_between_processes(store_->path());
    } catch (const Error& error) {
      why = fmt::format(" ({})", error.what());
    }
    if (work) return tell("locks", Health::ok, "hold between processes, and go with a process that dies");
    tell("locks", Health::missing, "do not hold between processes" + why,
         "set `workdir` to a directory on a local disk");
  }

  void look_at_space() {
    struct statvfs status;
    if (::statvfs(store_->path().c_str(), &status) != 0)
      throw system_error(errno, fmt::format("cannot ask for the free space of '{}'", store_->path().string()));
    const std::uint64_t bytes = std::uint64_t{status.f_bavail} * status.f_frsize;
    const bool no_files = status.f_files > 0 && status.f_favail == 0;
    const char* const hint =
        "make room: `venvoy cache prune --max-size 1GB` removes what is not in use; or set `workdir` to another disk";
    if (no_files) return tell("space", Health::missing, "the file system takes no more files", hint);
    const Health health = bytes < too_little_space ? Health::missing
                          : bytes < little_space   ? Health::warning
                                                   : Health::ok;
    tell("space", health, size_text(bytes) + " free", health == Health::ok ? "" : hint);
  }

  void look_at_contents() {
    const std::vector<cache::Entry> entries = cache::list(*store_);
    std::size_t environments = 0, wheels = 0, mirrors = 0;
    std::uint64_t bytes = 0;
    for (const cache::Entry& entry : entries) {
      bytes += entry.bytes;
      if (entry.state == cache::Entry::State::rubbish) continue;
      environments += entry.bucket == cache::Bucket::env ? 1 : 0;
      wheels += entry.bucket == cache::Bucket::wheel ? 1 : 0;
      mirrors += entry.bucket == cache::Bucket::git ? 1 : 0;
    }
    tell("contents", Health::ok,
         fmt::format("{}, environments: {}, wheels: {}, mirrors: {}", size_text(bytes), environments, wheels, mirrors));
    look_for_users(entries);
    look_for_rubbish();
    look_for_gaps(entries);
  }

  // The kernel names processes of this machine and of this container only.
  void look_for_users(const std::vector<cache::Entry>& entries) {
    std::set<pid_t> users;
    std::vector<std::string> strange;
    std::size_t used = 0;
    for (const cache::Entry& entry : entries) {
      used += entry.in_use ? 1 : 0;
      users.insert(entry.users.begin(), entry.users.end());
      if (entry.in_use && entry.users.empty())
        strange.push_back(fmt::format("{} {}", cache::name_of(entry.bucket), entry.name.substr(0, 12)));
    }
    users.erase(::getpid());
    const std::string text = fmt::format("{} of these, by {}", used,
                                         users.empty() ? "nobody" : fmt::format("process {}", fmt::join(users, ", ")));
    if (strange.empty()) return tell("in use", Health::ok, used == 0 ? "nothing" : text);
    tell("in use", Health::warning,
         fmt::format("held by a process that cannot be seen from here: {}", fmt::join(strange, ", ")),
         "it runs in another container or on another machine; if that machine is dead, its file server lets go of the "
         "lock when it has noticed. Nothing else waits for it than `cache prune` and who builds the same");
  }

  static std::string_view what_is(cache::Bucket bucket) {
    switch (bucket) {
      case cache::Bucket::env:
        return "environments";
      case cache::Bucket::wheel:
        return "wheels";
      case cache::Bucket::tool:
        return "tools";
      case cache::Bucket::work:
        return "work folders";
      default:
        return "half-written files";
    }
  }

  // As prune sees it, which leaves alone what somebody may still be writing.
  void look_for_rubbish() {
    cache::PruneOptions options;
    options.dry_run = true;
    const cache::PruneReport report = cache::prune(*store_, options, CancelToken());
    if (report.removed.empty()) return tell("rubbish", Health::ok, "none");
    std::map<std::string_view, std::size_t> counts;
    for (const cache::Entry& entry : report.removed) ++counts[what_is(entry.bucket)];
    std::string text;
    for (const auto& [what, count] : counts) text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", what, count);
    tell("rubbish", Health::warning,
         fmt::format("{} that nobody uses any more ({})", size_text(report.bytes_freed), text),
         "`venvoy cache prune` removes it");
  }

  void look_for_gaps(const std::vector<cache::Entry>& entries) {
    const auto damaged = cache::find_gaps(entries, CancelToken());
    if (damaged.empty()) return tell("damage", Health::ok, "none: every file is there, with its size");
    std::string text;
    for (const cache::Damage& damage : damaged)
      text += fmt::format("{}{} {}: {}", text.empty() ? "" : "; ", cache::name_of(damage.entry.bucket),
                          damage.entry.name.substr(0, 12), damage.paths.front());
    tell("damage", Health::warning, "gone or changed: " + text,
         "whoever needs it makes it anew; `venvoy cache verify` reads every byte and takes what is damaged out of use");
  }

  // --- what can be started ---

  void look_at_programs() {
    std::optional<SpareFolder> spare;
    if (!store_) {
      spare.emplace();
      cache::StoreOptions options;
      options.workdir = spare->path();
      options.uid = ::geteuid();
      // Whatever this folder is on, nothing is built in it.
      options.file_system.facts = [](const fs::path&) { return cache::FileSystemFacts{0x01021994, "tmpfs"}; };
      notes_ = cache::Store::open(options);
    } else {
      notes_ = store_;
    }
    interpreters_ = std::make_unique<venv::Interpreters>(examiner_->keeper(), examiner_->pool(), *notes_, environment_);
    look_at_installers();
    look_at_pythons();
    interpreters_.reset();
    notes_.reset();
  }

  // Sets `uv_`.
  void look_at_installers() {
    const venv::InstallerChoice choice = settings_.environment.installer;
    venv::Installers installers(examiner_->keeper(), environment_);
    std::shared_ptr<const venv::Installer> uv;
    try {
      uv = examiner_->wait_for(installers.choose(venv::InstallerChoice::uv, talk_.logger(), CancelToken()));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::environment) throw;
      if (choice == venv::InstallerChoice::uv) return tell_error("uv", Health::missing, error);
      return tell("uv", choice == venv::InstallerChoice::pip ? Health::ok : Health::warning, error.message(),
                  choice == venv::InstallerChoice::pip
                      ? ""
                      : "pip is used; uv is faster: put it into PATH, or name it in VENVOY_UV");
    }
    // Where it is: what it would be started as.
    const std::string where = uv->make_environment(venv::Target{"environment", "python", "tools"}).program.string();
    uv_ = choice != venv::InstallerChoice::pip;
    tell("uv", Health::ok,
         fmt::format("{} is version {}{}", where, uv->version(), uv_ ? "" : "; not used, since `installer` is pip"));
  }

  void look_at_pythons() {
    std::optional<venv::Interpreter> used;
    try {
      used = examiner_->wait_for(interpreters_->find({settings_.environment.python_path, {}, {}, {}}, CancelToken()));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::environment) throw;
      tell_error("python", Health::missing, error,
                 "install Python 3.8 or newer with its venv (Debian: apt install python3 python3-venv)");
    }
    if (used) tell_used(*used);
    for (const fs::path& path : other_pythons()) tell_other(path, used);
  }

  void tell_used(const venv::Interpreter& python) {
    const PythonTools tools = tools_of(python.program);
    const std::string text =
        fmt::format("{} is Python {}, which plugins run on; {}", python.program.string(), python.version, tools.text());
    const auto& thought = settings_.environment.python_semver;
    if (thought && *thought != python.version)
      tell("python", Health::warning, text, fmt::format("the configuration's `pythonSemver` says {}", *thought));
    else
      tell("python", Health::ok, text);
    if (tools.complete())
      return tell("pip", Health::ok,
                  uv_ ? "comes with this Python; not needed, since uv is used"
                      : "comes with this Python, and installs packages");
    tell("pip", uv_ ? Health::warning : Health::missing, tools.text(),
         uv_ ? "not needed as long as uv is there"
             : "install the venv of this Python (Debian: apt install python3-venv), or uv");
  }

  // Those that a `pythonPath` may want to name. What is found twice is told once.
  std::vector<fs::path> other_pythons() const {
    std::vector<std::string> names = {"python3", "python", "/usr/bin/python3"};
    for (int minor = 8; minor < 30; ++minor) names.push_back(fmt::format("python3.{}", minor));
    std::vector<fs::path> found;
    for (const std::string& name : names) {
      const auto program = os::find_program(name, environment_);
      if (!program) continue;
      std::error_code error;
      const fs::path real = fs::canonical(*program, error);
      const bool twice = std::any_of(found.begin(), found.end(), [&](const fs::path& other) {
        std::error_code ignored;
        return fs::canonical(other, ignored) == real;
      });
      if (!error && !twice) found.push_back(fs::absolute(*program));
    }
    return found;
  }

  void tell_other(const fs::path& path, const std::optional<venv::Interpreter>& used) {
    try {
      const venv::Interpreter python =
          examiner_->wait_for(interpreters_->find({path.string(), {}, {}, {}}, CancelToken()));
      if ((used && python.real_path == used->real_path) || !told_.insert(python.real_path).second) return;
      tell("other python", Health::ok,
           fmt::format("{} is Python {}; {}", path.string(), python.version, tools_of(python.program).text()));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::environment) throw;
      // Such as a script of pyenv for a version that is not chosen: nobody has asked for it.
      talk_.logger().debug("{}", error.message());
    }
  }

  PythonTools tools_of(const fs::path& python) {
    os::ProgramSpec spec;
    spec.program = python;
    spec.arguments = {"-I", "-c", venv_and_pip_probe, os::find_support_file("own_pip.py").string()};
    spec.environment = environment_;
    spec.working_directory = "/";
    os::ProgramLimits limits;
    limits.timeout = probe_timeout;
    const os::ProgramResult result =
        examiner_->wait_for(os::run_program(examiner_->keeper(), std::move(spec), limits, CancelToken()));
    const auto answer = nlohmann::json::parse(result.output, nullptr, false);
    const auto trouble = [&](const char* name) -> std::optional<std::string> {
      if (!result.exit.ok() || !answer.is_object()) return result.exit.text();
      const auto said = answer.find(name);
      return said != answer.end() && said->is_string() ? std::optional(said->get<std::string>()) : std::nullopt;
    };
    return {trouble("venv"), trouble("pip")};
  }

  // --- git ---

  void look_at_git() {
    tell("git http", Health::ok, "http and https are built in, as are repositories on this machine");
    const std::string name = os::get_variable(environment_, "GIT_SSH").value_or("ssh");
    if (const auto ssh = os::find_program(name, environment_))
      tell("git ssh", Health::ok, ssh->string());
    else
      tell("git ssh", Health::warning, fmt::format("there is no program '{}'", name),
           "references with git+ssh:// need it (Debian: apt install openssh-client)");
    if (const auto git = os::find_program("git", environment_))
      tell("git program", Health::ok, git->string() + ", for logins from its credential helpers");
    else
      tell("git program", Health::warning, "there is no program 'git'",
           "fetching does not need it; logins from git's credential helpers, and plugins that take their version from "
           "git, do (Debian: apt install git)");
  }

  // --- how plugins run ---

  void look_at_launcher() {
    switch (settings_.launcher) {
      case deployer::LauncherChoice::exec:
        return tell("launcher", Health::ok, "exec: each step is a new Python process");
      case deployer::LauncherChoice::forkserver:
        return tell("launcher", Health::ok,
                    "forkserver: from the second use of a plugin on, a step is a fork of a Python process that has "
                    "imported what the plugin needs");
      case deployer::LauncherChoice::ssh:
      case deployer::LauncherChoice::slurm:
        return look_at_machines();
    }
  }

  // The commands, and that the controller answers, which it does only to whom munge vouches for.
  void look_at_slurm() {
    const os::Environment environment = os::current_environment();
    for (const char* name : {"salloc", "srun", "scancel", "scontrol", "squeue"})
      if (!os::find_program(name, environment))
        throw Error(ErrorCode::start, fmt::format("the program '{}' is not in PATH", name))
            .with_hint("the client commands of Slurm are needed (Debian: apt install slurm-client)");
    os::ProgramSpec spec;
    spec.program = *os::find_program("scontrol", environment);
    spec.arguments = {"ping"};
    spec.environment = environment;
    spec.working_directory = "/";
    os::ProgramLimits limits;
    limits.timeout = std::chrono::seconds(30);
    const os::ProgramResult result =
        examiner_->wait_for(os::run_program(examiner_->keeper(), std::move(spec), limits, CancelToken()));
    if (!result.exit.ok())
      throw Error(ErrorCode::start,
                  fmt::format("the controller of Slurm does not answer: {}{}", result.output, result.error_tail))
          .with_hint("`scontrol ping` must work here, and munge must run");
  }

  // Starts a pilot as a run would, but waits in no queue for it.
  void look_at_machines() {
    const std::string name(deployer::to_text(settings_.launcher));
    if (!examiner_) return;
    try {
      deployer::PythonSettings settings = settings_;
      settings.slurm.extra_arguments.push_back("--immediate=30");
      if (settings.launcher == deployer::LauncherChoice::slurm) look_at_slurm();
      const auto pool = deployer::make_pilot_pool(examiner_->executor(), examiner_->keeper(), settings,
                                                  common_.child_file_limit, Logger());
      const std::string node = examiner_->wait_for(node_of_pilot(pool));
      tell("launcher", Health::ok,
           fmt::format("{}: steps run on other machines; a pilot has answered on node '{}'", name, node));
    } catch (const Error& error) {
      tell("launcher", Health::missing, fmt::format("{}: {}", name, error.what()),
           error.hint().empty() ? "docs/cluster.md says what the other machines must have" : error.hint());
    }
  }

  void look_at_limits() {
    look_at_launcher();
    const std::uint64_t own = os::soft_file_limit();
    const deployer::PythonLimits& limits = settings_.limits;
    tell("limits", own < few_open_files ? Health::warning : Health::ok,
         fmt::format("open files: {} for venvoy, {} for a plugin; a plugin's first words: within {} s; kept of its "
                     "standard error: {}; made ready at a time: {}; of a step: memory {}, processor time {}, time {}",
                     own, limits.process.open_files == 0 ? common_.child_file_limit : limits.process.open_files,
                     seconds_of(limits.hello_timeout), size_text(limits.stderr_tail),
                     settings_.max_concurrent_deployments,
                     limits.process.memory == 0 ? "no limit" : size_text(limits.process.memory),
                     limits.process.processor_time.count() == 0
                         ? "no limit"
                         : fmt::format("{} s", seconds_of(limits.process.processor_time)),
                     limits.wall_time ? fmt::format("{} s", seconds_of(*limits.wall_time)) : "no limit"),
         own < few_open_files ? "few steps can run at a time: raise the hard limit (`ulimit -Hn`)" : "");
    if (!examiner_) return;
    // Slower to notice, but as sure: nothing has to be done about it.
    tell("memory limits", Health::ok,
         memory_is_kept_by_kernel()
             ? "kept by the kernel, in a control group for each step"
             : "kept by looking at each step's processes a few times per second: there is no control group (cgroup v2) "
               "with the controller 'memory' in which venvoy may make its own");
  }

  template <class Duration>
  static double seconds_of(Duration time) {
    return std::chrono::duration<double>(time).count();
  }

  // Asked by starting something that needs no memory.
  bool memory_is_kept_by_kernel() {
    os::ChildSpec spec;
    spec.program = os::find_keeper_program();
    spec.working_directory = "/";
    spec.limits.memory = std::uint64_t{64} << 20;
    return examiner_->wait_for(end_of(examiner_->keeper().start(std::move(spec)))).memory_by_kernel;
  }

  static asio::awaitable<os::ExitInfo> end_of(os::Child child) {
    while (!child.ended().fired()) {
      boost::system::error_code woken;
      auto token = asio::redirect_error(asio::use_awaitable, woken);
      co_await child.ended().wait(token);
    }
    co_return *child.exit();
  }

  // --- telling ---

  void tell(std::string_view check, Health health, std::string_view text, std::string_view hint = {}) {
    something_missing_ = something_missing_ || health == Health::missing;
    std::string line = fmt::format("{:<8} {:<13} {}\n", health_text(health), check, text);
    if (!hint.empty()) line += fmt::format("{:<22} = help: {}\n", "", hint);
    // Errors are said also by who is quiet.
    if (talk_.quiet() && health == Health::missing)
      talk_.issue({Severity::error, {}, fmt::format("{}: {}", check, text), std::string(hint)});
    else
      talk_.line(line);
    rows_.push_back(schema::Map{{"check", check}, {"state", health_text(health)}, {"text", text}, {"hint", hint}});
  }

  void tell_error(std::string_view check, Health health, const Error& error, std::string_view otherwise = {}) {
    tell(check, health, error.what(), error.hint().empty() ? otherwise : std::string_view(error.hint()));
  }

  ContextFiles files_;
  Talk talk_;
  const CommonOptions& common_;
  const os::Environment environment_ = os::current_environment();
  deployer::PythonSettings settings_;
  std::optional<cache::Store> store_;
  std::unique_ptr<Examiner> examiner_;
  std::optional<cache::Store> notes_;  // where answers of interpreters are kept
  std::unique_ptr<venv::Interpreters> interpreters_;
  bool uv_ = false;  // it installs the packages
  schema::List rows_;
  std::set<fs::path> told_;  // Pythons
  bool something_missing_ = false;
  bool looked_ = true;
};

}  // namespace

void add_doctor_command(CLI::App& app, CommonOptions& common, Action& action) {
  CLI::App* doctor = app.add_subcommand("doctor", "Say what is here and what is missing");
  doctor->footer(
      "Configuration, store, Pythons, installers, git transports and limits are looked at; nothing is fetched.\n"
      "Exit code: 0 `run` can work, 1 something is missing, 2 wrong usage, 3 could not look.\n\n"
      "Example: venvoy doctor --output json");
  doctor->callback([&common, &action] { action = [&common] { return DoctorCommand(common).run(); }; });
}

}  // namespace venvoy::cli
