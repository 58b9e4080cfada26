#include "venv/environments.hpp"

#include <map>
#include <set>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include "base/error.hpp"
#include "os/on_pool.hpp"
#include "venv/installer.hpp"
#include "venv/internal/flight.hpp"
#include "venv/internal/job.hpp"
#include "venv/internal/making.hpp"
#include "venv/internal/run_installer.hpp"
#include "venv/interpreter.hpp"

namespace venvoy::venv {
namespace {

namespace asio = boost::asio;
using internal::Flight;
using internal::Job;

// One text for a reference and everything that decides what is made of it.
std::string identity_of(const source::ModuleRef& reference, const Settings& settings, std::string_view contract) {
  cache::KeyInputs inputs = {{"reference", reference.text},
                             {"contract", std::string(contract)},
                             {"python", settings.python_path.value_or("")},
                             {"semver", settings.python_semver.value_or("")},
                             {"policy", std::to_string(static_cast<int>(settings.pull_policy))},
                             {"installer", std::to_string(static_cast<int>(settings.installer))},
                             {"resolution", std::to_string(static_cast<int>(settings.dependency_resolution))},
                             {"override", std::to_string(settings.override_compatibility)},
                             {"advice", std::to_string(settings.contract_is_advice)},
                             {"offline", std::to_string(settings.offline)}};
  if (settings.index_url) inputs.emplace_back("index", *settings.index_url);
  for (const std::string& url : settings.extra_index_urls) inputs.emplace_back("extra", url);
  for (const std::string& place : settings.find_links) inputs.emplace_back("links", place);
  for (const std::string& name : settings.allow_incompatible) inputs.emplace_back("allowed", name);
  if (settings.dependencies) inputs.emplace_back("dependencies", "given");
  for (const std::string& each : settings.dependencies.value_or(std::vector<std::string>()))
    inputs.emplace_back("dependency", each);
  return internal::name_of(inputs);
}

}  // namespace

struct Environments::State : std::enable_shared_from_this<State> {
  explicit State(Services given)
      : services(std::move(given)),
        interpreters(services.keeper, services.pool, services.store, services.environment),
        installers(services.keeper, services.environment) {}

  asio::awaitable<ReadyEnvPtr> get(source::ModuleRef reference, const contract::Contract& contract, Settings settings,
                                   GetContext context);
  bool must_renew(const std::string& identity, const Settings& settings, const GetContext& context) const;
  std::shared_ptr<Flight> start(const std::string& identity, std::shared_ptr<Job> job);
  static asio::awaitable<ReadyEnvPtr> make(std::shared_ptr<State> state, std::shared_ptr<Job> job);
  void give_back(ReadyEnvPtr environment) {
    asio::post(services.pool, [environment = std::move(environment)]() mutable { environment.reset(); });
  }

  Services services;
  Interpreters interpreters;
  Installers installers;
  std::map<std::string, std::shared_ptr<Flight>> flights;
  // What policy Always has been done for: once in the life of this object.
  std::set<std::string> renewed;
};

bool Environments::State::must_renew(const std::string& identity, const Settings& settings,
                                     const GetContext& context) const {
  if (context.refresh && settings.offline)
    throw Error(ErrorCode::usage, "what is new cannot be asked without the network")
        .with_hint("leave the offline option out");
  if (context.refresh) return true;
  if (settings.pull_policy != PullPolicy::always || renewed.count(identity) != 0) return false;
  if (!settings.offline) return true;
  context.logger.warning("modulePullPolicy Always is not followed, since the network must not be used");
  return false;
}

asio::awaitable<ReadyEnvPtr> Environments::State::make(std::shared_ptr<State> state, std::shared_ptr<Job> job) {
  try {
    ReadyEnvPtr ready = co_await internal::make_ready(*job);
    co_return ready;
  } catch (Error& error) {
    internal::explain_full_disk(error, state->services.store.path());
    throw;
  }
}

std::shared_ptr<Flight> Environments::State::start(const std::string& identity, std::shared_ptr<Job> job) {
  const auto flight = std::make_shared<Flight>(services.executor);
  job->cancel = flight->token();
  job->announce = [weak = std::weak_ptr(flight)](const Progress& progress) {
    if (const auto shared = weak.lock()) shared->announce(progress);
  };
  const std::string name = identity + (job->renew ? " anew" : "");
  flights[name] = flight;
  const bool renew = job->renew;
  asio::co_spawn(
      services.executor, make(shared_from_this(), std::move(job)),
      [self = shared_from_this(), flight, identity, name, renew](std::exception_ptr failure, ReadyEnvPtr result) {
        if (!failure && renew) self->renewed.insert(identity);
        self->flights.erase(name);
        if (flight->given_up()) self->give_back(std::exchange(result, nullptr));
        flight->end(std::move(result), failure);
      });
  return flight;
}

asio::awaitable<ReadyEnvPtr> Environments::State::get(source::ModuleRef reference, const contract::Contract& contract,
                                                      Settings settings, GetContext context) {
  context.cancel.check();
  const std::string identity = identity_of(reference, settings, contract.name());
  for (;;) {
    const bool renew = must_renew(identity, settings, context);
    const auto found = flights.find(identity + (renew ? " anew" : ""));
    std::shared_ptr<Flight> flight = found == flights.end() ? nullptr : found->second;
    if (!flight) {
      const auto job = std::make_shared<Job>(Job{services,
                                                 interpreters,
                                                 installers,
                                                 contract,
                                                 reference,
                                                 reference.to_safe_text(),
                                                 settings,
                                                 renew,
                                                 context.logger,
                                                 {},
                                                 {}});
      flight = start(identity, job);
    }
    if (!flight->given_up()) {
      ReadyEnvPtr ready = co_await Flight::wait(flight, context.progress, context.cancel);
      co_return ready;
    }
    co_await flight->wait_for_end();
    context.cancel.check();
  }
}

Environments::Environments(Services services) : state_(std::make_shared<State>(std::move(services))) {}
Environments::~Environments() = default;

asio::awaitable<ReadyEnvPtr> Environments::get(source::ModuleRef reference, const contract::Contract& contract,
                                               Settings settings, GetContext context) {
  const std::shared_ptr<State> state = state_;
  try {
    ReadyEnvPtr ready = co_await state->get(std::move(reference), contract, std::move(settings), std::move(context));
    co_return ready;
  } catch (const boost::system::system_error& error) {
    if (error.code() != asio::error::operation_aborted) throw;
  }
  throw Error(ErrorCode::cancelled, "cancelled");
}

asio::awaitable<KnownEnv> Environments::look(source::ModuleRef reference, const contract::Contract& contract,
                                             Settings settings, GetContext context) {
  const std::shared_ptr<State> state = state_;
  const bool always = context.refresh || (settings.pull_policy == PullPolicy::always && !settings.offline);
  const std::string shown = reference.to_safe_text();
  const auto quiet = [](const Progress&) {};
  const auto job =
      std::make_shared<Job>(Job{state->services, state->interpreters, state->installers, contract, std::move(reference),
                                shown, std::move(settings), false, context.logger, context.cancel, quiet, true});
  KnownEnv known = co_await internal::look_up(*job);
  if (always && known.fate == KnownEnv::Fate::reuse) {
    known.fate = KnownEnv::Fate::build;
    known.why = "modulePullPolicy is Always: what it means is asked anew, and it is built anew";
  }
  co_return known;
}

void Environments::give_back(ReadyEnvPtr environment) {
  state_->give_back(std::move(environment));
}

}  // namespace venvoy::venv
