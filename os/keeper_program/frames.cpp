#include "os/keeper_program/frames.hpp"

namespace venvoy::keeper {
namespace {

using namespace os::internal::link_protocol;

void append_number(std::string& to, std::uint32_t number) {
  for (int shift = 0; shift < 32; shift += 8) to += static_cast<char>(number >> shift & 0xFF);
}

std::uint32_t number_at(std::string_view bytes) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number |= std::uint32_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return number;
}

// Nothing if there are too few bytes.
std::optional<std::uint32_t> take_number(std::string_view& bytes) {
  if (bytes.size() < 4) return std::nullopt;
  const std::uint32_t number = number_at(bytes);
  bytes.remove_prefix(4);
  return number;
}

}  // namespace

void FrameReader::feed(std::string_view bytes) {
  bytes_.erase(0, begin_);
  begin_ = 0;
  bytes_.append(bytes);
}

std::optional<Frame> FrameReader::fail(std::string reason) {
  failure_ = std::move(reason);
  return std::nullopt;
}

bool FrameReader::find_greeting() {
  const std::size_t at = bytes_.find(greeting);
  greeted_ = at != bytes_.npos && at <= max_preamble;
  if (greeted_) {
    begin_ = at + greeting.size();
  } else if (bytes_.size() > max_preamble + greeting.size()) {
    fail("what answers is no venvoy-keeper of this version");
  }
  return greeted_;
}

std::optional<Frame> FrameReader::next() {
  if (!failure_.empty() || (!greeted_ && !find_greeting())) return std::nullopt;
  const std::string_view rest = std::string_view(bytes_).substr(begin_);
  if (rest.size() < header_size) return std::nullopt;
  const std::uint32_t size = number_at(rest);
  if (size > max_payload) return fail("a frame is longer than any can be");
  if (rest.size() < header_size + size) return std::nullopt;
  const std::uint32_t kind = number_at(rest.substr(4));
  begin_ += header_size + size;
  return Frame{static_cast<FrameKind>(kind), number_at(rest.substr(8)), rest.substr(header_size, size)};
}

void append_frame(std::string& to, FrameKind kind, std::uint32_t stream, std::string_view payload) {
  append_number(to, static_cast<std::uint32_t>(payload.size()));
  append_number(to, static_cast<std::uint32_t>(kind));
  append_number(to, stream);
  to += payload;
}

void append_hello(std::string& to, const Hello& hello) {
  std::string payload;
  append_number(payload, hello.keeper_version);
  append_number(payload, hello.processors);
  payload.append(hello.node, 0, max_node_name);
  append_frame(to, FrameKind::hello, 0, payload);
}

void append_message(std::string& to, std::uint32_t stream, const MessageFrame& message) {
  std::string payload;
  append_number(payload, static_cast<std::uint32_t>(message.attached.size()));
  for (const AttachedStream& attached : message.attached) {
    append_number(payload, static_cast<std::uint32_t>(attached.kind));
    append_number(payload, attached.stream);
  }
  payload += message.text;
  append_frame(to, FrameKind::message, stream, payload);
}

void append_credit(std::string& to, std::uint32_t stream, std::uint32_t bytes) {
  std::string payload;
  append_number(payload, bytes);
  append_frame(to, FrameKind::credit, stream, payload);
}

void append_heartbeat(std::string& to) {
  append_frame(to, FrameKind::heartbeat, 0, "\n");
}

std::optional<Hello> read_hello(std::string_view payload) {
  const auto version = take_number(payload);
  const auto processors = take_number(payload);
  if (!version || !processors || payload.size() > max_node_name) return std::nullopt;
  return Hello{*version, *processors, std::string(payload)};
}

std::optional<MessageFrame> read_message(std::string_view payload) {
  const auto count = take_number(payload);
  if (!count || *count > max_attachments) return std::nullopt;
  MessageFrame message;
  for (std::uint32_t i = 0; i < *count; ++i) {
    const auto kind = take_number(payload);
    const auto stream = take_number(payload);
    if (!kind || !stream || *kind < 1 || *kind > static_cast<std::uint32_t>(Attachment::messages)) return std::nullopt;
    message.attached.push_back({static_cast<Attachment>(*kind), *stream});
  }
  if (payload.empty()) return std::nullopt;
  message.text = payload;
  return message;
}

std::optional<std::uint32_t> read_credit(std::string_view payload) {
  const auto bytes = take_number(payload);
  return payload.empty() ? bytes : std::nullopt;
}

}  // namespace venvoy::keeper
