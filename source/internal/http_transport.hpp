// git's smart HTTP protocol (gitprotocol-http(5)) through libcurl.
#pragma once

#include <optional>
#include <string>

#include "source/http_client.hpp"
#include "source/internal/sub_transport.hpp"

namespace venvoy::source {

// Redirects are followed as git does by default: of the first request only, and its target becomes the address of the
// others. Not more often than the options say, not to another scheme, except from http to https on the same host. A
// login of the URL goes to no other host than the one it is written for.
//
// Logins, in this order: the URL's own, netrc, and when the server asks for one, the Credentials, once.
class HttpTransport : public SubTransport {
 public:
  HttpTransport(GitUrl url, const Transport& transport, CancelToken cancel);

  bool stateless() const noexcept override { return true; }
  void open(Service service) override;
  void write(std::string_view bytes) override { body_ += bytes; }
  std::size_t read(char* buffer, std::size_t size) override;

 private:
  HttpRequest advertisement_request() const;
  HttpRequest upload_request();
  // Sends it, with redirects and logins, until the server answers with a success.
  void send();
  void follow_redirect();
  GitUrl redirected_url() const;
  void find_login();
  [[noreturn]] void fail(long status);
  void check_content_type(std::string_view expected) const;
  LoginPlace place() const;

  GitUrl url_;
  const std::string shown_url_;
  const Transport& transport_;
  CancelToken cancel_;
  HttpClient client_;
  Service service_ = Service::advertisement;
  bool sent_ = false;
  std::string body_;
  std::optional<Login> login_;
  bool asked_ = false;     // for a login
  bool approved_ = false;  // of the login that was found
  int redirects_ = 0;
};

}  // namespace venvoy::source
