// What two keepers say to each other over a stream of bytes, such as ssh or srun carry between two machines (design
// D9). No other header of the project comes here: the keeper is a program of its own.
//
// The link carries the channel of keeper_protocol.hpp as it is: its datagrams pass unchanged, and each descriptor that
// comes with one is a stream here. At the end of the engine (the head) a program reads the engine's socket and the
// descriptors that the engine sends; at the other end (the pilot) the same program makes pipes and sockets in their
// place, hands their far ends to a keeper on its machine, and moves the bytes. So a fork server's socket, whose
// datagrams carry descriptors too, passes as everything else does.
//
// Each side begins with `greeting`; what comes before it (the words of a login shell) is skipped, up to `max_preamble`
// bytes. Then come frames: a header of three numbers, each of 32 bits with the lowest byte first (the size of the
// payload, a FrameKind, a stream), and the payload. Stream 0 is the channel between engine and keeper.
//
//   hello      the first frame of both sides: keeper_protocol::version, the number of processors that may be used
//              (0 from the head), and the name of the machine
//   block      a part of the sealed memfd that comes with the next message
//   message    a datagram: the number of its descriptors, for each an Attachment and a stream, then its bytes. Only the
//              head attaches descriptors, and numbers their streams upwards from 1
//   data       bytes, at most as many as there is credit for; each direction of a stream begins with `window`
//   credit     the receiver of a stream has written that many bytes on: as many more may come
//   end        no more bytes or messages come on this stream
//   stop       no more are wanted: whoever writes there finds the pipe closed
//   heartbeat  every `heartbeat_milliseconds`; and `answer_milliseconds` after something has come, if nothing else was
//              to be said, as long as frames of other kinds have passed in the last `busy_milliseconds`. Its payload is
//              a line feed, as srun hands on what a program writes only up to the last line feed; it ends whatever a
//              side writes before it waits
//
// A start, a signal and an exit are datagrams of stream 0. A side that hears nothing for its time of silence ends the
// link; a pilot that has lost its head ends all that it has started.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace venvoy::os::internal::link_protocol {

inline constexpr std::string_view greeting = "\nvenvoy-keeper link 1\n";

enum class FrameKind : std::uint32_t {
  hello = 1,
  message = 2,
  block = 3,
  data = 4,
  credit = 5,
  end = 6,
  stop = 7,
  heartbeat = 8,
};

// What a descriptor becomes on the other machine.
enum class Attachment : std::uint32_t {
  block = 1,     // a sealed memfd with the bytes of the blocks before; its stream is 0
  source = 2,    // who gets it reads what the head sends
  sink = 3,      // the head gets what is written to it
  both = 4,      // a stream socket
  messages = 5,  // a socket that keeps the borders of messages
};

inline constexpr std::size_t header_size = 12;
// A datagram of a fork server has up to 128 KiB.
inline constexpr std::size_t max_payload = std::size_t{256} << 10;
inline constexpr std::size_t max_data = std::size_t{64} << 10;
inline constexpr std::size_t max_block = std::size_t{8} << 20;  // that of keeper_protocol.hpp
inline constexpr std::size_t max_attachments = 132;             // the same
inline constexpr std::size_t max_preamble = std::size_t{64} << 10;
inline constexpr std::size_t max_streams = 1 << 16;  // at a time
inline constexpr std::size_t max_node_name = 255;
// Of bytes that have been sent on a stream and not yet been written on.
inline constexpr std::uint32_t window = 256u << 10;
// A side that has more than this to write reads no descriptor until it is written.
inline constexpr std::size_t enough_to_write = std::size_t{1} << 20;
// A side reads no frames while messages of this size wait for whoever does not take them.
inline constexpr std::size_t enough_messages = std::size_t{4} << 20;

inline constexpr int heartbeat_milliseconds = 2000;
inline constexpr int answer_milliseconds = 1;
inline constexpr int busy_milliseconds = 100;
// So that a pilot has ended within 10 s, and the head gives up no sooner than that.
inline constexpr int pilot_silence_milliseconds = 8000;
inline constexpr int head_silence_milliseconds = 10000;

}  // namespace venvoy::os::internal::link_protocol
