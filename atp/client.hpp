// The engine's side of the Arcaflow Transport Protocol (spec/protocol-and-schema.md section 1).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "atp/byte_channel.hpp"
#include "atp/cbor.hpp"
#include "atp/messages.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "schema/value.hpp"

namespace venvoy::atp {

class Connection;

// The plugin's stream has ended, or can't be read or written any more. Whoever owns the process knows why: its exit
// code and the tail of its stderr belong into the message.
class ConnectionLost : public Error {
 public:
  explicit ConnectionLost(std::string message) : Error(ErrorCode::plugin, std::move(message)) {}
};

// What a run that did not fail has given.
struct RunResult {
  std::string output_id;
  schema::Value output_data;
  // What the step printed. SDKs keep one buffer for all runs of a process: with several runs it holds the lines of all.
  std::string debug_logs;
};

struct ClientOptions {
  // From the first byte to the plugin to its hello; a cold import of Python modules can take long.
  std::chrono::milliseconds hello_timeout = std::chrono::seconds(60);
  // When the plugin no longer reads: how long its last words are waited for before the runs that could not be started
  // fail for that reason alone.
  std::chrono::milliseconds last_words_timeout = std::chrono::seconds(1);
  CborLimits limits;
  Logger logger;
  // Each non-blank line of debug_logs, beside the log. The run id is empty when there have been other runs: nobody can
  // say whose line it is. This and on_signal are called on the client's executor and must neither block nor throw.
  std::function<void(const std::string& run_id, std::string_view line)> on_debug_line;
  // Signals from the plugin to active runs; without it they are dropped with a warning.
  std::function<void(const Signal& signal)> on_signal;
};

// One connection to one plugin process. It starts no process and ends none.
//
// All calls, and the resumption of all its coroutines, happen on one executor that runs one thing at a time (a strand
// if the context has several threads). The channel must live until close() has been called or the client is destroyed;
// the client may be destroyed at any time, runs that are still awaited then fail as after close().
class Client {
 public:
  Client(ByteChannel& channel, boost::asio::any_io_executor executor, ClientOptions options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Makes the plugin talk and waits for its hello; to be called once, before anything else. From then on a coroutine
  // reads until the stream ends, also when no run is active, so that the plugin never waits for us.
  // Throws an Error: protocol (something else than a hello came, or a version that we do not speak), timed_out,
  // cancelled, ConnectionLost. Afterwards the client is good for finish() and close() only.
  boost::asio::awaitable<Hello> handshake();

  // Runs a step and waits for its result; several at once (version 1: a single one in all). Run ids are not blank and
  // differ from those of active and of cancelled runs (usage).
  // Throws an Error: plugin (the step failed; the text has all that the plugin said), protocol (its answer cannot be
  // used, or the stream is broken and all runs with it), limit, ConnectionLost, cancelled (by the caller, or by
  // close()). A cancelled run is forgotten here; the plugin is not told, and its answer is dropped when it comes.
  boost::asio::awaitable<RunResult> run(std::string run_id, std::string step_id, schema::Value input);

  // Hands a signal over to the queue of messages, and completes when it is there: a plugin that does not read holds up
  // nobody. A signal to a run that is not active is dropped; its answer has overtaken it. The caller has checked that
  // the step declares the signal (spec 7.2, P3). Throws an Error: usage (blank ids, version 1), schema, ConnectionLost.
  boost::asio::awaitable<void> send_signal(std::string run_id, std::string signal_id, schema::Value data);

  // Says that no more messages will come, closes our end once all is written, and waits until the plugin closes its
  // end. Answers of active runs still arrive. There is no time-out: the caller cancels it (cancelled), then stops the
  // process. Safe to call more than once.
  boost::asio::awaitable<void> finish();

  // Completes when the plugin's stream has ended, whatever the reason: how the death of an idle plugin is noticed.
  boost::asio::awaitable<void> ended();

  // Closes the channel; everything that waits fails at once. Closing again does nothing.
  void close() noexcept;

 private:
  std::shared_ptr<Connection> connection_;
};

}  // namespace venvoy::atp
