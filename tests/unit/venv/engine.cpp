#include "engine.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <fmt/format.h>

#include "os/environment.hpp"
#include "os/files.hpp"
#include "support/temporary_dir.hpp"

namespace venvoy::test {
namespace {

namespace asio = boost::asio;

constexpr const char* python = "/usr/bin/python3";

std::string_view name_of(Progress::Kind kind) {
  using Kind = Progress::Kind;
  switch (kind) {
    case Kind::resolve_started:
      return "resolve_started";
    case Kind::resolve_finished:
      return "resolve_finished";
    case Kind::fetch_progress:
      return "fetch_progress";
    case Kind::build_started:
      return "build_started";
    case Kind::build_finished:
      return "build_finished";
    case Kind::install_started:
      return "install_started";
    case Kind::install_finished:
      return "install_finished";
    case Kind::environment_ready:
      return "environment_ready";
    case Kind::machines_awaited:
    case Kind::machines_ready:
      return "machines";
    case Kind::warning:
      return "warning";
  }
  return "?";
}

source::GitSourceOptions git_options(const cache::Store& store, const os::Environment& environment, Logger logger) {
  source::GitSourceOptions options;
  options.mirrors = store.bucket(cache::Bucket::git);
  options.locks = store.bucket(cache::Bucket::lock);
  options.transport.connect_timeout = std::chrono::milliseconds(3000);
  options.transport.environment = environment;
  options.log = std::move(logger);
  return options;
}

}  // namespace

void LogLines::write(LogLevel level, std::string_view, std::string_view message) {
  const std::lock_guard lock(mutex_);
  lines_.push_back(fmt::format("{}: {}", to_text(level), message));
}

bool LogLines::has(const std::vector<std::string>& texts) const {
  const std::lock_guard lock(mutex_);
  for (const std::string& line : lines_) {
    bool all = true;
    for (const std::string& text : texts) all = all && line.find(text) != std::string::npos;
    if (all) return true;
  }
  return false;
}

std::string LogLines::all() const {
  const std::lock_guard lock(mutex_);
  std::string text;
  for (const std::string& line : lines_) text += line + "\n";
  return text;
}

void LogLines::clear() {
  const std::lock_guard lock(mutex_);
  lines_.clear();
}

std::string Events::text() const {
  std::string text;
  for (const Progress& event : events) {
    if (event.kind == Progress::Kind::fetch_progress) continue;
    text += fmt::format("{}{}", text.empty() ? "" : " ", name_of(event.kind));
    if (!event.outcome.empty()) text += fmt::format("({})", event.outcome);
  }
  return text;
}

Place::Place() {
  const fs::path memory = "/dev/shm";
  const fs::path parent = ::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path();
  std::string pattern = parent / "venvoy-test-XXXXXX";
  if (!mkdtemp(pattern.data())) throw std::runtime_error("cannot make " + pattern);
  path_ = pattern;
}

Place::~Place() {
  os::remove_tree(path_);
}

venv::Settings uv_settings() {
  venv::Settings settings = pip_settings();
  settings.installer = venv::InstallerChoice::uv;
  return settings;
}

venv::Settings pip_settings() {
  venv::Settings settings;
  settings.python_path = python;
  settings.installer = venv::InstallerChoice::pip;
  return settings;
}

os::Environment test_environment() {
  static const TemporaryDir home;
  os::Environment environment = os::current_environment();
  os::set_variable(environment, "UV_CACHE_DIR", (home / "uv-cache").string());
  os::set_variable(environment, "UV_NO_CONFIG", "1");
  os::set_variable(environment, "GIT_CONFIG_GLOBAL", "/dev/null");
  return environment;
}

Engine::Engine(const fs::path& workdir, os::Environment environment)
    : store(cache::Store::open({.workdir = workdir, .uid = geteuid(), .logger = Logger(log)})),
      git(io.get_executor(), pool, keeper, git_options(store, environment, Logger(log))),
      environments(venv::Services{io.get_executor(), pool, keeper, git, store, &clock, std::move(environment)}) {}

Engine::~Engine() {
  pool.join();
  // What the pool has handed to the loop.
  io.restart();
  io.poll();
}

std::shared_ptr<Engine::Call> Engine::begin(const std::string& reference, const venv::Settings& settings,
                                            venv::GetContext context) {
  context.logger = Logger(log);
  if (!context.progress) context.progress = &events;
  const auto call = std::make_shared<Call>();
  asio::co_spawn(io, environments.get(source::parse_module_ref(reference), contract, settings, std::move(context)),
                 [call](std::exception_ptr failure, venv::ReadyEnvPtr result) {
                   call->ended = true;
                   call->result = std::move(result);
                   try {
                     if (failure) std::rethrow_exception(failure);
                   } catch (const Error& error) {
                     call->error = error;
                   }
                 });
  return call;
}

void Engine::turn_until(const std::function<bool()>& done) {
  while (!done()) {
    io.restart();
    if (io.run_one() == 0 && !done()) FAIL("what is waited for cannot happen any more\n" << log->all());
  }
}

venv::ReadyEnvPtr Engine::get(const std::string& reference, const venv::Settings& settings, venv::GetContext context) {
  const auto call = begin(reference, settings, std::move(context));
  turn_until([&] { return call->ended; });
  if (call->error) FAIL(call->error->what() << "\n" << call->error->hint() << "\n" << log->all());
  return call->result;
}

Error Engine::error_of(const std::string& reference, const venv::Settings& settings, venv::GetContext context) {
  const auto call = begin(reference, settings, std::move(context));
  turn_until([&] { return call->ended; });
  REQUIRE(call->error);
  return *call->error;
}

PluginRepository::PluginRepository(const fs::path& path, const PluginProject& project)
    : TestRepository(path), name(project.name), first(commit_project(project)) {}

std::string PluginRepository::commit_project(const PluginProject& project) {
  write_project(path(), project);
  return commit_all("Project");
}

std::string PluginRepository::reference(const std::string& version, const std::string& fragment) const {
  return name + "@git+" + url() + (version.empty() ? "" : "@" + version) + (fragment.empty() ? "" : "#" + fragment);
}

std::string output_of(const venv::ReadyEnv& environment) {
  return run({environment.python.string(), "-m", environment.module}, "/");
}

std::vector<fs::path> generations_in(const fs::path& workdir) {
  std::vector<fs::path> found;
  std::error_code none;
  const fs::path environments = workdir / fmt::format("venvoy-{}", geteuid()) / "env-v1";
  for (const auto& entry : fs::recursive_directory_iterator(environments, none))
    if (entry.path().filename() == "ready.json") found.push_back(entry.path().parent_path());
  return found;
}

bool is_clean(const fs::path& workdir) {
  const fs::path root = workdir / fmt::format("venvoy-{}", geteuid());
  std::size_t generations = 0;
  for (const auto& folder : fs::directory_iterator(root / "env-v1"))
    for (const auto& key : fs::directory_iterator(folder))
      for (const auto& generation : fs::directory_iterator(key)) generations += generation.is_directory() ? 1 : 0;
  for (const auto& engine : fs::directory_iterator(root / "work-v1"))
    for (const auto& work : fs::directory_iterator(engine))
      // Those that were left empty wait to be used again.
      if (work.path().filename() != "lease" &&
          !(work.path().filename().string().starts_with("spare-") && fs::is_empty(work.path())))
        return false;
  return generations == generations_in(workdir).size();
}

}  // namespace venvoy::test
