// Golden bytes: appendix A.1 of spec/protocol-and-schema.md, row by row.
#include "atp/messages.hpp"

#include "atp/cbor.hpp"
#include "base/error.hpp"
#include "hex.hpp"
#include "schema/json.hpp"
#include "session.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::atp;
using namespace venvoy::test;
using schema::Bytes;
using schema::List;
using schema::Map;
using schema::Value;

namespace {

constexpr const char* hello_hex =
    "a26776657273696f6e0366736368656d61a1657374657073a16168a4626964616865696e707574a2676f626a65637473a16149a26269646149"
    "6a70726f70657274696573a1616ea36474797065a167747970655f696466737472696e6767646973706c6179a0687265717569726564f56472"
    "6f"
    "6f746149676f757470757473a1626f6ba266736368656d61a2676f626a65637473a1614fa2626964614f6a70726f70657274696573a1616da3"
    "64"
    "74797065a167747970655f696466737472696e6767646973706c6179a0687265717569726564f564726f6f74614f656572726f72f467646973"
    "70"
    "6c6179a2646e616d6561486b6465736372697074696f6e6144";
constexpr const char* work_start_hex = "a3626964016672756e5f69646272316464617461a2626964616866636f6e666967a1616e6141";
constexpr const char* work_done_hex =
    "a3626964026672756e5f69646272316464617461a3696f75747075745f6964626f6b6b6f75747075745f64617461a1616d61416a6465627567"
    "5f"
    "6c6f677360";
constexpr const char* work_done_with_logs_hex =
    "a3626964026672756e5f69646272316464617461a3696f75747075745f6964656572726f726b6f75747075745f64617461a1656572726f7269"
    "62"
    "6164207468696e676a64656275675f6c6f6773781a6c6f67206c696e65206f75740a6c6f67206c696e65206572720a";
constexpr const char* cancel_hex =
    "a3626964036672756e5f69646272316464617461a2697369676e616c5f69646663616e63656c6464617461a0";
constexpr const char* cancelled_hex =
    "a3626964026672756e5f69646272316464617461a3696f75747075745f69646f63616e63656c6c65645f6561726c796b6f75747075745f6461"
    "74"
    "61a1676d6573736167656963616e63656c6c65646a64656275675f6c6f677360";
constexpr const char* client_done_hex = "a3626964046672756e5f6964606464617461a0";
constexpr const char* step_fatal_hex =
    "a3626964056672756e5f69646272316464617461a3656572726f72781b576f726b207374617274206d657373616765206973204e6f6e652e6a"
    "73"
    "7465705f666174616cf56c7365727665725f666174616cf4";
constexpr const char* server_fatal_hex =
    "a3626964056672756e5f6964606464617461a3656572726f72782a52756e74696d65206d657373616765206973206d697373696e6720746865"
    "20"
    "27696427206669656c642e6a737465705f666174616cf46c7365727665725f666174616cf5";
constexpr const char* polluted_hex =
    "a3626964056672756e5f696461726464617461a3656572726f72781e556e6b6e6f776e2072756e74696d65206d6573736167652049443a2039"
    "39"
    "6a737465705f666174616cf46c7365727665725f666174616cf4"
    "556e6b6e6f776e206b696e64206f662072756e74696d65206d6573736167653a203939";
constexpr const char* v1_work_start_hex = "a2626964616866636f6e666967a1616e6141";
constexpr const char* v1_work_done_hex =
    "a3696f75747075745f6964626f6b6b6f75747075745f64617461a1616d61416a64656275675f6c6f677360";
constexpr const char* v2_work_done_hex =
    "a2626964016464617461a3696f75747075745f6964626f6b6b6f75747075745f64617461a1616d61416a64656275675f6c6f677360";
constexpr const char* free_data_hex =
    "88fb3ff8000000000000c249010000000000000000c349010000000000000000fb40f86a000000000062c3a94178a1016161f5";
constexpr const char* indefinite_hex =
    "bf626964016672756e5f69647f61726131ff6464617461bf6269646568656c6c6f66636f6e666967a1646e616d656141ffff";
constexpr const char* raw_text_hex = "4572726f72207768696c65206465636f64696e672043424f523a20707265";

Value decode(std::string_view bytes) {
  CborReader reader({}, CborReader::Expect::message);
  reader.feed(bytes_of(bytes));
  const auto item = reader.next();
  if (!item) throw std::runtime_error("no complete item");
  return *item;
}

Envelope envelope_of(const char* hex) {
  return decode_envelope(decode(from_hex(hex)), Logger());
}

template <class Decode>
std::string refusal(Decode decode_it) {
  try {
    decode_it();
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::protocol);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("messages encode as recorded") {
  const Map config{{"n", "A"}};
  CHECK(to_hex(start_output) == "f6");
  CHECK(to_hex(encode(WorkStart{"r1", "h", config})) == work_start_hex);
  CHECK(to_hex(encode(WorkDone{"r1", "ok", Map{{"m", "A"}}, ""})) == work_done_hex);
  CHECK(to_hex(encode(WorkDone{"r1", "error", Map{{"error", "bad thing"}}, "log line out\nlog line err\n"})) ==
        work_done_with_logs_hex);
  CHECK(to_hex(encode(Signal{"r1", "cancel", Map()})) == cancel_hex);
  CHECK(to_hex(encode(WorkDone{"r1", "cancelled_early", Map{{"message", "cancelled"}}, ""})) == cancelled_hex);
  CHECK(to_hex(encode(ClientDone())) == client_done_hex);
  CHECK(to_hex(encode(ErrorMessage{"r1", "Work start message is None.", true, false})) == step_fatal_hex);
  CHECK(to_hex(encode(ErrorMessage{"", "Runtime message is missing the 'id' field.", false, true})) ==
        server_fatal_hex);
  CHECK(to_hex(encode(ErrorMessage{"r", "Unknown runtime message ID: 99", false, false}) +
               "Unknown kind of runtime message: 99") == polluted_hex);
  CHECK(to_hex(encode_v1(WorkStart{"r1", "h", config})) == v1_work_start_hex);
  CHECK(to_hex(encode_v1(WorkDone{"r1", "ok", Map{{"m", "A"}}, ""})) == v1_work_done_hex);

  const Hello hello = decode_hello(decode(from_hex(hello_hex)), Logger());
  CHECK(to_hex(encode(hello)) == hello_hex);
}

TEST_CASE("recorded messages hold what their notation says") {
  struct Row {
    const char* hex;
    std::uint32_t id;
    const char* run_id;
    Value data;
  };
  const Map ok{{"output_id", "ok"}, {"output_data", Map{{"m", "A"}}}, {"debug_logs", ""}};
  const Row rows[] = {
      {work_start_hex, 1, "r1", Map{{"id", "h"}, {"config", Map{{"n", "A"}}}}},
      {work_done_hex, 2, "r1", ok},
      {work_done_with_logs_hex, 2, "r1",
       Map{{"output_id", "error"},
           {"output_data", Map{{"error", "bad thing"}}},
           {"debug_logs", "log line out\nlog line err\n"}}},
      {cancel_hex, 3, "r1", Map{{"signal_id", "cancel"}, {"data", Map()}}},
      {cancelled_hex, 2, "r1",
       Map{{"output_id", "cancelled_early"}, {"output_data", Map{{"message", "cancelled"}}}, {"debug_logs", ""}}},
      {client_done_hex, 4, "", Map()},
      {step_fatal_hex, 5, "r1",
       Map{{"error", "Work start message is None."}, {"step_fatal", true}, {"server_fatal", false}}},
      {server_fatal_hex, 5, "",
       Map{{"error", "Runtime message is missing the 'id' field."}, {"step_fatal", false}, {"server_fatal", true}}},
      {polluted_hex, 5, "r",
       Map{{"error", "Unknown runtime message ID: 99"}, {"step_fatal", false}, {"server_fatal", false}}},
      {indefinite_hex, 1, "r1", Map{{"id", "hello"}, {"config", Map{{"name", "A"}}}}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.hex);
    const Envelope envelope = envelope_of(row.hex);
    CHECK(envelope.id == row.id);
    CHECK(envelope.run_id == row.run_id);
    CHECK(envelope.data == row.data);
  }
  CHECK(decode(from_hex("f6")) == Value(nullptr));
  CHECK(decode(from_hex(v1_work_start_hex)) == Value(Map{{"id", "h"}, {"config", Map{{"n", "A"}}}}));
  CHECK(decode(from_hex(v1_work_done_hex)) == Value(ok));
  CHECK(decode(from_hex(v2_work_done_hex)) == Value(Map{{"id", 1}, {"data", ok}}));

  const Value hello = decode(from_hex(hello_hex));
  CHECK(from_hex(hello_hex).size() == 256);
  const Value notation = schema::read_json(R"({"version": 3, "schema": {"steps": {"h": {
      "id": "h",
      "input": {"root": "I", "objects": {"I": {"id": "I", "properties": {
          "n": {"type": {"type_id": "string"}, "display": {}, "required": true}}}}},
      "outputs": {"ok": {"error": false, "schema": {"root": "O", "objects": {"O": {"id": "O", "properties": {
          "m": {"type": {"type_id": "string"}, "display": {}, "required": true}}}}}}},
      "display": {"name": "H", "description": "D"}}}}})");
  CHECK(hello == notation);
}

TEST_CASE("recorded messages decode") {
  const Hello hello = decode_hello(decode(from_hex(hello_hex)), Logger());
  CHECK(hello.version == Version::three);
  CHECK(hello.schema.find("steps")->find("h")->find("display")->find("name")->as_text() == "H");

  Envelope envelope = envelope_of(work_done_hex);
  WorkDone done = decode_work_done("r1", envelope.data, Logger());
  CHECK(done.output_id == "ok");
  CHECK(done.output_data == Value(Map{{"m", "A"}}));
  CHECK(done.debug_logs == "");

  envelope = envelope_of(work_done_with_logs_hex);
  CHECK(envelope.id == 2);
  CHECK(envelope.run_id == "r1");
  done = decode_work_done("r1", envelope.data, Logger());
  CHECK(done.output_id == "error");
  CHECK(done.output_data == Value(Map{{"error", "bad thing"}}));
  CHECK(done.debug_logs == "log line out\nlog line err\n");

  envelope = envelope_of(cancelled_hex);
  done = decode_work_done("r1", envelope.data, Logger());
  CHECK(done.output_id == "cancelled_early");
  CHECK(done.output_data == Value(Map{{"message", "cancelled"}}));

  envelope = envelope_of(cancel_hex);
  CHECK(envelope.id == 3);
  const Signal signal = decode_signal("r1", envelope.data, Logger());
  CHECK(signal.signal_id == "cancel");
  CHECK(signal.data == Value(Map()));

  envelope = envelope_of(client_done_hex);
  CHECK(envelope.id == 4);
  CHECK(envelope.run_id == "");

  envelope = envelope_of(step_fatal_hex);
  ErrorMessage error = decode_error("r1", envelope.data, Logger());
  CHECK(error.step_fatal);
  CHECK_FALSE(error.server_fatal);
  CHECK(error.text() ==
        "step with run ID \"r1\" sent error message: RunID: r1, err: Work start message is None., step fatal: true, "
        "server fatal: false");
  error = decode_error("", envelope_of(server_fatal_hex).data, Logger());
  CHECK(error.server_fatal);
  CHECK(error.text() ==
        "step with run ID \"\" sent error message: RunID: , err: Runtime message is missing the 'id' field., step "
        "fatal: false, server fatal: true");

  error = decode_error("r", envelope_of(polluted_hex).data, Logger());
  CHECK(error.error == "Unknown runtime message ID: 99");
  CHECK_FALSE(error.step_fatal);
  CHECK_FALSE(error.server_fatal);

  done = decode_work_done("", decode(from_hex(v1_work_done_hex)), Logger());
  CHECK(done.output_id == "ok");
  CHECK(done.output_data == Value(Map{{"m", "A"}}));

  envelope = envelope_of(indefinite_hex);
  CHECK(envelope.run_id == "r1");
  CHECK(envelope.data.find("id")->as_text() == "hello");

  // Rows 12 and 14: shapes of other versions are no envelopes.
  CHECK(refusal([] { envelope_of(v1_work_start_hex); }) == "the field 'id' must be an integer: string given");
  CHECK(refusal([] { envelope_of(v2_work_done_hex); }) == "the field 'run_id' is missing");
  CHECK(refusal([] { decode(from_hex(raw_text_hex)); }) == "a message is a map, and this is a byte string");
}

TEST_CASE("free data of the Python SDK decodes") {
  CborReader reader;
  reader.feed(bytes_of(from_hex(free_data_hex)));
  const Value data = *reader.next();
  const List& items = data.as_list();
  REQUIRE(items.size() == 8);
  CHECK(items[0] == Value(1.5));
  CHECK(items[1].kind() == schema::Kind::invalid);
  CHECK(items[2].kind() == schema::Kind::invalid);
  CHECK(items[3] == Value(100000.0));
  CHECK(items[4] == Value("é"));
  CHECK(items[5] == Value(Bytes{std::byte{'x'}}));
  CHECK(items[6] == Value(Map{{1, "a"}}));
  CHECK(items[7] == Value(true));
}

TEST_CASE("a message followed by raw text is a message and a broken stream") {
  CborReader reader({}, CborReader::Expect::message);
  reader.feed(bytes_of(from_hex(polluted_hex)));
  const auto message = reader.next();
  REQUIRE(message);
  CHECK(decode_envelope(*message, Logger()).run_id == "r");
  CHECK_THROWS_AS(reader.next(), Error);
  CHECK(reader.excerpt() == "Unknown kind of runtime message: 99");
}

TEST_CASE("a hello is checked in the order of the reference") {
  struct Row {
    Value hello;
    const char* message;
  };
  const Value schema = Map{{"steps", Map()}};
  const Row rows[] = {
      {Map{{"version", 3}, {"schema", schema}}, ""},
      {Map{{"version", 1}, {"schema", schema}}, ""},
      {Map{{"schema", schema}, {"extra", 1}, {"version", 3}, {7, 8}}, ""},
      {Map{{"version", 2}, {"schema", schema}},
       "unsupported plugin version: unsupported atp version '2', supported versions: [1 3]"},
      {Map{{"version", 2}}, "unsupported plugin version: unsupported atp version '2', supported versions: [1 3]"},
      {Map{{"version", 4}, {"schema", schema}},
       "unsupported plugin version: unsupported atp version '4', supported versions: [1 3]"},
      {Map{{"schema", schema}}, "unsupported plugin version: unsupported atp version '0', supported versions: [1 3]"},
      {Map{{"version", nullptr}}, "unsupported plugin version: unsupported atp version '0', supported versions: [1 3]"},
      {Map{{"Version", 3}, {"schema", schema}},
       "unsupported plugin version: unsupported atp version '0', supported versions: [1 3]"},
      {Map{{"version", "3"}, {"schema", schema}},
       "failed to decode hello message (the field 'version' must be an integer: string given)"},
      {Map{{"version", 3.0}, {"schema", schema}},
       "failed to decode hello message (the field 'version' must be an integer: float given)"},
      {nullptr, "failed to decode hello message (the hello message must be a map: null given)"},
      {Value::invalid("the key 'version' is given twice"),
       "failed to decode hello message (the hello message must be a map: the key 'version' is given twice)"},
      {Map{{"version", 3}}, "invalid schema (the hello message has no field 'schema')"},
      {Map{{"version", 3}, {"schema", nullptr}}, "invalid schema (it must be a map: null given)"},
      {Map{{"version", 3}, {"schema", List{}}}, "invalid schema (it must be a map: list given)"},
  };
  for (const Row& row : rows) {
    CAPTURE(describe(row.hello));
    CHECK(refusal([&] { decode_hello(row.hello, Logger()); }) == row.message);
  }
  const auto hint_for = [](int version) {
    try {
      decode_hello(Map{{"version", version}}, Logger());
    } catch (const Error& error) {
      return error.hint();
    }
    return std::string();
  };
  CHECK_THAT(hint_for(2), Catch::ContainsSubstring("arcaflow-plugin-sdk 0.12 or newer, not 0.11"));
  CHECK_THAT(hint_for(4), Catch::ContainsSubstring("newer than this program"));
}

TEST_CASE("unknown fields are ignored with a line in the log") {
  const auto log = std::make_shared<LogLines>();
  const Logger logger{log};
  decode_hello(Map{{"version", 3}, {"schema", Map()}, {"future", 1}}, logger);
  CHECK(log->count(LogLevel::warning, "unknown field 'future' in the hello message ignored") == 1);
  decode_envelope(Map{{"id", 2}, {"run_id", "r"}, {"data", Map()}, {"future", 1}, {2, 3}}, logger);
  CHECK(log->count(LogLevel::debug, "unknown field 'future' in a message ignored") == 1);
  CHECK(log->count(LogLevel::debug, "unknown field 2 in a message ignored") == 1);
  decode_work_done("r", Map{{"output_id", "x"}, {"output_data", 1}, {"step_id", "s"}, {"future", 1}}, logger);
  CHECK(log->count(LogLevel::debug, "unknown field 'future' in a work done message ignored") == 1);
  CHECK(log->count(LogLevel::debug, "step_id") == 0);
}

TEST_CASE("an envelope needs its three fields in their types") {
  struct Row {
    Value message;
    const char* refusal;
  };
  const Row rows[] = {
      {Map{{"data", Map()}, {"run_id", ""}, {"id", 4294967295}}, ""},
      {Map{{"id", 2}, {"run_id", "r"}}, ""},  // what is missing then is the body: an error of that run
      {Map{{"id", 4294967296}, {"run_id", "r"}}, "the field 'id' has the value 4294967296"},
      {Map{{"id", -1}, {"run_id", "r"}}, "the field 'id' has the value -1"},
      {Map{{"id", "2"}, {"run_id", "r"}}, "the field 'id' must be an integer: string given"},
      {Map{{"id", 2.0}, {"run_id", "r"}}, "the field 'id' must be an integer: float given"},
      {Map{{"id", nullptr}, {"run_id", "r"}}, "the field 'id' must be an integer: null given"},
      {Map{{"id", 2}, {"run_id", 5}}, "the field 'run_id' must be a string: integer given"},
      {Map{{"id", 2}, {"run_id", Value::invalid("a text is not valid UTF-8")}},
       "the field 'run_id' must be a string: a text is not valid UTF-8"},
      {Map{{"run_id", "r"}}, "the field 'id' is missing"},
      {Map{{"id", 2}}, "the field 'run_id' is missing"},
      {List{}, "a message must be a map: list given"},
      {Value::invalid("the key 'id' is given twice"), "a message must be a map: the key 'id' is given twice"},
  };
  for (const Row& row : rows) {
    CAPTURE(describe(row.message));
    CHECK(refusal([&] { decode_envelope(row.message, Logger()); }) == row.refusal);
  }
}
