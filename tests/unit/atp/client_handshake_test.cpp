// Hello, and sessions of version 1.
#include "hex.hpp"
#include "session.hpp"

using namespace venvoy;
using namespace venvoy::atp;
using namespace venvoy::test;
using boost::asio::awaitable;
using schema::Map;
using schema::Value;

TEST_CASE("what is no good hello fails the handshake") {
  struct Row {
    const char* name;
    std::string said;
    std::string text;
    ErrorCode code = ErrorCode::protocol;
    const char* hint = "";
    bool lost = false;
  };
  const Row rows[] = {
      {"version 2", encode(Value(Map{{"version", 2}, {"schema", Map()}})),
       "unsupported plugin version: unsupported atp version '2', supported versions: [1 3]", ErrorCode::protocol,
       "arcaflow-plugin-sdk 0.12 or newer, not 0.11"},
      {"no schema", encode(Value(Map{{"version", 3}})), "invalid schema ("},
      {"a print at import", "hello world\n",
       "failed to decode hello message (a message is a map, and this is a text; the plugin wrote non-protocol data to "
       "its standard output: 'hello world\\n' (hex: 68656c6c 6f20776f 726c640a))",
       ErrorCode::protocol, "standard output"},
      {"a traceback", "Traceback (most recent call last):\n", "'Traceback (most recent call last):\\n'",
       ErrorCode::protocol, "standard output"},
      {"JSON", "{\"version\":3}", "'{\"version\":3}'", ErrorCode::protocol, "standard output"},
      {"much text", repeated(100, "some words. "), repeated(16, "some words. ") + "some wor' (hex: 736f6d65",
       ErrorCode::protocol, "standard output"},
      {"binary", from_hex("00ff1b5b"), "'...[' (hex: 00ff1b5b)", ErrorCode::protocol, "standard output"},
      {"null", "\xF6", "failed to decode hello message (the hello message must be a map: null given)"},
      {"a hello without an end", encode(Value(Map{{"version", 3}, {"schema", Map()}})).substr(0, 15),
       "failed to decode hello message (unexpected EOF)", ErrorCode::plugin, "", true},
      {"nothing", "", "failed to decode hello message (EOF)", ErrorCode::plugin, "", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    Session session;
    auto plugin_side = [&]() -> awaitable<void> {
      co_await session.plugin->receive();
      co_await session.plugin->send(row.said);
      session.plugin->close_output();
      const auto nothing_more = co_await session.plugin->receive();
      CHECK(nothing_more == std::nullopt);  // no client done to what is no plugin
    };
    auto engine_side = [&]() -> awaitable<void> {
      auto handshake = session.client->handshake();
      const Outcome outcome = co_await outcome_of(std::move(handshake));
      CHECK_THAT(outcome.text, Catch::ContainsSubstring(row.text));
      CHECK(outcome.code == row.code);
      CHECK_THAT(outcome.hint, Catch::ContainsSubstring(row.hint));
      CHECK(outcome.lost == row.lost);
      auto run = session.client->run("r1", "h", nullptr);
      const Outcome later = co_await outcome_of(std::move(run));
      CHECK(later.text == outcome.text);
      co_await session.client->finish();
    };
    session.play(plugin_side, engine_side);
  }
}

TEST_CASE("a hello in pieces is a hello") {
  Session session;
  auto plugin_side = [&]() -> awaitable<void> {
    const std::string hello = encode(Hello{Version::three, Map{{"steps", Map()}}});
    for (const char byte : hello) {
      std::string piece(1, byte);
      co_await session.plugin->send(std::move(piece));
    }
    co_await session.plugin->receive();
  };
  auto engine_side = [&]() -> awaitable<void> {
    const Hello hello = co_await session.client->handshake();
    CHECK(hello.schema == Value(Map{{"steps", Map()}}));
  };
  session.play(plugin_side, engine_side);
}

TEST_CASE("a plugin that says nothing fails the handshake in time") {
  ClientOptions options;
  options.hello_timeout = std::chrono::milliseconds(20);
  Session session(options);
  auto plugin_side = [&]() -> awaitable<void> {
    co_await session.plugin->receive();
    co_await session.plugin->receive();
  };
  auto engine_side = [&]() -> awaitable<void> {
    auto handshake = session.client->handshake();
    const Outcome outcome = co_await outcome_of(std::move(handshake));
    CHECK(outcome.code == ErrorCode::timed_out);
    CHECK(outcome.text == "the plugin has sent no hello message within 20 ms");
    CHECK_THAT(outcome.hint, Catch::ContainsSubstring("helloTimeout"));
    session.client->close();
  };
  session.play(plugin_side, engine_side);
}

TEST_CASE("a session for the schema alone") {
  Session session;
  auto plugin_side = [&]() -> awaitable<void> {
    co_await session.plugin->say_hello();
    const auto bye = co_await session.plugin->receive();
    REQUIRE(bye);
    CHECK(*bye->find("id") == Value(4));
    session.plugin->close_output();
  };
  auto engine_side = [&]() -> awaitable<void> {
    co_await session.client->handshake();
    co_await session.client->finish();
  };
  session.play(plugin_side, engine_side);
}

TEST_CASE("version 1: one bare run, no signals, no goodbye") {
  Session session;
  auto plugin_side = [&]() -> awaitable<void> {
    co_await session.plugin->say_hello(1);
    const auto start = co_await session.plugin->receive();
    const Value expected = Map{{"id", "h"}, {"config", Map{{"n", "A"}}}};
    CHECK(start == expected);
    std::string answer = encode_v1(WorkDone{"", "ok", Map{{"m", "A"}}, "a line\n"});
    co_await session.plugin->send(std::move(answer));
    const auto end = co_await session.plugin->receive();
    CHECK(end == std::nullopt);
    session.plugin->close_output();
  };
  auto engine_side = [&]() -> awaitable<void> {
    const Hello hello = co_await session.client->handshake();
    CHECK(hello.version == Version::one);
    const Outcome& run = session.start_run("r1");
    const Outcome& second = session.start_run("r2");
    auto signal = session.client->send_signal("r1", "cancel", nullptr);
    const Outcome refused = co_await outcome_of(std::move(signal));
    CHECK(refused.code == ErrorCode::usage);
    co_await session.until(run.done);
    REQUIRE(run.result);
    CHECK(run.result->output_id == "ok");
    CHECK(second.code == ErrorCode::usage);
    const Outcome& third = session.start_run("r3");
    co_await session.until(third.done);
    CHECK(third.code == ErrorCode::usage);
    co_await session.client->finish();
  };
  session.play(plugin_side, engine_side);
  CHECK(session.log->count(LogLevel::debug, "Step 'r1' debug: a line") == 1);
}

TEST_CASE("version 1: what fails a run") {
  struct Row {
    std::string said;
    std::string text;
    bool lost = false;
    ErrorCode code = ErrorCode::protocol;
  };
  const Row rows[] = {
      {"", "failed to read or decode work done message (EOF) for step h", true, ErrorCode::plugin},
      {"\xA3", "failed to read or decode work done message (unexpected EOF) for step h", true, ErrorCode::plugin},
      {encode(Value(Map{{"output_id", "ok"}})),
       "failed to read or decode work done message (the field 'output_data' is missing) for step h"},
      {"\xF6", "failed to read or decode work done message (the body must be a map: null given) for step h"},
      {"words", "standard output: 'words' (hex: 776f7264 73)) for step h"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    Session session;
    auto plugin_side = [&]() -> awaitable<void> {
      co_await session.plugin->say_hello(1);
      co_await session.plugin->receive();
      co_await session.plugin->send(row.said);
      session.plugin->close_output();
    };
    auto engine_side = [&]() -> awaitable<void> {
      co_await session.client->handshake();
      const Outcome& run = session.start_run("r1");
      co_await session.until(run.done);
      CHECK_THAT(run.text, Catch::ContainsSubstring(row.text));
      CHECK(run.code == row.code);
      CHECK(run.lost == row.lost);
    };
    session.play(plugin_side, engine_side);
  }
}

TEST_CASE("version 1: an answer that nobody waits for is ignored") {
  Session session;
  auto plugin_side = [&]() -> awaitable<void> {
    co_await session.plugin->say_hello(1);
    std::string answer = encode_v1(WorkDone{"", "ok", Map(), ""});
    co_await session.plugin->send(std::move(answer));
    co_await session.plugin->receive();
  };
  auto engine_side = [&]() -> awaitable<void> {
    co_await session.client->handshake();
    while (session.log->count(LogLevel::error, "answers no run ignored") == 0)
      co_await session.sleep(std::chrono::milliseconds(1));
  };
  session.play(plugin_side, engine_side);
}
