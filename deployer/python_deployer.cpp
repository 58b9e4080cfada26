#include "deployer/python_deployer.hpp"

#include <map>
#include <optional>

#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "deployer/internal/python_plugin.hpp"
#include "os/event.hpp"
#include "os/event_waits.hpp"
#include "source/module_ref.hpp"

namespace venvoy::deployer {

namespace asio = boost::asio;

namespace {

// One plugin in the making, and everybody who waits for it.
struct Making {
  explicit Making(const asio::any_io_executor& executor) : done(executor) {}
  os::Event done;
  std::shared_ptr<Plugin> plugin;
  std::optional<Error> failure;
};

std::string_view source_kind(const source::ModuleRef& reference) {
  if (reference.git()) return "git";
  return reference.index() ? "index" : "path";
}

// Paths are meant from the folder of the workflow, wherever the engine was started.
source::ModuleRef parse_reference(const std::string& text, const PythonSettings& settings) {
  source::ModuleRef reference = source::parse_module_ref(text);
  if (auto* local = std::get_if<source::LocalRef>(&reference.source)) local->path = settings.context / local->path;
  return reference;
}

}  // namespace

struct PythonDeployer::State {
  State(PythonServices given_services, PythonSettings given_settings)
      : services(std::move(given_services)),
        settings(std::move(given_settings)),
        workshop(services.workshop(settings)) {}

  PythonServices services;
  PythonSettings settings;
  PythonWorkshop workshop;
  std::map<std::string, std::shared_ptr<Making>> makings;

  asio::awaitable<void> ask_gate(const source::ModuleRef& reference) {
    if (!services.gate) co_return;
    DeployQuestion question;
    question.reference = reference.to_safe_text();
    question.source_kind = source_kind(reference);
    question.pull_policy = settings.environment.pull_policy == venv::PullPolicy::always ? "Always" : "IfNotPresent";
    question.override_compatibility = settings.environment.override_compatibility;
    const GateAnswer answer = co_await services.gate->may_deploy(std::move(question));
    if (!answer.allowed)
      throw Error(ErrorCode::denied,
                  fmt::format("a policy has denied the deployment of {}: {}", reference.to_safe_text(), answer.reason));
  }

  asio::awaitable<venv::ReadyEnvPtr> environment(std::string source, PrepareContext context, bool refresh) {
    source::ModuleRef reference = parse_reference(source, settings);
    venv::GetContext get;
    get.logger = context.logger.with("source", "deployer");
    get.progress = context.progress;
    get.cancel = context.cancel;
    get.refresh = refresh;
    venv::Settings wanted = settings.environment;
    venv::ReadyEnvPtr ready =
        co_await workshop.environments->get(std::move(reference), services.contract, std::move(wanted), std::move(get));
    // From here on what this run needs is leased.
    keep_up();
    co_return ready;
  }

  void keep_up() {
    if (!workshop.keep_up) return;
    cache::PruneOptions options;
    options.max_bytes = settings.cache_max_bytes;
    options.max_age = settings.cache_max_age;
    workshop.keep_up(options);
  }

  asio::awaitable<std::shared_ptr<Plugin>> make(std::string source, PrepareContext context) {
    Logger logger = context.logger;
    CancelToken cancel = context.cancel;
    const bool about_to_run = context.about_to_run;
    const RemoteSettings* const there = remote_settings(settings);
    // Before anything is built, as the settings may be wrong. No pilot is started yet.
    std::shared_ptr<PilotPool> pilots;
    if (there) pilots = services.pilots(settings);
    venv::ReadyEnvPtr ready = co_await environment(source, std::move(context), false);
    const bool own_stores = there && there->own_stores;
    const std::filesystem::path filler =
        own_stores ? os::find_support_file("store_filler.py") : std::filesystem::path();
    os::Keeper* keeper = settings.launcher == LauncherChoice::exec ? nullptr : services.keeper;
    internal::PluginHouse house{services.executor,
                                services.pool,
                                services.launcher,
                                workshop.store,
                                settings.limits,
                                services.stderr_logs,
                                workshop.environments,
                                std::move(ready),
                                std::move(logger),
                                keeper,
                                services.starter,
                                about_to_run && !there,
                                std::move(pilots),
                                there ? script_there(*there, services.starter) : std::filesystem::path(),
                                filler,
                                own_stores ? script_there(*there, filler) : std::filesystem::path()};
    co_return co_await internal::make_python_plugin(std::move(house), std::move(cancel));
  }
};

std::shared_ptr<Deployer> PythonKind::create(const schema::Value& settings) {
  PythonSettings read = read_python_settings(settings);
  if (services_.adjust) services_.adjust(read);
  return std::make_shared<PythonDeployer>(services_, std::move(read));
}

PythonDeployer::PythonDeployer(PythonServices services, PythonSettings settings)
    : state_(std::make_shared<State>(std::move(services), std::move(settings))) {}

PythonDeployer::~PythonDeployer() = default;

asio::awaitable<std::shared_ptr<Plugin>> PythonDeployer::prepare(std::string source, PrepareContext context) {
  const std::shared_ptr<State> state = state_;
  // Also when the plugin is ready already: each run asks for itself.
  const source::ModuleRef reference = parse_reference(source, state->settings);
  co_await state->ask_gate(reference);
  std::shared_ptr<Making>& place = state->makings[source];
  if (place) {
    const std::shared_ptr<Making> making = place;
    co_await os::wait_for_event(making->done);
    if (making->failure) throw *making->failure;
    co_return making->plugin;
  }
  const auto making = std::make_shared<Making>(state->services.executor);
  place = making;
  try {
    making->plugin = co_await state->make(source, std::move(context));
  } catch (const Error& error) {
    making->failure = error;
  }
  making->done.fire();
  if (!making->failure) co_return making->plugin;
  // Whoever comes later may try again: the network may be back.
  state->makings.erase(source);
  throw *making->failure;
}

asio::awaitable<venv::ReadyEnvPtr> PythonDeployer::pull(std::string source, PrepareContext context) {
  const std::shared_ptr<State> state = state_;
  const source::ModuleRef reference = parse_reference(source, state->settings);
  co_await state->ask_gate(reference);
  co_return co_await state->environment(std::move(source), std::move(context), true);
}

asio::awaitable<PluginOutlook> PythonDeployer::look(std::string source, PrepareContext context) {
  const std::shared_ptr<State> state = state_;
  source::ModuleRef reference = parse_reference(source, state->settings);
  venv::GetContext get;
  get.logger = context.logger.with("source", "deployer");
  get.cancel = context.cancel;
  venv::Settings wanted = state->settings.environment;
  venv::KnownEnv known = co_await state->workshop.environments->look(std::move(reference), state->services.contract,
                                                                     std::move(wanted), std::move(get));
  PluginOutlook outlook;
  outlook.launcher = state->settings.launcher;
  if (known.generation > 0)
    outlook.schema = internal::stored_schema(state->workshop.store, known.key, known.generation);
  outlook.environment = std::move(known);
  co_return outlook;
}

}  // namespace venvoy::deployer
