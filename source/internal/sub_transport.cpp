#include "source/internal/sub_transport.hpp"

#include <new>

#include <git2/sys/transport.h>

namespace venvoy::source {

// The C structures that libgit2 calls. One stream serves all requests: libgit2 frees it between them, which is nothing
// to us, and wants the very same one where there is one connection only.
struct TransportBridge::Glue {
  // Base class and nothing before it: libgit2's pointers are pointers to these.
  struct Connection : git_smart_subtransport {
    TransportBridge* bridge;
    struct Stream : git_smart_subtransport_stream {
      TransportBridge* bridge;
    } stream;
  };

  // No exception may pass through libgit2: it is kept, and libgit2 told that something failed.
  template <class Work>
  static int guard(TransportBridge& bridge, Work&& work) noexcept {
    try {
      if (bridge.failure_) return GIT_EUSER;
      work();
      return 0;
    } catch (...) {
      bridge.failure_ = std::current_exception();
      git_error_set_str(GIT_ERROR_NET, "the transport failed");
      return GIT_EUSER;
    }
  }

  static int action(git_smart_subtransport_stream** out, git_smart_subtransport* base, const char*,
                    git_smart_service_t service) noexcept {
    Connection& connection = *static_cast<Connection*>(base);
    *out = &connection.stream;
    return guard(*connection.bridge, [&] {
      connection.bridge->scanner_.restart();
      connection.bridge->transport_.open(service == GIT_SERVICE_UPLOADPACK_LS ? Service::advertisement
                                                                              : Service::upload_pack);
    });
  }

  static int read(git_smart_subtransport_stream* base, char* buffer, std::size_t size, std::size_t* got) noexcept {
    TransportBridge& bridge = *static_cast<Connection::Stream*>(base)->bridge;
    *got = 0;
    return guard(bridge, [&] {
      *got = bridge.transport_.read(buffer, size);
      bridge.scanner_.feed({buffer, *got});
    });
  }

  static int write(git_smart_subtransport_stream* base, const char* bytes, std::size_t size) noexcept {
    TransportBridge& bridge = *static_cast<Connection::Stream*>(base)->bridge;
    return guard(bridge, [&] { bridge.transport_.write({bytes, size}); });
  }

  static void free_stream(git_smart_subtransport_stream*) noexcept {}
  static int close(git_smart_subtransport*) noexcept { return 0; }
  static void free_connection(git_smart_subtransport* base) noexcept { delete static_cast<Connection*>(base); }

  static int connect(git_smart_subtransport** out, git_transport*, void* bridge) noexcept {
    auto* connection = new (std::nothrow) Connection();
    if (!connection) return -1;
    connection->action = action;
    connection->close = close;
    connection->free = free_connection;
    connection->bridge = static_cast<TransportBridge*>(bridge);
    connection->stream.subtransport = connection;
    connection->stream.read = read;
    connection->stream.write = write;
    connection->stream.free = free_stream;
    connection->stream.bridge = connection->bridge;
    *out = connection;
    return 0;
  }
};

int TransportBridge::make_transport(git_transport** out, git_remote* owner, TransportBridge& bridge) noexcept {
  git_smart_subtransport_definition definition = {};
  definition.callback = Glue::connect;
  definition.rpc = bridge.transport_.stateless() ? 1 : 0;
  definition.param = &bridge;
  return git_transport_smart(out, owner, &definition);
}

}  // namespace venvoy::source
