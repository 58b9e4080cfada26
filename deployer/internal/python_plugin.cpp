#include "deployer/internal/python_plugin.hpp"

#include <optional>

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "atp/cbor.hpp"
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

class PythonPlugin final : public Plugin {
 public:
  explicit PythonPlugin(PluginHouse house) : house_(std::move(house)) {
    const venv::ReadyEnv& environment = *house_.environment;
    facts_ = {environment.reference, environment.source_kind, environment.version, environment.lease.path().string(),
              environment.lease.key()};
  }
  ~PythonPlugin() override { house_.environments->give_back(std::move(house_.environment)); }

  const std::shared_ptr<const schema::PluginSchema>& schema() const noexcept override { return schema_; }
  const PluginFacts& facts() const noexcept override { return facts_; }

  asio::awaitable<std::unique_ptr<PluginProcess>> start(Logger logger) override {
    std::unique_ptr<PythonProcess> process = co_await launch(logger);
    atp::Hello hello = co_await process->handshake();
    if (!(hello.schema == wire_schema_)) check_same_meaning(hello.schema);
    co_return process;
  }

  asio::awaitable<void> learn_schema(CancelToken cancel) {
    const std::string record = schema_record(house_.environment->lease.key(), house_.environment->lease.generation());
    if (take_stored(house_.store.read_record(cache::Bucket::schema, record))) co_return;
    const std::shared_ptr<PythonProcess> process = co_await launch(house_.logger);
    const auto registration = kill_when_cancelled(process, cancel);
    atp::Hello hello = co_await first_words(process, cancel);
    take(std::move(hello.schema));
    house_.store.write_record(cache::Bucket::schema, record, atp::encode(wire_schema_));
    co_await process->close();
  }

 private:
  CancelToken::Registration kill_when_cancelled(const std::shared_ptr<PythonProcess>& process,
                                                const CancelToken& cancel) const {
    return cancel.on_cancel([executor = house_.executor, weak = std::weak_ptr(process)] {
      asio::post(executor, [weak] {
        if (const auto alive = weak.lock()) alive->kill();
      });
    });
  }

  // How a killed process has died is of no interest then.
  static asio::awaitable<atp::Hello> first_words(std::shared_ptr<PythonProcess> process, CancelToken cancel) {
    try {
      co_return co_await process->handshake();
    } catch (const Error&) {
      cancel.check();
      throw;
    }
  }

  asio::awaitable<std::unique_ptr<PythonProcess>> launch(Logger logger) {
    cache::WorkDir folder = house_.store.make_work_dir();
    LaunchRequest request;
    request.python = house_.environment->python;
    request.module = house_.environment->module;
    request.arguments = {"--atp"};
    request.working_directory = folder.path();
    request.environment = os::current_environment();
    request.limits = house_.limits.process;
    Launched launched = co_await house_.launcher.launch(std::move(request));
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
