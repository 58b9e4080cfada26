#include "atp/client.hpp"

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "atp/internal/connection.hpp"

namespace venvoy::atp {

namespace asio = boost::asio;

namespace {

using ConnectionPtr = std::shared_ptr<Connection>;

// An idle connection holds the smallest buffer; a stream that fills it gets larger ones.
constexpr std::size_t smallest_read = std::size_t{4} << 10;
constexpr std::size_t largest_read = std::size_t{64} << 10;

// True when the event has fired, false when the waiting was cancelled.
asio::awaitable<bool> happened(os::Event& event) {
  boost::system::error_code says_nothing;
  auto token = asio::redirect_error(asio::use_awaitable, says_nothing);
  try {
    co_await event.wait(token);
  } catch (const boost::system::system_error&) {
    // The coroutine had been cancelled before it came here.
  }
  co_return event.fired();
}

asio::awaitable<void> read_messages(ConnectionPtr connection) {
  std::vector<std::byte> buffer(smallest_read);
  while (ByteChannel* channel = connection->channel()) {
    const std::span<std::byte> into(buffer);
    std::size_t count = 0;
    std::string failure;
    try {
      count = co_await channel->read_some(into);
    } catch (const std::exception& error) {
      failure = error.what();
    }
    if (count == 0) {
      connection->stream_ended(failure);
      co_return;
    }
    connection->received(into.first(count));
    if (count == buffer.size() && count < largest_read) buffer.resize(2 * count);
  }
}

// Ends when there is nothing to write for the moment.
asio::awaitable<void> write_messages(ConnectionPtr connection) {
  std::optional<std::string> failure;
  while (!failure) {
    const std::optional<std::string> message = connection->next_message();
    ByteChannel* channel = connection->channel();
    if (!message || !channel) co_return;
    const std::span<const std::byte> bytes = std::as_bytes(std::span(*message));
    try {
      co_await channel->write_all(bytes);
    } catch (const std::exception& error) {
      failure = error.what();
    }
  }
  if (!connection->write_failed(*failure)) co_return;
  // What the plugin has said before it went explains more than a broken pipe.
  boost::system::error_code says_nothing;
  auto token = asio::redirect_error(asio::use_awaitable, says_nothing);
  connection->last_words.expires_after(connection->options().last_words_timeout);
  co_await connection->last_words.async_wait(token);
  connection->fail_unwritten();
}

// Runs a coroutine that serves the connection. It handles its errors; what is left is lack of memory and our bugs.
template <asio::awaitable<void> (*serve)(ConnectionPtr)>
void start(const ConnectionPtr& connection) {
  asio::co_spawn(connection->executor(), serve(connection), [connection](std::exception_ptr failure) {
    if (failure) connection->close();
  });
}

void flush(const ConnectionPtr& connection) {
  if (connection->writer_needed()) start<write_messages>(connection);
}

// Fails the handshake when it is still under way after the time-out.
void start_hello_timer(asio::steady_timer& timer, const ConnectionPtr& connection) {
  timer.expires_after(connection->options().hello_timeout);
  timer.async_wait([waiting = std::weak_ptr(connection)](boost::system::error_code stopped) {
    const ConnectionPtr late = stopped ? nullptr : waiting.lock();
    if (late) late->hello_timed_out();
  });
}

asio::awaitable<Hello> shake_hands(ConnectionPtr connection) {
  connection->begin_handshake();
  start<read_messages>(connection);
  flush(connection);
  asio::steady_timer timer(connection->executor());
  start_hello_timer(timer, connection);
  const bool answered = co_await happened(connection->hello_done);
  if (!answered) throw Error(ErrorCode::cancelled, "cancelled while waiting for the plugin's hello message");
  if (!connection->hello) connection->check_usable();
  co_return *std::exchange(connection->hello, std::nullopt);
}

// Takes the run out of the table however its coroutine ends.
class RunPlace {
 public:
  RunPlace(ConnectionPtr connection, ActiveRunPtr run) : connection_(std::move(connection)), run_(std::move(run)) {}
  ~RunPlace() { connection_->forget(run_); }
  RunPlace(const RunPlace&) = delete;
  RunPlace& operator=(const RunPlace&) = delete;

 private:
  ConnectionPtr connection_;
  ActiveRunPtr run_;
};

asio::awaitable<RunResult> run_step(ConnectionPtr connection, std::string run_id, std::string step_id,
                                    schema::Value input) {
  const ActiveRunPtr run = connection->begin_run(std::move(run_id), std::move(step_id), std::move(input));
  const RunPlace place(connection, run);
  flush(connection);
  const bool ended = co_await happened(run->done);
  if (!ended) throw Error(ErrorCode::cancelled, "cancelled while the step was running");
  if (run->failure) std::rethrow_exception(run->failure);
  co_return std::move(*run->result);
}

asio::awaitable<void> hand_over(ConnectionPtr connection, Signal signal) {
  connection->signal(signal);
  flush(connection);
  co_return;
}

asio::awaitable<void> wait_for_end(ConnectionPtr connection) {
  const bool ended = co_await happened(connection->reader_ended);
  if (!ended) throw Error(ErrorCode::cancelled, "cancelled while waiting for the end of the plugin");
}

asio::awaitable<void> finish_talk(ConnectionPtr connection) {
  connection->begin_finish();
  flush(connection);
  co_await wait_for_end(connection);
}

}  // namespace

Client::Client(ByteChannel& channel, asio::any_io_executor executor, ClientOptions options)
    : connection_(std::make_shared<Connection>(channel, std::move(executor), std::move(options))) {}

Client::~Client() {
  close();
}

// The coroutines own a share of the connection and do not know the client, which may be gone when they go on.

asio::awaitable<Hello> Client::handshake() {
  return shake_hands(connection_);
}

asio::awaitable<RunResult> Client::run(std::string run_id, std::string step_id, schema::Value input) {
  return run_step(connection_, std::move(run_id), std::move(step_id), std::move(input));
}

asio::awaitable<void> Client::send_signal(std::string run_id, std::string signal_id, schema::Value data) {
  return hand_over(connection_, Signal{std::move(run_id), std::move(signal_id), std::move(data)});
}

asio::awaitable<void> Client::finish() {
  return finish_talk(connection_);
}

asio::awaitable<void> Client::ended() {
  return wait_for_end(connection_);
}

void Client::close() noexcept {
  connection_->close();
}

}  // namespace venvoy::atp
