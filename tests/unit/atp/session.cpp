#include "session.hpp"

#include <algorithm>
#include <sys/socket.h>

#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "hex.hpp"

namespace venvoy::test {

namespace asio = boost::asio;

void LogLines::write(LogLevel level, std::string_view, std::string_view message) {
  const std::lock_guard lock(mutex_);
  lines_.emplace_back(level, message);
}

int LogLines::count(LogLevel level, std::string_view text) const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(std::count_if(lines_.begin(), lines_.end(), [&](const auto& line) {
    return line.first == level && line.second.find(text) != std::string::npos;
  }));
}

void Outcome::fail(std::exception_ptr failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    lost = dynamic_cast<const atp::ConnectionLost*>(&error) != nullptr;
    code = error.code();
    text = error.what();
    hint = error.hint();
  } catch (const std::exception& error) {
    text = error.what();
  }
}

FakePlugin::FakePlugin(const asio::any_io_executor& executor, os::Fd from_engine, os::Fd to_engine)
    : input_(executor, from_engine.release()), output_(executor, to_engine.release()) {}

asio::awaitable<void> FakePlugin::send(std::string bytes) {
  const auto buffer = asio::buffer(bytes);
  co_await asio::async_write(output_, buffer, asio::use_awaitable);
}

asio::awaitable<std::optional<schema::Value>> FakePlugin::receive() {
  for (;;) {
    auto item = reader_.next();
    if (item) co_return item;
    std::string piece(4096, '\0');
    const auto buffer = asio::buffer(piece);
    boost::system::error_code failure;
    auto token = asio::redirect_error(asio::use_awaitable, failure);
    const std::size_t count = co_await input_.async_read_some(buffer, token);
    if (failure) co_return std::nullopt;
    reader_.feed(bytes_of(piece.substr(0, count)));
  }
}

asio::awaitable<void> FakePlugin::say_hello(std::int64_t version) {
  const auto start_output = co_await receive();
  CHECK(start_output == schema::Value(nullptr));
  std::string hello = encode(atp::Hello{static_cast<atp::Version>(version), schema::Map{{"steps", schema::Map()}}});
  co_await send(std::move(hello));
}

Session::Session(atp::ClientOptions options) {
  auto [engine_out, plugin_in] = make_socket_pair();
  auto [plugin_out, engine_in] = make_socket_pair();
  plugin.emplace(context.get_executor(), std::move(plugin_in), std::move(plugin_out));
  channel.emplace(context.get_executor(), std::move(engine_out), std::move(engine_in));
  options.logger = Logger(log);
  client.emplace(*channel, context.get_executor(), std::move(options));
}

Outcome& Session::start_run(const std::string& run_id, schema::Value input) {
  Outcome& outcome = *outcomes_.emplace_back(std::make_unique<Outcome>());
  asio::co_spawn(context, client->run(run_id, "h", std::move(input)),
                 [&outcome](std::exception_ptr failure, atp::RunResult result) {
                   outcome.done = true;
                   if (failure) return outcome.fail(failure);
                   outcome.result = std::move(result);
                 });
  return outcome;
}

Outcome& Session::start(asio::awaitable<void> work) {
  Outcome& outcome = *outcomes_.emplace_back(std::make_unique<Outcome>());
  asio::co_spawn(context, std::move(work), [&outcome](std::exception_ptr failure) {
    outcome.done = true;
    if (failure) outcome.fail(failure);
  });
  return outcome;
}

asio::awaitable<void> Session::until(const bool& done) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!done && std::chrono::steady_clock::now() < deadline) co_await sleep(std::chrono::milliseconds(1));
  CHECK(done);
}

asio::awaitable<void> Session::sleep(std::chrono::milliseconds time) {
  asio::steady_timer timer(context, time);
  co_await timer.async_wait(asio::use_awaitable);
}

void Session::side_ended(std::exception_ptr failure) {
  if (!failure_) failure_ = failure;
  if (--running_ == 0) plugin.reset();
}

void Session::run() {
  context.run_for(patience);
  if (failure_) std::rethrow_exception(failure_);
  CHECK(running_ == 0);
  CHECK(context.stopped());  // no coroutine was left behind
}

std::pair<os::Fd, os::Fd> make_socket_pair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw std::runtime_error("no socket pair");
  return {os::Fd(ends[0]), os::Fd(ends[1])};
}

std::string work_done(const std::string& run_id, const std::string& output_id) {
  return encode(atp::WorkDone{run_id, output_id, schema::Map{{"m", "A"}}, ""});
}

}  // namespace venvoy::test
