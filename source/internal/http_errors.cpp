#include "source/internal/http_errors.hpp"

#include <cerrno>
#include <system_error>

#include <fmt/format.h>

#include "base/text.hpp"

namespace venvoy::source {
namespace {

constexpr const char* check_the_network =
    "check the URL and the network, or try again later; what is installed already runs without it";
constexpr const char* check_the_url = "check the URL in the reference, and that you may read the repository";

Error cannot_fetch(std::string_view url, std::string_view reason, ErrorCode code = ErrorCode::network) {
  return Error(code, fmt::format("cannot fetch {}: {}", url, reason))
      .with_hint(code == ErrorCode::network ? check_the_network : check_the_url);
}

std::string connection_reason(const TransferFailure& failure) {
  if (failure.os_error == 0) return fmt::format("no connection to {}", failure.host);
  if (failure.os_error == ECONNREFUSED) return fmt::format("connection refused by {}", failure.host);
  return fmt::format("no connection to {}: {}", failure.host, std::generic_category().message(failure.os_error));
}

std::string other_reason(const TransferFailure& failure) {
  return to_valid_utf8(failure.detail.empty() ? curl_easy_strerror(failure.code) : failure.detail);
}

bool is_about_tls(CURLcode code) noexcept {
  switch (code) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return true;
    default:
      return false;
  }
}

Error login_error(std::string_view url, bool login_refused) {
  if (login_refused)
    return cannot_fetch(url, "the server refused the login", ErrorCode::authentication)
        .with_hint("the login came from the URL, netrc or a git credential helper");
  return cannot_fetch(url, "the server wants a login, or there is no such repository", ErrorCode::authentication)
      .with_hint("logins are taken from netrc and from git's credential helpers; nobody is asked for one");
}

}  // namespace

std::string duration_text(std::chrono::milliseconds duration) {
  const auto count = duration.count();
  if (count % 1000 != 0) return fmt::format("{} milliseconds", count);
  return count == 1000 ? "1 second" : fmt::format("{} seconds", count / 1000);
}

Error stalled_error(std::string_view shown_url, std::chrono::milliseconds silence) {
  return cannot_fetch(shown_url,
                      fmt::format("time-out, the server sent (nearly) nothing for {}", duration_text(silence)));
}

Error transfer_error(const TransferFailure& failure) {
  const auto say = [&](std::string_view reason) { return cannot_fetch(failure.shown_url, reason); };
  switch (failure.code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return say(fmt::format("unknown host {}", failure.host));
    case CURLE_COULDNT_RESOLVE_PROXY:
      return say(fmt::format("unknown host of the proxy ({})", other_reason(failure)));
    case CURLE_COULDNT_CONNECT:
      return say(connection_reason(failure));
    case CURLE_OPERATION_TIMEDOUT:
      return say(
          fmt::format("time-out, no connection to {} within {}", failure.host, duration_text(failure.connect_timeout)));
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      return say("the server ended the connection in the middle of its answer");
    default:
      break;
  }
  if (!is_about_tls(failure.code)) return say(other_reason(failure));
  return say(fmt::format("no TLS connection: {}", other_reason(failure)))
      .with_hint("certificates of authorities are read from GIT_SSL_CAINFO, CURL_CA_BUNDLE or SSL_CERT_FILE, if set");
}

Error status_error(std::string_view shown_url, long status, bool login_refused) {
  if (status == 401) return login_error(shown_url, login_refused);
  if (status == 403)
    return cannot_fetch(shown_url, "the server refuses access (status 403)", ErrorCode::authentication);
  if (status == 404 || status == 410)
    return cannot_fetch(shown_url, fmt::format("repository not found (status {})", status), ErrorCode::unresolvable);
  if (status == 407) return cannot_fetch(shown_url, "the proxy wants a login", ErrorCode::authentication);
  if (status >= 500) return cannot_fetch(shown_url, fmt::format("the server failed with status {}", status));
  return cannot_fetch(shown_url, fmt::format("the server answered with status {}", status));
}

}  // namespace venvoy::source
