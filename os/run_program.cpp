#include "os/run_program.hpp"

#include <array>
#include <cerrno>
#include <exception>
#include <fcntl.h>
#include <memory>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "base/error.hpp"
#include "base/line_cutter.hpp"
#include "base/text.hpp"
#include "os/fd.hpp"

namespace venvoy::os {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// For what still lies in the pipes when the program and all its descendants are dead. Only a process that is none of
// them can keep a pipe open longer.
constexpr std::chrono::milliseconds time_to_drain{1000};

// The input as a file in memory that is read from its beginning. Not a pipe: nothing has to be written while the
// program runs, and a program that does not read its input cannot send us SIGPIPE.
Fd input_file(std::string_view input) {
  if (input.empty()) return {};
  Fd file(::memfd_create("venvoy-input", MFD_CLOEXEC));
  while (file && !input.empty()) {
    const ssize_t count = ::write(file.get(), input.data(), input.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw system_error(errno, "cannot store the input of a program", ErrorCode::start);
    input.remove_prefix(static_cast<std::size_t>(count));
  }
  if (!file || ::lseek(file.get(), 0, SEEK_SET) != 0)
    throw system_error(errno, "cannot store the input of a program", ErrorCode::start);
  return file;
}

// One run, driven by completion handlers, each of which holds it.
class ProgramRun : public std::enable_shared_from_this<ProgramRun> {
 public:
  ProgramRun(const asio::any_io_executor& executor, const ProgramLimits& limits,
             std::function<void(std::string_view)> on_error_line)
      : executor_(executor),
        limits_(limits),
        on_error_line_(std::move(on_error_line)),
        output_(executor),
        error_(executor),
        timer_(executor),
        finished_(executor) {}

  void start(Keeper& keeper, ProgramSpec spec);
  void watch(const CancelToken& cancel);
  // Kills the group; finished() fires when that is done.
  void cancel() { fail(std::make_exception_ptr(Error(ErrorCode::cancelled, "cancelled"))); }
  Event& finished() noexcept { return finished_; }
  // Throws what made the run fail.
  ProgramResult take_result();

 private:
  struct Stream {
    explicit Stream(const asio::any_io_executor& executor) : pipe(executor) {}
    asio::posix::stream_descriptor pipe;
    std::array<char, 16384> block;
  };
  using Take = void (ProgramRun::*)(std::string_view);

  void read(Stream& stream, Take take);
  void close(Stream& stream);
  void finish_if_all_is_read();
  void take_output(std::string_view bytes);
  void take_error(std::string_view bytes);
  void take_line(std::string_view line);
  void after(std::chrono::milliseconds time, void (ProgramRun::*act)());
  void on_timeout();
  void on_ended();
  void stop_draining();
  void fail(std::exception_ptr failure);

  asio::any_io_executor executor_;
  ProgramLimits limits_;
  std::function<void(std::string_view)> on_error_line_;
  Stream output_, error_;
  asio::steady_timer timer_;
  Event finished_;
  Child child_;
  bool ended_ = false;
  LineCutter lines_;
  ProgramResult result_;
  std::exception_ptr failure_;
  CancelToken::Registration registration_;
};

void ProgramRun::start(Keeper& keeper, ProgramSpec spec) {
  Pipe output = make_pipe(), error = make_pipe();
  ChildSpec child;
  child.program = std::move(spec.program);
  child.arguments = std::move(spec.arguments);
  child.environment = std::move(spec.environment);
  child.working_directory = std::move(spec.working_directory);
  child.standard_input = input_file(spec.input);
  child.standard_output = std::move(output.write_end);
  child.standard_error = std::move(error.write_end);
  child_ = keeper.start(std::move(child));
  output_.pipe.assign(output.read_end.release());
  error_.pipe.assign(error.read_end.release());
  read(output_, &ProgramRun::take_output);
  read(error_, &ProgramRun::take_error);
  if (limits_.timeout) after(*limits_.timeout, &ProgramRun::on_timeout);
  child_.ended().wait([self = shared_from_this()](const error_code&) { self->on_ended(); });
}

void ProgramRun::watch(const CancelToken& cancel) {
  registration_ = cancel.on_cancel([executor = executor_, weak = weak_from_this()] {
    asio::post(executor, [weak] {
      if (const auto self = weak.lock()) self->cancel();
    });
  });
}

void ProgramRun::read(Stream& stream, Take take) {
  const auto buffer = asio::buffer(stream.block);
  stream.pipe.async_read_some(buffer,
                              [self = shared_from_this(), &stream, take](const error_code& error, std::size_t count) {
                                if (error) return self->close(stream);
                                (*self.*take)(std::string_view(stream.block.data(), count));
                                self->read(stream, take);
                              });
}

void ProgramRun::close(Stream& stream) {
  error_code ignored;
  stream.pipe.close(ignored);
  finish_if_all_is_read();
}

void ProgramRun::finish_if_all_is_read() {
  if (!ended_ || output_.pipe.is_open() || error_.pipe.is_open()) return;
  timer_.cancel();
  lines_.finish([this](std::string_view line) { take_line(line); });
  finished_.fire();
}

void ProgramRun::take_output(std::string_view bytes) {
  if (failure_) return;
  if (bytes.size() <= limits_.max_output - result_.output.size()) {
    result_.output.append(bytes);
  } else {
    fail(std::make_exception_ptr(
        Error(ErrorCode::limit, fmt::format("the program has written more than {} bytes", limits_.max_output))));
  }
}

void ProgramRun::take_error(std::string_view bytes) {
  std::string& kept = result_.error_tail;
  kept.append(bytes);
  // Cut at twice the limit, so that not every block moves all bytes; what stays is longer than the limit, so that
  // tail() sees that it is cut and begins with a whole line.
  if (kept.size() / 2 > limits_.error_tail) kept.erase(0, kept.size() - limits_.error_tail - 1);
  if (on_error_line_) lines_.add(bytes, [this](std::string_view line) { take_line(line); });
}

void ProgramRun::take_line(std::string_view line) {
  try {
    if (!failure_) on_error_line_(line);
  } catch (...) {
    fail(std::current_exception());
  }
}

void ProgramRun::after(std::chrono::milliseconds time, void (ProgramRun::*act)()) {
  timer_.expires_after(time);
  timer_.async_wait([self = shared_from_this(), act](const error_code& aborted) {
    if (!aborted) (*self.*act)();
  });
}

void ProgramRun::on_timeout() {
  if (ended_) return;
  if (std::exchange(result_.timed_out, true)) return child_.kill();
  child_.signal(SIGTERM);
  after(limits_.grace, &ProgramRun::on_timeout);
}

void ProgramRun::on_ended() {
  if (!child_.exit()) return;
  ended_ = true;
  result_.exit = *child_.exit();
  after(time_to_drain, &ProgramRun::stop_draining);
  finish_if_all_is_read();
}

void ProgramRun::stop_draining() {
  // The reads under way come back with an error, and then close() ends the run.
  error_code ignored;
  output_.pipe.close(ignored);
  error_.pipe.close(ignored);
}

void ProgramRun::fail(std::exception_ptr failure) {
  if (!failure_) failure_ = std::move(failure);
  child_.kill();
}

ProgramResult ProgramRun::take_result() {
  if (failure_) std::rethrow_exception(failure_);
  result_.error_tail = tail(result_.error_tail, limits_.error_tail);
  return std::move(result_);
}

}  // namespace

asio::awaitable<ProgramResult> run_program(Keeper& keeper, ProgramSpec spec, ProgramLimits limits, CancelToken cancel,
                                           std::function<void(std::string_view)> on_error_line) {
  const auto executor = co_await asio::this_coro::executor;
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  cancel.check();
  if (cancellation.cancelled() != asio::cancellation_type::none) throw Error(ErrorCode::cancelled, "cancelled");
  const auto run = std::make_shared<ProgramRun>(executor, limits, std::move(on_error_line));
  run->start(keeper, std::move(spec));
  run->watch(cancel);
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  const auto quietly = asio::as_tuple(asio::use_awaitable);
  // A cancelled coroutine kills the group, and still waits until it is gone.
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!run->finished().fired()) {
    co_await run->finished().wait(quietly);
    if (!run->finished().fired()) run->cancel();
  }
  co_await asio::this_coro::throw_if_cancelled(throws);
  co_return run->take_result();
}

}  // namespace venvoy::os
