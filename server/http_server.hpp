// Carries HTTP/1.1 over a Unix socket or TCP. Boost.Beast is used in its .cpp alone, since it is long to compile.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "base/log.hpp"
#include "server/http.hpp"

namespace venvoy::server {

struct ListenAddress {
  std::filesystem::path socket;  // of a Unix socket; empty for TCP
  std::string host;              // an IP address
  std::uint16_t port = 0;        // 0: any free one
  bool is_loopback() const;

  // "ADDR:PORT", "[v6]:PORT" or "unix:PATH". Throws an Error (usage).
  static ListenAddress parse(const std::string& text);
};

struct ServerLimits {
  std::size_t header_bytes = 16 << 10;
  std::size_t body_bytes = 8 << 20;
  std::size_t connections = 1024;
  std::chrono::milliseconds header_time{10'000};
  std::chrono::milliseconds body_time{60'000};
  std::chrono::milliseconds write_time{60'000};
  std::chrono::milliseconds idle_time{75'000};
  // How long requests under way may take once the server is to stop.
  std::chrono::milliseconds drain_time{30'000};
};

// On the executor's thread only.
class HttpServer {
 public:
  // Listens. A Unix socket gets the mode 0600; one that is left over from a dead server is replaced. Throws an Error
  // (io, usage) when the address is taken or not there. The handler outlives the server.
  HttpServer(boost::asio::any_io_executor executor, const ListenAddress& address, HttpHandler& handler, Logger logger,
             ServerLimits limits = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Of TCP: the port that is listened on.
  std::uint16_t port() const noexcept;
  std::size_t connections() const noexcept;
  std::uint64_t requests() const noexcept;

  // Serves until stop() and until the last connection has ended.
  boost::asio::awaitable<void> serve();
  // No new connections; idle ones end at once, requests under way are answered.
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace venvoy::server
