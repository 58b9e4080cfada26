#include "source/http_client.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include <fmt/format.h>

#include "source/internal/git_handles.hpp"
#include "source/internal/http_errors.hpp"

namespace venvoy::source {
namespace {

// How long a wait may last before the token and the clock are looked at again; a cancel ends it at once.
constexpr int longest_wait_ms = 500;

std::string first_of(const os::Environment& environment, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    if (const auto value = os::get_variable(environment, name); value && !value->empty()) return *value;
  return {};
}

std::string netrc_file(const os::Environment& environment) {
  if (std::string file = first_of(environment, {"NETRC"}); !file.empty()) return file;
  const std::string home = first_of(environment, {"HOME"});
  return home.empty() ? home : home + "/.netrc";
}

}  // namespace

std::optional<std::string> join_url(const std::string& base, const std::string& reference) {
  const std::unique_ptr<CURLU, void (*)(CURLU*)> url(curl_url(), curl_url_cleanup);
  if (!url) throw std::bad_alloc();
  constexpr unsigned flags = CURLU_NON_SUPPORT_SCHEME;
  if (curl_url_set(url.get(), CURLUPART_URL, base.c_str(), flags) != CURLUE_OK) return std::nullopt;
  if (curl_url_set(url.get(), CURLUPART_URL, reference.c_str(), flags) != CURLUE_OK) return std::nullopt;
  char* text = nullptr;
  if (curl_url_get(url.get(), CURLUPART_URL, &text, 0) != CURLUE_OK) return std::nullopt;
  const std::unique_ptr<char, void (*)(void*)> owned(text, curl_free);
  return std::string(text);
}

HttpClient::HttpClient(const TransportOptions& options, std::string shown_url, CancelToken cancel)
    : options_(options),
      shown_url_(std::move(shown_url)),
      cancel_(std::move(cancel)),
      multi_((ensure_libraries(), curl_multi_init()), curl_multi_cleanup),
      easy_(curl_easy_init(), curl_easy_cleanup),
      headers_(nullptr, curl_slist_free_all) {
  if (!multi_ || !easy_) throw std::bad_alloc();
  wake_up_ = cancel_.on_cancel([multi = multi_.get()] { curl_multi_wakeup(multi); });
}

HttpClient::~HttpClient() {
  detach();
}

template <class Value>
void HttpClient::set(CURLoption option, Value value) {
  if (const CURLcode code = curl_easy_setopt(easy_.get(), option, value); code != CURLE_OK)
    throw Error(ErrorCode::internal, fmt::format("libcurl refuses an option: {}", curl_easy_strerror(code)));
}

void HttpClient::detach() noexcept {
  if (attached_) curl_multi_remove_handle(multi_.get(), easy_.get());
  attached_ = false;
}

void HttpClient::begin(HttpRequest request) {
  detach();
  request_ = std::move(request);
  head_complete_ = too_long_ = false;
  result_.reset();
  body_.clear();
  body_read_ = 0;
  received_ = window_bytes_ = 0;
  error_text_[0] = '\0';
  apply(request_);
  if (curl_multi_add_handle(multi_.get(), easy_.get()) != CURLM_OK) throw std::bad_alloc();
  attached_ = true;
  last_byte_ = window_start_ = last_wait_ = Clock::now();
  advance(true);
}

void HttpClient::apply(const HttpRequest& request) {
  curl_easy_reset(easy_.get());
  set(CURLOPT_ERRORBUFFER, error_text_);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_URL, address(request).c_str());
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
  set(CURLOPT_USERAGENT, request.user_agent.c_str());
  if (!request.proxy.empty()) set(CURLOPT_PROXY, request.proxy.c_str());
  if (!request.verify) {
    set(CURLOPT_SSL_VERIFYPEER, 0L);
    set(CURLOPT_SSL_VERIFYHOST, 0L);
  }
  set(CURLOPT_ACCEPT_ENCODING, "gzip");
  set(CURLOPT_WRITEFUNCTION, &HttpClient::on_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_HEADERFUNCTION, &HttpClient::on_header);
  set(CURLOPT_HEADERDATA, this);
  curl_slist* list = nullptr;
  for (const std::string& header : request.headers) list = curl_slist_append(list, header.c_str());
  headers_.reset(list);
  set(CURLOPT_HTTPHEADER, headers_.get());
  if (request.body) {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDS, request.body->data());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body->size()));
  }
  apply_login(request.login);
  apply_certificates();
}

void HttpClient::apply_login(const std::optional<Login>& login) {
  set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
  if (login && !login->password.empty()) {
    set(CURLOPT_USERNAME, login->user.c_str());
    set(CURLOPT_PASSWORD, login->password.c_str());
    return;
  }
  const std::string file = netrc_file(options_.environment);
  if (file.empty()) return;
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_OPTIONAL));
  set(CURLOPT_NETRC_FILE, file.c_str());
}

// libcurl looks for the password of a user in netrc only if the user is part of the URL.
std::string HttpClient::address(const HttpRequest& request) const {
  std::string url = request.url.without_login();
  if (!request.login || !request.login->password.empty()) return url;
  const std::string& user = request.login->user;
  const std::unique_ptr<char, void (*)(void*)> escaped(
      curl_easy_escape(easy_.get(), user.data(), static_cast<int>(user.size())), curl_free);
  if (!escaped) throw std::bad_alloc();
  return url.insert(url.find("://") + 3, fmt::format("{}@", escaped.get()));
}

void HttpClient::apply_certificates() {
  const os::Environment& environment = options_.environment;
  const std::string file = first_of(environment, {"GIT_SSL_CAINFO", "CURL_CA_BUNDLE", "SSL_CERT_FILE"});
  if (!file.empty()) set(CURLOPT_CAINFO, file.c_str());
  const std::string folder = first_of(environment, {"GIT_SSL_CAPATH", "SSL_CERT_DIR"});
  if (!folder.empty()) set(CURLOPT_CAPATH, folder.c_str());
}

std::size_t HttpClient::on_body(char* data, std::size_t size, std::size_t count, void* client) noexcept {
  HttpClient& self = *static_cast<HttpClient*>(client);
  const std::size_t bytes = size * count;
  self.head_complete_ = true;
  self.received_ += bytes;
  self.window_bytes_ += bytes;
  self.last_byte_ = Clock::now();
  if (self.received_ > self.request_.max_response) {
    self.too_long_ = true;
    return 0;
  }
  try {
    self.body_.append(data, bytes);
  } catch (const std::bad_alloc&) {
    return 0;
  }
  return bytes;
}

std::size_t HttpClient::on_header(char*, std::size_t size, std::size_t count, void* client) noexcept {
  HttpClient& self = *static_cast<HttpClient*>(client);
  self.window_bytes_ += size * count;
  self.last_byte_ = Clock::now();
  return size * count;
}

void HttpClient::advance(bool until_head) {
  // Time that the reader spent on what it had read is not the server's.
  const auto away = Clock::now() - last_wait_;
  last_byte_ += away;
  window_start_ += away;
  while (!result_ && body_read_ == body_.size() && !(until_head && head_complete_)) {
    cancel_.check();
    run_once();
    if (result_ || body_read_ < body_.size()) break;
    check_speed();
    wait_a_moment();
  }
  last_wait_ = Clock::now();
  take_result();
}

void HttpClient::run_once() {
  int running = 0;
  if (const CURLMcode code = curl_multi_perform(multi_.get(), &running); code != CURLM_OK)
    throw Error(ErrorCode::internal, fmt::format("libcurl: {}", curl_multi_strerror(code)));
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left))
    if (message->msg == CURLMSG_DONE) result_ = message->data.result;
}

void HttpClient::wait_a_moment() {
  const auto wait =
      std::min<std::int64_t>(longest_wait_ms, std::max<std::int64_t>(1, options_.low_speed_time.count() / 4));
  curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(wait), nullptr);
}

bool HttpClient::sent() const noexcept {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_PRETRANSFER_TIME_T, &microseconds);
  return microseconds > 0;
}

void HttpClient::check_speed() {
  const auto now = Clock::now();
  if (!sent()) {
    last_byte_ = window_start_ = now;
    return;
  }
  const auto limit = options_.low_speed_time;
  const auto seconds = std::chrono::duration_cast<std::chrono::duration<double>>(limit).count();
  const bool silent = now - last_byte_ >= limit;
  const bool window_over = now - window_start_ >= limit;
  if (silent ||
      (window_over && static_cast<double>(window_bytes_) < static_cast<double>(options_.low_speed_bytes) * seconds))
    throw stalled_error(shown_url_, options_.low_speed_time);
  if (!window_over) return;
  window_start_ = now;
  window_bytes_ = 0;
}

void HttpClient::take_result() {
  if (!result_ || *result_ == CURLE_OK) return;
  cancel_.check();
  if (too_long_)
    throw Error(ErrorCode::limit, fmt::format("cannot fetch {}: the server's answer is longer than {} bytes",
                                              shown_url_, request_.max_response));
  long os_error = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &os_error);
  throw transfer_error({*result_, static_cast<int>(os_error), error_text_, request_.url.host_and_port(), shown_url_,
                        options_.connect_timeout});
}

long HttpClient::status() const noexcept {
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  return status;
}

std::string HttpClient::content_type() const {
  const char* type = nullptr;
  curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_TYPE, &type);
  return type ? type : "";
}

std::string HttpClient::redirect_target() const {
  const char* target = nullptr;
  curl_easy_getinfo(easy_.get(), CURLINFO_REDIRECT_URL, &target);
  return target ? target : "";
}

std::size_t HttpClient::read(char* buffer, std::size_t size) {
  if (body_read_ == body_.size()) {
    body_.clear();
    body_read_ = 0;
    advance(false);
  }
  const std::size_t bytes = std::min(size, body_.size() - body_read_);
  std::memcpy(buffer, body_.data() + body_read_, bytes);
  body_read_ += bytes;
  return bytes;
}

}  // namespace venvoy::source
