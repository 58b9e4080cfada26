// The frames of a link (os/internal/link_protocol.hpp) as bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "os/internal/link_protocol.hpp"

namespace venvoy::keeper {

struct Frame {
  os::internal::link_protocol::FrameKind kind = {};
  std::uint32_t stream = 0;
  std::string_view payload = {};  // valid until the reader is fed again
};

struct Hello {
  std::uint32_t keeper_version = 0;
  std::uint32_t processors = 0;
  std::string node = {};
};

struct AttachedStream {
  os::internal::link_protocol::Attachment kind = {};
  std::uint32_t stream = 0;
};

struct MessageFrame {
  std::vector<AttachedStream> attached = {};
  std::string_view text = {};
};

// Cuts a stream of bytes into frames. After a failure there are no more.
class FrameReader {
 public:
  void feed(std::string_view bytes);
  // Nothing when more bytes are needed, or after a failure.
  std::optional<Frame> next();
  bool greeted() const noexcept { return greeted_; }
  // Why the bytes are none of a link; empty as long as they may be.
  const std::string& failure() const noexcept { return failure_; }

 private:
  bool find_greeting();
  std::optional<Frame> fail(std::string reason);

  std::string bytes_;
  std::size_t begin_ = 0;
  bool greeted_ = false;
  std::string failure_;
};

void append_frame(std::string& to, os::internal::link_protocol::FrameKind kind, std::uint32_t stream,
                  std::string_view payload);
void append_hello(std::string& to, const Hello& hello);
void append_message(std::string& to, std::uint32_t stream, const MessageFrame& message);
void append_credit(std::string& to, std::uint32_t stream, std::uint32_t bytes);
void append_heartbeat(std::string& to);

// Payloads; nothing for one that is none.
std::optional<Hello> read_hello(std::string_view payload);
std::optional<MessageFrame> read_message(std::string_view payload);
std::optional<std::uint32_t> read_credit(std::string_view payload);

}  // namespace venvoy::keeper
