#include "atp/pipe_channel.hpp"

#include <csignal>
#include <optional>
#include <pthread.h>
#include <thread>
#include <unistd.h>

#include <boost/asio/post.hpp>

#include "base/error.hpp"
#include "hex.hpp"
#include "session.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::atp;
using namespace venvoy::test;
using boost::asio::awaitable;

namespace {

struct Pipes {
  os::Pipe to_plugin = os::make_pipe();
  os::Pipe from_plugin = os::make_pipe();
  boost::asio::io_context context;

  PipeChannel channel() {
    return PipeChannel(context.get_executor(), std::move(to_plugin.write_end), std::move(from_plugin.read_end));
  }
  Outcome play(awaitable<void> work) {
    Outcome outcome;
    boost::asio::co_spawn(context, std::move(work), [&](std::exception_ptr failure) {
      outcome.done = true;
      if (failure) outcome.fail(failure);
    });
    context.run_for(patience);
    context.restart();
    CHECK(outcome.done);
    return outcome;
  }
};

// SIGPIPE as it is in a program that has done nothing about it.
class DefaultSigpipe {
 public:
  DefaultSigpipe() { sigaction(SIGPIPE, &default_, &before_); }
  ~DefaultSigpipe() { sigaction(SIGPIPE, &before_, nullptr); }

 private:
  struct sigaction default_ = {};
  struct sigaction before_ = {};
};

bool is_member(int (*read_set)(sigset_t*)) {
  sigset_t set;
  sigemptyset(&set);
  read_set(&set);
  return sigismember(&set, SIGPIPE) == 1;
}

bool sigpipe_is_pending() {
  return is_member(sigpending);
}
bool sigpipe_is_blocked() {
  return is_member([](sigset_t* set) { return pthread_sigmask(SIG_BLOCK, nullptr, set); });
}

}  // namespace

TEST_CASE("bytes go through and end") {
  Pipes pipes;
  PipeChannel channel = pipes.channel();
  const os::Fd plugin_in = std::move(pipes.to_plugin.read_end);
  os::Fd plugin_out = std::move(pipes.from_plugin.write_end);
  auto work = [&]() -> awaitable<void> {
    const auto hello = bytes_of("hello");
    co_await channel.write_all(hello);
    co_await channel.write_all(hello.first(0));
    channel.close_write();
    channel.close_write();
    char got[16] = {};
    CHECK(::read(plugin_in.get(), got, sizeof got) == 5);
    CHECK(std::string(got) == "hello");
    CHECK(::read(plugin_in.get(), got, sizeof got) == 0);

    CHECK(::write(plugin_out.get(), "answer", 6) == 6);
    plugin_out.reset();
    std::byte piece[4];
    const std::span<std::byte> into(piece);
    const std::size_t first = co_await channel.read_some(into);
    const std::size_t second = co_await channel.read_some(into);
    const std::size_t end = co_await channel.read_some(into);
    CHECK(first == 4);
    CHECK(second == 2);
    CHECK(end == 0);
  };
  CHECK(pipes.play(work()).text == "");
}

TEST_CASE("a large message is written while the plugin reads") {
  Pipes pipes;
  PipeChannel channel = pipes.channel();
  const std::string text(5 << 20, 'x');
  std::size_t received = 0;
  std::thread plugin([&, in = pipes.to_plugin.read_end.get()] {
    char piece[10000];
    for (ssize_t size = 0; (size = ::read(in, piece, sizeof piece)) > 0;) received += static_cast<std::size_t>(size);
  });
  auto work = [&]() -> awaitable<void> {
    const auto bytes = bytes_of(text);
    co_await channel.write_all(bytes);
    channel.close_write();
  };
  CHECK(pipes.play(work()).text == "");
  plugin.join();
  CHECK(received == text.size());
}

TEST_CASE("a write to a plugin that has gone is an error and no signal") {
  const DefaultSigpipe as_in_any_program;
  for (const bool blocked_before : {false, true}) {
    sigset_t sigpipe;
    sigset_t before;
    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    pthread_sigmask(blocked_before ? SIG_BLOCK : SIG_UNBLOCK, &sigpipe, &before);

    Pipes pipes;
    PipeChannel channel = pipes.channel();
    pipes.to_plugin.read_end.reset();
    const auto bytes = bytes_of("x");
    const Outcome outcome = pipes.play(channel.write_all(bytes));
    CHECK(outcome.code == ErrorCode::plugin);
    CHECK(outcome.text == "cannot write to the plugin: Broken pipe");
    CHECK_FALSE(sigpipe_is_pending());
    CHECK(sigpipe_is_blocked() == blocked_before);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
}

TEST_CASE("a plugin that goes while a write waits for it is noticed") {
  const DefaultSigpipe as_in_any_program;
  Pipes pipes;
  PipeChannel channel = pipes.channel();
  const std::string text(1 << 20, 'x');
  const auto bytes = bytes_of(text);
  boost::asio::post(pipes.context, [&] { pipes.to_plugin.read_end.reset(); });
  CHECK(pipes.play(channel.write_all(bytes)).text == "cannot write to the plugin: Broken pipe");
}

TEST_CASE("what is under way ends when the channel is closed or destroyed") {
  for (const bool destroyed : {true, false}) {
    Pipes pipes;
    std::optional<PipeChannel> channel(pipes.channel());
    std::byte piece[4];
    const std::span<std::byte> into(piece);
    const std::string text(1 << 20, 'x');
    const auto bytes = bytes_of(text);
    auto work = [&]() -> awaitable<void> { co_await channel->read_some(into); };
    Outcome writing;
    boost::asio::co_spawn(pipes.context, channel->write_all(bytes),
                          [&](std::exception_ptr failure) { writing.fail(failure); });
    auto end = [&] {
      if (destroyed) {
        channel.reset();
      } else {
        channel->close();
        channel->close();
      }
    };
    // After the reading, which starts below, has begun.
    boost::asio::post(pipes.context, [&] { boost::asio::post(pipes.context, end); });
    const Outcome reading = pipes.play(work());
    CHECK(reading.text == "the connection to the plugin is closed");
    CHECK(writing.text == "the connection to the plugin is closed");
    if (destroyed) continue;
    CHECK(pipes.play(work()).text == "the connection to the plugin is closed");
    CHECK(pipes.play(channel->write_all(bytes)).text == "the connection to the plugin is closed");
  }
}

TEST_CASE("a peer that went without reading ends the stream after its last byte") {
  boost::asio::io_context context;
  auto [engine, peer] = make_socket_pair();
  os::Fd engine_too(::dup(engine.get()));
  PipeChannel channel(context.get_executor(), std::move(engine_too), std::move(engine));
  std::vector<std::size_t> counts;
  auto work = [&, end = std::move(peer)]() mutable -> awaitable<void> {
    const auto bytes = bytes_of("unread");
    co_await channel.write_all(bytes);
    CHECK(::write(end.get(), "last", 4) == 4);
    end.reset();
    std::byte piece[10];
    const std::span<std::byte> into(piece);
    for (int i = 0; i < 2; ++i) {
      const std::size_t count = co_await channel.read_some(into);
      counts.push_back(count);
    }
  };
  boost::asio::co_spawn(context, work(), [](std::exception_ptr failure) { CHECK_FALSE(failure); });
  context.run_for(patience);
  CHECK(counts == std::vector<std::size_t>{4, 0});
}

TEST_CASE("descriptors that are not open are refused") {
  Pipes pipes;
  CHECK_THROWS_WITH(PipeChannel(pipes.context.get_executor(), std::move(pipes.to_plugin.write_end), os::Fd()),
                    Catch::ContainsSubstring("cannot wait for a plugin's descriptor"));
}
