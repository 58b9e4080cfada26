// HTTP requests one after the other, read as streams: libcurl driven from the thread that reads.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <curl/curl.h>

#include "base/cancel.hpp"
#include "source/git_url.hpp"
#include "source/transport.hpp"

namespace venvoy::source {

struct HttpRequest {
  GitUrl url;
  std::optional<std::string> body;  // then a POST
  std::vector<std::string> headers;
  std::optional<Login> login;  // without it, or without its password, libcurl looks into netrc
  std::uint64_t max_response = 0;
  std::string user_agent = "git/2.0 (venvoy)";  // some servers answer git's programs only
  std::string proxy;                            // empty: what the environment says
  bool verify = true;                           // false: whatever certificate the server has
};

// What a reference means that stands in a document with this address: "../x" in "https://host/a/b/" is
// "https://host/a/x". Nothing if one of them is no URL.
std::optional<std::string> join_url(const std::string& base, const std::string& reference);

// Connections are kept from request to request. Every wait ends with the time-outs of the options or a cancelled token,
// as an Error. Used on one thread.
class HttpClient {
 public:
  // `shown_url` is what errors name.
  HttpClient(const TransportOptions& options, std::string shown_url, CancelToken cancel);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Sends the request and waits for the head of the answer. An answer that is being read is given up.
  void begin(HttpRequest request);
  long status() const noexcept;
  std::string content_type() const;
  // Where a redirecting answer points to, absolute; empty if it is none.
  std::string redirect_target() const;
  // Some bytes of the body; 0 at its end.
  std::size_t read(char* buffer, std::size_t size);

 private:
  using Clock = std::chrono::steady_clock;
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* client) noexcept;
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* client) noexcept;

  void apply(const HttpRequest& request);
  void apply_login(const std::optional<Login>& login);
  void apply_certificates();
  std::string address(const HttpRequest& request) const;
  void detach() noexcept;
  // Runs the transfer until there is something to read, the head is complete (if that is asked for) or it ends.
  void advance(bool until_head);
  void run_once();
  void wait_a_moment();
  void take_result();
  void check_speed();
  bool sent() const noexcept;
  template <class Value>
  void set(CURLoption option, Value value);

  TransportOptions options_;
  std::string shown_url_;
  CancelToken cancel_;
  std::unique_ptr<CURLM, CURLMcode (*)(CURLM*)> multi_;
  std::unique_ptr<CURL, void (*)(CURL*)> easy_;
  std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers_;
  CancelToken::Registration wake_up_;
  HttpRequest request_;
  char error_text_[CURL_ERROR_SIZE] = {};
  bool attached_ = false;
  bool head_complete_ = false;
  bool too_long_ = false;
  std::optional<CURLcode> result_;
  std::string body_;
  std::size_t body_read_ = 0;
  std::uint64_t received_ = 0;
  Clock::time_point last_byte_;
  Clock::time_point window_start_;
  Clock::time_point last_wait_;
  std::uint64_t window_bytes_ = 0;
};

}  // namespace venvoy::source
