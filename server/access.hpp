// Who may do what (spec/governance.md 8.7, "Access"; 8.14, "token").
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "server/http.hpp"
#include "server/http_server.hpp"

namespace venvoy::server {

// The token of a state folder: `<state>/token`, 0600, made of 32 random bytes at the first start. Throws an Error (io,
// document).
std::string read_or_make_token(const std::filesystem::path& state_dir);

class Access {
 public:
  struct Options {
    ListenAddress address;  // with the real port
    std::string token;
    bool trust_loopback = false;
  };
  explicit Access(Options options) : options_(std::move(options)) {}

  // The refusal of a request that may not be answered: 403 for a foreign `Host` or `Origin`, 401 without the token.
  // `/health` needs no token.
  std::optional<HttpResponse> refuse(const HttpRequest& request) const;
  // For `/?token=…`: sets the cookie and leads to the page without the token in its address.
  std::optional<HttpResponse> welcome(const HttpRequest& request) const;
  // Who acts, for logs: "http:token", "http:unix", "http:loopback".
  std::string actor(const HttpRequest& request) const;

 private:
  bool is_own_host(std::string_view host) const;
  bool has_token(const HttpRequest& request) const;
  bool trusted(const Peer& peer) const;

  Options options_;
};

// {"success":false,"error":{"kind":…,"message":…}}
HttpResponse refusal(int status, std::string_view kind, std::string_view message);

}  // namespace venvoy::server
