// How connections end: streams that end, plugins that do not read, cancelled runs, clients that go.
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/strand.hpp>

#include "hex.hpp"
#include "session.hpp"

using namespace venvoy;
using namespace venvoy::atp;
using namespace venvoy::test;
using boost::asio::awaitable;
using schema::Map;
using schema::Value;

namespace {

constexpr auto moment = std::chrono::milliseconds(5);

// A run that can be cancelled.
struct Cancellable {
  boost::asio::cancellation_signal signal;
  Outcome outcome;

  void start(Session& session, awaitable<void> work) {
    boost::asio::co_spawn(session.context, std::move(work),
                          boost::asio::bind_cancellation_slot(signal.slot(), [this](std::exception_ptr failure) {
                            outcome.done = true;
                            if (failure) outcome.fail(failure);
                          }));
  }
  void cancel() { signal.emit(boost::asio::cancellation_type::terminal); }
};

awaitable<void> without_result(awaitable<RunResult> run) {
  co_await std::move(run);
}

const std::string eof = "failed to read or decode runtime message (EOF)";

}  // namespace

TEST_CASE("when the stream ends every active run fails") {
  struct Row {
    std::string said;
    std::string text;
  };
  const Row rows[] = {
      {"", eof},
      {work_done("zz"), eof},
      {work_done("r1").substr(0, 1), "failed to read or decode runtime message (unexpected EOF)"},
      {work_done("r1").substr(0, 20), "failed to read or decode runtime message (unexpected EOF)"},
      {from_hex("d9d9f7"), "failed to read or decode runtime message (unexpected EOF)"},
  };
  for (const Row& row : rows) {
    CAPTURE(to_hex(row.said));
    Session session;
    auto plugin_side = [&]() -> awaitable<void> {
      co_await session.plugin->say_hello();
      co_await session.plugin->receive();
      co_await session.plugin->receive();
      co_await session.plugin->send(row.said);
      session.plugin->close_output();
    };
    auto engine_side = [&]() -> awaitable<void> {
      co_await session.client->handshake();
      const Outcome& first = session.start_run("r1");
      const Outcome& second = session.start_run("r2");
      co_await session.client->ended();
      co_await session.until(first.done);
      co_await session.until(second.done);
      const Outcome& later = session.start_run("r3");
      co_await session.until(later.done);
      const std::vector<const Outcome*> all = {&first, &second, &later};
      for (const Outcome* outcome : all) {
        CHECK(outcome->text == row.text);
        CHECK(outcome->lost);
        CHECK(outcome->code == ErrorCode::plugin);
      }
    };
    session.play(plugin_side, engine_side);
  }
}

TEST_CASE("the death of an idle plugin is noticed") {
  Session session;
  auto plugin_side = [&]() -> awaitable<void> {
    co_await session.plugin->say_hello();
    session.plugin->close_output();
    session.plugin->close_input();
  };
  auto engine_side = [&]() -> awaitable<void> {
    co_await session.client->handshake();
    co_await session.client->ended();
    auto run = session.client->run("r1", "h", nullptr);
    const Outcome outcome = co_await outcome_of(std::move(run));
    CHECK(outcome.text == eof);
    CHECK(outcome.lost);
    co_await session.client->finish();
  };
  session.play(plugin_side, engine_side);
}

TEST_CASE("each run has an error of its own to add frames to") {
  Session session;
  std::vector<std::string> texts;
  auto framed = [&](std::string id) -> awaitable<void> {
    try {
      co_await session.client->run(id, "h", nullptr);
    } catch (Error& error) {
      error.add_frame("in " + id);
      texts.push_back(error.what());
    }
  };
  auto plugin_side = [&]() -> awaitable<void> {
    co_await session.plugin->say_hello();
    co_await session.plugin->receive();
    co_await session.plugin->receive();
    session.plugin->close_output();
  };
  auto engine_side = [&]() -> awaitable<void> {
    co_await session.client->handshake();
    const Outcome& first = session.start(framed("r1"));
    const Outcome& second = session.start(framed("r2"));
    co_await session.until(first.done);
    co_await session.until(second.done);
  };
  session.play(plugin_side, engine_side);
  CHECK(texts == std::vector<std::string>{"in r1 (" + eof + ")", "in r2 (" + eof + ")"});
}

TEST_CASE("what comes after the end of all runs interests nobody") {
  for (const std::string& said :
       {std::string("Error while decoding CBOR: premature end"), work_done("r1"),
        encode(ErrorMessage{"", "x", false, true}), from_hex("f6ff"), repeated(100000, "x")}) {
    CAPTURE(said.substr(0, 10));
    Session session;
    auto plugin_side = [&]() -> awaitable<void> {
      co_await session.plugin->say_hello();
      co_await session.plugin->receive();
      std::string answer = work_done("r1");
      co_await session.plugin->send(std::move(answer));
      co_await session.plugin->receive();
      co_await session.plugin->send(said);
      session.plugin->close_output();
    };
    auto engine_side = [&]() -> awaitable<void> {
      co_await session.client->handshake();
      const Outcome& run = session.start_run("r1");
      co_await session.until(run.done);
      CHECK(run.result);
      co_await session.client->finish();
    };
    session.play(plugin_side, engine_side);
    CHECK(session.log->count(LogLevel::warning, "") == 0);
    CHECK(session.log->count(LogLevel::error, "") == 0);
  }
}

TEST_CASE("answers still arrive after client done") {
  Session session;
  auto plugin_side = [&]() -> awaitable<void> {
    co_await session.plugin->say_hello();
    co_await session.plugin->receive();
    const auto bye = co_await session.plugin->receive();
    CHECK(*bye->find("id") == Value(4));
    std::string answer = work_done("r1");
    co_await session.plugin->send(std::move(answer));
    session.plugin->close_output();
  };
  auto engine_side = [&]() -> awaitable<void> {
    co_await session.client->handshake();
    const Outcome& run = session.start_run("r1");
    co_await session.sleep(moment);
    co_await session.client->finish();
    co_await session.until(run.done);
    CHECK(run.result);
    const Outcome& late = session.start_run("r2");
    co_await session.until(late.done);
    CHECK(late.code.has_value());
  };
  session.play(plugin_side, engine_side);
}

TEST_CASE("a plugin that does not read holds up nobody") {
  Session session;
  auto plugin_side = [&]() -> awaitable<void> {
    co_await session.plugin->say_hello();
    co_await session.sleep(2 * moment);
    std::string answers = work_done("r1") + work_done("r2");
    co_await session.plugin->send(std::move(answers));
  };
  auto engine_side = [&]() -> awaitable<void> {
    co_await session.client->handshake();
    const std::string long_text(8 << 20, 'x');
    const Outcome& first = session.start_run("r1", long_text);
    const Outcome& second = session.start_run("r2", long_text);
    co_await session.sleep(moment);
    const Value empty = Map();
    for (int i = 0; i < 1000; ++i) co_await session.client->send_signal("r1", "s", empty);
    co_await session.until(first.done);
    co_await session.until(second.done);
    CHECK(first.result);
    CHECK(second.result);

    Cancellable finish;
    finish.start(session, session.client->finish());
    co_await session.sleep(moment);
    CHECK_FALSE(finish.outcome.done);
    finish.cancel();
    co_await session.until(finish.outcome.done);
    CHECK(finish.outcome.code == ErrorCode::cancelled);
    session.client->close();
  };
  session.play(plugin_side, engine_side);
}

TEST_CASE("a cancelled run is forgotten, and the others go on") {
  Session session;
  auto plugin_side = [&]() -> awaitable<void> {
    co_await session.plugin->say_hello();
    for (int i = 0; i < 3; ++i) co_await session.plugin->receive();
    const auto next = co_await session.plugin->receive();  // the engine sends it after the cancellation
    CHECK(next->find("run_id")->as_text() == "r4");
    std::string answers = encode(ErrorMessage{"r1", "words", false, false}) + work_done("r1") +
                          encode(ErrorMessage{"r3", "failed", true, false}) + work_done("r2") + work_done("r4");
    co_await session.plugin->send(std::move(answers));
    const auto again = co_await session.plugin->receive();
    CHECK(again->find("run_id")->as_text() == "r1");
    std::string answer = work_done("r1", "second time");
    co_await session.plugin->send(std::move(answer));
  };
  auto engine_side = [&]() -> awaitable<void> {
    co_await session.client->handshake();
    Cancellable first;
    Cancellable third;
    first.start(session, without_result(session.client->run("r1", "h", nullptr)));
    const Outcome& second = session.start_run("r2");
    third.start(session, without_result(session.client->run("r3", "h", nullptr)));
    co_await session.sleep(moment);
    first.cancel();
    third.cancel();
    co_await session.until(first.outcome.done);
    co_await session.until(third.outcome.done);
    CHECK(first.outcome.code == ErrorCode::cancelled);
    const Outcome& too_early = session.start_run("r1");  // its answer could be taken for that of the cancelled run
    co_await session.until(too_early.done);
    CHECK(too_early.text == "duplicate run ID given 'r1'");
    const Outcome& fourth = session.start_run("r4");
    co_await session.until(second.done);
    co_await session.until(fourth.done);
    CHECK(second.result);
    CHECK(fourth.result);
    const Outcome& again = session.start_run("r1");
    co_await session.until(again.done);
    REQUIRE(again.result);
    CHECK(again.result->output_id == "second time");
  };
  session.play(plugin_side, engine_side);
  CHECK(session.log->count(LogLevel::debug, "a work done message for cancelled run 'r1' ignored") == 1);
  CHECK(session.log->count(LogLevel::debug, "an error message for cancelled run 'r3' ignored") == 1);
  CHECK(session.log->count(LogLevel::error, "") == 0);
}

TEST_CASE("a run that is cancelled before it was written is never started") {
  Session session;
  auto plugin_side = [&]() -> awaitable<void> {
    co_await session.plugin->say_hello();
    co_await session.sleep(4 * moment);
    const auto first = co_await session.plugin->receive();
    CHECK(first->find("run_id")->as_text() == "r1");
    const auto second = co_await session.plugin->receive();
    CHECK(second->find("run_id")->as_text() == "r2");
    CHECK(*second->find("data")->find("config") == Value("again"));
    std::string answers = work_done("r1") + work_done("r2");
    co_await session.plugin->send(std::move(answers));
  };
  auto engine_side = [&]() -> awaitable<void> {
    co_await session.client->handshake();
    const std::string long_text(8 << 20, 'x');
    const Outcome& first = session.start_run("r1", long_text);
    Cancellable second;
    second.start(session, without_result(session.client->run("r2", "h", "once")));
    co_await session.sleep(moment);
    second.cancel();
    co_await session.until(second.outcome.done);
    const Outcome& again = session.start_run("r2", "again");
    co_await session.until(first.done);
    co_await session.until(again.done);
    CHECK(first.result);
    CHECK(again.result);
  };
  session.play(plugin_side, engine_side);
}

TEST_CASE("a handshake can be cancelled") {
  Session session;
  auto plugin_side = [&]() -> awaitable<void> {
    co_await session.plugin->receive();
    co_await session.plugin->receive();
  };
  auto without_hello = [](awaitable<Hello> handshake) -> awaitable<void> { co_await std::move(handshake); };
  auto engine_side = [&]() -> awaitable<void> {
    Cancellable handshake;
    handshake.start(session, without_hello(session.client->handshake()));
    co_await session.sleep(moment);
    handshake.cancel();
    co_await session.until(handshake.outcome.done);
    CHECK(handshake.outcome.code == ErrorCode::cancelled);
  };
  session.play(plugin_side, engine_side);
}

TEST_CASE("a plugin that stops reading but not talking") {
  struct Row {
    const char* name;
    std::string last_words;
    bool closes_output;
    std::string text;
    bool lost;
  };
  const Row rows[] = {
      {"silent", "", false, "failed to write a message (cannot write to the plugin: Broken pipe)", true},
      {"with a reason", encode(ErrorMessage{"", "no more", false, true}), false, "err: no more", false},
      {"dead", "", true, eof, true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    ClientOptions options;
    options.last_words_timeout = std::chrono::milliseconds(200);
    Session session(options);
    bool input_closed = false;
    auto plugin_side = [&]() -> awaitable<void> {
      co_await session.plugin->say_hello();
      co_await session.plugin->receive();
      session.plugin->close_input();
      input_closed = true;
      co_await session.sleep(2 * moment);
      co_await session.plugin->send(row.last_words);
      if (row.closes_output) session.plugin->close_output();
      if (!row.lost) co_return;
      // A run that the plugin has heard of goes on.
      while (row.text != eof && session.log->count(LogLevel::debug, "could not be written") == 0)
        co_await session.sleep(moment);
      co_await session.sleep(std::chrono::milliseconds(400));
      std::string answer = work_done("heard");
      if (!row.closes_output) co_await session.plugin->send(std::move(answer));
    };
    auto engine_side = [&]() -> awaitable<void> {
      co_await session.client->handshake();
      const Outcome& heard = session.start_run("heard");
      co_await session.until(input_closed);
      const Outcome& run = session.start_run("r1");
      co_await session.until(run.done);
      CHECK_THAT(run.text, Catch::ContainsSubstring(row.text));
      CHECK(run.lost == row.lost);
      const Outcome& later = session.start_run("r2");
      co_await session.until(later.done);
      CHECK(later.text == run.text);
      co_await session.until(heard.done);
      CHECK(heard.result.has_value() == (std::string(row.name) == "silent"));
    };
    session.play(plugin_side, engine_side);
  }
}

TEST_CASE("closing ends everything at once, and twice does nothing") {
  Session session;
  auto plugin_side = [&]() -> awaitable<void> {
    co_await session.plugin->say_hello();
    co_await session.plugin->receive();
    co_await session.plugin->receive();
    const auto end = co_await session.plugin->receive();
    CHECK(end == std::nullopt);
  };
  auto engine_side = [&]() -> awaitable<void> {
    co_await session.client->handshake();
    const Outcome& run = session.start_run("r1");
    const Outcome& ended = session.start(session.client->ended());
    const Outcome& finished = session.start(session.client->finish());
    co_await session.sleep(moment);
    CHECK_FALSE(run.done);
    session.client->close();
    session.client->close();
    co_await session.until(run.done);
    co_await session.until(ended.done);
    co_await session.until(finished.done);
    CHECK(run.text == "the connection to the plugin was closed");
    CHECK(run.code == ErrorCode::cancelled);
    CHECK(ended.text == "");
    co_await session.client->finish();
    const Outcome& later = session.start_run("r2");
    co_await session.until(later.done);
    CHECK(later.text == run.text);
  };
  session.play(plugin_side, engine_side);
}

TEST_CASE("a client may be closed out of its own callback") {
  ClientOptions options;
  Client* client = nullptr;
  options.on_signal = [&](const Signal&) { client->close(); };
  Session session(options);
  client = &*session.client;
  auto plugin_side = [&]() -> awaitable<void> {
    co_await session.plugin->say_hello();
    co_await session.plugin->receive();
    std::string both = encode(Signal{"r1", "s", 1}) + work_done("r1");
    co_await session.plugin->send(std::move(both));
  };
  auto engine_side = [&]() -> awaitable<void> {
    co_await session.client->handshake();
    const Outcome& run = session.start_run("r1");
    co_await session.until(run.done);
    CHECK(run.code == ErrorCode::cancelled);
  };
  session.play(plugin_side, engine_side);
}

TEST_CASE("a client without a handshake can be finished and closed") {
  for (const bool finish_first : {true, false}) {
    Session session;
    auto plugin_side = [&]() -> awaitable<void> {
      const auto end = co_await session.plugin->receive();
      CHECK(end == std::nullopt);
    };
    auto engine_side = [&]() -> awaitable<void> {
      if (finish_first) co_await session.client->finish();
      session.client->close();
      auto handshake = session.client->handshake();
      const Outcome outcome = co_await outcome_of(std::move(handshake));
      CHECK(outcome.code == ErrorCode::cancelled);
    };
    session.play(plugin_side, engine_side);
  }
}

TEST_CASE("a client and its channel may go while everything is under way") {
  enum class Gone { client, client_and_channel, with_the_context };
  for (const Gone gone : {Gone::client, Gone::client_and_channel, Gone::with_the_context}) {
    for (int steps = 0; steps < 40; ++steps) {
      CAPTURE(static_cast<int>(gone), steps);
      Session session;
      auto plugin_side = [&]() -> awaitable<void> {
        co_await session.plugin->say_hello();
        co_await session.plugin->receive();
        std::string half = work_done("r1").substr(0, 10);
        co_await session.plugin->send(std::move(half));
      };
      auto handshake_and_run = [](Client& client) -> awaitable<void> {
        co_await client.handshake();
        const std::string long_text(1 << 20, 'x');
        auto run = client.run("r1", "h", long_text);
        co_await std::move(run);
      };
      session.start(plugin_side());
      const Outcome& run = session.start(handshake_and_run(*session.client));
      for (int i = 0; i < steps; ++i) session.context.poll_one();
      const bool started = run.done || steps > 20;
      if (gone == Gone::with_the_context) continue;
      if (!started) session.context.poll();  // the coroutine here uses the client itself until its run has begun
      session.client.reset();
      if (gone == Gone::client_and_channel) session.channel.reset();
      session.plugin->close_output();
      session.context.run_for(patience);
      CHECK(session.context.stopped());
      CHECK(run.done);
      CHECK(run.code == ErrorCode::cancelled);
    }
  }
}

TEST_CASE("a client works on a strand of a context with several threads") {
  boost::asio::io_context context;
  const auto strand = boost::asio::make_strand(context);
  auto [engine_out, plugin_in] = make_socket_pair();
  auto [plugin_out, engine_in] = make_socket_pair();
  constexpr int count = 200;

  // Answers from a thread of its own, until the engine closes its end.
  std::thread plugin([in = plugin_in.get(), out = plugin_out.get()] {
    const auto say = [out](const std::string& text) {
      if (::send(out, text.data(), text.size(), MSG_NOSIGNAL) < 0) std::abort();
    };
    CborReader reader;
    std::byte piece[1000];
    for (ssize_t size = 1; size > 0;) {
      while (const auto message = reader.next()) {
        const Value* id = message->find("run_id");
        if (message->is_null()) say(encode(Hello{Version::three, Map()}));
        if (id && !id->as_text().empty()) say(work_done(id->as_text()));
      }
      size = ::read(in, piece, sizeof piece);
      if (size > 0) reader.feed({piece, static_cast<std::size_t>(size)});
    }
    ::shutdown(out, SHUT_WR);
  });

  PipeChannel channel(strand, std::move(engine_out), std::move(engine_in));
  Client client(channel, strand);
  int succeeded = 0;
  auto engine_side = [&]() -> awaitable<void> {
    co_await client.handshake();
    for (int i = 0; i < count; ++i) {
      std::string id = "r" + std::to_string(i);
      const RunResult result = co_await client.run(std::move(id), "h", nullptr);
      succeeded += result.output_id == "ok";
    }
    co_await client.finish();
  };
  std::exception_ptr failure;
  boost::asio::co_spawn(strand, engine_side(), [&](std::exception_ptr thrown) { failure = thrown; });
  std::thread other([&] { context.run_for(patience); });
  context.run_for(patience);
  other.join();
  client.close();
  plugin.join();
  CHECK_FALSE(failure);
  CHECK(succeeded == count);
}
