#include "server/access.hpp"

#include <array>
#include <cstdio>
#include <sys/random.h>
#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/file_lock.hpp"
#include "os/files.hpp"
#include "schema/json.hpp"

namespace venvoy::server {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view cookie_name = "venvoy_token";
constexpr std::size_t max_token_file = 4096;

// Takes as long whatever differs.
bool same_secret(std::string_view left, std::string_view right) noexcept {
  unsigned different = left.size() == right.size() ? 0 : 1;
  for (std::size_t index = 0; index < left.size(); ++index)
    different |= static_cast<unsigned char>(left[index]) ^
                 static_cast<unsigned char>(right.empty() ? 1 : right[index % right.size()]);
  return different == 0;
}

std::string cookie_of(const HttpRequest& request) {
  std::string_view cookies = request.header("cookie");
  while (!cookies.empty()) {
    const std::size_t end = std::min(cookies.find(';'), cookies.size());
    const std::string_view cookie = trim(cookies.substr(0, end));
    cookies.remove_prefix(std::min(end + 1, cookies.size()));
    if (cookie.starts_with(cookie_name) && cookie.size() > cookie_name.size() && cookie[cookie_name.size()] == '=')
      return std::string(cookie.substr(cookie_name.size() + 1));
  }
  return {};
}

}  // namespace

std::string read_or_make_token(const fs::path& state_dir) {
  const fs::path file = state_dir / "token";
  const auto held = os::FileLock::wait(file.string() + ".lock", os::LockMode::exclusive, {});
  if (const auto text = os::read_file_if_there(file, max_token_file)) {
    const std::string token(trim(*text));
    if (token.size() < 16)
      throw Error(ErrorCode::document, fmt::format("the token in '{}' is too short", file.string()))
          .with_hint("remove the file; the next start makes a new one");
    return token;
  }
  std::array<unsigned char, 32> bytes = {};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw system_error(errno, "cannot draw a token");
  std::string token;
  for (const unsigned char byte : bytes) token += fmt::format("{:02x}", byte);
  os::write_file_atomically(file, token + "\n", 0600);
  return token;
}

HttpResponse refusal(int status, std::string_view kind, std::string_view message) {
  HttpResponse response;
  response.status = status;
  using schema::Map;
  response.body = schema::write_json(Map({{"success", false}, {"error", Map({{"kind", kind}, {"message", message}})}}),
                                     {.indent = 0});
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

// A name that somebody else's page could have led here would be another name than these: addresses cannot be bound
// anew.
bool Access::is_own_host(std::string_view host) const {
  if (!options_.address.socket.empty()) return host == "localhost" || host == "venvoy" || host.empty();
  const std::string port = fmt::format(":{}", options_.address.port);
  if (host.ends_with(port))
    host.remove_suffix(port.size());
  else if (options_.address.port != 80)
    return false;
  if (host == "localhost")
    return options_.address.is_loopback() || options_.address.host == "0.0.0.0" || options_.address.host == "::";
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  boost::system::error_code failure;
  const auto address = boost::asio::ip::make_address(std::string(host), failure);
  if (failure) return false;
  const auto own = boost::asio::ip::make_address(options_.address.host);
  return own.is_unspecified() || address == own || (own.is_loopback() && address.is_loopback());
}

bool Access::has_token(const HttpRequest& request) const {
  static constexpr std::string_view scheme = "Bearer ";
  const std::string& header = request.header("authorization");
  if (header.starts_with(scheme))
    return same_secret(trim(std::string_view(header).substr(scheme.size())), options_.token);
  const std::string cookie = cookie_of(request);
  return !cookie.empty() && same_secret(cookie, options_.token);
}

bool Access::trusted(const Peer& peer) const {
  return peer.kind == Peer::Kind::owner_socket || (peer.kind == Peer::Kind::loopback && options_.trust_loopback);
}

std::optional<HttpResponse> Access::refuse(const HttpRequest& request) const {
  if (!is_own_host(request.header("host")))
    return refusal(403, "forbidden", "the request names another host; use the address that the server listens on");
  const std::string& origin = request.header("origin");
  if (!origin.empty() && (!origin.starts_with("http://") || !is_own_host(std::string_view(origin).substr(7))))
    return refusal(403, "forbidden", "requests of other sites are not answered");
  const std::string& site = request.header("sec-fetch-site");
  if (site == "cross-site" && request.method != "GET")
    return refusal(403, "forbidden", "requests of other sites are not answered");
  if (request.path == "/health" || trusted(request.peer) || has_token(request)) return std::nullopt;
  if (welcome(request)) return std::nullopt;
  return refusal(401, "unauthorized",
                 "the token is missing or wrong: send 'Authorization: Bearer <token>' with the token of the state "
                 "folder, or open the address that the server printed when it started");
}

std::optional<HttpResponse> Access::welcome(const HttpRequest& request) const {
  const std::string& given = request.parameter("token");
  if (request.method != "GET" || request.path != "/" || given.empty() || !same_secret(given, options_.token))
    return std::nullopt;
  HttpResponse response;
  response.status = 303;
  response.content_type = "text/plain";
  response.headers.emplace_back("Location", "/");
  response.headers.emplace_back("Set-Cookie", fmt::format("{}={}; HttpOnly; SameSite=Strict; Path=/; Max-Age=2592000",
                                                          cookie_name, options_.token));
  return response;
}

std::string Access::actor(const HttpRequest& request) const {
  if (request.peer.kind == Peer::Kind::owner_socket) return "http:unix";
  if (has_token(request)) return "http:token";
  return "http:" + request.peer.text;
}

}  // namespace venvoy::server
