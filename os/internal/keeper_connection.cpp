#include "os/internal/keeper_connection.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.hpp"
#include "os/internal/start_block.hpp"

namespace venvoy::os::internal {
namespace {

namespace protocol = keeper_protocol;
using boost::asio::posix::descriptor_base;

// Starts that the keeper has not answered yet. Bounded because descriptors in flight count against the user's limit;
// far more than the keeper does in the time of one wake-up.
constexpr std::size_t max_unanswered = 64;
// For the rare refusals that no event announces the end of: too many descriptors in flight, no kernel memory.
constexpr std::chrono::milliseconds retry_pause{10};
// A keeper that is killed before its work is done leaves processes behind; so only one that hangs is.
constexpr int patience_with_keeper_ms = 30'000;
constexpr int patience_with_killed_keeper_ms = 1000;

ExitInfo not_started(int error) {
  return {.kind = ExitInfo::Kind::not_started, .number = error};
}

ExitInfo ended(const protocol::Reply& reply) {
  const bool exited = WIFEXITED(reply.number);
  return {.kind = exited ? ExitInfo::Kind::exited : ExitInfo::Kind::signalled,
          .number = exited ? WEXITSTATUS(reply.number) : WTERMSIG(reply.number),
          .user_microseconds = reply.user_microseconds,
          .system_microseconds = reply.system_microseconds,
          .max_resident_kib = reply.max_resident_kib,
          .exceeded = {},
          .memory_by_kernel = (reply.flags & protocol::memory_by_kernel) != 0};
}

protocol::Limits wire_limits(const ProcessLimits& limits) {
  return {.memory_bytes = limits.memory,
          .processor_microseconds = static_cast<std::uint64_t>(limits.processor_time.count()),
          .open_files = limits.open_files};
}

// Moves the child's descriptors out of the spec, in the order of the protocol.
std::vector<Fd> take_descriptors(ChildSpec& spec, protocol::Request& request) {
  std::vector<Fd> result;
  std::uint32_t bit = 1;
  for (Fd* standard : {&spec.standard_input, &spec.standard_output, &spec.standard_error}) {
    if (*standard) {
      request.standard |= bit;
      result.push_back(std::move(*standard));
    }
    bit <<= 1;
  }
  request.more = static_cast<std::uint32_t>(spec.more.size());
  std::move(spec.more.begin(), spec.more.end(), std::back_inserter(result));
  return result;
}

bool waits(int number, int milliseconds) {
  pollfd process{number, POLLIN, 0};
  int count = 0;
  do {
    count = ::poll(&process, 1, milliseconds);
  } while (count < 0 && errno == EINTR);
  return count <= 0;
}

}  // namespace

KeeperConnection::KeeperConnection(const boost::asio::any_io_executor& executor, LaunchedKeeper launched,
                                   std::uint64_t file_limit)
    : executor_(executor),
      socket_(executor, launched.socket.release()),
      process_(executor),
      retry_(executor),
      pid_(launched.pid),
      is_elsewhere_(launched.pid == 0),
      engine_(::getpid()),
      file_limit_(file_limit) {
  if (launched.process) process_.assign(launched.process.release());
}

std::shared_ptr<ChildState> KeeperConnection::start(ChildSpec spec) {
  auto child = std::make_shared<ChildState>(executor_, shared_from_this(), ++last_token_);
  WaitingStart start;
  int error = spec.more.size() > protocol::max_more ? EMFILE : 0;
  if (error == 0) error = write_start_block(spec, file_limit_, start.block);
  if (error != 0) {
    child->finish(not_started(error));
    return child;
  }
  start.request.token = child->token;
  start.request.limits = wire_limits(spec.limits);
  start.descriptors = take_descriptors(spec, start.request);
  if (!gone_) {
    children_[child->token] = child;
    starts_.push_back(std::move(start));
    flush();
    listen();
  }
  if (gone_) throw Error(ErrorCode::start, "cannot start a process: the keeper of processes has ended");
  return child;
}

bool KeeperConnection::is_copy() const noexcept {
  return ::getpid() != engine_;
}

void KeeperConnection::signal(ChildState& child, int number) noexcept {
  if (gone_ || child.exit || is_copy()) return;
  if (child.waiting) {
    child.early_signals.push_back(number);
    return;
  }
  short_ones_.push_back({.kind = protocol::RequestKind::signal, .token = child.token, .number = number});
  flush();
}

void KeeperConnection::abandon(ChildState& child) noexcept {
  children_.erase(child.token);
  if (!child.waiting) return signal(child, SIGKILL);
  std::erase_if(starts_, [&child](const WaitingStart& start) { return start.request.token == child.token; });
}

std::shared_ptr<WatchState> KeeperConnection::watch(pid_t pid, const ProcessLimits& limits) {
  auto watch = std::make_shared<WatchState>(shared_from_this(), ++last_token_);
  watches_[watch->token] = watch;
  if (gone_) return watch;
  short_ones_.push_back(
      {.kind = protocol::RequestKind::watch, .token = watch->token, .number = pid, .limits = wire_limits(limits)});
  flush();
  listen();
  return watch;
}

void KeeperConnection::end_watch(std::uint64_t token) {
  if (gone_) return settle_watch(token);
  short_ones_.push_back({.kind = protocol::RequestKind::unwatch, .token = token});
  flush();
  listen();
}

void KeeperConnection::forget_watch(std::uint64_t token) noexcept {
  if (watches_.erase(token) == 0 || gone_ || is_copy()) return;
  short_ones_.push_back({.kind = protocol::RequestKind::unwatch, .token = token});
  flush();
}

void KeeperConnection::settle_watch(std::uint64_t token) {
  const auto found = watches_.find(token);
  if (found == watches_.end()) return;
  const auto watch = found->second.lock();
  watches_.erase(found);
  if (watch) watch->settle();
}

void KeeperConnection::listen() {
  if (listens_ || !answers_are_due()) return;
  listens_ = true;
  socket_.async_wait(descriptor_base::wait_read, [weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (self && !error) self->on_readable();
  });
}

void KeeperConnection::on_readable() {
  listens_ = false;
  while (receive_one()) continue;
  flush();
  listen();
}

// False when nothing is there now.
bool KeeperConnection::receive_one() {
  if (gone_) return false;
  protocol::Reply reply;
  const ssize_t size = ::recv(socket_.native_handle(), &reply, sizeof reply, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return errno == EINTR;
  if (size != sizeof reply || reply.version != protocol::version) {
    lost();
    return false;
  }
  on_reply(reply);
  return true;
}

void KeeperConnection::on_reply(const protocol::Reply& reply) {
  if (reply.kind == protocol::ReplyKind::ended) return finish(reply.token, ended(reply));
  if (reply.kind == protocol::ReplyKind::exceeded) return on_exceeded(reply);
  if (reply.kind == protocol::ReplyKind::unwatched) return settle_watch(reply.token);
  unanswered_ -= std::min<std::size_t>(unanswered_, 1);
  if (reply.kind == protocol::ReplyKind::failed) return finish(reply.token, not_started(reply.number));
  const auto found = children_.find(reply.token);
  if (found == children_.end()) return;
  if (const auto child = found->second.lock()) child->pid = reply.number;
}

void KeeperConnection::on_exceeded(const protocol::Reply& reply) {
  ExceededLimit exceeded;
  if (reply.number == static_cast<std::int32_t>(protocol::LimitKind::memory)) {
    exceeded.used = static_cast<std::uint64_t>(reply.max_resident_kib) * 1024;
  } else {
    exceeded.kind = ExceededLimit::Kind::processor_time;
    exceeded.used = static_cast<std::uint64_t>(reply.user_microseconds);
  }
  if (const auto found = children_.find(reply.token); found != children_.end())
    if (const auto child = found->second.lock()) child->exceeded = exceeded;
  if (const auto found = watches_.find(reply.token); found != watches_.end())
    if (const auto watch = found->second.lock()) watch->exceeded = exceeded;
}

void KeeperConnection::finish(std::uint64_t token, const ExitInfo& info) {
  const auto found = children_.find(token);
  if (found == children_.end()) return;
  const auto child = found->second.lock();
  children_.erase(found);
  if (child) child->finish(info);
}

void KeeperConnection::flush() {
  while (send_next()) continue;
}

// False when there is nothing to send, or not now.
bool KeeperConnection::send_next() {
  if (gone_ || waits_to_send_) return false;
  if (!short_ones_.empty()) {
    if (!send_short(short_ones_.front())) return false;
    short_ones_.pop_front();
    return true;
  }
  if (starts_.empty() || unanswered_ >= max_unanswered) return false;
  if (!send_start(starts_.front())) return false;
  starts_.pop_front();
  return true;
}

bool KeeperConnection::send_short(const protocol::Request& request) {
  int error = 0;
  return send(request, {}, error) != Sent::not_now && !gone_;
}

// True if the request needs no further attention.
bool KeeperConnection::send_start(WaitingStart& start) {
  const Fd block = sealed_memfd(start.block);
  int error = block ? 0 : errno;
  std::vector<int> numbers{block.get()};
  for (const Fd& descriptor : start.descriptors) numbers.push_back(descriptor.get());
  const Sent sent = block ? send(start.request, numbers, error) : Sent::never;
  if (sent == Sent::not_now || gone_) return false;
  if (sent == Sent::never) {
    finish(start.request.token, not_started(error));
    return true;
  }
  ++unanswered_;
  const auto child = children_.at(start.request.token).lock();
  child->waiting = false;
  for (const int number : child->early_signals)
    short_ones_.push_back({.kind = protocol::RequestKind::signal, .token = child->token, .number = number});
  return true;
}

KeeperConnection::Sent KeeperConnection::send(const protocol::Request& request, const std::vector<int>& descriptors,
                                              int& error) {
  iovec part{const_cast<protocol::Request*>(&request), sizeof request};
  alignas(cmsghdr) char control[CMSG_SPACE(protocol::max_descriptors * sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (const std::size_t size = descriptors.size() * sizeof(int); size > 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(header), descriptors.data(), size);
  }
  ssize_t count = 0;
  do {
    count = ::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  if (count == sizeof request) return Sent::yes;
  error = errno;
  if (error == EAGAIN || error == ETOOMANYREFS || error == ENOBUFS || error == ENOMEM) {
    try_again_later(error);
    return Sent::not_now;
  }
  if (error == EPIPE || error == ECONNRESET || error == ENOTCONN) lost();
  return Sent::never;
}

void KeeperConnection::try_again_later(int error) {
  waits_to_send_ = true;
  auto handler = [weak = weak_from_this()](const boost::system::error_code& aborted) {
    const auto self = weak.lock();
    if (!self || aborted) return;
    self->waits_to_send_ = false;
    self->flush();
  };
  if (error == EAGAIN) return socket_.async_wait(descriptor_base::wait_write, std::move(handler));
  retry_.expires_after(retry_pause);
  retry_.async_wait(std::move(handler));
}

void KeeperConnection::give_up() noexcept {
  gone_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
  retry_.cancel();
  starts_.clear();
  short_ones_.clear();
  for (const auto& [token, weak] : std::exchange(watches_, {}))
    if (const auto watch = weak.lock()) watch->settle();
  const auto children = std::exchange(children_, {});
  for (const auto& [token, weak] : children)
    if (const auto child = weak.lock()) child->finish({.kind = ExitInfo::Kind::lost});
}

void KeeperConnection::lost() {
  if (is_elsewhere_) return give_up();  // pids mean nothing here, and its guard is there
  // The children die with the keeper, by their parent-death signal; what they have started in their groups does not.
  for (const auto& [token, weak] : children_)
    if (const auto child = weak.lock(); child && child->pid > 0) ::kill(-child->pid, SIGKILL);
  give_up();
  // Bury the keeper when it has ended, so that no zombie stays.
  process_.async_wait(descriptor_base::wait_read, [weak = weak_from_this()](const boost::system::error_code&) {
    if (const auto self = weak.lock()) self->keeper_has_ended(0);
  });
}

bool KeeperConnection::keeper_has_ended(int milliseconds) noexcept {
  if (pid_ == 0) return true;
  if (waits(process_.native_handle(), milliseconds)) return false;
  // Its status is of no use, and a host's own handler of SIGCHLD may have taken it already.
  ::waitpid(pid_, nullptr, WNOHANG);
  pid_ = 0;
  return true;
}

void KeeperConnection::close() noexcept {
  if (is_copy()) return;
  give_up();
  if (!keeper_has_ended(patience_with_keeper_ms)) {
    ::syscall(SYS_pidfd_send_signal, process_.native_handle(), SIGKILL, nullptr, 0);
    keeper_has_ended(patience_with_killed_keeper_ms);
  }
}

}  // namespace venvoy::os::internal
