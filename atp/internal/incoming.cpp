// What a plugin says: the rows of the tables in spec/protocol-and-schema.md 1.5, 1.8 and 1.9.
#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "atp/internal/connection.hpp"
#include "base/text.hpp"

namespace venvoy::atp {
namespace {

constexpr std::string_view pollution_hint =
    "something in the plugin writes to its standard output (file descriptor 1), which carries the protocol: a print "
    "while it is imported, a C extension or a child process; let that go to standard error";

// The length of the printable character at the start of the text, 0 if there is none. Control characters, also those
// from U+0080 to U+009F, could make a terminal do something.
std::size_t printable_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return first >= 0x20 && first != 0x7F ? 1 : 0;
  if (first == 0xC2 && text.size() > 1 && static_cast<unsigned char>(text[1]) < 0xA0) return 0;
  for (std::size_t length = 2; length <= 4 && length <= text.size(); ++length)
    if (is_valid_utf8(text.substr(0, length))) return length;
  return 0;
}

std::string printable(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const std::size_t length = printable_length(bytes);
    text.append(length == 0 ? (bytes[0] == '\n' ? "\\n" : ".") : bytes.substr(0, length));
    bytes.remove_prefix(std::max<std::size_t>(1, length));
  }
  return text;
}

// How bytes that are no message are shown: 'printable text' (hex: 7072…).
std::string excerpt_text(std::string_view bytes) {
  std::string hex;
  for (std::size_t place = 0; place < bytes.size(); ++place)
    fmt::format_to(std::back_inserter(hex), "{}{:02x}", place > 0 && place % 4 == 0 ? " " : "",
                   static_cast<unsigned char>(bytes[place]));
  return fmt::format("'{}' (hex: {})", printable(bytes), hex);
}

}  // namespace

void Connection::received(std::span<const std::byte> bytes) {
  if (phase_ == Phase::deaf) return;
  try {
    reader_.feed(bytes);
    while (phase_ != Phase::deaf) {
      const std::optional<schema::Value> message = reader_.next();
      if (!message) return;
      handle(*message);
    }
  } catch (const Error& error) {
    broken(error);
  } catch (const std::exception& error) {
    broken(Error(ErrorCode::internal, error.what()));
  }
}

void Connection::stream_ended(const std::string& cause) {
  if (phase_ != Phase::deaf) {
    const bool expected = finishing_ && runs_.empty();
    const std::string_view end = reader_.in_item() ? "unexpected EOF" : "EOF";
    fail({ErrorCode::plugin, true, unreadable(cause.empty() ? std::string(end) : cause), {}});
    if (!expected) options_.logger.debug("{}", failure_->text);
  }
  reader_ended.fire();
  last_words.cancel();
}

// There is no way to find the next message in a broken stream (spec 1.12).
void Connection::broken(const Error& cause) {
  Failure failure{cause.code(), false, {}, {}};
  if (cause.code() == ErrorCode::protocol) {
    failure.text = unreadable(fmt::format("{}; the plugin wrote non-protocol data to its standard output: {}",
                                          cause.message(), excerpt_text(reader_.excerpt())));
    failure.hint = pollution_hint;
  } else {
    failure.text = unreadable(cause.message());
  }
  complain(LogLevel::debug, failure.text);
  fail(std::move(failure));
}

std::string Connection::unreadable(const std::string& cause) const {
  if (phase_ == Phase::hello) return fmt::format("failed to decode hello message ({})", cause);
  if (version_ == Version::one && !runs_.empty())
    return fmt::format("failed to read or decode work done message ({}) for step {}", cause,
                       runs_.begin()->second->step_id);
  return fmt::format("failed to read or decode runtime message ({})", cause);
}

// Once nothing is expected any more, what comes is of interest to nobody (spec 7.2, P1).
void Connection::complain(LogLevel level, std::string_view text) const {
  options_.logger.write(finishing_ && runs_.empty() ? LogLevel::debug : level, text);
}

void Connection::handle(const schema::Value& message) {
  if (phase_ == Phase::hello) {
    handle_hello(message);
  } else if (version_ == Version::one) {
    handle_bare_work_done(message);
  } else {
    handle_envelope(message);
  }
}

void Connection::handle_hello(const schema::Value& message) {
  try {
    hello = decode_hello(message, options_.logger);
    version_ = hello->version;
    phase_ = Phase::messages;
    hello_done.fire();
  } catch (const Error& error) {
    fail({error.code(), false, error.what(), error.hint()});
  }
}

void Connection::handle_bare_work_done(const schema::Value& message) {
  const LogLevel level = forgotten_.empty() ? LogLevel::error : LogLevel::debug;
  if (runs_.empty()) return complain(level, "a message that answers no run ignored");
  const ActiveRunPtr run = runs_.begin()->second;
  try {
    succeed(run, decode_work_done(run->id, message, options_.logger));
  } catch (const Error& error) {
    end_run(run, std::make_exception_ptr(Error(ErrorCode::protocol, unreadable(error.message()))));
  }
}

void Connection::handle_envelope(const schema::Value& message) {
  if (message.is_null()) return complain(LogLevel::warning, "an empty message (null) ignored");
  const Envelope envelope = decode_envelope(message, options_.logger);
  switch (static_cast<MessageKind>(envelope.id)) {
    case MessageKind::work_done:
      return handle_work_done(envelope);
    case MessageKind::signal:
      return handle_signal(envelope);
    case MessageKind::error:
      return handle_error(envelope);
    case MessageKind::work_start:
    case MessageKind::client_done:
      break;
  }
  complain(LogLevel::warning, fmt::format("a message of kind {} for run '{}' ignored", envelope.id, envelope.run_id));
}

// nullptr, and a line in the log, when nobody waits for a message to this run.
ActiveRunPtr Connection::active_run(const std::string& run_id, std::string_view what) {
  const auto active = runs_.find(run_id);
  if (active != runs_.end()) return active->second;
  const bool cancelled = forgotten_.contains(run_id);
  complain(cancelled ? LogLevel::debug : LogLevel::error,
           fmt::format("{} for {} run '{}' ignored", what, cancelled ? "cancelled" : "unknown", run_id));
  return nullptr;
}

void Connection::handle_work_done(const Envelope& envelope) {
  const ActiveRunPtr run = active_run(envelope.run_id, "a work done message");
  forgotten_.erase(envelope.run_id);
  if (!run) return;
  try {
    succeed(run, decode_work_done(run->id, envelope.data, options_.logger));
  } catch (const Error& error) {
    const std::string text = fmt::format("failed to decode work done message ({})", error.message());
    end_run(run, std::make_exception_ptr(Error(ErrorCode::protocol, text)));
  }
}

void Connection::succeed(const ActiveRunPtr& run, WorkDone message) {
  log_debug_lines(*run, message.debug_logs);
  run->result = RunResult{std::move(message.output_id), std::move(message.output_data), std::move(message.debug_logs)};
  end_run(run, nullptr);
}

void Connection::log_debug_lines(const ActiveRun& run, const std::string& debug_logs) const {
  for (const std::string_view line : split_lines(debug_logs)) {
    if (trim(line).empty()) continue;
    if (run.alone) {
      options_.logger.debug("Step '{}' debug: {}", run.id, line);
    } else {
      options_.logger.debug("Plugin debug: {}", line);
    }
    if (options_.on_debug_line) options_.on_debug_line(run.alone ? run.id : std::string(), line);
  }
}

void Connection::handle_signal(const Envelope& envelope) {
  if (!active_run(envelope.run_id, "a signal")) return;
  try {
    const Signal signal = decode_signal(envelope.run_id, envelope.data, options_.logger);
    if (options_.on_signal) return options_.on_signal(signal);
    options_.logger.warning("signal '{}' of run '{}' dropped: nobody listens", signal.signal_id, signal.run_id);
  } catch (const Error& error) {
    options_.logger.warning("a signal of run '{}' ignored: {}", envelope.run_id, error.what());
  }
}

// Whatever can't be read was meant as an error: the run fails rather than waits for ever.
void Connection::handle_error(const Envelope& envelope) {
  ErrorMessage message{envelope.run_id, {}, true, false};
  std::string text;
  try {
    message = decode_error(envelope.run_id, envelope.data, options_.logger);
    text = message.text();
  } catch (const Error& error) {
    text = fmt::format("failed to decode error message ({}) of run ID \"{}\"", error.message(), envelope.run_id);
  }
  const bool fatal = message.server_fatal || message.step_fatal;
  for (const std::string_view line : split_lines(text)) complain(fatal ? LogLevel::debug : LogLevel::warning, line);
  if (message.server_fatal) return fail({ErrorCode::plugin, false, std::move(text), {}});
  if (!message.step_fatal) return;
  if (message.run_id.empty())
    return end_all_runs({ErrorCode::plugin, false, fmt::format("step fatal error missing run id ({})", text), {}});
  const ActiveRunPtr run = active_run(message.run_id, "an error message");
  forgotten_.erase(message.run_id);
  if (run) end_run(run, std::make_exception_ptr(Error(ErrorCode::plugin, std::move(text))));
}

}  // namespace venvoy::atp
