#include "governance/settings.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "governance/actions.hpp"

namespace venvoy::governance {

namespace fs = std::filesystem;

namespace {

using schema::make_type;
using schema::Property;
using schema::TypePtr;
using schema::Value;

using Keys = std::vector<std::pair<std::string, Property>>;

Property setting(TypePtr type, const char* description) {
  Property property;
  property.type = std::move(type);
  property.required = false;
  property.display = schema::Display{std::nullopt, description, std::nullopt};
  return property;
}

TypePtr group_type(std::string id, Keys keys) {
  schema::ObjectType type;
  type.id = std::move(id);
  type.properties = std::move(keys);
  return make_type(std::move(type));
}

TypePtr number_from(std::int64_t min, std::int64_t max) {
  schema::IntegerType type;
  type.min = min;
  type.max = max;
  return make_type(std::move(type));
}

TypePtr filled_text() {
  schema::StringType type;
  type.min = 1;
  return make_type(std::move(type));
}

TypePtr local_type() {
  return group_type(
      "GovernanceLocal",
      {{"timeout_ms", setting(number_from(1, 3'600'000), "Wall clock time of one evaluation. Default: 10000.")},
       {"cpu_s", setting(number_from(1, 3600), "CPU time of one evaluation. Default: 5.")},
       {"memory_mb", setting(number_from(32, 1 << 20), "Address space of a policy. Default: 512.")},
       {"output_kb", setting(number_from(1, 64 << 10), "Longest answer of a policy. Default: 1024.")},
       {"file_mb", setting(number_from(0, 1 << 20), "Longest file that a policy may write. Default: 64.")},
       {"open_files", setting(number_from(16, 1 << 16), "Open files of a policy. Default: 256.")},
       {"install_timeout_ms", setting(number_from(1, 86'400'000), "Time to install a policy. Default: 300000.")},
       {"network", setting(schema::bool_type(), "Whether policies may use the network. Default: false.")},
       {"require_isolation",
        setting(schema::bool_type(), "Fail where the network cannot be taken from policies. Default: false.")},
       {"max_parallel",
        setting(number_from(0, 1024), "Evaluations at a time. Default: 0, twice as many as there are processors.")}});
}

TypePtr remote_type() {
  return group_type("GovernanceRemote",
                    {{"host", setting(filled_text(), "URL of the policies system.")},
                     {"executor_id", setting(schema::string_type(), "Id of the executor.")},
                     {"connect_ms", setting(number_from(1, 600'000), "Time to connect. Default: 3000.")},
                     {"timeout_ms", setting(number_from(1, 3'600'000), "Time of one request. Default: 15000.")},
                     {"retries", setting(number_from(0, 20), "Further attempts after passing failures. Default: 2.")},
                     {"ca_file", setting(filled_text(), "Certificates to trust. Default: the system's.")},
                     {"token_file", setting(filled_text(), "File with the bearer token to send. Default: none.")}});
}

TypePtr log_type() {
  return group_type(
      "GovernanceLog",
      {{"file", setting(filled_text(), "The decision log. Default: governance/decisions.jsonl in the state folder.")},
       {"max_mb", setting(number_from(1, 1 << 20), "Size at which a new file is begun. Default: 64.")},
       {"keep", setting(number_from(0, 1000), "Old files that are kept. Default: 5.")},
       {"include_input", setting(schema::bool_type(), "Log inputs, secrets masked. Default: false.")},
       {"required", setting(schema::bool_type(), "Allow nothing whose decision cannot be logged. Default: false.")}});
}

std::string text_or(const Value& data, std::string_view key, std::string otherwise) {
  const Value* value = data.find(key);
  return value ? value->as_text() : otherwise;
}
void take(const Value& data, std::string_view key, std::int64_t& into) {
  if (const Value* value = data.find(key)) into = value->as_integer();
}
void take(const Value& data, std::string_view key, bool& into) {
  if (const Value* value = data.find(key)) into = value->as_bool();
}
void take(const Value& data, std::string_view key, std::chrono::milliseconds& into) {
  if (const Value* value = data.find(key)) into = std::chrono::milliseconds(value->as_integer());
}

OnError on_error_from(const Value& value) {
  if (value.kind() == schema::Kind::text) {
    if (value.as_text() == "deny") return OnError::deny;
    if (value.as_text() == "allow") return OnError::allow;
  }
  throw Error(ErrorCode::document, fmt::format("'on_error' is 'deny' or 'allow', not {}", describe(value)));
}

void read_on_error(Settings& settings, const Value& value) {
  if (value.kind() != schema::Kind::map) {
    settings.on_error = on_error_from(value);
    return;
  }
  for (const auto& [key, each] : value.as_map()) {
    const std::string name = key.kind() == schema::Kind::text ? key.as_text() : describe(key);
    if (name == "default")
      settings.on_error = on_error_from(each);
    else
      settings.on_error_of[std::string(require_action(name).name)] = on_error_from(each);
  }
}

void read_local(LocalSettings& local, const Value& data) {
  take(data, "timeout_ms", local.timeout);
  take(data, "cpu_s", local.cpu_s);
  take(data, "memory_mb", local.memory_mb);
  take(data, "output_kb", local.output_kb);
  take(data, "file_mb", local.file_mb);
  take(data, "open_files", local.open_files);
  take(data, "install_timeout_ms", local.install_timeout);
  take(data, "network", local.network);
  take(data, "require_isolation", local.require_isolation);
  take(data, "max_parallel", local.max_parallel);
}

void read_remote(RemoteSettings& remote, const Value& data, const fs::path& configuration_dir) {
  remote.host = text_or(data, "host", {});
  remote.executor_id = text_or(data, "executor_id", {});
  take(data, "connect_ms", remote.connect);
  take(data, "timeout_ms", remote.timeout);
  take(data, "retries", remote.retries);
  if (const Value* file = data.find("ca_file")) remote.ca_file = configuration_dir / file->as_text();
  if (const Value* file = data.find("token_file")) remote.token_file = configuration_dir / file->as_text();
}

std::optional<std::string> filled(const os::Environment& environment, std::string_view name) {
  auto value = os::get_variable(environment, name);
  return value && !value->empty() ? value : std::nullopt;
}

}  // namespace

std::string_view to_text(Mode mode) noexcept {
  return mode == Mode::local ? "local" : "remote";
}

schema::TypePtr settings_type() {
  const TypePtr registry =
      group_type("GovernanceRegistry", {{"file", setting(filled_text(), "File with the policies; asked first.")},
                                        {"url", setting(filled_text(), "URL of a policies system.")}});
  const TypePtr bindings = make_type(schema::MapType{filled_text(), filled_text(), {}, {}});
  return group_type(
      "Governance",
      {{"enabled", setting(schema::bool_type(), "Whether policies are asked at all. Default: true.")},
       {"rules_file", setting(filled_text(), "The rules. Default: governance/rules.json in the state folder.")},
       {"registry", setting(registry, "Where policies are found.")},
       {"mode", setting(schema::string_type(), "Where policies are evaluated: local (the default) or remote.")},
       {"on_error", setting(schema::any_type(),
                            "What becomes of an action whose policy fails: deny (the default) or allow; or a map of "
                            "actions with these words and `default`.")},
       {"local", setting(local_type(), "Evaluation on this machine.")},
       {"remote", setting(remote_type(), "Evaluation by an executor.")},
       {"log", setting(log_type(), "The decision log.")},
       {"bindings", setting(bindings, "Workflows that carry out actions that are allowed.")}});
}

Settings read_settings(const Value& data, const fs::path& state_dir, const fs::path& configuration_dir) {
  Settings settings;
  take(data, "enabled", settings.enabled);
  settings.rules_file = state_dir / text_or(data, "rules_file", settings.rules_file);
  if (const Value* registry = data.find("registry")) {
    if (const Value* file = registry->find("file")) settings.registry_file = configuration_dir / file->as_text();
    settings.registry_url = text_or(*registry, "url", {});
  }
  settings.mode = text_or(data, "mode", {});
  if (const Value* on_error = data.find("on_error")) read_on_error(settings, *on_error);
  if (const Value* local = data.find("local")) read_local(settings.local, *local);
  if (const Value* remote = data.find("remote")) read_remote(settings.remote, *remote, configuration_dir);
  if (const Value* log = data.find("log")) {
    settings.log.file = text_or(*log, "file", settings.log.file);
    take(*log, "max_mb", settings.log.max_mb);
    take(*log, "keep", settings.log.keep);
    take(*log, "include_input", settings.log.include_input);
    take(*log, "required", settings.log.required);
  }
  settings.log.file = state_dir / settings.log.file;
  if (const Value* bindings = data.find("bindings"))
    for (const auto& [action, workflow] : bindings->as_map())
      settings.bindings[std::string(require_action(action.as_text()).name)] = configuration_dir / workflow.as_text();
  return settings;
}

void apply_environment(Settings& settings, const os::Environment& environment) {
  settings.environment_mode = filled(environment, "POLICY_EXECUTION_MODE");
  if (const auto id = filled(environment, "POLICY_SYSTEM_EXECUTOR_ID")) settings.remote.executor_id = *id;
  if (const auto host = filled(environment, "POLICY_EXECUTOR_HOST_URL")) settings.remote.host = *host;
  if (const auto url = filled(environment, "POLICY_DB_URL")) settings.registry_url = *url;
  settings.seed = filled(environment, "CLUSTER_CONTROLLER_GATEWAY_ACTIONS_MAP");
}

}  // namespace venvoy::governance
