#include "os/keeper_program/link.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>

#include "os/internal/keeper_protocol.hpp"

namespace venvoy::keeper {
namespace {

using namespace os::internal::link_protocol;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds retry_pause{10};
constexpr int datagrams_per_round = 16;

void make_non_blocking(const Descriptor& descriptor) {
  const int flags = ::fcntl(descriptor.get(), F_GETFL);
  if (flags >= 0) ::fcntl(descriptor.get(), F_SETFL, flags | O_NONBLOCK);
}

std::uint32_t own_processors() {
  // Slurm does not bind its tasks everywhere; this is what they may use.
  if (const char* const allotted = std::getenv("SLURM_CPUS_ON_NODE"))
    if (const int count = std::atoi(allotted); count > 0) return static_cast<std::uint32_t>(count);
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<std::uint32_t>(CPU_COUNT(&set));
  return static_cast<std::uint32_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
}

std::string own_node() {
  std::array<char, max_node_name + 1> name = {};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string();
}

Hello own_hello(Link::Side side) {
  return {os::internal::keeper_protocol::version, side == Link::Side::pilot ? own_processors() : 0, own_node()};
}

// What the descriptor is; nothing for one that cannot be carried.
std::optional<Attachment> kind_of(const Descriptor& descriptor) {
  struct stat status;
  if (::fstat(descriptor.get(), &status) != 0) return std::nullopt;
  if (S_ISSOCK(status.st_mode)) {
    int type = 0;
    socklen_t size = sizeof type;
    if (::getsockopt(descriptor.get(), SOL_SOCKET, SO_TYPE, &type, &size) != 0) return std::nullopt;
    return type == SOCK_STREAM ? Attachment::both : Attachment::messages;
  }
  if (S_ISREG(status.st_mode)) {
    if (::fcntl(descriptor.get(), F_GET_SEALS) > 0) return Attachment::block;
    return Attachment::source;
  }
  const int mode = ::fcntl(descriptor.get(), F_GETFL) & O_ACCMODE;
  if (mode == O_RDONLY) return Attachment::source;
  if (mode == O_WRONLY) return Attachment::sink;
  return std::nullopt;
}

// 0 or an errno.
int send_with_descriptors(int socket, const std::string& text, const std::vector<Descriptor>& descriptors) {
  iovec part{const_cast<char*>(text.data()), text.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(max_attachments * sizeof(int))] = {};
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
    unsigned char* place = CMSG_DATA(header);
    for (const Descriptor& descriptor : descriptors) {
      const int number = descriptor.get();
      std::memcpy(place, &number, sizeof number);
      place += sizeof number;
    }
  }
  ssize_t count = 0;
  do {
    count = ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (count < 0 && errno == EINTR);
  return count < 0 ? errno : 0;
}

bool is_not_now(int error) {
  return error == EAGAIN || error == ETOOMANYREFS || error == ENOBUFS || error == ENOMEM;
}

struct Pair {
  Descriptor ours, theirs;
};

// Empty if there is none to be had.
Pair make_pair(Attachment kind) {
  int ends[2];
  if (kind == Attachment::both || kind == Attachment::messages) {
    const int type = kind == Attachment::both ? SOCK_STREAM : SOCK_SEQPACKET;
    if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) != 0) return {};
    return {Descriptor(ends[0]), Descriptor(ends[1])};
  }
  if (::pipe2(ends, O_CLOEXEC) != 0) return {};
  Descriptor read_end(ends[0]), write_end(ends[1]);
  if (kind == Attachment::source) return {std::move(write_end), std::move(read_end)};
  return {std::move(read_end), std::move(write_end)};
}

Descriptor sealed_memfd(std::string_view bytes) {
  Descriptor memfd(::memfd_create("venvoy-start", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  while (memfd && !bytes.empty()) {
    const ssize_t count = ::write(memfd.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return {};
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  constexpr int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  if (memfd && ::fcntl(memfd.get(), F_ADD_SEALS, seals) != 0) return {};
  return memfd;
}

}  // namespace

Link::Link(Side side, Descriptor channel, Descriptor input, Descriptor output)
    : side_(side), input_(std::move(input)), output_(std::move(output)) {
  for (const Descriptor* each : {&channel, &input_, &output_}) make_non_blocking(*each);
  Stream& stream = streams_[0];
  stream.kind = Attachment::messages;
  stream.descriptor = std::move(channel);
  stream.reads = stream.writes = true;
  to_write_ = greeting;
  append_hello(to_write_, own_hello(side));
  has_news_ = true;
  last_heard_ = next_heartbeat_ = Clock::now();
}

void Link::end(std::string reason) {
  if (ended_) return;
  ended_ = true;
  failure_ = std::move(reason);
}

void Link::close() {
  const auto channel = streams_.find(0);
  if (channel != streams_.end()) stop_reading(0, channel->second, true);
}

bool Link::step(int patience) {
  if (ended_) return false;
  look_at_time();
  if (std::exchange(has_news_, false)) {
    say_heartbeat();
    busy_until_ = Clock::now() + milliseconds(busy_milliseconds);
  }
  if (ended_) return false;
  std::vector<pollfd> sources;
  std::vector<std::uint32_t> ids;
  const bool takes_frames = waiting_messages_ < enough_messages;
  sources.push_back({takes_frames ? input_.get() : -1, POLLIN, 0});
  // Without a wish it still tells that nobody reads any more.
  sources.push_back({output_.get(), static_cast<short>(to_write_.size() > begin_to_write_ ? POLLOUT : 0), 0});
  for (const auto& [id, stream] : streams_) {
    const short events = wanted_events(stream);
    // Who is neither read nor written is not looked at: its end would be told again and again.
    if (events == 0 && !stream.writes) continue;
    sources.push_back({stream.descriptor.get(), events, 0});
    ids.push_back(id);
  }
  const int timer = milliseconds_to_timer();
  ::poll(sources.data(), sources.size(), patience < 0 ? timer : std::min(timer, patience));
  if (sources[1].revents & (POLLERR | POLLNVAL)) end("nobody reads what it says");
  if (sources[1].revents & POLLOUT) write_output();
  if (sources[0].revents != 0) read_input();
  for (std::size_t i = 0; i < ids.size() && !ended_; ++i)
    if (sources[i + 2].revents != 0) on_events(ids[i], sources[i + 2].revents);
  sweep();
  return !ended_;
}

int Link::milliseconds_to_timer() const {
  const milliseconds silence(side_ == Side::pilot ? pilot_silence_milliseconds : head_silence_milliseconds);
  Time first = next_heartbeat_;
  if (has_hello_ || side_ == Side::pilot) first = std::min(first, last_heard_ + silence);
  if (retry_) first = std::min(first, *retry_);
  if (answer_) first = std::min(first, *answer_);
  const auto left = std::chrono::ceil<milliseconds>(first - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, INT_MAX));
}

void Link::look_at_time() {
  const Time now = Clock::now();
  const milliseconds silence(side_ == Side::pilot ? pilot_silence_milliseconds : head_silence_milliseconds);
  // Who does not listen cannot complain.
  if (waiting_messages_ >= enough_messages) last_heard_ = now;
  // How long it takes until a pilot says its first word is for the engine to judge.
  const bool waits = has_hello_ || side_ == Side::pilot;
  if (waits && now - last_heard_ >= silence)
    end("nothing has been heard of the other side for " + std::to_string(silence.count() / 1000) + " s");
  if (now >= next_heartbeat_) {
    next_heartbeat_ = now + milliseconds(heartbeat_milliseconds);
    // One that still waits to be written says as much.
    if (to_write_.size() == begin_to_write_) say_heartbeat();
  }
  if (answer_ && now >= *answer_) say_heartbeat();
  if (retry_ && now >= *retry_) {
    retry_.reset();
    for (auto& [id, stream] : streams_)
      if (!stream.datagrams.empty()) write_datagrams(id, stream);
  }
}

// --- the other side --------------------------------------------------------------------------------------------------

void Link::read_input() {
  std::array<char, 65536> bytes;
  const ssize_t count = ::read(input_.get(), bytes.data(), bytes.size());
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) return end(closes_ ? "" : "the connection to the other side has ended");
  last_heard_ = Clock::now();
  reader_.feed(std::string_view(bytes.data(), static_cast<std::size_t>(count)));
  while (!ended_) {
    const std::optional<Frame> frame = reader_.next();
    if (!frame) break;
    take(*frame);
  }
  if (!reader_.failure().empty()) end(reader_.failure());
}

void Link::write_output() {
  const std::string_view rest = std::string_view(to_write_).substr(begin_to_write_);
  const ssize_t count = ::write(output_.get(), rest.data(), rest.size());
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count < 0) return end("nobody reads what it says");
  begin_to_write_ += static_cast<std::size_t>(count);
  if (begin_to_write_ == to_write_.size()) {
    to_write_.clear();
    begin_to_write_ = 0;
  } else if (begin_to_write_ >= enough_to_write) {
    to_write_.erase(0, begin_to_write_);
    begin_to_write_ = 0;
  }
}

void Link::take(const Frame& frame) {
  if (!has_hello_) return take_hello(frame);
  note_received(frame.kind);
  switch (frame.kind) {
    case FrameKind::message:
      return take_message(frame);
    case FrameKind::block:
      return take_block(frame);
    case FrameKind::data:
      return take_data(frame);
    case FrameKind::credit:
      return take_credit(frame);
    case FrameKind::end:
      if (Stream* const stream = stream_of(frame)) {
        stream->ended = true;
        if (stream->waiting.empty() && stream->datagrams.empty()) stop_writing(frame.stream, *stream, false);
      }
      return;
    case FrameKind::stop:
      if (Stream* const stream = stream_of(frame)) stop_reading(frame.stream, *stream, false);
      return;
    case FrameKind::heartbeat:
      return;
    case FrameKind::hello:
      break;
  }
  end("a frame of an unknown kind has come");
}

// TCP holds back the small writes of whoever carries the bytes (Nagle) until the one before is acknowledged, which a
// receiver that has nothing to say puts off by 40 ms. So as long as there is traffic, it soon says something.
void Link::note_received(FrameKind kind) {
  if (kind != FrameKind::heartbeat) busy_until_ = last_heard_ + milliseconds(busy_milliseconds);
  if (last_heard_ < busy_until_ && !answer_) answer_ = last_heard_ + milliseconds(answer_milliseconds);
}

void Link::say_heartbeat() {
  append_heartbeat(to_write_);
  answer_.reset();
}

void Link::take_hello(const Frame& frame) {
  const auto hello = frame.kind == FrameKind::hello ? read_hello(frame.payload) : std::nullopt;
  if (!hello) return end("the other side does not begin with a hello");
  if (hello->keeper_version != os::internal::keeper_protocol::version)
    return end("the other side is a venvoy-keeper of another version");
  has_hello_ = true;
  if (on_hello) on_hello(*hello);
}

// Null for a stream that has been and is no more: what is said of it is late. Any other is an error.
Link::Stream* Link::stream_of(const Frame& frame) {
  const auto found = streams_.find(frame.stream);
  if (found != streams_.end()) return &found->second;
  if (frame.stream > last_stream_) end("a frame of a stream that was never opened has come");
  return nullptr;
}

void Link::take_block(const Frame& frame) {
  if (side_ != Side::pilot || frame.payload.size() > max_block - block_.size())
    return end("a block that no start can have has come");
  block_ += frame.payload;
}

void Link::take_data(const Frame& frame) {
  Stream* const stream = stream_of(frame);
  if (!stream) return;
  if (stream->kind == Attachment::messages || stream->ended) return end("bytes have come where none can be");
  if (frame.payload.size() > stream->granted) return end("more bytes have come than were asked for");
  stream->granted -= static_cast<std::uint32_t>(frame.payload.size());
  if (!stream->writes) return;
  stream->waiting += frame.payload;
  write_bytes(frame.stream, *stream);
}

void Link::take_credit(const Frame& frame) {
  const auto bytes = read_credit(frame.payload);
  Stream* const stream = stream_of(frame);
  if (ended_ || !stream) return;
  if (!bytes || *bytes > window || stream->credit > window - *bytes) return end("a credit that cannot be has come");
  stream->credit += *bytes;
}

Descriptor Link::counterpart_of_block() {
  return sealed_memfd(std::exchange(block_, std::string()));
}

// Makes the stream here. An empty one if descriptors are used up; nothing for what the protocol forbids.
std::optional<Descriptor> Link::counterpart(const AttachedStream& attached) {
  if (attached.kind == Attachment::block) return counterpart_of_block();
  if (attached.stream <= last_stream_ || streams_.size() >= max_streams) return std::nullopt;
  last_stream_ = attached.stream;
  Pair pair = make_pair(attached.kind);
  if (!pair.ours) {
    append_frame(to_write_, FrameKind::end, attached.stream, {});
    append_frame(to_write_, FrameKind::stop, attached.stream, {});
    has_news_ = true;
    return Descriptor();
  }
  make_non_blocking(pair.ours);
  Stream& stream = streams_[attached.stream];
  stream.kind = attached.kind;
  stream.descriptor = std::move(pair.ours);
  stream.reads = attached.kind != Attachment::source;
  stream.writes = attached.kind != Attachment::sink;
  return std::move(pair.theirs);
}

void Link::take_message(const Frame& frame) {
  const auto message = read_message(frame.payload);
  Stream* const stream = stream_of(frame);
  if (ended_) return;
  if (!message || (stream && (stream->kind != Attachment::messages || stream->ended)) ||
      (side_ == Side::head && !message->attached.empty()))
    return end("a message that is none has come");
  Datagram datagram{std::string(message->text), {}};
  for (const AttachedStream& attached : message->attached) {
    std::optional<Descriptor> descriptor = counterpart(attached);
    if (!descriptor) return end("a stream that cannot be opened has come");
    if (*descriptor) datagram.descriptors.push_back(std::move(*descriptor));
  }
  // With some of them missing, whoever gets it must not take one for another: without any it is refused there.
  if (datagram.descriptors.size() < message->attached.size()) datagram.descriptors.clear();
  block_.clear();
  if (!stream || !stream->writes) return;
  waiting_messages_ += datagram.text.size();
  stream->datagrams.push_back(std::move(datagram));
  write_datagrams(frame.stream, *stream);
}

// --- this machine ----------------------------------------------------------------------------------------------------

short Link::wanted_events(const Stream& stream) const {
  short events = 0;
  const bool may_read = to_write_.size() - begin_to_write_ < enough_to_write;
  if (stream.reads && may_read && (stream.kind == Attachment::messages || stream.credit > 0)) events |= POLLIN;
  if (stream.writes && (!stream.waiting.empty() || (!stream.datagrams.empty() && !retry_))) events |= POLLOUT;
  return events;
}

void Link::on_events(std::uint32_t id, short events) {
  const auto found = streams_.find(id);
  if (found == streams_.end()) return;
  Stream& stream = found->second;
  const short wanted = wanted_events(stream);
  if (events & POLLOUT) stream.kind == Attachment::messages ? write_datagrams(id, stream) : write_bytes(id, stream);
  if (stream.reads && (wanted & POLLIN) && (events & (POLLIN | POLLHUP | POLLERR)))
    return stream.kind == Attachment::messages ? read_datagrams(id, stream) : read_bytes(id, stream);
  // Whoever was to read what we write has gone. Of a socket that is still to be read, reading will tell.
  if (stream.writes && (events & (POLLERR | POLLNVAL | POLLHUP))) stop_writing(id, stream, true);
}

void Link::read_bytes(std::uint32_t id, Stream& stream) {
  std::array<char, max_data> bytes;
  const std::size_t wanted = std::min<std::size_t>(bytes.size(), stream.credit);
  const ssize_t count = ::read(stream.descriptor.get(), bytes.data(), wanted);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) return stop_reading(id, stream, true);
  stream.credit -= static_cast<std::uint32_t>(count);
  append_frame(to_write_, FrameKind::data, id, std::string_view(bytes.data(), static_cast<std::size_t>(count)));
  has_news_ = true;
}

void Link::read_datagrams(std::uint32_t id, Stream& stream) {
  static std::array<char, max_payload> bytes;
  for (int i = 0; i < datagrams_per_round && stream.reads; ++i) {
    iovec part{bytes.data(), max_payload - 4 - 8 * max_attachments};
    alignas(cmsghdr) char control[CMSG_SPACE(max_attachments * sizeof(int))];
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t count = ::recvmsg(stream.descriptor.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    // Without a word to the other side, which is not to take it for an end in order.
    if (count <= 0 && id == 0 && side_ == Side::head) return end("the engine has gone");
    if (count <= 0) return stop_reading(id, stream, true);
    std::vector<Descriptor> descriptors = take_descriptors(message);
    MessageFrame frame{{}, std::string_view(bytes.data(), static_cast<std::size_t>(count))};
    if (side_ == Side::head)
      for (Descriptor& descriptor : descriptors)
        if (!attach(std::move(descriptor), frame)) return end("a descriptor that cannot be carried has come");
    append_message(to_write_, id, frame);
    has_news_ = true;
  }
}

bool Link::attach(Descriptor descriptor, MessageFrame& message) {
  const std::optional<Attachment> kind = kind_of(descriptor);
  if (!kind) return false;
  if (*kind == Attachment::block) {
    message.attached.push_back({*kind, 0});
    return attach_block(descriptor);
  }
  make_non_blocking(descriptor);
  const std::uint32_t id = ++last_stream_;
  message.attached.push_back({*kind, id});
  Stream& stream = streams_[id];
  stream.kind = *kind;
  stream.descriptor = std::move(descriptor);
  stream.reads = *kind != Attachment::sink;
  stream.writes = *kind != Attachment::source;
  return true;
}

bool Link::attach_block(const Descriptor& memfd) {
  std::array<char, max_data> bytes;
  off_t at = 0;
  ssize_t count = 0;
  while ((count = ::pread(memfd.get(), bytes.data(), bytes.size(), at)) > 0) {
    at += count;
    if (static_cast<std::size_t>(at) > max_block) return false;
    append_frame(to_write_, FrameKind::block, 0, std::string_view(bytes.data(), static_cast<std::size_t>(count)));
  }
  return count == 0;
}

void Link::write_bytes(std::uint32_t id, Stream& stream) {
  std::size_t done = 0;
  while (done < stream.waiting.size()) {
    const ssize_t count =
        stream.kind == Attachment::both
            ? ::send(stream.descriptor.get(), stream.waiting.data() + done, stream.waiting.size() - done, MSG_NOSIGNAL)
            : ::write(stream.descriptor.get(), stream.waiting.data() + done, stream.waiting.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) break;
    if (count < 0) return stop_writing(id, stream, true);
    done += static_cast<std::size_t>(count);
  }
  stream.waiting.erase(0, done);
  stream.written += static_cast<std::uint32_t>(done);
  if (stream.ended) {
    if (stream.waiting.empty()) stop_writing(id, stream, false);
  } else if (stream.written >= window / 2 || (stream.waiting.empty() && stream.granted < window / 2)) {
    append_credit(to_write_, id, stream.written);
    stream.granted += std::exchange(stream.written, 0);
    has_news_ = true;
  }
}

void Link::write_datagrams(std::uint32_t id, Stream& stream) {
  while (!stream.datagrams.empty()) {
    const Datagram& next = stream.datagrams.front();
    const int error = send_with_descriptors(stream.descriptor.get(), next.text, next.descriptors);
    if (error == EAGAIN) return;
    if (is_not_now(error)) {
      retry_ = Clock::now() + retry_pause;
      return;
    }
    if (error != 0) return stop_writing(id, stream, true);
    waiting_messages_ -= next.text.size();
    stream.datagrams.pop_front();
  }
  if (stream.ended) stop_writing(id, stream, false);
}

// A socket that keeps the borders of messages has one end for both directions.
void Link::stop_reading(std::uint32_t id, Stream& stream, bool tell) {
  if (!std::exchange(stream.reads, false)) return;
  if (tell) append_frame(to_write_, FrameKind::end, id, {});
  if (tell) has_news_ = true;
  if (stream.kind == Attachment::messages && tell) stop_writing(id, stream, true);
}

void Link::stop_writing(std::uint32_t id, Stream& stream, bool tell) {
  if (!std::exchange(stream.writes, false)) return;
  stream.waiting = std::string();
  for (const Datagram& lost : stream.datagrams) waiting_messages_ -= lost.text.size();
  stream.datagrams.clear();
  if (tell) append_frame(to_write_, FrameKind::stop, id, {});
  if (tell) has_news_ = true;
  if (stream.kind == Attachment::messages) return stop_reading(id, stream, false);
  if (stream.kind == Attachment::both && stream.reads) ::shutdown(stream.descriptor.get(), SHUT_WR);
}

// Closes what has ended in both directions.
void Link::sweep() {
  for (auto at = streams_.begin(); at != streams_.end();)
    at = at->second.reads || at->second.writes ? std::next(at) : streams_.erase(at);
  if (ended_ || streams_.count(0) != 0) return;
  // The pilot ends with its channel. The head says that it ends, and waits for the pilot to go first.
  if (side_ == Side::pilot) return end({});
  closes_ = true;
}

std::size_t Link::held_bytes() const {
  std::size_t bytes = to_write_.size() + waiting_messages_ + block_.size();
  for (const auto& [id, stream] : streams_) bytes += stream.waiting.size();
  return bytes;
}

}  // namespace venvoy::keeper
