// A request and its answer, whatever carries them: everything but http_server.cpp works with these.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "server/request.hpp"

namespace venvoy::server {

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  // Of an answer without end: gives the next piece, empty when there is none for now (it is asked again), nothing at
  // the end. Awaits for some seconds at most.
  std::function<boost::asio::awaitable<std::optional<std::string>>()> next_piece;
};

class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // Called before the body is read: an answer here is the answer, and the body is never looked at.
  virtual std::optional<HttpResponse> refuse(const HttpRequest& head) = 0;
  // Answers; what it throws becomes a status 500 without details.
  virtual boost::asio::awaitable<HttpResponse> handle(HttpRequest request) = 0;
};

}  // namespace venvoy::server
