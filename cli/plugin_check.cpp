#include "cli/plugin_check.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/exit_code.hpp"
#include "cli/prepare_plugin.hpp"
#include "schema/json.hpp"
#include "schema/plugin_findings.hpp"

namespace venvoy::cli {
namespace {

namespace asio = boost::asio;

// What an error says about the plugin: that something is wrong with it, or only that we could not look.
CheckExit exit_of(const Error& error) {
  switch (error.code()) {
    case ErrorCode::usage:
    case ErrorCode::reference:
      return CheckExit::usage;
    case ErrorCode::unresolvable:
    case ErrorCode::contract_missing:
    case ErrorCode::contract_unreadable:
    case ErrorCode::install:
    case ErrorCode::start:
    case ErrorCode::plugin:
    case ErrorCode::protocol:
    case ErrorCode::limit:
    case ErrorCode::schema:
    case ErrorCode::timed_out:
    case ErrorCode::document:
    case ErrorCode::evaluation:
      return CheckExit::findings;
    case ErrorCode::network:
    case ErrorCode::authentication:
    case ErrorCode::environment:
    case ErrorCode::denied:
    case ErrorCode::cancelled:
    case ErrorCode::io:
    case ErrorCode::internal:
      break;
  }
  return CheckExit::could_not_look;
}

std::string_view contract_text(const Error& error) {
  if (error.code() == ErrorCode::contract_missing) return "missing";
  return error.code() == ErrorCode::contract_unreadable ? "unreadable" : "not known";
}

// Keeps the warnings on their way to the terminal.
class WarningKeeper final : public LogSink {
 public:
  explicit WarningKeeper(Logger next) : next_(std::move(next)) {}

  bool enabled(LogLevel level) const noexcept override { return level == LogLevel::warning || next_.enabled(level); }
  void write(LogLevel level, std::string_view, std::string_view message) override {
    next_.write(level, message);
    if (level != LogLevel::warning) return;
    const std::lock_guard lock(mutex_);
    warnings_.emplace_back(message);
  }

  std::vector<std::string> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(warnings_, {});
  }

  // In the words of venv/internal/origin.cpp.
  static bool says_overridden(const std::string& warning) { return warning.starts_with("running incompatible module"); }

 private:
  Logger next_;
  std::mutex mutex_;
  std::vector<std::string> warnings_;
};

class PluginCheck {
 public:
  PluginCheck(const std::string& reference, const CommonOptions& common)
      : reference_(reference), common_(common), files_(common.context), talk_(common, &files_) {}

  int run() {
    CheckExit exit = CheckExit::could_not_look;
    try {
      auto configuration = load_configuration(common_, files_, talk_);
      if (!configuration) return exit_number(CheckExit::usage);
      Session session(std::move(*configuration), runtime_options(common_, talk_));
      exit = look(session);
    } catch (const Error& error) {
      talk_.error(error);
      exit = exit_of(error);
    }
    // A command line that makes no sense has no answer.
    if (exit == CheckExit::usage) return exit_number(exit);
    facts_.set("findings", std::move(findings_));
    write_out(data_document(facts_, common_.output));
    return exit_number(exit);
  }

 private:
  CheckExit look(Session& session) {
    const auto warnings = std::make_shared<WarningKeeper>(talk_.logger());
    std::shared_ptr<deployer::Plugin> plugin;
    try {
      plugin = prepare_plugin(session, reference_, talk_, Logger(warnings));
    } catch (const Error& error) {
      facts_.set("contract", contract_text(error));
      facts_.set("starts", schema::Value());
      return tell(error);
    }
    tell_facts(*plugin);
    for (const std::string& warning : warnings->take()) {
      if (WarningKeeper::says_overridden(warning)) facts_.set("contract", "overridden");
      add_finding("warning", warning);
    }
    // Its schema may be known from an earlier start; what is asked is whether it starts now.
    try {
      session.runtime().wait_for(start_and_close(*plugin, talk_.logger()));
    } catch (const Error& error) {
      facts_.set("starts", false);
      return tell(error);
    }
    facts_.set("starts", true);
    return look_at_schema(*plugin);
  }

  void tell_facts(const deployer::Plugin& plugin) {
    const deployer::PluginFacts& facts = plugin.facts();
    facts_.set("reference", facts.reference);
    facts_.set("version", facts.version);
    facts_.set("source", facts.source_kind);
    facts_.set("environment", facts.environment);
    facts_.set("contract", "kept");
    const auto ids = plugin.schema()->step_ids();
    facts_.set("steps", schema::List(ids.begin(), ids.end()));
  }

  CheckExit look_at_schema(const deployer::Plugin& plugin) {
    CheckExit exit = CheckExit::clean;
    for (const schema::PluginFinding& finding : schema::plugin_findings(*plugin.schema())) {
      const std::string text = finding.what.sentence();
      talk_.issue({finding.wrong ? Severity::error : Severity::warning, {}, text, {}});
      add_finding(finding.wrong ? "error" : "warning", text);
      if (finding.wrong) exit = CheckExit::findings;
    }
    return exit;
  }

  static asio::awaitable<void> start_and_close(deployer::Plugin& plugin, Logger logger) {
    std::unique_ptr<deployer::PluginProcess> process = co_await plugin.start(std::move(logger), nullptr);
    co_await process->close();
  }

  CheckExit tell(const Error& error) {
    talk_.error(error);
    add_finding("error", error.what());
    return exit_of(error);
  }

  void add_finding(std::string_view severity, std::string_view text) {
    findings_.push_back(schema::Map{{"severity", severity}, {"text", text}});
  }

  const std::string& reference_;
  const CommonOptions& common_;
  ContextFiles files_;
  Talk talk_;
  schema::Map facts_;
  schema::List findings_;
};

// A member of an environment's manifest, which is JSON that the store has read back; null if it is not there.
schema::Value manifest_part(const nlohmann::json& manifest, const char* name) {
  const auto place = manifest.is_object() ? manifest.find(name) : manifest.end();
  if (!manifest.is_object() || place == manifest.end()) return {};
  return schema::read_json(place->dump());
}

schema::Map steps_of(const schema::PluginSchema& plugin) {
  schema::Map steps;
  for (const auto& [id, step] : plugin.steps) {
    schema::Map map;
    if (step.display && step.display->name) map.insert("name", *step.display->name);
    if (step.display && step.display->description) map.insert("description", *step.display->description);
    schema::List outputs;
    for (const auto& [output_id, output] : step.outputs) outputs.push_back(output_id);
    map.insert("outputs", std::move(outputs));
    steps.insert(id, std::move(map));
  }
  return steps;
}

asio::awaitable<nlohmann::json> manifest_of(api::Runtime& runtime, std::string key) {
  const cache::Store store = runtime.store();
  const auto wanted = cache::Key::from_hex(key);
  if (!wanted) co_return nlohmann::json();
  const auto lease = store.lease(*wanted);
  if (!lease) co_return nlohmann::json();
  co_return lease->details();
}

}  // namespace

int show_plugin(const std::string& reference, const CommonOptions& common) {
  const ContextFiles files(common.context);
  const Talk talk(common, &files);
  auto configuration = load_configuration(common, files, talk);
  if (!configuration) return exit_number(PlainExit::failed);
  Session session(std::move(*configuration), runtime_options(common, talk));
  const auto warnings = std::make_shared<WarningKeeper>(talk.logger());
  const auto plugin = prepare_plugin(session, reference, talk, Logger(warnings));
  const std::vector<std::string> said = warnings->take();
  const bool overridden = std::any_of(said.begin(), said.end(), WarningKeeper::says_overridden);
  const deployer::PluginFacts& facts = plugin->facts();
  const auto manifest = session.runtime().wait_for(manifest_of(session.runtime(), facts.environment_key));
  schema::Map shown{{"reference", facts.reference},     {"kind", facts.source_kind},
                    {"version", facts.version},         {"contract", overridden ? "overridden" : "kept"},
                    {"environment", facts.environment}, {"environment_key", facts.environment_key}};
  for (const char* part : {"python", "installer", "resolution", "distributions"})
    shown.insert(part, manifest_part(manifest, part));
  shown.insert("steps", steps_of(*plugin->schema()));
  write_out(data_document(std::move(shown), common.output));
  return exit_number(PlainExit::ok);
}

int check_plugin(const std::string& reference, const CommonOptions& common) {
  return PluginCheck(reference, common).run();
}

}  // namespace venvoy::cli
