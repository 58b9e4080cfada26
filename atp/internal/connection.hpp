// What a Client and its coroutines share: the state of one connection. Private to atp/client.
#pragma once

#include <deque>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "atp/cbor.hpp"
#include "atp/client.hpp"
#include "atp/messages.hpp"
#include "os/event.hpp"

namespace venvoy::atp {

// A run that waits for its terminal message: `done` fires when there is a result or a failure.
struct ActiveRun {
  ActiveRun(const boost::asio::any_io_executor& executor, std::string run_id, std::string step)
      : id(std::move(run_id)), step_id(std::move(step)), done(executor) {}

  std::string id;
  std::string step_id;
  os::Event done;
  // No other run was active in its time or before: what the plugin printed is of this run.
  bool alone = true;
  std::optional<RunResult> result;
  std::exception_ptr failure;
};
using ActiveRunPtr = std::shared_ptr<ActiveRun>;

// The state machine, without a coroutine in it: bytes and wishes come in, events fire, messages to write queue up.
class Connection {
 public:
  Connection(ByteChannel& channel, boost::asio::any_io_executor executor, ClientOptions options);

  const boost::asio::any_io_executor& executor() const noexcept { return executor_; }
  const ClientOptions& options() const noexcept { return options_; }
  // nullptr once closed.
  ByteChannel* channel() const noexcept { return channel_; }

  // Wishes. They throw what Client's functions of these names throw.
  void begin_handshake();
  ActiveRunPtr begin_run(std::string run_id, std::string step_id, schema::Value input);
  void signal(const Signal& signal);
  void begin_finish();
  void forget(const ActiveRunPtr& run);
  void close() noexcept;

  // What the reader reports.
  void received(std::span<const std::byte> bytes);
  void stream_ended(const std::string& cause);
  void hello_timed_out();

  // Whether there is something to write and nobody who does it. Whoever is told so must write until next_message()
  // gives nothing or a write has failed.
  bool writer_needed() noexcept;
  std::optional<std::string> next_message();
  // True when there are runs that have not reached the plugin: fail_unwritten() is then to be called some time later.
  bool write_failed(const std::string& cause);
  void fail_unwritten();

  std::optional<Hello> hello;
  os::Event hello_done;    // also when it failed
  os::Event reader_ended;  // or closed
  // What the writer waits with after a failure; cancelled when that has become pointless.
  boost::asio::steady_timer last_words;

  // Throws why nothing can be done on this connection any more, if that is so.
  void check_usable() const;

 private:
  enum class Phase { fresh, hello, messages, deaf };
  // Why the connection is of no use any more. Every run gets an exception of its own, as frames are added to them.
  struct Failure {
    ErrorCode code = ErrorCode::plugin;
    bool lost = false;
    std::string text;
    std::string hint;
    std::exception_ptr exception() const;
  };
  struct Outgoing {
    std::string bytes;
    ActiveRunPtr starts;  // the run that this message starts, if it does
  };

  void handle(const schema::Value& message);
  void handle_hello(const schema::Value& message);
  void handle_envelope(const schema::Value& message);
  void handle_bare_work_done(const schema::Value& message);
  void handle_work_done(const Envelope& envelope);
  void handle_signal(const Envelope& envelope);
  void handle_error(const Envelope& envelope);

  ActiveRunPtr active_run(const std::string& run_id, std::string_view what);
  void end_run(ActiveRunPtr run, std::exception_ptr failure);
  void end_all_runs(const Failure& failure);
  void succeed(const ActiveRunPtr& run, WorkDone message);
  void log_debug_lines(const ActiveRun& run, const std::string& debug_logs) const;
  void complain(LogLevel level, std::string_view text) const;

  void broken(const Error& cause);
  void fail(Failure failure);
  std::string unreadable(const std::string& cause) const;

  ByteChannel* channel_;
  boost::asio::any_io_executor executor_;
  ClientOptions options_;
  CborReader reader_;
  Phase phase_ = Phase::fresh;
  Version version_ = Version::three;
  std::optional<Failure> failure_;
  std::optional<Failure> write_failure_;
  bool has_started_a_run_ = false;
  bool finishing_ = false;

  std::map<std::string, ActiveRunPtr> runs_;
  // Cancelled runs whose terminal message has not come.
  std::set<std::string> forgotten_;

  std::deque<Outgoing> outgoing_;
  bool writing_ = false;
  ActiveRunPtr being_started_;           // whose message is being written
  std::vector<ActiveRunPtr> unwritten_;  // whose message could not be written
};

}  // namespace venvoy::atp
