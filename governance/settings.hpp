// The key `governance` of the configuration (spec/governance.md 8.1).
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "os/environment.hpp"
#include "schema/type.hpp"
#include "schema/value.hpp"

namespace venvoy::governance {

enum class OnError { deny, allow };
enum class Mode { local, remote };
std::string_view to_text(Mode mode) noexcept;

struct LocalSettings {
  std::chrono::milliseconds timeout{10'000};
  std::int64_t cpu_s = 5;
  std::int64_t memory_mb = 512;
  std::int64_t output_kb = 1024;
  std::int64_t file_mb = 64;  // of one file that a policy writes
  std::int64_t open_files = 256;
  std::chrono::milliseconds install_timeout{300'000};
  bool network = false;
  bool require_isolation = false;
  std::int64_t max_parallel = 0;  // 0: twice as many as there are processors
};

struct RemoteSettings {
  std::string host;  // http(s)://…
  std::string executor_id;
  std::chrono::milliseconds connect{3'000};
  std::chrono::milliseconds timeout{15'000};
  std::int64_t retries = 2;
  std::string ca_file;
  std::string token_file;  // sent as bearer token; read at each request, so that it can be changed
};

struct LogSettings {
  std::filesystem::path file = "governance/decisions.jsonl";
  std::int64_t max_mb = 64;
  std::int64_t keep = 5;
  bool include_input = false;
  bool required = false;
};

struct Settings {
  bool enabled = true;
  std::filesystem::path rules_file = "governance/rules.json";
  std::optional<std::filesystem::path> registry_file;
  std::string registry_url;
  // As the configuration and the environment say; see execution_mode.hpp.
  std::string mode;
  OnError on_error = OnError::deny;
  std::map<std::string, OnError, std::less<>> on_error_of;  // by action
  LocalSettings local;
  RemoteSettings remote;
  LogSettings log;
  std::map<std::string, std::filesystem::path> bindings;  // action -> workflow
  // Names of properties that the log masks, besides the built-in ones.
  std::vector<std::string> secret_names;
  // POLICY_EXECUTION_MODE, where it is set and not empty; over everything else.
  std::optional<std::string> environment_mode;
  // CLUSTER_CONTROLLER_GATEWAY_ACTIONS_MAP: seeds a rules file that is not there.
  std::optional<std::string> seed;
};

// An object type with every key, its default and what it means.
schema::TypePtr settings_type();
// Reads data that fits the type. Paths are made absolute: those of what must last start at `state_dir`, those of what
// somebody has written at `configuration_dir`. Throws an Error (document) for what a type cannot say.
Settings read_settings(const schema::Value& data, const std::filesystem::path& state_dir,
                       const std::filesystem::path& configuration_dir);
// The variables of the existing system go over what the file says.
void apply_environment(Settings& settings, const os::Environment& environment);

}  // namespace venvoy::governance
