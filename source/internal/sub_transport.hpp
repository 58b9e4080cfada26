// The seam between libgit2, which knows git's protocol, and those who carry bytes (design D16).
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <git2.h>

#include "source/internal/packet_scanner.hpp"

namespace venvoy::source {

enum class Service {
  advertisement,  // the server lists its references
  upload_pack,    // we say what we want and have, the server sends objects
};

// One way to carry the bytes of one fetch. Used on one thread. Every function may throw; the exception comes out of the
// fetch as it is.
class SubTransport {
 public:
  virtual ~SubTransport() = default;
  // Each open() is a request of its own (http); otherwise there is one connection for all (ssh).
  virtual bool stateless() const noexcept = 0;
  virtual void open(Service service) = 0;
  // All of it.
  virtual void write(std::string_view bytes) = 0;
  // Waits for some bytes; 0 at the end.
  virtual std::size_t read(char* buffer, std::size_t size) = 0;
};

// Hands a SubTransport to libgit2: `on_transport` goes with this object as payload into git_remote_callbacks.
class TransportBridge {
 public:
  explicit TransportBridge(SubTransport& transport) noexcept : transport_(transport) {}
  TransportBridge(const TransportBridge&) = delete;
  TransportBridge& operator=(const TransportBridge&) = delete;

  // A git_transport_cb for the payload `TransportBridge*`.
  static int make_transport(git_transport** out, git_remote* owner, TransportBridge& bridge) noexcept;

  // Throws what a function of the SubTransport threw, if one did.
  void rethrow() const {
    if (failure_) std::rethrow_exception(failure_);
  }
  // What the server said instead of an answer; empty if nothing.
  const std::string& server_error() const noexcept { return scanner_.error(); }

 private:
  struct Glue;
  friend struct Glue;
  SubTransport& transport_;
  std::exception_ptr failure_;
  PacketScanner scanner_;
};

}  // namespace venvoy::source
