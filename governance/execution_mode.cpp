#include "governance/execution_mode.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/files.hpp"
#include "schema/json.hpp"

namespace venvoy::governance {
namespace {

constexpr std::size_t max_mode_bytes = 64 << 10;

}  // namespace

Mode mode_from(const std::string& word, const std::string& where) {
  if (word.empty() || word == "local") return Mode::local;
  if (word == "remote") return Mode::remote;
  throw Error(ErrorCode::document,
              fmt::format("the execution mode is 'local' or 'remote', not '{}' ({})", to_valid_utf8(word), where));
}

std::filesystem::path mode_file(const Settings& settings) {
  return settings.rules_file.parent_path() / "mode.json";
}

std::optional<StoredMode> read_stored_mode(const Settings& settings) {
  const std::filesystem::path file = mode_file(settings);
  const auto text = os::read_file_if_there(file, max_mode_bytes);
  if (!text) return std::nullopt;
  const schema::Value root = schema::read_json(*text, file.string());
  const schema::Value* mode = root.find("mode");
  const schema::Value* executor = root.find("executor_id");
  if (!mode || mode->kind() != schema::Kind::text || (executor && executor->kind() != schema::Kind::text))
    throw Error(ErrorCode::document, fmt::format("'{}' is damaged", file.string()))
        .with_hint("`venvoy governance mode local` writes it anew");
  return StoredMode{mode_from(mode->as_text(), file.string()), executor ? executor->as_text() : std::string()};
}

void write_stored_mode(const Settings& settings, const StoredMode& mode) {
  const schema::Map file({{"mode", to_text(mode.mode)}, {"executor_id", mode.executor_id}});
  os::write_file_atomically(mode_file(settings), schema::write_json(file) + "\n");
}

ModeInForce mode_in_force(const Settings& settings) {
  const auto stored = read_stored_mode(settings);
  ModeInForce result{Mode::local, settings.remote.executor_id, settings.remote.host, "default"};
  if (settings.environment_mode) {
    result.mode = mode_from(*settings.environment_mode, "POLICY_EXECUTION_MODE");
    result.decided_by = "environment";
  } else if (stored) {
    result.mode = stored->mode;
    if (!stored->executor_id.empty()) result.executor_id = stored->executor_id;
    result.decided_by = "governance mode";
  } else if (!settings.mode.empty()) {
    result.mode = mode_from(settings.mode, "'mode' of the configuration");
    result.decided_by = "configuration";
  }
  if (result.mode == Mode::local) return result;
  if (result.executor_id.empty())
    throw Error(ErrorCode::document, "the execution mode is 'remote', but there is no executor id")
        .with_hint("set 'executor_id' below 'remote' of the configuration, or POLICY_SYSTEM_EXECUTOR_ID");
  if (result.host.empty())
    throw Error(ErrorCode::document, "the execution mode is 'remote', but there is no host")
        .with_hint("set 'host' below 'remote' of the configuration, or POLICY_EXECUTOR_HOST_URL");
  return result;
}

std::string gateway_patch(const StoredMode& mode) {
  using schema::List;
  using schema::Map;
  const bool remote = mode.mode == Mode::remote;
  const List variables = {
      Map({{"name", "POLICY_EXECUTION_MODE"}, {"value", to_text(mode.mode)}}),
      Map({{"name", "POLICY_SYSTEM_EXECUTOR_ID"}, {"value", remote ? mode.executor_id : std::string()}})};
  const List containers = {Map({{"name", "cluster-controller-gateway"}, {"env", variables}})};
  const Map pod({{"spec", Map({{"containers", containers}})}});
  const Map patch({{"spec", Map({{"template", pod}})}});
  return schema::write_json(patch, {.indent = 0});
}

}  // namespace venvoy::governance
