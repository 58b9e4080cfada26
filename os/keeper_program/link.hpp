// One side of a link: carries sockets and pipes over a stream of bytes (os/internal/link_protocol.hpp).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <vector>

#include "os/internal/link_protocol.hpp"
#include "os/keeper_program/descriptor.hpp"
#include "os/keeper_program/frames.hpp"

namespace venvoy::keeper {

class Link {
 public:
  enum class Side { head, pilot };

  // `channel` is the socket to the engine or to the keeper. Bytes are read from `input` and written to `output`. All
  // are made non-blocking.
  Link(Side side, Descriptor channel, Descriptor input, Descriptor output);

  // Called once, when the other side has said who it is. May be empty.
  std::function<void(const Hello&)> on_hello;

  // Ends the link in order, by stepping on: the other side ends the channel, and then the link. A channel that its
  // engine closes without this is one whose engine has died.
  void close();

  // Sleeps until there is something to do, at most so many milliseconds, and does it. False when the link has ended.
  bool step(int milliseconds = -1);

  // Why it has ended. Empty: in order, by close() of one side.
  const std::string& failure() const noexcept { return failure_; }

  // What is held in memory for who is slow. For tests.
  std::size_t held_bytes() const;

 private:
  using FrameKind = os::internal::link_protocol::FrameKind;
  using Attachment = os::internal::link_protocol::Attachment;
  using Time = std::chrono::steady_clock::time_point;

  // A datagram for a socket.
  struct Datagram {
    std::string text;
    std::vector<Descriptor> descriptors;
  };

  struct Stream {
    Attachment kind = Attachment::both;
    Descriptor descriptor = {};
    bool reads = false;                                           // what the descriptor gives goes over the link
    bool writes = false;                                          // what comes over the link goes to the descriptor
    bool ended = false;                                           // no more comes over the link
    std::uint32_t credit = os::internal::link_protocol::window;   // of what is read
    std::uint32_t granted = os::internal::link_protocol::window;  // of what comes
    std::uint32_t written = 0;                                    // and not yet told as credit
    std::string waiting = {};
    std::deque<Datagram> datagrams = {};
  };
  using Streams = std::map<std::uint32_t, Stream>;

  void end(std::string reason);
  int milliseconds_to_timer() const;
  void look_at_time();

  // Frames from the other side.
  void read_input();
  void take(const Frame& frame);
  void note_received(FrameKind kind);
  void say_heartbeat();
  void take_hello(const Frame& frame);
  void take_block(const Frame& frame);
  void take_message(const Frame& frame);
  void take_data(const Frame& frame);
  void take_credit(const Frame& frame);
  Stream* stream_of(const Frame& frame);
  std::optional<Descriptor> counterpart(const AttachedStream& attached);
  Descriptor counterpart_of_block();
  void write_output();

  // Descriptors on this machine.
  short wanted_events(const Stream& stream) const;
  void on_events(std::uint32_t id, short events);
  void read_bytes(std::uint32_t id, Stream& stream);
  void read_datagrams(std::uint32_t id, Stream& stream);
  bool attach(Descriptor descriptor, MessageFrame& message);
  bool attach_block(const Descriptor& memfd);
  void write_bytes(std::uint32_t id, Stream& stream);
  void write_datagrams(std::uint32_t id, Stream& stream);
  void stop_reading(std::uint32_t id, Stream& stream, bool tell);
  void stop_writing(std::uint32_t id, Stream& stream, bool tell);
  void sweep();

  Side side_;
  Descriptor input_, output_;
  Streams streams_;
  std::uint32_t last_stream_ = 0;
  FrameReader reader_;
  bool has_hello_ = false;
  std::string block_;
  std::string to_write_;
  std::size_t begin_to_write_ = 0;
  std::size_t waiting_messages_ = 0;  // bytes
  std::optional<Time> retry_;         // of a datagram that the kernel has no room for
  Time last_heard_, next_heartbeat_;
  Time busy_until_;             // by what has passed last, heartbeats left out
  std::optional<Time> answer_;  // when something is to be said, as something has come
  bool has_news_ = false;       // frames since the last heartbeat
  bool ended_ = false;
  bool closes_ = false;  // the channel has ended in order; what is left is to be written
  std::string failure_;
};

}  // namespace venvoy::keeper
