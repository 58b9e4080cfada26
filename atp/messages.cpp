#include "atp/messages.hpp"

#include <algorithm>
#include <initializer_list>
#include <limits>

#include <fmt/format.h>

#include "atp/cbor.hpp"
#include "base/error.hpp"

namespace venvoy::atp {
namespace {

using schema::Kind;
using schema::Map;
using schema::Value;

Value envelope(MessageKind kind, const std::string& run_id, Map data) {
  return Map{{"id", static_cast<int>(kind)}, {"run_id", run_id}, {"data", std::move(data)}};
}

Map body(const WorkStart& message) {
  return Map{{"id", message.step_id}, {"config", message.config}};
}

Map body(const WorkDone& message) {
  return Map{
      {"output_id", message.output_id}, {"output_data", message.output_data}, {"debug_logs", message.debug_logs}};
}

Error broken(std::string reason) {
  return Error(ErrorCode::protocol, std::move(reason));
}

// What a value is, for a message that wanted something else; the reason of an invalid one.
std::string kind_text(const Value& value) {
  return value.kind() == Kind::invalid ? value.invalid_reason() : fmt::format("{} given", to_text(value.kind()));
}

const Map& map_of(const Value& value, std::string_view what) {
  if (value.kind() != Kind::map) throw broken(fmt::format("{} must be a map: {}", what, kind_text(value)));
  return value.as_map();
}

const Value& field_of(const Map& map, std::string_view name) {
  const Value* field = map.find(name);
  if (!field) throw broken(fmt::format("the field '{}' is missing", name));
  return *field;
}

const Value& field_of(const Map& map, std::string_view name, Kind kind) {
  const Value& field = field_of(map, name);
  if (field.kind() != kind)
    throw broken(fmt::format("the field '{}' must be {} {}: {}", name, kind == Kind::integer ? "an" : "a",
                             to_text(kind), kind_text(field)));
  return field;
}

const std::string& text_of(const Map& map, std::string_view name) {
  return field_of(map, name, Kind::text).as_text();
}

void log_unknown_fields(const Map& map, std::string_view what, std::initializer_list<std::string_view> known,
                        LogLevel level, const Logger& logger) {
  if (!logger.enabled(level)) return;
  for (const auto& [key, value] : map) {
    const bool is_known =
        key.kind() == Kind::text && std::find(known.begin(), known.end(), key.as_text()) != known.end();
    if (!is_known) logger.write(level, fmt::format("unknown field {} in {} ignored", describe(key), what));
  }
}

// A version that is missing or null reads as 0, as in the Go engine; other kinds are errors.
std::int64_t version_number(const Map& hello) {
  const Value* field = hello.find("version");
  return !field || field->is_null() ? 0 : field_of(hello, "version", Kind::integer).as_integer();
}

Version supported_version(std::int64_t number) {
  for (const Version known : {Version::one, Version::three})
    if (number == static_cast<std::int64_t>(known)) return known;
  throw broken(
      fmt::format("unsupported plugin version: unsupported atp version '{}', supported versions: [1 3]", number))
      .with_hint(number > static_cast<std::int64_t>(Version::three)
                     ? "the plugin is newer than this program: update the program, or use a version of the plugin that "
                       "is built with an older arcaflow-plugin-sdk (0.12 or newer speaks version 3)"
                     : "use a version of the plugin that is built with arcaflow-plugin-sdk 0.12 or newer, not 0.11");
}

}  // namespace

std::string ErrorMessage::text() const {
  return fmt::format(
      "step with run ID \"{0}\" sent error message: RunID: {0}, err: {1}, step fatal: {2}, server fatal: {3}", run_id,
      error, step_fatal, server_fatal);
}

std::string encode(const Hello& message) {
  return encode(Value(Map{{"version", static_cast<std::int64_t>(message.version)}, {"schema", message.schema}}));
}

std::string encode(const WorkStart& message) {
  return encode(envelope(MessageKind::work_start, message.run_id, body(message)));
}

std::string encode(const WorkDone& message) {
  return encode(envelope(MessageKind::work_done, message.run_id, body(message)));
}

std::string encode(const Signal& message) {
  return encode(
      envelope(MessageKind::signal, message.run_id, Map{{"signal_id", message.signal_id}, {"data", message.data}}));
}

std::string encode(const ClientDone&) {
  return encode(envelope(MessageKind::client_done, "", Map()));
}

std::string encode(const ErrorMessage& message) {
  return encode(envelope(
      MessageKind::error, message.run_id,
      Map{{"error", message.error}, {"step_fatal", message.step_fatal}, {"server_fatal", message.server_fatal}}));
}

std::string encode_v1(const WorkStart& message) {
  return encode(Value(body(message)));
}
std::string encode_v1(const WorkDone& message) {
  return encode(Value(body(message)));
}

Hello decode_hello(const Value& message, const Logger& logger) {
  const std::int64_t number = in_context("failed to decode hello message",
                                         [&] { return version_number(map_of(message, "the hello message")); });
  const Map& fields = message.as_map();
  log_unknown_fields(fields, "the hello message", {"version", "schema"}, LogLevel::warning, logger);
  Hello hello{supported_version(number), {}};
  const Value* schema = fields.find("schema");
  if (!schema) throw broken("invalid schema (the hello message has no field 'schema')");
  if (schema->kind() != Kind::map)
    throw broken(fmt::format("invalid schema (it must be a map: {})", kind_text(*schema)));
  hello.schema = *schema;
  return hello;
}

Envelope decode_envelope(const Value& message, const Logger& logger) {
  const Map& fields = map_of(message, "a message");
  log_unknown_fields(fields, "a message", {"id", "run_id", "data"}, LogLevel::debug, logger);
  const std::int64_t id = field_of(fields, "id", Kind::integer).as_integer();
  if (id < 0 || id > std::numeric_limits<std::uint32_t>::max())
    throw broken(fmt::format("the field 'id' has the value {}", id));
  Envelope envelope{static_cast<std::uint32_t>(id), text_of(fields, "run_id"), {}};
  if (const Value* data = fields.find("data")) envelope.data = *data;
  return envelope;
}

WorkDone decode_work_done(std::string run_id, const Value& data, const Logger& logger) {
  const Map& fields = map_of(data, "the body");
  log_unknown_fields(fields, "a work done message", {"output_id", "output_data", "debug_logs", "step_id"},
                     LogLevel::debug, logger);
  WorkDone message{std::move(run_id), text_of(fields, "output_id"), field_of(fields, "output_data"), {}};
  if (message.output_data.kind() == Kind::invalid)
    throw broken(fmt::format("the field 'output_data': {}", message.output_data.invalid_reason()));
  const Value* logs = fields.find("debug_logs");
  if (logs && !logs->is_null()) message.debug_logs = text_of(fields, "debug_logs");
  return message;
}

Signal decode_signal(std::string run_id, const Value& data, const Logger& logger) {
  const Map& fields = map_of(data, "the body");
  log_unknown_fields(fields, "a signal message", {"signal_id", "data"}, LogLevel::debug, logger);
  return {std::move(run_id), text_of(fields, "signal_id"), field_of(fields, "data")};
}

ErrorMessage decode_error(std::string run_id, const Value& data, const Logger& logger) {
  const Map& fields = map_of(data, "the body");
  log_unknown_fields(fields, "an error message", {"error", "step_fatal", "server_fatal"}, LogLevel::debug, logger);
  return {std::move(run_id), text_of(fields, "error"), field_of(fields, "step_fatal", Kind::boolean).as_bool(),
          field_of(fields, "server_fatal", Kind::boolean).as_bool()};
}

}  // namespace venvoy::atp
