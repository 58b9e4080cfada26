#include "api/runtime.hpp"

#include <unistd.h>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "api/internal/quiet_pool.hpp"
#include "base/text.hpp"
#include "cache/upkeep.hpp"
#include "deployer/image_deployers.hpp"
#include "deployer/pilot_sources.hpp"
#include "os/keeper.hpp"
#include "schema/check.hpp"
#include "schema/json.hpp"
#include "source/resolver.hpp"

namespace venvoy::api {

namespace asio = boost::asio;

namespace {

constexpr std::size_t pool_threads = 4;

// The kind `python` where only configurations are read.
class PythonKindForReading final : public deployer::DeployerKind {
 public:
  std::string deployment_type() const override { return "python"; }
  std::string name() const override { return "python"; }
  schema::TypePtr settings() const override { return deployer::python_settings_type(); }
  std::shared_ptr<deployer::Deployer> create(const schema::Value&) override {
    throw Error(ErrorCode::internal, "a registry for reading makes no deployers");
  }
};

}  // namespace

std::unique_ptr<deployer::Registry> make_registry_for_reading() {
  auto registry = std::make_unique<deployer::Registry>();
  registry->add(std::make_shared<PythonKindForReading>());
  deployer::add_image_deployers(*registry);
  return registry;
}

// What deployers with the same work directory and the same sources share.
struct Runtime::Workshop {
  ~Workshop() { upkeep.cancel(); }

  CancelSource upkeep;  // under way on the pool
  std::unique_ptr<source::GitSource> git;
  std::optional<deployer::PythonWorkshop> parts;
};

Runtime::Runtime(Configuration configuration, RuntimeOptions options)
    : configuration_(std::move(configuration)),
      options_(std::move(options)),
      loop_(1),
      keep_running_(loop_.get_executor()),
      pool_(internal::quiet_pool(pool_threads)) {
  keeper_ = std::make_unique<os::Keeper>(loop_.get_executor(), os::find_keeper_program(), options_.child_file_limit);
  launcher_ = std::make_unique<deployer::ExecLauncher>(loop_.get_executor(), *keeper_,
                                                       os::find_support_file("plugin_starter.py"));
  start_governing();
  deployer::PythonServices services{loop_.get_executor(),
                                    pool_,
                                    contract_,
                                    *launcher_,
                                    keeper_.get(),
                                    os::find_support_file("plugin_starter.py"),
                                    gates_ ? gates_.get() : options_.deploy_gate,
                                    [this](const auto& settings) { return *workshop(settings).parts; },
                                    [this](auto& settings) { adjust(settings); },
                                    {}};
  if (options_.state_dir)
    services.stderr_logs = std::make_shared<deployer::StderrLogs>(
        std::filesystem::absolute(*options_.state_dir) / "stderr", deployer::StderrLogs::Bounds(),
        options_.logger.with("source", "deployer"), options_.mask);
  services.pilots = [this](const auto& settings) { return pilots(settings); };
  registry_.add(std::make_shared<deployer::PythonKind>(std::move(services)));
  deployer::add_image_deployers(registry_);
  const internal::SignalsBlocked blocked;
  thread_ = std::thread([this] { loop_.run(); });
}

Runtime::~Runtime() {
  // On the loop, where all of these live; the pool is still there for what they give to it.
  wait_for(let_go());
  pool_.join();
  asio::post(loop_, [this] {
    keeper_.reset();
    loop_.stop();
  });
  thread_.join();
}

void Runtime::start_governing() {
  if (options_.govern == RuntimeOptions::Govern::no) return;
  if (options_.govern == RuntimeOptions::Govern::as_configured && !configuration_.governance) return;
  if (!options_.state_dir)
    throw Error(ErrorCode::environment, "there is no folder for the rules of policies")
        .with_hint("name one with --state-dir or VENVOY_STATE_DIR");
  const std::filesystem::path state_dir = std::filesystem::absolute(*options_.state_dir).lexically_normal();
  const os::Environment environment = os::current_environment();
  governance::Settings settings = governance::read_settings(configuration_.governance.value_or(schema::Map()),
                                                            state_dir, options_.configuration_dir);
  governance::apply_environment(settings, environment);
  settings.secret_names = configuration_.secret_names;
  governance::LocalServices services{loop_.get_executor(),
                                     pool_,
                                     contract_,
                                     *launcher_,
                                     keeper_.get(),
                                     [this] { return python_settings().launcher != deployer::LauncherChoice::exec; },
                                     os::find_support_file("plugin_starter.py"),
                                     [this] { return *workshop(python_settings()).parts; },
                                     [this] { return python_settings().environment; },
                                     os::find_support_file("policy/venvoy_policy_evaluator.py").parent_path(),
                                     environment,
                                     options_.logger.with("source", "governance")};
  governor_ = std::make_unique<governance::Governor>(
      std::move(settings), state_dir, os::find_support_file("policy_build.py"), std::move(services), options_.actor);
  gates_ = std::make_unique<governance::EngineGates>(*governor_);
}

asio::awaitable<void> Runtime::let_go() {
  if (governor_) governor_->let_go();
  deployers_.clear();
  for (const auto& named : pilots_) co_await named.second->close();
  pilots_.clear();
  workshops_.clear();
}

deployer::Deployer& Runtime::local(const std::string& deployment_type) {
  auto& deployer = deployers_[deployment_type];
  if (deployer) return *deployer;
  const auto settings = configuration_.deployers.find(deployment_type);
  if (settings == configuration_.deployers.end()) {
    std::vector<std::string> types;
    for (const auto& [type, configured] : configuration_.deployers) types.push_back(type);
    throw Error(ErrorCode::document, fmt::format("missing local deployer for requested type {}{}", deployment_type,
                                                 did_you_mean(deployment_type, types)))
        .with_hint("the configuration's `deployers` has no entry of that deployment type");
  }
  try {
    deployer = registry_.create(deployment_type, settings->second);
  } catch (Error& error) {
    throw error.add_frame("invalid local deployer configuration, please check your configuration file");
  }
  return *deployer;
}

std::shared_ptr<deployer::Deployer> Runtime::with_settings(const std::string& deployment_type,
                                                           const schema::Value& settings) {
  // Steps with the same settings share one deployer, and so its plugins.
  const std::string name = deployment_type + " " + schema::write_json(settings, {.indent = 0, .sort_keys = true});
  auto& deployer = deployers_[name];
  if (!deployer)
    deployer = registry_.create(deployment_type,
                                schema::unserialize(*registry_.configuration_type(deployment_type), settings));
  return deployer;
}

deployer::PythonDeployer& Runtime::python() {
  return dynamic_cast<deployer::PythonDeployer&>(local("python"));
}

deployer::PythonSettings Runtime::python_settings() const {
  const auto configured = configuration_.deployers.find("python");
  schema::Value settings = configured == configuration_.deployers.end() ? schema::Map() : configured->second;
  deployer::PythonSettings read = deployer::read_python_settings(settings);
  adjust(read);
  return read;
}

std::size_t Runtime::max_concurrent_deployments() {
  return python_settings().max_concurrent_deployments;
}

cache::Store Runtime::store() {
  return workshop(python_settings()).parts->store;
}

Runtime::Parts Runtime::parts() {
  deployer::PythonSettings settings = python_settings();
  Workshop& made = workshop(settings);
  return {pool_, *keeper_, *made.git, *made.parts, std::move(settings.environment)};
}

void Runtime::adjust(deployer::PythonSettings& settings) const {
  settings.context = options_.context;
  if (options_.workdir) settings.workdir = *options_.workdir;
  if (options_.python) settings.environment.python_path = options_.python;
  if (options_.launcher) settings.launcher = *options_.launcher;
  settings.environment.offline = options_.offline;
  settings.environment.allow_incompatible = options_.allow_incompatible;
  settings.environment.contract_is_advice = options_.contract_is_advice && !settings.override_compatibility;
}

std::shared_ptr<deployer::PilotPool> Runtime::pilots(const deployer::PythonSettings& settings) {
  const deployer::RemoteSettings& there = *deployer::remote_settings(settings);
  // Deployers with the same machines share their pilots.
  std::vector<std::string> words = {std::string(to_text(settings.launcher)), there.keeper.value_or(""),
                                    std::to_string(there.places), std::to_string(settings.slurm.nodes)};
  words.insert(words.end(), there.extra_arguments.begin(), there.extra_arguments.end());
  words.push_back("");
  words.insert(words.end(), settings.ssh.hosts.begin(), settings.ssh.hosts.end());
  for (const auto& [option, value] : settings.slurm.options) words.push_back(option + "=" + value);
  std::string name;
  for (const std::string& word : words) name += word + '\n';
  if (const auto found = pilots_.find(name); found != pilots_.end()) return found->second;
  auto pool = deployer::make_pilot_pool(loop_.get_executor(), *keeper_, settings, options_.child_file_limit,
                                        options_.logger.with("source", to_text(settings.launcher)));
  pilots_.emplace(std::move(name), pool);
  return pool;
}

Runtime::Workshop& Runtime::workshop(const deployer::PythonSettings& settings) {
  std::string name = std::filesystem::absolute(settings.workdir).lexically_normal().string();
  for (const source::UrlRewrite& rewrite : settings.source_rewrites) name += '\n' + rewrite.from + '\n' + rewrite.to;
  auto& workshop = workshops_[name];
  if (workshop) return *workshop;
  auto made = std::make_unique<Workshop>();
  cache::StoreOptions store_options;
  store_options.workdir = std::filesystem::absolute(settings.workdir);
  store_options.uid = ::geteuid();
  store_options.shared_store = settings.shared_store;
  store_options.logger = options_.logger.with("source", "store");
  cache::Store store = cache::Store::open(store_options);
  source::GitSourceOptions git_options;
  git_options.mirrors = store.bucket(cache::Bucket::git);
  git_options.locks = store.bucket(cache::Bucket::lock);
  git_options.rewrites = settings.source_rewrites;
  git_options.log = options_.logger.with("source", "git");
  made->git = std::make_unique<source::GitSource>(loop_.get_executor(), pool_, *keeper_, std::move(git_options));
  auto environments =
      std::make_shared<venv::Environments>(venv::Services{loop_.get_executor(), pool_, *keeper_, *made->git, store});
  auto keep_up = [this, store, token = made->upkeep.token()](const cache::PruneOptions& options) {
    asio::post(pool_, [store, options, token] { cache::keep_up(store, options, token); });
  };
  made->parts = deployer::PythonWorkshop{store, std::move(environments), std::move(keep_up)};
  workshop = std::move(made);
  return *workshop;
}

}  // namespace venvoy::api
