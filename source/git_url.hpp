// URLs of git repositories: their parts, the form that is safe to show, and the form that keys are made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace venvoy::source {

enum class UrlScheme { http, https, ssh, file };

std::string_view to_text(UrlScheme scheme) noexcept;

// The parts of a URL. `host` is in lower case and without the brackets of an IPv6 address, `user` and `password` are
// percent-decoded, `path` starts with '/', is as written and includes the query.
struct GitUrl {
  UrlScheme scheme = UrlScheme::https;
  std::string user;
  std::string password;
  std::string host;  // empty for file
  std::optional<std::uint16_t> port;
  std::string path;

  // `host` as it stands in a URL: with brackets, and with the port if that is not the scheme's own.
  std::string host_and_port() const;
  // The whole URL without user and password.
  std::string without_login() const;
  // For people and logs: without login but for the user of ssh, the values of a query hidden.
  std::string shown() const;
  // The path of a file URL on this machine.
  std::string local_path() const;
};

// Throws an Error (reference) whose message says what is wrong with the URL; it contains no secret.
GitUrl parse_git_url(std::string_view text);
// The same for URLs of other things: the path may be empty or "/", as that of a package index is.
GitUrl parse_url(std::string_view text);

// The URL for people and logs, for any text: of http(s) the whole part before '@' is hidden (a token may stand for the
// user as well as for the password), of other schemes the password; the values of a query are hidden.
std::string safe_url(std::string_view text);

// One form for all spellings of a URL that surely mean the same repository; what keys and mirrors are named by. Scheme
// and host in lower case; the scheme's own port, `localhost` of a file URL and slashes at the end dropped; percent
// escapes of letters, digits and "-._~" decoded, the others in upper case. Of http(s) the login is dropped: it decides
// who may read, not what is read, and a token that changes must not make another key. Of ssh the user stays (the path
// may be relative to the user's home), the password goes. ".git" at the end stays: not every server treats it as
// absent. Throws as parse_git_url.
std::string normalised_url(std::string_view text);

struct UrlRewrite {
  std::string from;  // prefix of a URL
  std::string to;
};

// The URL with the longest matching prefix replaced (configuration key `sourceRewrites`); of rules that are equally
// long the first. Prefixes are compared as they are written. One replacement only: the result is not rewritten again.
std::string rewrite(std::string_view url, const std::vector<UrlRewrite>& rules);

// "%41" → "A"; a '%' without two digits stays as it is.
std::string percent_decoded(std::string_view text);

}  // namespace venvoy::source
