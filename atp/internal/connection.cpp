// What the two sides of a connection wish and how it ends; messages from the plugin: incoming.cpp.
#include "atp/internal/connection.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"

namespace venvoy::atp {
namespace {

Error wrong_use(std::string reason) {
  return Error(ErrorCode::usage, std::move(reason));
}

std::string seconds_text(std::chrono::milliseconds time) {
  return time.count() % 1000 == 0 ? fmt::format("{} s", time.count() / 1000) : fmt::format("{} ms", time.count());
}

}  // namespace

Connection::Connection(ByteChannel& channel, boost::asio::any_io_executor executor, ClientOptions options)
    : hello_done(executor),
      reader_ended(executor),
      last_words(executor),
      channel_(&channel),
      executor_(std::move(executor)),
      options_(std::move(options)),
      reader_(options_.limits, CborReader::Expect::message) {}

std::exception_ptr Connection::Failure::exception() const {
  if (lost) return std::make_exception_ptr(ConnectionLost(text));
  return std::make_exception_ptr(Error(code, text).with_hint(hint));
}

void Connection::check_usable() const {
  if (failure_) std::rethrow_exception(failure_->exception());
  if (write_failure_) std::rethrow_exception(write_failure_->exception());
}

void Connection::begin_handshake() {
  check_usable();
  if (phase_ != Phase::fresh) throw wrong_use("the handshake with a plugin happens once");
  phase_ = Phase::hello;
  outgoing_.push_back({std::string(start_output), nullptr});
}

ActiveRunPtr Connection::begin_run(std::string run_id, std::string step_id, schema::Value input) {
  check_usable();
  if (phase_ != Phase::messages || finishing_) throw wrong_use("a run needs a connection with a finished handshake");
  if (trim(run_id).empty()) throw wrong_use(fmt::format("run ID is blank for step {}", step_id));
  if (runs_.contains(run_id) || forgotten_.contains(run_id))
    throw wrong_use(fmt::format("duplicate run ID given '{}'", run_id));
  if (version_ == Version::one && has_started_a_run_)
    throw wrong_use("a plugin with version 1 of the protocol runs one step in its life");

  const WorkStart message{run_id, step_id, std::move(input)};
  auto run = std::make_shared<ActiveRun>(executor_, std::move(run_id), std::move(step_id));
  outgoing_.push_back({version_ == Version::one ? encode_v1(message) : encode(message), run});
  run->alone = !has_started_a_run_;
  has_started_a_run_ = true;
  for (const auto& [id, other] : runs_) other->alone = false;
  runs_.emplace(run->id, run);
  return run;
}

void Connection::signal(const Signal& signal) {
  if (version_ == Version::one) throw wrong_use("a plugin with version 1 of the protocol takes no signals");
  if (trim(signal.run_id).empty() || trim(signal.signal_id).empty())
    throw wrong_use(
        fmt::format("a signal needs a run ID and a signal ID, given '{}' and '{}'", signal.run_id, signal.signal_id));
  if (finishing_ || !runs_.contains(signal.run_id)) {
    options_.logger.debug("signal '{}' to run '{}' dropped: the run has ended", signal.signal_id, signal.run_id);
    return;
  }
  check_usable();
  outgoing_.push_back({encode(signal), nullptr});
}

void Connection::begin_finish() {
  if (finishing_ || !channel_) return;
  finishing_ = true;
  // Nobody reads yet, so nothing would ever end.
  if (phase_ == Phase::fresh) return close();
  const bool understands = phase_ == Phase::messages && version_ == Version::three;
  if (understands && !write_failure_) outgoing_.push_back({encode(ClientDone()), nullptr});
  if (outgoing_.empty() && !writing_) channel_->close_write();
}

// A message that has not been begun is taken back; else the plugin has heard of the run and may answer.
void Connection::forget(const ActiveRunPtr& run) {
  const auto active = runs_.find(run->id);
  if (active == runs_.end() || active->second != run) return;
  runs_.erase(active);
  if (std::erase_if(outgoing_, [&](const Outgoing& message) { return message.starts == run; }) == 0)
    forgotten_.insert(run->id);
}

void Connection::close() noexcept {
  if (!channel_) return;
  channel_->close();
  channel_ = nullptr;
  outgoing_.clear();
  fail({ErrorCode::cancelled, false, "the connection to the plugin was closed", {}});
  reader_ended.fire();
  last_words.cancel();
}

bool Connection::writer_needed() noexcept {
  if (writing_ || outgoing_.empty()) return false;
  writing_ = true;
  return true;
}

std::optional<std::string> Connection::next_message() {
  being_started_ = nullptr;
  writing_ = !outgoing_.empty();
  if (writing_) {
    Outgoing next = std::move(outgoing_.front());
    outgoing_.pop_front();
    being_started_ = std::move(next.starts);
    return std::move(next.bytes);
  }
  if (finishing_ && channel_) channel_->close_write();
  return std::nullopt;
}

bool Connection::write_failed(const std::string& cause) {
  writing_ = false;
  if (!channel_) return false;
  options_.logger.debug("a message to the plugin could not be written: {}", cause);
  write_failure_ = Failure{ErrorCode::plugin, true, fmt::format("failed to write a message ({})", cause), {}};
  if (being_started_) unwritten_.push_back(std::move(being_started_));
  for (Outgoing& message : outgoing_)
    if (message.starts) unwritten_.push_back(std::move(message.starts));
  outgoing_.clear();
  return !unwritten_.empty() && !reader_ended.fired();
}

void Connection::fail_unwritten() {
  for (const ActiveRunPtr& run : std::exchange(unwritten_, {})) {
    const auto active = runs_.find(run->id);
    if (active != runs_.end() && active->second == run) end_run(run, write_failure_->exception());
  }
}

void Connection::hello_timed_out() {
  if (phase_ != Phase::hello) return;
  fail({ErrorCode::timed_out, false,
        fmt::format("the plugin has sent no hello message within {}", seconds_text(options_.hello_timeout)),
        "a plugin that imports much needs a longer helloTimeout; one that waits for something at import never starts"});
}

void Connection::end_run(ActiveRunPtr run, std::exception_ptr failure) {
  runs_.erase(run->id);
  run->failure = std::move(failure);
  run->done.fire();
}

void Connection::end_all_runs(const Failure& failure) {
  for (const auto& [id, run] : std::exchange(runs_, {})) {
    run->failure = failure.exception();
    run->done.fire();
  }
}

// Ends everything but the reading, which goes on for the plugin's sake until it closes its end.
void Connection::fail(Failure failure) {
  phase_ = Phase::deaf;
  end_all_runs(failure);
  if (!failure_) failure_ = std::move(failure);
  hello_done.fire();
}

}  // namespace venvoy::atp
