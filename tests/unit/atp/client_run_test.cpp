// The tables of spec/protocol-and-schema.md 1.5, 1.8, 1.9 and A.2, against a plugin that says what each row wants.
#include <cmath>
#include <limits>

#include "hex.hpp"
#include "session.hpp"

using namespace venvoy;
using namespace venvoy::atp;
using namespace venvoy::test;
using boost::asio::awaitable;
using schema::Bytes;
using schema::Kind;
using schema::List;
using schema::Map;
using schema::Value;

namespace {

std::string message(int id, const std::string& run_id, Value data) {
  return encode(Value(Map{{"id", id}, {"run_id", run_id}, {"data", std::move(data)}}));
}

std::string error_message(const std::string& run_id, const std::string& text, bool step_fatal, bool server_fatal) {
  return encode(ErrorMessage{run_id, text, step_fatal, server_fatal});
}

std::string work_done_with(Value data) {
  return message(2, "r1", std::move(data));
}

// With two runs active the plugin says something, then answers both.
struct Row {
  const char* name;
  std::string said;
  std::string first;   // what the failure of run r1 contains, empty: success
  std::string second;  // and of run r2
  ErrorCode code = ErrorCode::plugin;
  const char* warning = "";  // contained in a line of level warning or error
};

std::vector<Row> rows() {
  const std::string step_error =
      "step with run ID \"r1\" sent error message: RunID: r1, err: went\nwrong\n, step fatal: "
      "true, server fatal: false";
  const std::string server_error =
      "step with run ID \"r1\" sent error message: RunID: r1, err: all is lost, step fatal: "
      "true, server fatal: true";
  const std::string broken = "failed to read or decode runtime message (";
  const Map data{{"m", "A"}};
  return {
      {"nothing", "", "", ""},
      {"work done", work_done("r1"), "", "", {}, "unknown run 'r1'"},
      {"unknown envelope field",
       encode(Value(
           Map{{"id", 2}, {"x", 1}, {"run_id", "r1"}, {"data", Map{{"output_id", "ok"}, {"output_data", data}}}})),
       "",
       "",
       {},
       "unknown run 'r1'"},
      {"data null", work_done_with(nullptr), "failed to decode work done message (the body must be a map: null given)",
       "", ErrorCode::protocol},
      {"no data", encode(Value(Map{{"id", 2}, {"run_id", "r1"}})),
       "failed to decode work done message (the body must be a map: null given)", "", ErrorCode::protocol},
      {"no output id", work_done_with(Map{{"output_data", data}}),
       "failed to decode work done message (the field 'output_id' is missing)", "", ErrorCode::protocol},
      {"output id is a number", work_done_with(Map{{"output_id", 1}, {"output_data", data}}),
       "failed to decode work done message (the field 'output_id' must be a string: integer given)", "",
       ErrorCode::protocol},
      {"no output data", work_done_with(Map{{"output_id", "ok"}}),
       "failed to decode work done message (the field 'output_data' is missing)", "", ErrorCode::protocol},
      {"bad debug logs", work_done_with(Map{{"output_id", "ok"}, {"output_data", data}, {"debug_logs", 1}}),
       "failed to decode work done message (the field 'debug_logs' must be a string: integer given)", "",
       ErrorCode::protocol},
      {"output data is no UTF-8",
       from_hex("a3626964026672756e5f69646272316464617461a2696f75747075745f6964626f6b6b6f75747075745f6461746161ff"),
       "failed to decode work done message (the field 'output_data': a text is not valid UTF-8)", "",
       ErrorCode::protocol},
      // Appendix A.2, row 30.
      {"a list as key in the output data",
       from_hex("a3626964026672756e5f69646272316464617461a2696f75747075745f6964626f6b6b6f75747075745f64617461a1810101"),
       "failed to decode work done message (the field 'output_data': invalid map key type: a list)", "",
       ErrorCode::protocol},
      {"a map as key in the output data",
       from_hex("a3626964026672756e5f69646272316464617461a2696f75747075745f6964626f6b6b6f75747075745f64617461a1a001"),
       "failed to decode work done message (the field 'output_data': invalid map key type: a map)", "",
       ErrorCode::protocol},
      {"a key twice in the body",
       from_hex("a3626964026672756e5f69646272316464617461a2696f75747075745f6964626f6b696f75747075745f6964626f6b"),
       "failed to decode work done message (the body must be a map: the key 'output_id' is given twice)", "",
       ErrorCode::protocol},
      {"server fatal error", error_message("r1", "all is lost", true, true), server_error, server_error},
      {"server fatal error of no run", error_message("", "all is lost", false, true),
       "step with run ID \"\" sent error message: RunID: , err: all is lost, step fatal: false, server fatal: true",
       "err: all is lost"},
      {"step fatal error", error_message("r1", "went\nwrong\n", true, false), step_error, ""},
      {"step fatal error of no run", error_message("", "what", true, false),
       "step fatal error missing run id (step with run ID \"\" sent error message: RunID: , err: what, step fatal: "
       "true, "
       "server fatal: false)",
       "step fatal error missing run id"},
      {"step fatal error of an unknown run", error_message("zz", "what", true, false), "", "", {}, "unknown run 'zz'"},
      {"error that is not fatal",
       error_message("r1", "first line\nsecond line", false, false),
       "",
       "",
       {},
       "second line"},
      {"error that is no error", message(5, "r1", Map{{"error", 7}, {"step_fatal", false}, {"server_fatal", false}}),
       "failed to decode error message (the field 'error' must be a string: integer given)", ""},
      {"error without flags", message(5, "r1", Map{{"error", "x"}}),
       "failed to decode error message (the field 'step_fatal' is missing)", ""},
      {"error without a body and a run", message(5, "", nullptr),
       "step fatal error missing run id (failed to decode error message (the body must be a map: null given)",
       "step fatal error missing run id"},
      {"unknown kind", message(99, "r1", Map()), "", "", {}, "a message of kind 99 for run 'r1' ignored"},
      {"work start from the plugin", message(1, "r1", Map()), "", "", {}, "a message of kind 1"},
      {"client done from the plugin", message(4, "", Map()), "", "", {}, "a message of kind 4"},
      {"null", "\xF6", "", "", {}, "an empty message (null) ignored"},
      {"work done of an unknown run", work_done("zz"), "", "", {}, "a work done message for unknown run 'zz' ignored"},
      {"signal nobody listens to", encode(Signal{"r1", "progress", 1}), "", "", {}, "dropped: nobody listens"},
      {"signal of an unknown run", encode(Signal{"zz", "progress", 1}), "", "", {}, "a signal for unknown run 'zz'"},
      {"signal without an id", message(3, "r1", Map{{"data", 1}}), "", "", {}, "the field 'signal_id' is missing"},
      {"self-described message", from_hex("d9d9f7") + work_done("r1"), "", "", {}, "unknown run 'r1'"},
      {"not well-formed", from_hex("a11c"), broken + "invalid additional information 28", broken, ErrorCode::protocol},
      {"stray break", "\xFF", broken + "a message is a map", broken, ErrorCode::protocol},
      {"too deep", "\xA1\x01" + repeated(300, "\x81"), broken + "exceeded max nested level 256)", broken,
       ErrorCode::limit},
      {"too long", from_hex("a1017bffffffffffffffff"), broken + "a string of 18446744073709551615 bytes", broken,
       ErrorCode::limit},
      {"a list", encode(Value(List{1})), broken + "a message is a map, and this is a list", broken,
       ErrorCode::protocol},
      {"id is a text", encode(Value(Map{{"id", "2"}, {"run_id", "r1"}, {"data", Map()}})),
       broken + "the field 'id' must be an integer", broken, ErrorCode::protocol},
      {"no run id", encode(Value(Map{{"id", 2}, {"data", Map()}})), broken + "the field 'run_id' is missing", broken,
       ErrorCode::protocol},
      {"a key twice in the envelope", from_hex("a4626964026269640162") + "xx" + "\x01" + from_hex("61610a"),
       broken + "a message must be a map: the key 'id' is given twice", broken, ErrorCode::protocol},
      {"text of a library", "stray words of a library",
       broken + "a message is a map, and this is a text; the plugin wrote non-protocol data to its standard output: "
                "'stray words of a library",
       "stray words of a library", ErrorCode::protocol},
      // Appendix A.1, rows 11 and 17.
      {"error with raw text behind it",
       error_message("r", "Unknown runtime message ID: 99", false, false) + "Unknown kind of runtime message: 99",
       broken + "a message is a map, and this is a byte string; the plugin wrote non-protocol data to its standard "
                "output: 'Unknown kind of runtime message: 99",
       "'Unknown kind of runtime message: 99", ErrorCode::protocol, "Unknown runtime message ID: 99"},
      {"raw text about the end of the input", "Error while decoding CBOR: premature end",
       broken + "a message is a map, and this is a byte string; the plugin wrote non-protocol data to its standard "
                "output: 'Error while decoding CBOR: premature end",
       "'Error while decoding CBOR: premature end", ErrorCode::protocol},
      // Alone it would announce 116 bytes, and both answers would be swallowed.
      {"text that looks like a longer string", "xtra", "standard output: 'xtra", "'xtra", ErrorCode::protocol},
      {"text that looks like a huge string", "{\"level\": \"info\"}", "'{\"level\": \"info\"}", "level",
       ErrorCode::protocol},
      {"text with control characters", "a\x1b[1m\xc2\x9b\x7f", "'a.[1m...", "'a.[1m...", ErrorCode::protocol},
      {"text that is not ASCII", "größe\n", "(hex: 6772c3b6 c39f650a", "'größe\\n", ErrorCode::protocol},
  };
}

// A cell of appendix A.2: a value at `output_data` of run r1, and what becomes of the run.
struct Cell {
  int row;
  std::string bytes;
  Value data;              // the result when there is no error
  std::string error = "";  // why there is none
  bool alone = true;       // whether run r2 goes on
};

Value nested_lists(int levels) {
  Value value = 1;
  for (; levels > 0; --levels) {
    List list;
    list.push_back(std::move(value));
    value = std::move(list);
  }
  return value;
}

std::vector<Cell> cells() {
  return {
      {18, from_hex("05"), 5},
      {18, from_hex("24"), -5},
      {18, from_hex("1800"), 0},
      {19, from_hex("1bffffffffffffffff"), {}, "18446744073709551615 is too large for a 64-bit integer"},
      {20, from_hex("3bffffffffffffffff"), {}, "-18446744073709551616 is too small for a 64-bit integer"},
      {20, from_hex("c249010000000000000000"), {}, "an integer of 9 bytes does not fit 64 bits"},
      {20, from_hex("c24105"), 5},
      {21, from_hex("f93e00"), 1.5},
      {21, from_hex("fa3fc00000"), 1.5},
      {21, from_hex("fb3ff8000000000000"), 1.5},
      {22, from_hex("f97e00"), std::nan("")},
      {22, from_hex("f97c00"), std::numeric_limits<double>::infinity()},
      {23, from_hex("f6"), nullptr},
      {23, from_hex("f7"), nullptr},
      {23, from_hex("f5"), true},
      {24, from_hex("f0"), {}, "the CBOR simple value 16 fits no type"},
      {24, from_hex("f8ff"), {}, "the CBOR simple value 255 fits no type"},
      {25, from_hex("5f4101420203ff"), Bytes{std::byte{1}, std::byte{2}, std::byte{3}}},
      {25, from_hex("7f61616162ff"), "ab"},
      {26, from_hex("61ff"), {}, "a text is not valid UTF-8"},
      {27, from_hex("9f0102ff"), List{1, 2}},
      {27, from_hex("bf616101ff"), Map{{"a", 1}}},
      {28, from_hex("a2616101616102"), {}, "the key 'a' is given twice"},
      {29, from_hex("a2016161026162"), Map{{1, "a"}, {2, "b"}}},
      {29, from_hex("a20161616162f5"), Map{{1, "a"}, {"b", true}}},
      {30, from_hex("a1810101"), {}, "invalid map key type: a list"},
      {30, from_hex("a1a001"), {}, "invalid map key type: a map"},
      {31, from_hex("a1f93e0001"), Map{{1.5, 1}}},
      {31, from_hex("a1f601"), Map{{nullptr, 1}}},
      {31, from_hex("a1f501"), Map{{true, 1}}},
      {31, from_hex("a1410101"), Map{{Bytes{std::byte{1}}, 1}}},
      {32, from_hex("c074323031332d30332d32315432303a30343a30305a"), {}, "a value with the CBOR tag 0 fits no type"},
      {32, from_hex("c11a514b67b0"), {}, "a value with the CBOR tag 1 fits no type"},
      {32, from_hex("d8206161"), {}, "a value with the CBOR tag 32 fits no type"},
      {33, from_hex("1c"), {}, "invalid additional information 28", false},
      {33, from_hex("ff"), {}, "unexpected \"break\" code", false},
      // Both are beyond the limits of the Go client, not of this one.
      {34, repeated(30, "\x81") + "\x01", nested_lists(30)},
      {34, repeated(31, "\x81") + "\x01", nested_lists(31)},
      {35, from_hex("9a00020001") + repeated(131073, "\x01"), List(131073, Value(1))},
  };
}

bool is_nan(const Value& value) {
  return value.kind() == Kind::floating && std::isnan(value.as_float());
}

}  // namespace

TEST_CASE("what a plugin says decides about its runs") {
  for (const Row& row : rows()) {
    CAPTURE(row.name);
    Session session;
    bool said = false;
    Outcome* first = nullptr;
    Outcome* second = nullptr;
    auto plugin_side = [&]() -> awaitable<void> {
      co_await session.plugin->say_hello();
      co_await session.plugin->receive();
      co_await session.plugin->receive();
      co_await session.plugin->send(row.said);
      said = true;
      co_await session.plugin->send(work_done("r1"));
      co_await session.plugin->send(work_done("r2"));
      co_await session.plugin->receive();
    };
    auto engine_side = [&]() -> awaitable<void> {
      co_await session.client->handshake();
      first = &session.start_run("r1");
      second = &session.start_run("r2");
      co_await session.until(first->done);
      co_await session.until(second->done);
      CHECK(said);
    };
    session.play(plugin_side, engine_side);

    for (const auto& [outcome, expected] : {std::pair{first, row.first}, std::pair{second, row.second}}) {
      if (expected.empty()) {
        CHECK(outcome->text == "");
        REQUIRE(outcome->result);
        CHECK(outcome->result->output_id == "ok");
        CHECK(outcome->result->output_data == Value(Map{{"m", "A"}}));
      } else {
        CHECK_THAT(outcome->text, Catch::ContainsSubstring(expected));
        CHECK(outcome->code == row.code);
        CHECK_FALSE(outcome->lost);
        CHECK((outcome->hint.empty() || outcome->hint.find("standard output") != std::string::npos));
      }
    }
    const LogLines& log = *session.log;
    const int complaints = log.count(LogLevel::warning, row.warning) + log.count(LogLevel::error, row.warning);
    if (*row.warning) CHECK(complaints == 1);
  }
}

TEST_CASE("the value at the output data decides about its run alone") {
  const std::string before =
      from_hex("a3626964026672756e5f69646272316464617461a2696f75747075745f6964626f6b6b6f75747075745f64617461");
  for (const Cell& cell : cells()) {
    CAPTURE(cell.row, to_hex(cell.bytes.substr(0, 40)));
    Session session;
    Outcome* first = nullptr;
    Outcome* second = nullptr;
    auto plugin_side = [&]() -> awaitable<void> {
      co_await session.plugin->say_hello();
      co_await session.plugin->receive();
      co_await session.plugin->receive();
      std::string answers = before + cell.bytes + work_done("r2");
      co_await session.plugin->send(std::move(answers));
      co_await session.plugin->receive();
    };
    auto engine_side = [&]() -> awaitable<void> {
      co_await session.client->handshake();
      first = &session.start_run("r1");
      second = &session.start_run("r2");
      co_await session.until(first->done);
      co_await session.until(second->done);
    };
    session.play(plugin_side, engine_side);

    if (cell.error.empty()) {
      CHECK(first->text == "");
      REQUIRE(first->result);
      const Value& data = first->result->output_data;
      const bool same = data == cell.data || (is_nan(data) && is_nan(cell.data));
      CHECK(same);
    } else if (cell.alone) {
      CHECK(first->text == "failed to decode work done message (the field 'output_data': " + cell.error + ")");
      CHECK(first->code == ErrorCode::protocol);
    }
    if (cell.alone) {
      CHECK(second->result);
      continue;
    }
    for (const Outcome* outcome : {first, second}) {
      CHECK_THAT(outcome->text, Catch::ContainsSubstring("failed to read or decode runtime message (" + cell.error));
      CHECK(outcome->code == ErrorCode::protocol);
    }
  }
}

TEST_CASE("a run sends its input and gives its result") {
  std::vector<std::string> lines;
  ClientOptions options;
  options.on_debug_line = [&](const std::string& run_id, std::string_view line) {
    lines.push_back(run_id + ": " + std::string(line));
  };
  Session session(options);
  auto plugin_side = [&]() -> awaitable<void> {
    co_await session.plugin->say_hello();
    const auto start = co_await session.plugin->receive();
    const Value expected = Map{{"id", 1}, {"run_id", "x"}, {"data", Map{{"id", "h"}, {"config", Map{{"n", 5}}}}}};
    CHECK(start == expected);
    std::string answer = encode(WorkDone{"x", "error", Map{{"why", "w"}}, "one\n\n  \ntwo\n"});
    co_await session.plugin->send(std::move(answer));
    const auto bye = co_await session.plugin->receive();
    const Value client_done = Map{{"id", 4}, {"run_id", ""}, {"data", Map()}};
    CHECK(bye == client_done);
    const auto end = co_await session.plugin->receive();
    CHECK(end == std::nullopt);
    session.plugin->close_output();
  };
  auto engine_side = [&]() -> awaitable<void> {
    const Hello hello = co_await session.client->handshake();
    CHECK(hello.version == Version::three);
    CHECK(hello.schema == Value(Map{{"steps", Map()}}));
    const Outcome& run = session.start_run("x", Map{{"n", 5}});
    co_await session.until(run.done);
    REQUIRE(run.result);
    CHECK(run.result->output_id == "error");
    CHECK(run.result->output_data == Value(Map{{"why", "w"}}));
    CHECK(run.result->debug_logs == "one\n\n  \ntwo\n");
    co_await session.client->finish();
    co_await session.client->finish();
  };
  session.play(plugin_side, engine_side);
  CHECK(lines == std::vector<std::string>{"x: one", "x: two"});
  CHECK(session.log->count(LogLevel::debug, "Step 'x' debug: one") == 1);
  CHECK(session.log->count(LogLevel::debug, "Step 'x' debug: ") == 2);
  CHECK(session.log->count(LogLevel::debug, "EOF") == 0);  // a normal end is no failure
}

TEST_CASE("many runs on one connection answer in any order") {
  constexpr int count = 50;
  Session session;
  std::vector<Outcome*> runs;
  auto plugin_side = [&]() -> awaitable<void> {
    co_await session.plugin->say_hello();
    std::string answers;
    for (int i = 0; i < count; ++i) {
      const auto start = co_await session.plugin->receive();
      const std::string id = start->find("run_id")->as_text();
      answers = encode(WorkDone{id, "of " + id, *start->find("data")->find("config"), "a line\n"}) + answers;
    }
    co_await session.plugin->send(std::move(answers));
    const auto later = co_await session.plugin->receive();
    std::string answer = encode(WorkDone{later->find("run_id")->as_text(), "ok", Map(), "a line\nnew\n"});
    co_await session.plugin->send(std::move(answer));
  };
  auto engine_side = [&]() -> awaitable<void> {
    co_await session.client->handshake();
    for (int i = 0; i < count; ++i) runs.push_back(&session.start_run("r" + std::to_string(i), i));
    for (int i = 0; i < count; ++i) co_await session.until(runs.at(i)->done);
    const Outcome& again = session.start_run("r0");  // a run id that is free again
    co_await session.until(again.done);
    CHECK(again.result);
  };
  session.play(plugin_side, engine_side);
  for (int i = 0; i < count; ++i) {
    REQUIRE(runs.at(i)->result);
    CHECK(runs.at(i)->result->output_id == "of r" + std::to_string(i));
    CHECK(runs.at(i)->result->output_data == Value(i));
  }
  // Nobody knows whose lines these are.
  CHECK(session.log->count(LogLevel::debug, "Plugin debug: a line") == count + 1);
  CHECK(session.log->count(LogLevel::debug, "Plugin debug: new") == 1);
  CHECK(session.log->count(LogLevel::debug, "Step '") == 0);
}

TEST_CASE("run ids that are blank or in use are refused") {
  Session session;
  bool refused = false;
  auto plugin_side = [&]() -> awaitable<void> {
    co_await session.plugin->say_hello();
    co_await session.plugin->receive();
    co_await session.until(refused);
    std::string answer = work_done("r1");
    co_await session.plugin->send(std::move(answer));
  };
  auto engine_side = [&]() -> awaitable<void> {
    auto early = session.client->run("r1", "h", nullptr);
    const Outcome too_early = co_await outcome_of(std::move(early));
    CHECK(too_early.code == ErrorCode::usage);
    co_await session.client->handshake();
    const Outcome& active = session.start_run("r1");
    co_await session.sleep(std::chrono::milliseconds(5));
    const Outcome& blank = session.start_run("");
    const Outcome& spaces = session.start_run("  ");
    const Outcome& duplicate = session.start_run("r1");
    const Outcome& unencodable = session.start_run("r2", Value::invalid("no such number"));
    const std::vector<const Outcome*> all = {&blank, &spaces, &duplicate, &unencodable};
    for (const Outcome* run : all) co_await session.until(run->done);
    refused = true;
    co_await session.until(active.done);
    CHECK(active.result);
    CHECK(blank.text == "run ID is blank for step h");
    CHECK(spaces.text == "run ID is blank for step h");
    CHECK(duplicate.text == "duplicate run ID given 'r1'");
    CHECK(duplicate.code == ErrorCode::usage);
    CHECK(unencodable.code == ErrorCode::schema);
    auto second_handshake = session.client->handshake();
    const Outcome twice = co_await outcome_of(std::move(second_handshake));
    CHECK(twice.code == ErrorCode::usage);
  };
  session.play(plugin_side, engine_side);
}

TEST_CASE("signals go both ways") {
  std::vector<Signal> heard;
  ClientOptions options;
  options.on_signal = [&](const Signal& signal) { heard.push_back(signal); };
  Session session(options);
  auto plugin_side = [&]() -> awaitable<void> {
    co_await session.plugin->say_hello();
    co_await session.plugin->receive();
    std::string progress = encode(Signal{"r1", "progress", Map{{"percent", 50}}});
    co_await session.plugin->send(std::move(progress));
    const auto cancel = co_await session.plugin->receive();
    const Value expected = Map{{"id", 3}, {"run_id", "r1"}, {"data", Map{{"signal_id", "cancel"}, {"data", Map()}}}};
    CHECK(cancel == expected);
    std::string answer = work_done("r1", "cancelled_early");
    co_await session.plugin->send(std::move(answer));
    const auto next = co_await session.plugin->receive();
    REQUIRE(next);  // client done: the signal after the end was not sent
    CHECK(*next->find("id") == Value(4));
    session.plugin->close_output();
  };
  auto engine_side = [&]() -> awaitable<void> {
    co_await session.client->handshake();
    const Outcome& run = session.start_run("r1");
    while (heard.empty()) co_await session.sleep(std::chrono::milliseconds(1));
    const Value empty = Map();
    co_await session.client->send_signal("r1", "cancel", empty);
    auto blank = session.client->send_signal("r1", "", empty);
    const Outcome no_id = co_await outcome_of(std::move(blank));
    CHECK(no_id.code == ErrorCode::usage);
    auto nobody = session.client->send_signal(" ", "cancel", empty);
    const Outcome no_run = co_await outcome_of(std::move(nobody));
    CHECK(no_run.code == ErrorCode::usage);
    co_await session.until(run.done);
    REQUIRE(run.result);
    CHECK(run.result->output_id == "cancelled_early");
    co_await session.client->send_signal("r1", "cancel", empty);
    co_await session.client->finish();
    co_await session.client->send_signal("r1", "cancel", empty);
  };
  session.play(plugin_side, engine_side);
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].run_id == "r1");
  CHECK(heard[0].signal_id == "progress");
  CHECK(heard[0].data == Value(Map{{"percent", 50}}));
  CHECK(session.log->count(LogLevel::debug, "signal 'cancel' to run 'r1' dropped") >= 1);
}

TEST_CASE("messages may be cut anywhere and come in one piece with the hello") {
  std::string stream = encode(Hello{Version::three, Map{{"steps", Map()}}});
  const std::size_t hello_size = stream.size();
  stream += error_message("r1", "not fatal", false, false) + work_done("r2", "two") + work_done("r1", "one");
  // The whole stream is there before anybody asks: a run that starts later finds its answer was dropped, so the first
  // half is cut behind the hello at the earliest.
  for (std::size_t cut = hello_size; cut <= stream.size(); ++cut) {
    CAPTURE(cut);
    Session session;
    auto plugin_side = [&]() -> awaitable<void> {
      co_await session.plugin->receive();
      std::string hello = stream.substr(0, hello_size);
      co_await session.plugin->send(std::move(hello));
      co_await session.plugin->receive();
      co_await session.plugin->receive();
      std::string piece = stream.substr(hello_size, cut - hello_size);
      co_await session.plugin->send(std::move(piece));
      co_await session.sleep(std::chrono::milliseconds(1));
      piece = stream.substr(cut);
      co_await session.plugin->send(std::move(piece));
    };
    auto engine_side = [&]() -> awaitable<void> {
      co_await session.client->handshake();
      const Outcome& one = session.start_run("r1");
      const Outcome& two = session.start_run("r2");
      co_await session.until(one.done);
      co_await session.until(two.done);
      CHECK((one.result && one.result->output_id == "one"));
      CHECK((two.result && two.result->output_id == "two"));
    };
    session.play(plugin_side, engine_side);
  }
}

TEST_CASE("a hello and what follows it may come in one read") {
  Session session;
  auto plugin_side = [&]() -> awaitable<void> {
    std::string both = encode(Hello{Version::three, Map()}) + error_message("", "early words", false, false) + "\xA3";
    co_await session.plugin->send(std::move(both));
    co_await session.plugin->receive();
    co_await session.plugin->receive();
    std::string rest = work_done("r1").substr(1);
    co_await session.plugin->send(std::move(rest));
  };
  auto engine_side = [&]() -> awaitable<void> {
    co_await session.client->handshake();
    const Outcome& run = session.start_run("r1");
    co_await session.until(run.done);
    CHECK(run.result);
  };
  session.play(plugin_side, engine_side);
  CHECK(session.log->count(LogLevel::warning, "early words") == 1);
}
