// The messages of the Arcaflow Transport Protocol (spec/protocol-and-schema.md 1.4 to 1.6).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/log.hpp"
#include "schema/value.hpp"

namespace venvoy::atp {

// The versions of the protocol that we speak. Version 2 never worked with any engine.
enum class Version : std::int64_t { one = 1, three = 3 };

// The field `id` of a runtime message.
enum class MessageKind : std::uint32_t { work_start = 1, work_done = 2, signal = 3, client_done = 4, error = 5 };

// What the plugin says first: its version, and its schema as it stands on the wire.
struct Hello {
  Version version = Version::three;
  schema::Value schema;
};

struct WorkStart {
  std::string run_id;
  std::string step_id;
  schema::Value config;  // the step's input
};

struct WorkDone {
  std::string run_id;
  std::string output_id;
  schema::Value output_data;
  std::string debug_logs;  // lines; Go plugins leave it empty
};

// In both directions.
struct Signal {
  std::string run_id;
  std::string signal_id;
  schema::Value data;
};

struct ClientDone {};

struct ErrorMessage {
  std::string run_id;  // empty when the error belongs to no run
  std::string error;
  bool step_fatal = false;
  bool server_fatal = false;

  // The form in which the Go engine reports it, and which its users know.
  std::string text() const;
};

// The first thing that a plugin must get.
inline constexpr std::string_view start_output = "\xF6";

// Messages as they stand on the wire. Those of a plugin are encoded for tests and for stand-ins of plugins.
std::string encode(const Hello& message);
std::string encode(const WorkStart& message);
std::string encode(const WorkDone& message);
std::string encode(const Signal& message);
std::string encode(const ClientDone& message);
std::string encode(const ErrorMessage& message);
// The bare forms of version 1; the run id is not sent.
std::string encode_v1(const WorkStart& message);
std::string encode_v1(const WorkDone& message);

// A runtime message of version 3 whose body has not been looked at.
struct Envelope {
  std::uint32_t id = 0;
  std::string run_id;
  schema::Value data;  // null when the message has none: what the kind of message then means, its reader says
};

// These throw an Error with code protocol that says what is wrong with the message. A field that we do not know is
// ignored with a line in the log, a field that is missing never takes a value from elsewhere.

// Also refuses versions that we do not speak, in the Go engine's words.
Hello decode_hello(const schema::Value& message, const Logger& logger);
// An error here leaves nobody to give it to: the connection is broken.
Envelope decode_envelope(const schema::Value& message, const Logger& logger);
// An error in these concerns the run of the message alone.
WorkDone decode_work_done(std::string run_id, const schema::Value& data, const Logger& logger);
Signal decode_signal(std::string run_id, const schema::Value& data, const Logger& logger);
ErrorMessage decode_error(std::string run_id, const schema::Value& data, const Logger& logger);

}  // namespace venvoy::atp
