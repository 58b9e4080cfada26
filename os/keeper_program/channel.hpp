// The keeper's end of the socket to the engine.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "os/internal/keeper_protocol.hpp"
#include "os/keeper_program/descriptor.hpp"

namespace venvoy::keeper {

class Channel {
 public:
  struct Incoming {
    os::internal::keeper_protocol::Request request;
    std::vector<Descriptor> descriptors;
    // Not 0: descriptors are missing, because ours are used up.
    int error = 0;
  };

  explicit Channel(int socket) : socket_(socket) {}

  int socket() const noexcept { return socket_.get(); }
  // The engine's end is closed, or it has sent what is no request.
  bool closed() const noexcept { return closed_; }
  bool wants_to_send() const noexcept { return !replies_.empty(); }

  // Nothing if nothing is there now.
  std::optional<Incoming> receive();
  // Never blocks: what the socket does not take now waits here for flush().
  void send(const os::internal::keeper_protocol::Reply& reply);
  void flush();

 private:
  Descriptor socket_;
  std::deque<os::internal::keeper_protocol::Reply> replies_;
  bool closed_ = false;
};

}  // namespace venvoy::keeper
