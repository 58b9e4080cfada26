#include "server/http_server.hpp"

#include <charconv>
#include <list>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/format.h>

#include "base/error.hpp"
#include "os/file_lock.hpp"
#include "os/files.hpp"

namespace venvoy::server {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace fs = std::filesystem;
using boost::system::error_code;

namespace {

using StreamProtocol = asio::generic::stream_protocol;
using Stream = beast::basic_stream<StreamProtocol>;
using BeastRequest = http::request<http::string_body>;
using BeastResponse = http::response<http::string_body>;

// How often a stream of events without news is written to, so that a client that has gone is noticed.
constexpr std::chrono::seconds keep_alive_pause{15};

// How long, and how much, is read over after a refusal.
constexpr std::chrono::seconds drained_time{2};
constexpr std::size_t drained_bytes = std::size_t{16} << 20;

asio::ip::address address_of(const std::string& host) {
  error_code failure;
  const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, failure);
  if (failure) throw Error(ErrorCode::usage, fmt::format("'{}' is no IP address to listen on", host));
  return address;
}

std::string small_letters(std::string_view text) {
  std::string result(text);
  for (char& symbol : result)
    if (symbol >= 'A' && symbol <= 'Z') symbol = static_cast<char>(symbol - 'A' + 'a');
  return result;
}

}  // namespace

bool ListenAddress::is_loopback() const {
  return !socket.empty() || address_of(host).is_loopback();
}

ListenAddress ListenAddress::parse(const std::string& text) {
  ListenAddress result;
  if (text.starts_with("unix:")) {
    result.socket = text.substr(5);
    if (result.socket.empty()) throw Error(ErrorCode::usage, "'unix:' needs the path of a socket");
    return result;
  }
  const std::size_t colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  const std::string port = colon == text.npos ? "" : text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), result.port);
  if (problem != std::errc() || end != port.data() + port.size() || port.empty() || host.empty())
    throw Error(ErrorCode::usage, fmt::format("'{}' is no address to listen on", text))
        .with_hint("write ADDRESS:PORT, [ADDRESS]:PORT or unix:PATH");
  result.host = address_of(host).to_string();
  return result;
}

struct HttpServer::State : std::enable_shared_from_this<HttpServer::State> {
  State(asio::any_io_executor given, HttpHandler& given_handler, Logger given_logger, ServerLimits given_limits)
      : executor(std::move(given)),
        handler(given_handler),
        logger(std::move(given_logger)),
        limits(given_limits),
        last_gone(executor, asio::steady_timer::time_point::max()) {}

  struct Connection {
    Connection(StreamProtocol::socket socket, Peer given) : stream(std::move(socket)), peer(std::move(given)) {}
    Stream stream;
    Peer peer;
    beast::flat_buffer buffer;
    bool busy = false;       // a request is being answered
    bool streaming = false;  // the answer has no end
  };

  asio::any_io_executor executor;
  HttpHandler& handler;
  Logger logger;
  ServerLimits limits;
  std::optional<asio::ip::tcp::acceptor> tcp;
  std::optional<asio::local::stream_protocol::acceptor> local;
  std::optional<os::FileLock> socket_lock;
  fs::path socket_path;
  std::uint16_t port = 0;
  std::list<std::shared_ptr<Connection>> connections;
  std::uint64_t requests = 0;
  bool stopping = false;
  asio::steady_timer last_gone;

  void listen_on_tcp(const ListenAddress& address) {
    const asio::ip::tcp::endpoint endpoint(address_of(address.host), address.port);
    try {
      tcp.emplace(executor);
      tcp->open(endpoint.protocol());
      tcp->set_option(asio::socket_base::reuse_address(true));
      tcp->bind(endpoint);
      tcp->listen();
      port = tcp->local_endpoint().port();
    } catch (const boost::system::system_error& error) {
      throw Error(ErrorCode::io,
                  fmt::format("cannot listen on {}:{}: {}", address.host, address.port, error.code().message()));
    }
  }

  // The lock tells a living server's socket from one that a dead one has left.
  void listen_on_socket(const fs::path& path) {
    std::error_code ignored;
    fs::create_directories(path.parent_path(), ignored);
    socket_lock = os::FileLock::try_lock(path.string() + ".lock", os::LockMode::exclusive);
    if (!socket_lock)
      throw Error(ErrorCode::io, fmt::format("cannot listen on '{}': another server does", path.string()));
    if (fs::is_socket(path, ignored)) fs::remove(path, ignored);
    const mode_t before = ::umask(0177);
    try {
      local.emplace(executor);
      local->open();
      local->bind(asio::local::stream_protocol::endpoint(path.string()));
      ::umask(before);
      local->listen();
      socket_path = path;
    } catch (const boost::system::system_error& error) {
      ::umask(before);
      throw Error(ErrorCode::io, fmt::format("cannot listen on '{}': {}", path.string(), error.code().message()));
    }
  }

  // Both kinds of sockets go on as one.
  asio::awaitable<void> accept_all() {
    while (!stopping) {
      error_code failure;
      auto token = asio::redirect_error(asio::use_awaitable, failure);
      Peer peer;
      std::optional<StreamProtocol::socket> socket;
      if (tcp) {
        asio::ip::tcp::socket accepted = co_await tcp->async_accept(token);
        if (!failure) {
          error_code gone;
          const auto remote = accepted.remote_endpoint(gone);
          error_code ignored;
          accepted.set_option(asio::ip::tcp::no_delay(true), ignored);
          peer.text = gone ? "?" : remote.address().to_string();
          peer.kind = !gone && remote.address().is_loopback() ? Peer::Kind::loopback : Peer::Kind::remote;
          socket.emplace(std::move(accepted));
        }
      } else {
        asio::local::stream_protocol::socket accepted = co_await local->async_accept(token);
        if (!failure) {
          peer.text = "unix";
          peer.kind = is_owner(accepted.native_handle()) ? Peer::Kind::owner_socket : Peer::Kind::remote;
          socket.emplace(std::move(accepted));
        }
      }
      if (failure == asio::error::operation_aborted) break;
      if (failure) {
        // No descriptors left, most likely: others have to end first.
        logger.warning("a connection could not be accepted: {}", failure.message());
        asio::steady_timer pause(executor, std::chrono::milliseconds(100));
        error_code ignored;
        auto pause_token = asio::redirect_error(asio::use_awaitable, ignored);
        co_await pause.async_wait(pause_token);
        continue;
      }
      if (connections.size() >= limits.connections) continue;  // the socket closes
      begin(std::move(*socket), std::move(peer));
    }
  }

  static bool is_owner(int descriptor) {
    ucred credentials = {};
    socklen_t size = sizeof credentials;
    return ::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 &&
           (credentials.uid == ::geteuid() || credentials.uid == 0);
  }

  void begin(StreamProtocol::socket socket, Peer peer) {
    const auto connection = std::make_shared<Connection>(std::move(socket), std::move(peer));
    connections.push_back(connection);
    asio::co_spawn(executor, converse(shared_from_this(), connection),
                   [self = shared_from_this(), connection](const std::exception_ptr&) {
                     error_code ignored;
                     connection->stream.socket().shutdown(asio::socket_base::shutdown_both, ignored);
                     connection->stream.close();
                     self->connections.remove(connection);
                     if (self->connections.empty()) self->last_gone.cancel();
                   });
  }

  // One connection's requests, one after the other.
  static asio::awaitable<void> converse(std::shared_ptr<State> self, std::shared_ptr<Connection> connection) {
    bool go_on = true;
    while (go_on && !self->stopping) go_on = co_await self->exchange(*connection);
  }

  asio::awaitable<bool> exchange(Connection& connection) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes));
    parser.body_limit(limits.body_bytes);
    error_code failure;
    auto token = asio::redirect_error(asio::use_awaitable, failure);
    if (connection.buffer.size() == 0) {
      // Between two requests a connection may rest longer than within one.
      connection.stream.expires_after(limits.idle_time);
      auto space = connection.buffer.prepare(4096);
      const std::size_t bytes = co_await connection.stream.async_read_some(space, token);
      if (failure) co_return false;
      connection.buffer.commit(bytes);
    }
    connection.busy = true;
    connection.stream.expires_after(limits.header_time);
    co_await http::async_read_header(connection.stream, connection.buffer, parser, token);
    if (failure) {
      co_await refuse_broken(connection, failure);
      co_return false;
    }
    ++requests;
    HttpRequest request = head_of(parser.get(), connection.peer);
    const bool keep_alive = parser.keep_alive();
    const bool target_is_good = read_target(std::string_view(parser.get().target()), request);
    std::optional<HttpResponse> answer;
    if (!target_is_good) answer = plain_refusal(400, "bad_request", "the request's target is no path");
    if (!answer) answer = handler.refuse(request);
    if (answer) {
      // The body was not read, so nothing more can be read from this connection.
      const bool head_only = request.method == "HEAD";
      co_await write(connection, std::move(*answer), false, head_only);
      co_await drain(connection);
      co_return false;
    }
    if (small_letters(request.header("expect")) == "100-continue") {
      static const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
      const auto bytes = asio::buffer(go_on);
      co_await asio::async_write(connection.stream, bytes, token);
      if (failure) co_return false;
    }
    connection.stream.expires_after(limits.body_time);
    co_await http::async_read(connection.stream, connection.buffer, parser, token);
    if (failure) {
      co_await refuse_broken(connection, failure);
      co_return false;
    }
    request.body = std::move(parser.get().body());
    connection.stream.expires_never();
    const bool without_body = request.method == "HEAD";
    HttpResponse response = co_await answered(std::move(request));
    const bool stays = keep_alive && !stopping && !response.next_piece;
    if (response.next_piece)
      co_await write_stream(connection, std::move(response));
    else if (!co_await write(connection, std::move(response), stays, without_body))
      co_return false;
    connection.busy = false;
    co_return stays;
  }

  asio::awaitable<HttpResponse> answered(HttpRequest request) {
    std::string problem;
    try {
      co_return co_await handler.handle(std::move(request));
    } catch (const std::exception& error) {
      problem = error.what();
    }
    logger.error("a request failed in an unforeseen way: {}", problem);
    co_return plain_refusal(500, "internal", "the request failed in an unforeseen way; the log has more");
  }

  static HttpResponse plain_refusal(int status, std::string_view kind, std::string_view message) {
    HttpResponse response;
    response.status = status;
    response.body = fmt::format(R"({{"success":false,"error":{{"kind":"{}","message":"{}"}}}})", kind, message);
    return response;
  }

  static HttpRequest head_of(const BeastRequest& given, const Peer& peer) {
    HttpRequest request;
    request.method = std::string(given.method_string());
    for (const auto& field : given) request.headers[small_letters(field.name_string())] = std::string(field.value());
    request.peer = peer;
    return request;
  }

  asio::awaitable<void> refuse_broken(Connection& connection, error_code failure) {
    if (failure == http::error::body_limit)
      co_await write(connection, plain_refusal(413, "bad_request", "the body is too long"), false, false);
    else if (failure == http::error::header_limit)
      co_await write(connection, plain_refusal(431, "bad_request", "the head is too long"), false, false);
    else if (failure.category() == http::make_error_code(http::error::bad_method).category() &&
             failure != http::error::end_of_stream && failure != http::error::partial_message)
      co_await write(connection, plain_refusal(400, "bad_request", "this is no HTTP request"), false, false);
    co_await drain(connection);
  }

  // Closing with unread bytes could take the answer from the client: what comes is read over for a moment.
  asio::awaitable<void> drain(Connection& connection) {
    error_code failure;
    connection.stream.socket().shutdown(asio::socket_base::shutdown_send, failure);
    std::string space(16 << 10, '\0');
    const auto bytes = asio::buffer(space);
    connection.stream.expires_after(drained_time);
    for (std::size_t total = 0; !failure && !stopping && total < drained_bytes;) {
      auto token = asio::redirect_error(asio::use_awaitable, failure);
      total += co_await connection.stream.async_read_some(bytes, token);
    }
  }

  asio::awaitable<bool> write(Connection& connection, HttpResponse answer, bool keep_alive, bool head_only) {
    BeastResponse response;
    response.version(11);
    response.result(static_cast<unsigned>(answer.status));
    set_headers(response, answer);
    response.keep_alive(keep_alive);
    const std::size_t size = answer.body.size();
    if (!head_only) response.body() = std::move(answer.body);
    response.content_length(size);
    connection.stream.expires_after(limits.write_time);
    error_code failure;
    auto token = asio::redirect_error(asio::use_awaitable, failure);
    if (head_only) {
      http::response_serializer<http::string_body> serializer(response);
      co_await http::async_write_header(connection.stream, serializer, token);
    } else {
      co_await http::async_write(connection.stream, response, token);
    }
    co_return !failure;
  }

  static void set_headers(BeastResponse& response, const HttpResponse& answer) {
    response.set(http::field::server, "venvoy");
    response.set(http::field::content_type, answer.content_type);
    response.set(http::field::cache_control, "no-store");
    response.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : answer.headers) response.set(name, value);
  }

  asio::awaitable<void> write_stream(Connection& connection, HttpResponse answer) {
    connection.streaming = true;
    BeastResponse response;
    response.version(11);
    response.result(200);
    set_headers(response, answer);
    response.keep_alive(false);
    error_code failure;
    auto token = asio::redirect_error(asio::use_awaitable, failure);
    http::response_serializer<http::string_body> serializer(response);
    connection.stream.expires_after(limits.write_time);
    co_await http::async_write_header(connection.stream, serializer, token);
    auto written = std::chrono::steady_clock::now();
    while (!failure && !stopping) {
      connection.stream.expires_never();
      std::optional<std::string> piece = co_await answer.next_piece();
      if (!piece) break;
      if (piece->empty()) {
        if (std::chrono::steady_clock::now() - written < keep_alive_pause) continue;
        piece = ":\n\n";
      }
      connection.stream.expires_after(limits.write_time);
      const auto bytes = asio::buffer(*piece);
      co_await asio::async_write(connection.stream, bytes, token);
      written = std::chrono::steady_clock::now();
    }
  }

  void stop() {
    if (std::exchange(stopping, true)) return;
    error_code ignored;
    if (tcp) tcp->close(ignored);
    if (local) local->close(ignored);
    for (const auto& connection : connections)
      if (!connection->busy) connection->stream.cancel();
  }

  asio::awaitable<void> serve() {
    co_await accept_all();
    const auto end = std::chrono::steady_clock::now() + limits.drain_time;
    bool cut_off = false;
    while (!connections.empty()) {
      last_gone.expires_at(cut_off ? asio::steady_timer::time_point::max() : end);
      error_code ignored;
      auto token = asio::redirect_error(asio::use_awaitable, ignored);
      co_await last_gone.async_wait(token);
      if (connections.empty() || cut_off || std::chrono::steady_clock::now() < end) continue;
      // Clients that do not read. What is still being decided comes to its end: the handler must outlast it.
      cut_off = true;
      for (const auto& connection : connections) connection->stream.cancel();
    }
    if (!socket_path.empty()) ::unlink(socket_path.c_str());
  }
};

HttpServer::HttpServer(asio::any_io_executor executor, const ListenAddress& address, HttpHandler& handler,
                       Logger logger, ServerLimits limits)
    : state_(std::make_shared<State>(std::move(executor), handler, std::move(logger), limits)) {
  if (address.socket.empty())
    state_->listen_on_tcp(address);
  else
    state_->listen_on_socket(address.socket);
}

HttpServer::~HttpServer() = default;

std::uint16_t HttpServer::port() const noexcept {
  return state_->port;
}
std::size_t HttpServer::connections() const noexcept {
  return state_->connections.size();
}
std::uint64_t HttpServer::requests() const noexcept {
  return state_->requests;
}

asio::awaitable<void> HttpServer::serve() {
  const std::shared_ptr<State> state = state_;
  co_await state->serve();
}

void HttpServer::stop() {
  state_->stop();
}

}  // namespace venvoy::server
