#include "deployer/internal/python_plugin.hpp"

#include <map>
#include <optional>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "atp/cbor.hpp"
#include "deployer/fork_server.hpp"
#include "deployer/internal/own_store.hpp"
#include "deployer/internal/python_process.hpp"
#include "os/environment.hpp"
#include "schema/check.hpp"
#include "schema/read_type.hpp"

namespace venvoy::deployer::internal {

namespace asio = boost::asio;

namespace {

std::string schema_record(const std::string& environment_key, unsigned generation) {
  return fmt::format("{}-{}.cbor", environment_key, generation);
}

// Throws an Error (protocol, limit) for bytes that are no CBOR; nothing for too few of them.
std::optional<schema::Value> decode_schema(const std::string& record) {
  atp::CborReader reader;
  reader.feed(std::as_bytes(std::span(record)));
  return reader.next();
}

// The first line of the record that tells what a fork server may do beforehand; then the modules that it may import.
constexpr std::string_view unchecked_mark = "unchecked";
constexpr std::string_view shared_mark = "checked, with the opening";
constexpr std::string_view own_mark = "checked, without the opening: ";  // and why

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end != 0) lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return lines;
}

class PythonPlugin final : public Plugin, public std::enable_shared_from_this<PythonPlugin> {
 public:
  explicit PythonPlugin(PluginHouse house) : house_(std::move(house)) {
    const venv::ReadyEnv& environment = *house_.environment;
    facts_ = {environment.reference, environment.source_kind, environment.version, environment.lease.path().string(),
              environment.lease.key()};
  }
  ~PythonPlugin() override { house_.environments->give_back(std::move(house_.environment)); }

  const std::shared_ptr<const schema::PluginSchema>& schema() const noexcept override { return schema_; }
  const PluginFacts& facts() const noexcept override { return facts_; }

  asio::awaitable<std::unique_ptr<PluginProcess>> start(Logger logger, ProgressSink* progress) override {
    ++starts_;
    // All steps that a fork server starts come from it: they have the seed of their hashes in common, for one.
    if (serves_next_start()) co_await close_unused();
    if (std::unique_ptr<PythonProcess> first = take_first(logger)) co_return first;
    std::unique_ptr<PythonProcess> process = co_await launch_step(logger, progress);
    atp::Hello hello = co_await process->handshake();
    if (!(hello.schema == wire_schema_)) check_same_meaning(hello.schema);
    co_return process;
  }

  void begin_run(std::size_t expected_starts) override {
    ++runs_;
    expected_starts_ += expected_starts;
  }

  void end_run() noexcept override {
    if (--runs_ > 0) return;
    expected_starts_ = 0;
    first_.reset();
    if (fork_server_) fork_server_->retire();
    for (const auto& [number, there] : outposts_)
      if (there.server) there.server->retire();
  }

  asio::awaitable<void> close_unused() override {
    if (const std::unique_ptr<PythonProcess> unused = std::move(first_)) co_await unused->close();
  }

  asio::awaitable<void> learn_schema(CancelToken cancel) {
    const std::string record = schema_record(house_.environment->lease.key(), house_.environment->lease.generation());
    if (take_stored(house_.store.read_record(cache::Bucket::schema, record))) co_return;
    first_ = co_await launch(house_.launcher, true, house_.logger);
    const auto registration = kill_when_cancelled(cancel);
    atp::Hello hello = co_await first_words(cancel);
    take(std::move(hello.schema));
    house_.store.write_record(cache::Bucket::schema, record, atp::encode(wire_schema_));
    std::optional<std::string> imports = co_await first_->imports();
    if (!imports || !house_.about_to_run) {
      co_await first_->close();
      if (!imports) imports = co_await first_->imports();
      first_.reset();
    }
    write_preparation({lines_of(imports.value_or(std::string()))});
  }

 private:
  // The process that was asked for the schema, if it is still there for a step.
  std::unique_ptr<PythonProcess> take_first(const Logger& logger) {
    std::unique_ptr<PythonProcess> first = std::move(first_);
    if (!first || first->has_ended()) return nullptr;
    first->set_logger(logger);
    return first;
  }

  // The plugin on another machine.
  struct Outpost {
    std::shared_ptr<void> pilot;                    // that all of it lives from
    std::shared_ptr<EnvironmentThere> environment;  // in a store of the machine's own
    std::optional<cache::WorkDir> folder;           // for the server, there
    std::unique_ptr<ForkServer> server;
  };

  asio::awaitable<std::unique_ptr<PythonProcess>> launch_step(Logger logger, ProgressSink* progress) {
    if (!house_.pilots) co_return co_await launch(launcher_of_next_start(), false, std::move(logger));
    while (true) {
      Place place = co_await house_.pilots->take_place(progress);
      std::optional<Error> failure;
      try {
        if (has_own_stores()) co_await bring_environment(place);
        Launcher& launcher = launcher_at(place);
        co_return co_await launch(launcher, false, logger, &place);
      } catch (const Error& error) {
        failure = error;
      }
      // Nothing has been told to a step yet: another machine will do.
      if (!place.is_lost()) throw *failure;
    }
  }

  // The first use of a plugin that is used once would not be faster for a server.
  bool serves_next_start() const { return house_.keeper && (starts_ >= 2 || expected_starts_ >= 2); }

  Launcher& launcher_of_next_start() {
    if (!serves_next_start()) return house_.launcher;
    if (!fork_server_) fork_server_ = make_fork_server(*house_.keeper, house_.launcher, {});
    return *fork_server_;
  }

  Launcher& launcher_at(const Place& place) {
    if (!serves_next_start()) return place.plain();
    Outpost& there = outpost_at(place);
    if (!there.server) there.server = make_fork_server(place.keeper(), place.plain(), there);
    return *there.server;
  }

  bool has_own_stores() const { return !house_.filler.empty(); }

  Outpost& outpost_at(const Place& place) {
    Outpost& there = outposts_[place.pilot_number()];
    if (!there.pilot) there.pilot = place.hold();
    return there;
  }

  asio::awaitable<void> bring_environment(const Place& place) {
    Outpost& there = outpost_at(place);
    if (!there.folder) there.folder = house_.store.make_work_dir();
    if (!there.environment)
      there.environment =
          std::make_shared<EnvironmentThere>(house_.executor, *house_.keeper, place.keeper(), house_.environment,
                                             there.folder->path(), house_.filler, house_.filler_there);
    const std::shared_ptr<EnvironmentThere> environment = there.environment;
    std::optional<Error> failure;
    try {
      co_await environment->ready();
    } catch (const Error& error) {
      failure = error;
    }
    if (!failure) co_return;
    // Whoever comes next tries again.
    if (there.environment == environment) there.environment.reset();
    throw *failure;
  }

  std::unique_ptr<ForkServer> make_fork_server(os::Keeper& keeper, Launcher& plain, const Outpost& there) {
    ForkServerSettings settings;
    settings.starter = house_.pilots ? house_.starter_there : house_.starter;
    settings.plugin = facts_.reference;
    settings.preparation = read_preparation();
    settings.start_timeout = house_.limits.hello_timeout;
    settings.make_work_dir = [store = house_.store] { return store.make_work_dir(); };
    if (there.folder) settings.folder_there = there.folder->path();
    settings.on_checked = [this](const Preparation& found) { write_preparation(found); };
    settings.logger = house_.logger;
    return std::make_unique<ForkServer>(house_.executor, keeper, plain, std::move(settings));
  }

  std::string imports_record() const {
    return fmt::format("{}-{}.imports", house_.environment->lease.key(), house_.environment->lease.generation());
  }

  // Without a record the server imports nothing, and its forks do.
  Preparation read_preparation() const {
    std::vector<std::string> lines =
        lines_of(house_.store.read_record(cache::Bucket::schema, imports_record()).value_or(std::string()));
    if (lines.empty()) return {};
    const std::string mark = lines.front();
    lines.erase(lines.begin());
    if (mark == unchecked_mark) return {std::move(lines)};
    if (mark == shared_mark) return {std::move(lines), true, ""};
    if (mark.starts_with(own_mark)) return {std::move(lines), true, mark.substr(own_mark.size())};
    return {};
  }

  void write_preparation(const Preparation& known) const {
    std::string text(unchecked_mark);
    if (known.checked && known.harm_of_opening)
      text = known.harm_of_opening->empty() ? shared_mark : std::string(own_mark) + *known.harm_of_opening;
    for (const std::string& module : known.modules) text += '\n' + module;
    try {
      house_.store.write_record(cache::Bucket::schema, imports_record(), text);
    } catch (const Error& error) {
      house_.logger.debug("what {} imports could not be stored: {}", facts_.reference, error.what());
    }
  }

  CancelToken::Registration kill_when_cancelled(const CancelToken& cancel) {
    return cancel.on_cancel([executor = house_.executor, weak = weak_from_this()] {
      asio::post(executor, [weak] {
        const auto alive = weak.lock();
        if (alive && alive->first_) alive->first_->kill();
      });
    });
  }

  // How a killed process has died is of no interest then.
  asio::awaitable<atp::Hello> first_words(CancelToken cancel) {
    try {
      co_return co_await first_->handshake();
    } catch (const Error&) {
      cancel.check();
      throw;
    }
  }

  // With a place the process is started there, and keeps it.
  asio::awaitable<std::unique_ptr<PythonProcess>> launch(Launcher& launcher, bool report_imports, Logger logger,
                                                         Place* place = nullptr) {
    cache::WorkDir folder = house_.store.make_work_dir();
    LaunchRequest request;
    request.python = house_.environment->python;
    request.module = house_.environment->module;
    request.arguments = {"--atp"};
    request.working_directory = folder.path();
    request.environment = os::current_environment();
    request.limits = house_.limits.process;
    request.report_imports = report_imports;
    if (place && has_own_stores()) {
      std::filesystem::path folder_there = folder.path();
      co_await make_folder_there(place->keeper(), std::move(folder_there));
    }
    Launched launched = co_await launcher.launch(std::move(request));
    if (place) {
      std::filesystem::path folder_there = has_own_stores() ? folder.path() : std::filesystem::path();
      launched.process = occupy(std::move(*place), std::move(launched.process), std::move(folder_there));
    }
    const ProcessSurroundings surroundings{house_.executor, house_.pool, house_.limits, house_.stderr_logs};
    co_return std::make_unique<PythonProcess>(surroundings, house_.environment->module, std::move(folder),
                                              std::move(launched), std::move(logger));
  }

  // A plugin may describe itself anew at each start (a default that is the time of day). What workflows were checked
  // against must still hold: the inputs that they may give, and the outputs that they expect.
  void check_same_meaning(const schema::Value& wire) const {
    schema::ReadOptions options;
    options.origin = schema::SchemaOrigin::plugin;
    const auto now = schema::read_plugin_schema(wire, options);
    for (const auto& [id, step] : schema_->steps) {
      const schema::StepSchema* same = now->find(id);
      if (!same) throw schema_mismatch(fmt::format("it has no step '{}' any more", id));
      const auto inputs = schema::incompatibilities(*same->input, *step.input);
      if (!inputs.empty()) throw schema_mismatch(fmt::format("step '{}': {}", id, inputs.front().sentence()));
      for (const auto& [output_id, output] : same->outputs) {
        const schema::StepOutputSchema* expected = step.find_output(output_id);
        if (!expected) throw schema_mismatch(fmt::format("step '{}' has a new output '{}'", id, output_id));
        const auto parts = schema::incompatibilities(*expected->data, *output.data);
        if (!parts.empty()) throw schema_mismatch(fmt::format("step '{}': {}", id, parts.front().sentence()));
      }
    }
  }

  Error schema_mismatch(const std::string& what) const {
    Error error(ErrorCode::plugin,
                fmt::format("schema mismatch between local and remote deployed plugin: '{}' describes "
                            "itself differently from when the workflow was checked: {}",
                            facts_.reference, what));
    return error.with_hint("`venvoy cache pull` makes its environment anew and asks it again");
  }

  // False when there is nothing stored, or nothing that can be used: the plugin is then asked.
  bool take_stored(const std::optional<std::string>& record) {
    if (!record) return false;
    try {
      std::optional<schema::Value> stored = decode_schema(*record);
      if (!stored) return false;
      take(std::move(*stored));
      return true;
    } catch (const Error& error) {
      house_.logger.debug("the stored schema of {} cannot be used: {}", facts_.reference, error.what());
      return false;
    }
  }

  void take(schema::Value wire_schema) {
    schema::ReadOptions options;
    options.origin = schema::SchemaOrigin::plugin;
    options.warn = [this](const std::string& text) {
      house_.logger.debug("the schema of {}: {}", facts_.reference, text);
    };
    schema_ = schema::read_plugin_schema(wire_schema, options);
    wire_schema_ = std::move(wire_schema);
  }

  PluginHouse house_;
  PluginFacts facts_;
  schema::Value wire_schema_;
  std::shared_ptr<const schema::PluginSchema> schema_;
  std::unique_ptr<ForkServer> fork_server_;
  std::unique_ptr<PythonProcess> first_;       // has said hello; may be null
  std::map<std::uint64_t, Outpost> outposts_;  // by the number of the pilot
  std::size_t runs_ = 0;
  std::size_t expected_starts_ = 0;
  std::size_t starts_ = 0;
};

}  // namespace

asio::awaitable<std::shared_ptr<Plugin>> make_python_plugin(PluginHouse house, CancelToken cancel) {
  const std::string reference = house.environment->reference;
  const auto plugin = std::make_shared<PythonPlugin>(std::move(house));
  try {
    co_await plugin->learn_schema(std::move(cancel));
  } catch (Error& error) {
    throw error.add_frame(fmt::format("failed to read plugin schema from '{}'", reference));
  }
  co_return plugin;
}

std::shared_ptr<const schema::PluginSchema> stored_schema(const cache::Store& store, const std::string& environment_key,
                                                          unsigned generation) {
  const auto record = store.read_record(cache::Bucket::schema, schema_record(environment_key, generation));
  if (!record) return nullptr;
  try {
    const auto stored = decode_schema(*record);
    if (!stored) return nullptr;
    schema::ReadOptions options;
    options.origin = schema::SchemaOrigin::plugin;
    return schema::read_plugin_schema(*stored, options);
  } catch (const Error&) {
    return nullptr;  // the plugin is asked again when it is made ready
  }
}

}  // namespace venvoy::deployer::internal
