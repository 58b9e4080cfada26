#include "deployer/internal/fork_session.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/message_socket.hpp"

namespace venvoy::deployer::internal {
namespace {

namespace asio = boost::asio;
using boost::asio::posix::descriptor_base;

// Of one message; the socket's buffer holds somewhat more. What the server takes: MAX_DATAGRAM in plugin_server.py.
constexpr std::size_t max_message = std::size_t{128} << 10;
constexpr std::size_t max_answer = std::size_t{64} << 10;
constexpr std::size_t server_words = std::size_t{4} << 10;
constexpr std::chrono::milliseconds retry_pause{10};
// A server that has not buried a step that long after it was to be killed hangs.
constexpr std::chrono::seconds patience_with_server{10};

template <class Number>
Number number_in(std::string_view text) {
  Number number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void append(std::string& message, std::string_view text) {
  message += '\0';
  message += text;
}

// As many of the modules as one message takes; the rest is imported in the steps.
std::string load_message(const Preparation& preparation) {
  const std::optional<std::string>& harm = preparation.harm_of_opening;
  std::string message = "load";
  append(message, preparation.checked ? "1" : "0");
  append(message, !harm ? "?" : harm->empty() ? "1" : "0");
  for (const std::string& module : preparation.modules) {
    if (message.size() + module.size() >= max_message) break;
    append(message, module);
  }
  return message;
}

os::ExitInfo not_started(int error) {
  return {.kind = os::ExitInfo::Kind::not_started, .number = error};
}

// "ended ID STATUS USER SYSTEM KIB"
os::ExitInfo ended(const std::vector<std::string_view>& words) {
  const int status = number_in<int>(words[2]);
  const bool exited = WIFEXITED(status);
  return {.kind = exited ? os::ExitInfo::Kind::exited : os::ExitInfo::Kind::signalled,
          .number = exited ? WEXITSTATUS(status) : WTERMSIG(status),
          .user_microseconds = number_in<std::int64_t>(words[3]),
          .system_microseconds = number_in<std::int64_t>(words[4]),
          .max_resident_kib = number_in<std::int64_t>(words[5])};
}

// That the kernel has ended it for its own use: by SIGXCPU, or a second later by SIGKILL.
std::optional<os::ExceededLimit> exceeded_processor_time(const os::ExitInfo& info, const os::ProcessLimits& limits) {
  const auto limit = static_cast<std::uint64_t>(limits.processor_time.count());
  const auto used = static_cast<std::uint64_t>(info.user_microseconds + info.system_microseconds);
  if (limit == 0 || info.kind != os::ExitInfo::Kind::signalled) return std::nullopt;
  if (info.number != SIGXCPU && (info.number != SIGKILL || used <= limit)) return std::nullopt;
  return os::ExceededLimit{os::ExceededLimit::Kind::processor_time, std::max(used, limit)};
}

std::vector<std::string_view> split(std::string_view message) {
  std::vector<std::string_view> words;
  for (std::size_t begin = 0;;) {
    const std::size_t end = message.find('\0', begin);
    words.push_back(message.substr(begin, end == message.npos ? end : end - begin));
    if (end == message.npos) return words;
    begin = end + 1;
  }
}

class ForkedProcess final : public RunningProcess {
 public:
  ForkedProcess(std::shared_ptr<ForkSession> session, std::shared_ptr<ForkedStep> step)
      : session_(std::move(session)), step_(std::move(step)) {}
  ~ForkedProcess() override { ForkedProcess::kill(); }

  pid_t pid() const noexcept override { return step_->pid; }
  const std::optional<os::ExitInfo>& exit() const noexcept override { return step_->exit; }
  os::Event& ended() noexcept override { return step_->ended; }
  void kill() noexcept override { session_->kill(*step_); }

 private:
  std::shared_ptr<ForkSession> session_;
  std::shared_ptr<ForkedStep> step_;
};

}  // namespace

ForkSession::ForkSession(const asio::any_io_executor& executor, Logger logger, cache::WorkDir work_dir)
    : executor_(executor),
      logger_(std::move(logger)),
      work_dir_(std::move(work_dir)),
      socket_(executor),
      timer_(executor),
      retry_(executor),
      undead_(executor),
      settled_(executor),
      received_(max_answer) {}

ForkSession::~ForkSession() {
  for (const auto& [id, step] : steps_) step->finish({.kind = os::ExitInfo::Kind::lost});
}

void ForkSession::start(os::Keeper& keeper, const ForkServerSettings& settings, const LaunchRequest& like) {
  os::MessageSockets sockets = os::make_message_sockets();
  // Pipes, as a step has them: Python makes up its mind about its streams when it starts.
  os::Pipe input = os::make_pipe();
  os::Pipe output = os::make_pipe();
  os::ChildSpec spec;
  spec.program = like.python;
  spec.arguments = {settings.starter.string(), "--serve", like.module};
  spec.arguments.insert(spec.arguments.end(), like.arguments.begin(), like.arguments.end());
  spec.environment = environment_ = like.environment;
  spec.working_directory = settings.folder_there.empty() ? work_dir_.path() : settings.folder_there;
  spec.standard_input = std::move(input.read_end);
  spec.standard_error = os::Fd(::fcntl(output.write_end.get(), F_DUPFD_CLOEXEC, 3));
  spec.standard_output = std::move(output.write_end);
  spec.more.push_back(std::move(sockets.theirs));
  keeper_ = &keeper;
  server_ = keeper.start(std::move(spec));
  idle_time_ = settings.idle_time;
  errors_ =
      std::make_unique<StderrReader>(executor_, std::move(output.read_end), server_words, nullptr,
                                     [log = logger_](std::string_view line) { log.debug("fork server: {}", line); });
  socket_.assign(sockets.ours.release());
  timer_.expires_after(settings.start_timeout);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& stopped) {
    const auto self = weak.lock();
    if (!self || stopped || self->state_ != State::starting) return;
    self->end_text_ = "it has not been ready in time";
    self->server_.kill();
    self->settle(State::dead);
  });
  watch_server();
  listen();
  send({load_message(settings.preparation), {}, nullptr});
}

// --- what the engine wants -------------------------------------------------------------------------------------------

std::string ForkSession::fork_message(std::uint64_t id, const LaunchRequest& request) const {
  std::string message = "fork";
  append(message, std::to_string(id));
  append(message, request.working_directory.string());
  if (request.environment != environment_)
    for (const std::string& variable : request.environment) append(message, variable);
  return message;
}

bool ForkSession::can_fork(const LaunchRequest& request) const {
  if (has_opened() && request.environment != environment_) return false;
  return fork_message(last_id_, request).size() <= max_message;
}

std::unique_ptr<RunningProcess> ForkSession::fork(const LaunchRequest& request, std::vector<os::Fd> standard) {
  const auto step = std::make_shared<ForkedStep>(executor_, ++last_id_);
  step->limits = request.limits;
  steps_[step->id] = step;
  timer_.cancel();
  send({fork_message(step->id, request), std::move(standard), step});
  return std::make_unique<ForkedProcess>(shared_from_this(), step);
}

void ForkSession::kill(ForkedStep& step) noexcept {
  if (step.exit || step.killed || state_ != State::serving) return;
  step.killed = std::chrono::steady_clock::now();
  // In the order of the requests, so that it cannot come before the fork.
  send({fmt::format("signal{0}{1}{0}{2}", '\0', step.id, SIGKILL), {}, nullptr});
  look_for_the_undead();
}

void ForkSession::look_for_the_undead() {
  std::optional<std::chrono::steady_clock::time_point> first;
  for (const auto& [id, step] : steps_)
    if (step->killed && (!first || *step->killed < *first)) first = step->killed;
  if (!first) return;
  if (*first + patience_with_server <= std::chrono::steady_clock::now()) return server_.kill();
  undead_.expires_at(*first + patience_with_server);
  undead_.async_wait([weak = weak_from_this()](const boost::system::error_code& stopped) {
    const auto self = weak.lock();
    if (self && !stopped) self->look_for_the_undead();
  });
}

void ForkSession::send(Outgoing message) {
  outgoing_.push_back(std::move(message));
  flush();
}

void ForkSession::flush() {
  while (!outgoing_.empty() && !waits_to_send_ && socket_.is_open()) {
    Outgoing& next = outgoing_.front();
    const int error = os::send_message(socket_.native_handle(), next.text, next.descriptors);
    if (os::is_not_now(error)) return flush_later(error);
    const std::shared_ptr<ForkedStep> step = std::move(next.step);
    outgoing_.pop_front();
    // A server that has gone is told of by the keeper, and its steps with it.
    const bool is_gone = error == EPIPE || error == ECONNRESET || error == ENOTCONN;
    if (step && error != 0 && !is_gone) finish(std::to_string(step->id), not_started(error));
  }
}

void ForkSession::flush_later(int error) {
  waits_to_send_ = true;
  auto handler = [weak = weak_from_this()](const boost::system::error_code& stopped) {
    const auto self = weak.lock();
    if (!self || stopped) return;
    self->waits_to_send_ = false;
    self->flush();
  };
  if (error == EAGAIN) return socket_.async_wait(descriptor_base::wait_write, std::move(handler));
  retry_.expires_after(retry_pause);
  retry_.async_wait(std::move(handler));
}

// --- what the server says --------------------------------------------------------------------------------------------

void ForkSession::listen() {
  if (!socket_.is_open()) return;
  socket_.async_wait(descriptor_base::wait_read, [weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (self && !error) self->on_readable();
  });
}

void ForkSession::on_readable() {
  while (socket_.is_open() && receive_one()) continue;
  flush();
  listen();
}

// False when nothing is there now.
bool ForkSession::receive_one() {
  const ssize_t size = ::recv(socket_.native_handle(), received_.data(), received_.size(), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return errno == EINTR;
  if (size <= 0) {
    // It ends, or has ended: the keeper knows how.
    boost::system::error_code ignored;
    socket_.close(ignored);
    if (state_ != State::retired && state_ != State::harmful) server_.kill();
    return false;
  }
  on_message(std::string_view(received_.data(), static_cast<std::size_t>(size)));
  return true;
}

void ForkSession::on_message(std::string_view message) {
  const std::vector<std::string_view> words = split(message);
  const std::string_view kind = words.front();
  if (kind == "ready" && state_ == State::starting && words.size() > 1) {
    harm_of_opening_ = words[1];
    missing_.assign(words.begin() + 2, words.end());
    was_ready_ = true;
    settle(State::serving);
    time_idleness();
  } else if (kind == "bad" && state_ == State::starting && words.size() > 1) {
    harmful_module_ = words[1];
    settle(State::harmful);
  } else if (kind == "started" && words.size() > 2) {
    const auto found = steps_.find(number_in<std::uint64_t>(words[1]));
    if (found != steps_.end()) hold_to_limits(*found->second, number_in<pid_t>(words[2]));
  } else if (kind == "failed" && words.size() > 2) {
    finish(words[1], not_started(number_in<int>(words[2])));
  } else if (kind == "ended" && words.size() > 5) {
    finish(words[1], ended(words));
  }
}

// It runs already: what it has used up to now counts too.
void ForkSession::hold_to_limits(ForkedStep& step, pid_t pid) {
  step.pid = pid;
  if (step.limits.any()) step.watch = keeper_->watch(pid, step.limits);
}

void ForkSession::finish(std::string_view id, os::ExitInfo info) {
  const auto found = steps_.find(number_in<std::uint64_t>(id));
  if (found == steps_.end()) return;
  const std::shared_ptr<ForkedStep> step = std::move(found->second);
  steps_.erase(found);
  if (step->watch) {
    // Whether it was for a limit, the keeper knows.
    step->watch.settle([step, info = std::move(info)](std::optional<os::ExceededLimit> exceeded) mutable {
      info.exceeded = exceeded ? exceeded : exceeded_processor_time(info, step->limits);
      step->finish(std::move(info));
    });
  } else {
    step->finish(std::move(info));
  }
  time_idleness();
}

// --- its end ---------------------------------------------------------------------------------------------------------

void ForkSession::watch_server() {
  server_.ended().wait([weak = weak_from_this()](const boost::system::error_code&) {
    const auto self = weak.lock();
    if (!self) return;
    if (self->server_.ended().fired()) return self->on_server_end();
    self->watch_server();
  });
}

// The keeper has told, so all that the server had forked is dead too.
void ForkSession::on_server_end() {
  while (socket_.is_open() && receive_one()) continue;  // how steps have ended before
  std::string how = server_.exit() ? server_.exit()->text() : std::string("unknown");
  const std::string words(tail(errors_->tail(), server_words));
  if (const std::string_view last = words; !last.empty()) how += "; the last it wrote: " + std::string(last);
  if (end_text_.empty()) end_text_ = std::move(how);
  boost::system::error_code ignored;
  socket_.close(ignored);
  outgoing_.clear();
  if (state_ == State::starting || state_ == State::serving) settle(State::dead);
  const os::ExitInfo exit = server_.exit() ? *server_.exit() : os::ExitInfo{.kind = os::ExitInfo::Kind::lost};
  for (const auto& [id, step] : std::exchange(steps_, {})) {
    os::ExitInfo info{.kind = os::ExitInfo::Kind::signalled, .number = SIGKILL};
    info.note = fmt::format("the fork server of its environment had ended: {}", exit.text());
    step->finish(std::move(info));
  }
}

void ForkSession::settle(State state) {
  state_ = state;
  timer_.cancel();
  settled_.fire();
}

void ForkSession::time_idleness() {
  if (state_ != State::serving || !steps_.empty()) return;
  if (retires_when_idle_) return retire();
  timer_.expires_after(idle_time_);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& stopped) {
    const auto self = weak.lock();
    if (self && !stopped && self->steps_.empty()) self->retire();
  });
}

void ForkSession::retire_when_idle() noexcept {
  retires_when_idle_ = true;
  if (state_ == State::starting) return;
  time_idleness();
}

void ForkSession::retire() {
  if (state_ != State::serving) return;
  logger_.debug("the fork server with pid {} is not needed any more", pid());
  settle(State::retired);
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace venvoy::deployer::internal
