#include "source/internal/http_transport.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "source/internal/http_errors.hpp"

namespace venvoy::source {
namespace {

constexpr std::string_view upload_tail = "/git-upload-pack";
constexpr std::string_view advertisement_type = "application/x-git-upload-pack-advertisement";
constexpr std::string_view upload_type = "application/x-git-upload-pack-result";

constexpr bool is_redirect(long status) noexcept {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string advertisement_tail(const GitUrl& url) {
  return fmt::format("/info/refs{}service=git-upload-pack", url.path.find('?') == std::string::npos ? '?' : '&');
}

std::string without_slashes(std::string path) {
  while (!path.empty() && path.back() == '/') path.pop_back();
  return path;
}

std::optional<Login> login_of(const GitUrl& url) {
  if (url.user.empty() && url.password.empty()) return std::nullopt;
  return Login{url.user, url.password};
}

Error fetch_error(std::string_view from, std::string_view why) {
  return Error(ErrorCode::network, fmt::format("cannot fetch {}: {}", from, why));
}

}  // namespace

HttpTransport::HttpTransport(GitUrl url, const Transport& transport, CancelToken cancel)
    : url_(std::move(url)),
      shown_url_(url_.shown()),
      transport_(transport),
      cancel_(std::move(cancel)),
      client_(transport.options, shown_url_, cancel_),
      login_(login_of(url_)) {
  url_.path = without_slashes(std::move(url_.path));
}

void HttpTransport::open(Service service) {
  service_ = service;
  body_.clear();
  sent_ = false;
  if (service == Service::upload_pack) return;  // sent when all is written
  send();
}

std::size_t HttpTransport::read(char* buffer, std::size_t size) {
  if (!sent_) send();
  return client_.read(buffer, size);
}

HttpRequest HttpTransport::advertisement_request() const {
  HttpRequest request;
  request.url = url_;
  request.url.path += advertisement_tail(url_);
  request.headers = {fmt::format("Accept: {}, */*;q=0.5", advertisement_type), "Pragma: no-cache"};
  request.max_response = transport_.options.max_advertisement;
  return request;
}

HttpRequest HttpTransport::upload_request() {
  HttpRequest request;
  request.url = url_;
  request.url.path += upload_tail;
  request.body = body_;
  request.headers = {"Content-Type: application/x-git-upload-pack-request", fmt::format("Accept: {}", upload_type),
                     "Expect:"};
  request.max_response = transport_.options.max_pack;
  return request;
}

void HttpTransport::send() {
  sent_ = true;
  const bool advertisement = service_ == Service::advertisement;
  for (;;) {
    HttpRequest request = advertisement ? advertisement_request() : upload_request();
    request.login = login_;
    client_.begin(std::move(request));
    const long status = client_.status();
    if (status == 200) break;
    if (status == 401 && !asked_)
      find_login();
    else if (is_redirect(status) && advertisement)
      follow_redirect();
    else if (is_redirect(status))
      throw fetch_error(shown_url_, "the server redirects in the middle of a fetch");
    else
      fail(status);
  }
  if (asked_ && !std::exchange(approved_, true)) transport_.credentials->approve(place(), *login_);
  check_content_type(advertisement ? advertisement_type : upload_type);
}

LoginPlace HttpTransport::place() const {
  const std::string path =
      percent_decoded(std::string_view(url_.path).substr(std::min<std::size_t>(1, url_.path.size())));
  return {std::string(to_text(url_.scheme)), url_.host_and_port(), path, url_.user};
}

void HttpTransport::fail(long status) {
  if (status == 401 && asked_ && !approved_) transport_.credentials->reject(place(), *login_);
  throw status_error(shown_url_, status, login_.has_value());
}

// After a 401. Throws if there is no login to try.
void HttpTransport::find_login() {
  const bool had_password = login_ && !login_->password.empty();
  std::optional<Login> found;
  if (transport_.credentials && !had_password) found = transport_.credentials->find(place(), cancel_);
  if (!found) fail(401);
  asked_ = true;
  login_ = std::move(found);
}

GitUrl HttpTransport::redirected_url() const {
  const std::string target = client_.redirect_target();
  const auto refuse = [&](std::string_view why) {
    return fetch_error(shown_url_, fmt::format("the server redirects to {}{}", safe_url(to_valid_utf8(target)), why));
  };
  GitUrl next;
  try {
    next = parse_git_url(target);
  } catch (const Error& error) {
    throw refuse(fmt::format(": {}", error.message()));
  }
  const bool upgrade = url_.scheme == UrlScheme::http && next.scheme == UrlScheme::https && next.host == url_.host;
  if (next.scheme != url_.scheme && !upgrade) throw refuse(", another scheme");
  const std::string tail = advertisement_tail(url_);
  if (!next.path.ends_with(tail))
    throw refuse(", which is no repository")
        .with_hint("it may be a page for logging in, or the address may be one for browsers");
  next.path.resize(next.path.size() - tail.size());
  return next;
}

void HttpTransport::follow_redirect() {
  if (++redirects_ > transport_.options.max_redirects)
    throw fetch_error(shown_url_, fmt::format("more than {} redirects", transport_.options.max_redirects));
  GitUrl next = redirected_url();
  if (next.host_and_port() != url_.host_and_port() && next.scheme == url_.scheme) {
    login_.reset();
    url_.user.clear();
    asked_ = approved_ = false;
  }
  next.user = url_.user;
  next.password.clear();
  url_ = std::move(next);
}

void HttpTransport::check_content_type(std::string_view expected) const {
  const std::string type = client_.content_type();
  const std::string_view bare = trim(std::string_view(type).substr(0, type.find(';')));
  if (bare == expected) return;
  throw Error(ErrorCode::network, fmt::format("cannot fetch {}: the server's answer is not git's (its type is '{}')",
                                              shown_url_, to_valid_utf8(bare)))
      .with_hint("the address may be one for browsers, or the server speaks only the old \"dumb\" protocol");
}

}  // namespace venvoy::source
