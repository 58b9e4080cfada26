#include "api/internal/engine_core.hpp"

#include "api/configuration.hpp"
#include "api/internal/cancellation_access.hpp"
#include "api/internal/conversion.hpp"
#include "os/environment.hpp"
#include "os/files.hpp"
#include "report/diagnostics.hpp"

namespace venvoy {

namespace {

using api::internal::to_public;
using api::internal::usage_error;

constexpr std::size_t max_configuration_bytes = std::size_t{16} << 20;

class HostLog final : public LogSink {
 public:
  HostLog(std::function<void(const LogLine&)> log, LogLevel level) : log_(std::move(log)), level_(level) {}
  bool enabled(LogLevel level) const noexcept override { return level >= level_; }
  void write(LogLevel level, std::string_view labels, std::string_view message) override {
    log_({to_text(level), labels, message});
  }

 private:
  std::function<void(const LogLine&)> log_;
  LogLevel level_;
};

api::ReadConfiguration read(const EngineOptions& options) {
  const auto registry = api::make_registry_for_reading();
  const os::Environment environment = os::current_environment();
  if (options.configuration && !options.configuration_file.empty())
    throw usage_error("an engine takes a configuration file or a configuration text, not both");
  if (options.configuration)
    return api::read_configuration(*options.configuration, "configuration", *registry, environment);
  if (options.configuration_file.empty()) return api::default_configuration(*registry, environment);
  const std::string text = in_context("error reading file " + options.configuration_file.string(), [&] {
    return os::read_file(options.configuration_file, max_configuration_bytes);
  });
  return api::read_configuration(text, options.configuration_file.string(), *registry, environment);
}

api::Configuration checked(api::ReadConfiguration read) {
  if (!has_errors(read.issues)) return std::move(read.configuration);
  Failure failure{FailureCode::document, {}, {}, {}};
  for (const Issue& issue : read.issues) {
    if (issue.severity != Severity::error) continue;
    if (!failure.text.empty()) failure.text += '\n';
    failure.text += report::one_line(issue);
  }
  throw EngineError(std::move(failure), to_public(read.issues));
}

}  // namespace

EngineCore::EngineCore(const EngineOptions& options) {
  api::ReadConfiguration configuration = read(options);
  api::RuntimeOptions inner;
  if (options.log) inner.logger = Logger(std::make_shared<HostLog>(options.log, configuration.configuration.log_level));
  for (const Issue& issue : configuration.issues)
    if (issue.severity == Severity::warning) inner.logger.warning("{}", report::one_line(issue));
  inner.workdir = options.workdir;
  inner.python = options.python;
  inner.offline = options.offline;
  inner.allow_incompatible = options.allow_incompatible;
  if (options.gate) gate_ = std::make_unique<api::internal::HostGate>(options.gate);
  inner.deploy_gate = gate_.get();
  runtime_ = std::make_unique<api::Runtime>(checked(std::move(configuration)), std::move(inner));
}

EngineCore::Work::Work(std::shared_ptr<EngineCore> core, const Cancellation& cancellation) : core_(std::move(core)) {
  {
    const std::lock_guard lock(core_->mutex_);
    if (core_->closing_) throw usage_error("the engine is gone");
    place_ = core_->under_way_.insert(core_->under_way_.end(), stop_);
  }
  link_ = CancellationAccess::token(cancellation).on_cancel([stop = stop_]() mutable { stop.cancel(); });
}

EngineCore::Work::~Work() {
  link_ = {};
  const std::lock_guard lock(core_->mutex_);
  core_->under_way_.erase(place_);
  core_->idle_.notify_all();
}

std::shared_ptr<EngineCore::Work> EngineCore::begin(const Cancellation& cancellation) {
  return std::make_shared<Work>(shared_from_this(), cancellation);
}

std::uint64_t EngineCore::keep(PlanPtr plan) {
  const std::lock_guard lock(mutex_);
  plans_[++last_number_] = std::move(plan);
  return last_number_;
}

EngineCore::PlanPtr EngineCore::plan(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto place = plans_.find(number);
  return place == plans_.end() ? nullptr : place->second;
}

void EngineCore::forget(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  plans_.erase(number);
}

void EngineCore::shut_down() {
  std::list<CancelSource> stops;
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    stops = under_way_;
  }
  for (CancelSource& stop : stops) stop.cancel();
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return under_way_.empty(); });
  plans_.clear();
  lock.unlock();
  runtime_.reset();
  gate_.reset();
}

void require_other_thread(const api::Runtime& runtime) {
  if (runtime.on_loop_thread()) throw usage_error("an observer cannot wait for the engine that calls it");
}

Workflow::State::~State() {
  if (const auto engine = core.lock()) engine->forget(plan);
}

}  // namespace venvoy
