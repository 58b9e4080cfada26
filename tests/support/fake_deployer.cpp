#include "support/fake_deployer.hpp"

#include <algorithm>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "schema/check.hpp"
#include "schema/json.hpp"

namespace venvoy::test {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

schema::Property required(schema::TypePtr type) {
  schema::Property property;
  property.type = std::move(type);
  return property;
}

schema::Property optional(schema::TypePtr type) {
  schema::Property property = required(std::move(type));
  property.required = false;
  return property;
}

schema::TypePtr scope_of(const std::string& id, Properties properties) {
  auto object = std::make_shared<schema::ObjectType>();
  object->id = id;
  object->properties = std::move(properties);
  schema::ScopeType scope;
  scope.root = id;
  scope.objects.emplace_back(id, std::move(object));
  return schema::make_type(std::move(scope));
}

schema::StepSchema step_schema(const std::string& id, schema::TypePtr input) {
  schema::StepSchema step;
  step.id = id;
  step.input = std::move(input);
  return step;
}

void add_output(schema::StepSchema& step, const std::string& id, schema::TypePtr data, bool error) {
  step.outputs.emplace_back(id, schema::StepOutputSchema{std::move(data), error, std::nullopt});
}

void add_cancel_handler(schema::StepSchema& step) {
  step.signal_handlers.emplace_back("cancel",
                                    schema::SignalSchema{"cancel", scope_of("cancelInput", {}), std::nullopt});
}

// --- the world -------------------------------------------------------------------------------------------------------

int FakeWorld::count(const std::string& entry) const {
  return static_cast<int>(std::count(journal.begin(), journal.end(), entry));
}

std::size_t FakeWorld::index_of(const std::string& entry) const {
  const auto place = std::find(journal.begin(), journal.end(), entry);
  if (place == journal.end()) throw std::out_of_range("the journal has no entry '" + entry + "'");
  return static_cast<std::size_t>(place - journal.begin());
}

void FakeWorld::note(std::string entry) {
  journal.push_back(std::move(entry));
  wake();
}

void FakeWorld::wake() {
  for (asio::steady_timer* sleeper : sleepers_) sleeper->cancel();
}

asio::awaitable<void> FakeWorld::wait(std::optional<Clock::time_point> until) {
  struct Sleeper {
    Sleeper(std::set<asio::steady_timer*>& all, const asio::any_io_executor& executor) : all_(all), timer(executor) {
      all_.insert(&timer);
    }
    ~Sleeper() { all_.erase(&timer); }
    std::set<asio::steady_timer*>& all_;
    asio::steady_timer timer;
  };
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  Sleeper sleeper(sleepers_, executor);
  sleeper.timer.expires_at(until.value_or(Clock::time_point::max()));
  boost::system::error_code woken;
  auto token = asio::redirect_error(asio::use_awaitable, woken);
  co_await sleeper.timer.async_wait(token);
}

// --- calls -----------------------------------------------------------------------------------------------------------

FakeCall::FakeCall(FakeWorld& world, std::string run_id, std::string step_id, schema::Value input)
    : world_(world), run_id_(std::move(run_id)), step_id_(std::move(step_id)), input_(std::move(input)) {}

void FakeCall::check_alive() const {
  if (killed_) throw Error(ErrorCode::plugin, "the plugin has ended by signal 9");
}

asio::awaitable<bool> FakeCall::sleep(Duration time) {
  const Clock::time_point end = Clock::now() + time;
  while (!signalled_ && Clock::now() < end) {
    co_await world_.wait(end);
    check_alive();
  }
  co_return !signalled_;
}

asio::awaitable<void> FakeCall::wait_until(std::function<bool()> condition) {
  while (!condition()) {
    co_await world_.wait(std::nullopt);
    check_alive();
  }
}

// --- plugins ---------------------------------------------------------------------------------------------------------

namespace {

// A plugin of the world in use; the world's entry outlives it.
class Process final : public deployer::PluginProcess {
 public:
  Process(FakeWorld& world, std::string source) : world_(world), source_(std::move(source)) {
    world_.most_live_processes = std::max(world_.most_live_processes, ++world_.live_processes);
  }
  ~Process() override { --world_.live_processes; }

  asio::awaitable<deployer::StepAnswer> run(std::string run_id, std::string step_id, schema::Value input) override {
    world_.inputs[run_id].push_back(input);
    call_ = std::make_shared<FakeCall>(world_, run_id, step_id, std::move(input));
    world_.note("run " + run_id);
    const FakeFunction& function = function_of(step_id);
    std::optional<Error> failure;
    deployer::StepAnswer answer;
    try {
      answer = co_await function(call_);
    } catch (const Error& error) {
      failure = error;
    }
    if (failure) {
      world_.note("fail " + run_id);
      throw *failure;
    }
    world_.note(fmt::format("answer {} {}", run_id, answer.output_id));
    co_return answer;
  }

  asio::awaitable<void> signal(std::string run_id, std::string signal_id, schema::Value) override {
    if (call_) call_->signal();
    world_.note(fmt::format("signal {} {}", run_id, signal_id));
    co_return;
  }

  asio::awaitable<void> close() override {
    world_.note("close " + source_);
    co_return;
  }

  void kill() noexcept override {
    if (call_) call_->kill();
    world_.note("kill " + source_);
  }

 private:
  const FakeFunction& function_of(const std::string& step_id) const {
    for (const FakeStep& step : world_.plugins.at(source_).steps)
      if (step.schema.id == step_id) return step.run;
    throw std::logic_error("the fake plugin has no step '" + step_id + "'");
  }

  FakeWorld& world_;
  const std::string source_;
  std::shared_ptr<FakeCall> call_;
};

std::shared_ptr<const schema::PluginSchema> schema_of(const FakePlugin& plugin) {
  auto schema = std::make_shared<schema::PluginSchema>();
  for (const FakeStep& step : plugin.steps) schema->steps.emplace_back(step.schema.id, step.schema);
  return schema;
}

class ReadyPlugin final : public deployer::Plugin {
 public:
  ReadyPlugin(FakeWorld& world, const std::string& source)
      : world_(world), schema_(schema_of(world.plugins.at(source))) {
    facts_.reference = source;
    facts_.source_kind = "git";
    facts_.version = "1";
    facts_.environment = "memory";
    facts_.environment_key = source;
  }

  const std::shared_ptr<const schema::PluginSchema>& schema() const noexcept override { return schema_; }
  const deployer::PluginFacts& facts() const noexcept override { return facts_; }

  asio::awaitable<std::unique_ptr<deployer::PluginProcess>> start(Logger, ProgressSink*) override {
    world_.note("start " + facts_.reference);
    const FakePlugin& plugin = world_.plugins.at(facts_.reference);
    if (plugin.start_time.count() > 0) {
      const asio::any_io_executor executor = co_await asio::this_coro::executor;
      asio::steady_timer timer(executor, plugin.start_time);
      co_await timer.async_wait(asio::use_awaitable);
    }
    if (plugin.start_failure) throw *plugin.start_failure;
    co_return std::make_unique<Process>(world_, facts_.reference);
  }

 private:
  FakeWorld& world_;
  std::shared_ptr<const schema::PluginSchema> schema_;
  deployer::PluginFacts facts_;
};

class FakeDeployer final : public deployer::Deployer {
 public:
  FakeDeployer(FakeWorld& world, schema::Value settings) : world_(world), settings_(std::move(settings)) {}

  asio::awaitable<std::shared_ptr<deployer::Plugin>> prepare(std::string source,
                                                             deployer::PrepareContext context) override {
    world_.note("prepare " + source);
    context.cancel.check();
    const schema::Value* time = settings_.find("deploy_time");
    const std::int64_t milliseconds = time ? time->as_integer() : 0;
    const Clock::time_point end = Clock::now() + std::chrono::milliseconds(milliseconds);
    while (Clock::now() < end) co_await world_.wait(end);
    world_.note("prepared " + source);
    const schema::Value* succeed = settings_.find("deploy_succeed");
    if (succeed && !succeed->as_bool())
      throw Error(ErrorCode::install, fmt::format("intentional deployment fail after {} ms", milliseconds));
    const auto plugin = world_.plugins.find(source);
    if (plugin == world_.plugins.end()) throw Error(ErrorCode::unresolvable, "there is no plugin " + source);
    if (plugin->second.prepare_failure) throw *plugin->second.prepare_failure;
    std::shared_ptr<ReadyPlugin>& ready = ready_[source];
    if (!ready) ready = std::make_shared<ReadyPlugin>(world_, source);
    co_return ready;
  }

 private:
  FakeWorld& world_;
  const schema::Value settings_;
  std::map<std::string, std::shared_ptr<ReadyPlugin>> ready_;
};

class FakeKind final : public deployer::DeployerKind {
 public:
  FakeKind(FakeWorld& world, std::string deployment_type)
      : world_(world), deployment_type_(std::move(deployment_type)) {}

  std::string deployment_type() const override { return deployment_type_; }
  std::string name() const override { return "fake"; }
  schema::TypePtr settings() const override { return settings_; }
  std::shared_ptr<deployer::Deployer> create(const schema::Value& settings) override {
    world_.note(fmt::format("deployer {} {}", deployment_type_, schema::write_json(settings, {.indent = 0})));
    return std::make_shared<FakeDeployer>(world_, settings);
  }

 private:
  FakeWorld& world_;
  const std::string deployment_type_;
  const schema::TypePtr settings_ = scope_of("FakeSettings", {{"deploy_time", optional(schema::integer_type())},
                                                              {"deploy_succeed", optional(schema::bool_type())},
                                                              {"label", optional(schema::string_type())}});
};

}  // namespace

std::shared_ptr<deployer::DeployerKind> fake_kind(FakeWorld& world, std::string deployment_type) {
  return std::make_shared<FakeKind>(world, std::move(deployment_type));
}

FakeDeployers::FakeDeployers(FakeWorld& world) {
  for (const char* type : {"builtin", "python"}) registry_.add(fake_kind(world, type));
}

deployer::Deployer& FakeDeployers::local(const std::string& deployment_type) {
  if (!registry_.has_type(deployment_type))
    throw Error(ErrorCode::document, "missing local deployer for requested type " + deployment_type);
  std::shared_ptr<deployer::Deployer>& deployer = local_[deployment_type];
  if (!deployer) deployer = registry_.create(deployment_type, schema::Map({{"deployer_name", "fake"}}));
  return *deployer;
}

std::shared_ptr<deployer::Deployer> FakeDeployers::with_settings(const std::string& deployment_type,
                                                                 const schema::Value& settings) {
  auto& deployer = of_settings_[deployment_type + schema::write_json(settings, {.indent = 0, .sort_keys = true})];
  if (!deployer) deployer = registry_.create(deployment_type, settings);
  return deployer;
}

workflow::WorkflowFiles::File FakeFiles::read_sub_workflow(const std::string& name) const {
  const auto text = texts.find(name);
  if (text == texts.end()) throw Error(ErrorCode::io, "error reading file " + name);
  return {text->second, name};
}

}  // namespace venvoy::test
