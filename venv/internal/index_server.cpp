#include "venv/internal/index_server.hpp"

#include <chrono>
#include <list>
#include <string_view>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/format.h>

#include "base/error.hpp"
#include "os/event.hpp"
#include "os/files.hpp"
#include "venv/internal/origin.hpp"

namespace venvoy::venv::internal {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

// Named limits: one installer is served, and it does not send much.
constexpr std::uint32_t max_request_head = 16u << 10;
constexpr std::size_t max_connections = 64;
// Between two requests, and for taking an answer.
constexpr std::chrono::seconds idle_timeout{120};

// "/<token>/simple/Some.Project/" → "some-project"; empty for everything else.
std::string project_in(std::string_view target, const std::string& path) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  if (!target.starts_with(path)) return {};
  target.remove_prefix(path.size());
  if (target.ends_with('/')) target.remove_suffix(1);
  if (target.find_first_not_of(plain) != std::string_view::npos) return {};
  return normalised_name(std::string(target));
}

}  // namespace

// The coroutines hold it, so that it outlives the server where they do.
struct IndexServer::State {
  using Ptr = std::shared_ptr<State>;
  using Request = http::request_parser<http::empty_body>;
  using Response = http::response<http::string_body>;

  State(const asio::any_io_executor& executor, Pages given)
      : acceptor(executor), pages(std::move(given)), gone(executor) {}

  void listen() {
    const tcp::endpoint loopback(asio::ip::address_v4::loopback(), 0);
    error_code error;
    acceptor.open(loopback.protocol(), error);
    if (!error) acceptor.bind(loopback, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error)
      throw Error(ErrorCode::environment, fmt::format("cannot listen on the loopback interface: {}", error.message()))
          .with_hint("pip gets its packages through an address of this machine; uv does not need one");
    path = fmt::format("/{}{}/simple/", os::random_name(), os::random_name());
    url = fmt::format("http://127.0.0.1:{}{}", acceptor.local_endpoint().port(), path.substr(0, path.size() - 1));
  }

  void hang_up() {
    if (stopped) return;
    stopped = true;
    error_code ignored;
    acceptor.close(ignored);
    for (beast::tcp_stream* stream : streams) stream->close();
    if (running == 0) gone.fire();
  }

  static asio::awaitable<void> accept(Ptr self) {
    ++self->running;
    error_code error;
    auto quietly = asio::redirect_error(asio::use_awaitable, error);
    while (!self->stopped) {
      tcp::socket socket = co_await self->acceptor.async_accept(quietly);
      if (error == asio::error::operation_aborted || self->stopped) break;
      if (error || self->streams.size() >= max_connections) continue;
      asio::co_spawn(self->acceptor.get_executor(), serve(self, std::move(socket)), asio::detached);
    }
    self->ended();
  }

  static asio::awaitable<void> serve(Ptr self, tcp::socket socket) {
    ++self->running;
    beast::tcp_stream stream(std::move(socket));
    const auto place = self->streams.insert(self->streams.end(), &stream);
    beast::flat_buffer buffer(max_request_head * 2);
    bool goes_on = !self->stopped;
    while (goes_on) {
      const bool answered = co_await answer_one(self, stream, buffer);
      goes_on = answered && !self->stopped;
    }
    self->streams.erase(place);
    self->ended();
  }

  // False: the connection has ended, or shall.
  static asio::awaitable<bool> answer_one(const Ptr& self, beast::tcp_stream& stream, beast::flat_buffer& buffer) {
    error_code error;
    auto quietly = asio::redirect_error(asio::use_awaitable, error);
    Request request;
    request.header_limit(max_request_head);
    stream.expires_after(idle_timeout);
    co_await http::async_read(stream, buffer, request, quietly);
    if (error || self->stopped) co_return false;
    const http::verb method = request.get().method();
    const bool reads = method == http::verb::get || method == http::verb::head;
    const auto target = request.get().target();
    std::string project = reads ? project_in({target.data(), target.size()}, self->path) : std::string();
    std::string page;
    if (!project.empty()) {
      stream.expires_never();
      page = co_await self->pages(std::move(project));
      if (self->stopped) co_return false;
    }
    Response response(page.empty() ? http::status::not_found : http::status::ok, request.get().version());
    response.set(http::field::content_type, "text/html; charset=utf-8");
    response.set(http::field::cache_control, "no-store");
    response.keep_alive(request.get().keep_alive());
    response.content_length(page.size());
    if (method != http::verb::head) response.body() = std::move(page);
    stream.expires_after(idle_timeout);
    const bool keeps = response.keep_alive();
    if (method == http::verb::head) {
      http::response_serializer<http::string_body> serializer(response);
      co_await http::async_write_header(stream, serializer, quietly);
    } else {
      co_await http::async_write(stream, response, quietly);
    }
    co_return !error && keeps;
  }

  void ended() {
    if (--running == 0 && stopped) gone.fire();
  }

  tcp::acceptor acceptor;
  Pages pages;
  std::string path;  // "/<token>/simple/"
  std::string url;
  std::list<beast::tcp_stream*> streams;  // of the connections that are open
  std::size_t running = 0;                // coroutines
  bool stopped = false;
  os::Event gone;
};

IndexServer::IndexServer(const asio::any_io_executor& executor, Pages pages)
    : state_(std::make_shared<State>(executor, std::move(pages))) {
  state_->listen();
  asio::co_spawn(executor, State::accept(state_), asio::detached);
}

IndexServer::~IndexServer() {
  state_->hang_up();
}

const std::string& IndexServer::url() const noexcept {
  return state_->url;
}

asio::awaitable<void> IndexServer::finish() {
  state_->hang_up();
  const auto quietly = asio::as_tuple(asio::use_awaitable);
  co_await asio::this_coro::throw_if_cancelled(false);
  while (!state_->gone.fired()) co_await state_->gone.wait(quietly);
}

}  // namespace venvoy::venv::internal
