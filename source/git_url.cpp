#include "source/git_url.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "source/internal/ascii.hpp"

namespace venvoy::source {
namespace {

constexpr std::size_t max_url_length = 4096;  // named so that no header, file or message is made of megabytes

// The byte that an escape at `at` stands for, -1 if there is none.
int escaped_byte(std::string_view text, std::size_t at) noexcept {
  if (text[at] != '%' || at + 2 >= text.size()) return -1;
  const int high = hex_value(text[at + 1]);
  const int low = hex_value(text[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

[[noreturn]] void refuse(std::string reason) {
  throw Error(ErrorCode::reference, std::move(reason));
}

struct KnownScheme {
  std::string_view name;
  UrlScheme scheme;
  std::uint16_t port;
};
constexpr std::array<KnownScheme, 4> known_schemes{{{"http", UrlScheme::http, 80},
                                                    {"https", UrlScheme::https, 443},
                                                    {"ssh", UrlScheme::ssh, 22},
                                                    {"file", UrlScheme::file, 0}}};

const KnownScheme& known(UrlScheme scheme) noexcept {
  return *std::find_if(known_schemes.begin(), known_schemes.end(),
                       [&](const KnownScheme& one) { return one.scheme == scheme; });
}

void check_characters(std::string_view text) {
  if (text.size() > max_url_length) refuse(fmt::format("the URL is longer than {} bytes", max_url_length));
  if (!is_valid_utf8(text)) refuse("the URL is not valid UTF-8");
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7F) refuse("the URL contains a blank or a control character");
    if (std::string_view("\"<>\\^`{|}#").find(c) != std::string_view::npos)
      refuse(fmt::format("the URL contains '{}'", c));
  }
}

UrlScheme parse_scheme(std::string_view text) {
  const std::string name = lower(text);
  for (const KnownScheme& one : known_schemes)
    if (one.name == name) return one.scheme;
  refuse(fmt::format("the URL starts with '{}://'; http, https, ssh and file are supported", name));
}

std::uint16_t parse_port(std::string_view digits) {
  unsigned value = 0;
  const bool fits = !digits.empty() && digits.size() <= 5 && std::all_of(digits.begin(), digits.end(), is_digit);
  if (fits)
    for (const char digit : digits) value = value * 10 + static_cast<unsigned>(digit - '0');
  if (!fits || value == 0 || value > 65535) refuse("the port of the URL is not a number from 1 to 65535");
  return static_cast<std::uint16_t>(value);
}

void check_host(std::string_view host, bool bracketed) {
  const auto allowed = [&](char c) {
    return bracketed ? hex_value(c) >= 0 || c == ':' || c == '.'
                     : is_alphanumeric(c) || c == '-' || c == '.' || c == '_';
  };
  // A host that starts with '-' would be an option of ssh.
  if (host.empty() || host.front() == '-' || !std::all_of(host.begin(), host.end(), allowed))
    refuse(host.empty() ? "the URL has no host" : "the URL has a wrong host name");
}

// `authority` is what stands between "://" and the path.
void parse_authority(std::string_view authority, GitUrl& url) {
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view login = authority.substr(0, at);
    const auto colon = login.find(':');
    url.user = percent_decoded(login.substr(0, colon));
    if (colon != std::string_view::npos) url.password = percent_decoded(login.substr(colon + 1));
    authority.remove_prefix(at + 1);
  }
  const bool bracketed = !authority.empty() && authority.front() == '[';
  const auto end = bracketed ? authority.find(']') : authority.find(':');
  if (bracketed && end == std::string_view::npos) refuse("the URL has a '[' without ']'");
  std::string_view host = authority.substr(0, end);
  std::string_view rest = end == std::string_view::npos ? std::string_view() : authority.substr(end);
  if (bracketed) {
    host.remove_prefix(1);
    rest.remove_prefix(1);
  }
  check_host(host, bracketed);
  url.host = lower(host);
  if (rest.empty()) return;
  if (rest.front() != ':') refuse("the URL has a wrong host name");
  url.port = parse_port(rest.substr(1));
}

void parse_file_authority(std::string_view authority) {
  if (!authority.empty() && lower(authority) != "localhost")
    refuse("a file URL needs an absolute path: file:///path/to/repository");
}

// A decoded part of a login as it stands in a URL: what would end it, or could not stand there, is escaped again.
std::string escaped(std::string_view part) {
  std::string result;
  for (const char c : part) {
    if (is_alphanumeric(c) || is_in("-._~!$&'()*+,;=", c))
      result += c;
    else
      result += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return result;
}

std::string normalised_path(std::string_view path) {
  std::string result;
  for (std::size_t at = 0; at < path.size(); ++at) {
    const int byte = escaped_byte(path, at);
    if (byte < 0) {
      // A '%' that begins no escape stands for itself; plain, it would begin one with what follows.
      if (path[at] == '%')
        result += "%25";
      else
        result += path[at];
      continue;
    }
    const char c = static_cast<char>(byte);
    if (is_alphanumeric(c) || std::string_view("-._~").find(c) != std::string_view::npos)
      result += c;
    else
      result += fmt::format("%{:02X}", byte);
    at += 2;
  }
  while (result.size() > 1 && result.back() == '/') result.pop_back();
  return result;
}

// Where the login of the URL whose "://" ends at `start` ends (the place of its '@'), or `start` if there is none.
std::size_t end_of_login(std::string_view text, std::size_t start) {
  const auto end = std::min(text.find_first_of("/?#", start), text.size());
  const std::string_view authority = text.substr(start, end - start);
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) return start + at;
  // A password with a '/' in it: no port looks like this, so rather hide too much.
  const auto colon = authority.rfind(':');
  if (colon == std::string_view::npos || authority.find(']') != std::string_view::npos) return start;
  const std::string_view port = authority.substr(colon + 1);
  if (std::all_of(port.begin(), port.end(), is_digit)) return start;
  const auto at = text.find('@', end);
  return at == std::string_view::npos ? start : at;
}

std::string hidden_login(std::string_view scheme, std::string_view login) {
  const bool user_is_no_secret = scheme != "http" && scheme != "https";
  const auto colon = login.find(':');
  if (!user_is_no_secret) return "***";
  return colon == std::string_view::npos ? std::string(login) : std::string(login.substr(0, colon)) + ":***";
}

std::string hidden_query(std::string_view query) {
  std::string result;
  bool hidden = false;
  for (const char c : query) {
    if (c == '&') hidden = false;
    if (!hidden) result += c;
    if (c == '=' && !hidden) {
      hidden = true;
      result += "***";
    }
  }
  return result;
}

std::string_view scheme_before(std::string_view text, std::size_t colon) {
  std::size_t start = colon;
  while (start > 0 && is_letter(text[start - 1])) --start;
  return text.substr(start, colon - start);
}

}  // namespace

std::string_view to_text(UrlScheme scheme) noexcept {
  return known(scheme).name;
}

std::string percent_decoded(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const int byte = escaped_byte(text, at);
    result += byte < 0 ? text[at] : static_cast<char>(byte);
    if (byte >= 0) at += 2;
  }
  return result;
}

std::string GitUrl::host_and_port() const {
  std::string result = host.find(':') == std::string::npos ? host : fmt::format("[{}]", host);
  if (port && *port != known(scheme).port) result += fmt::format(":{}", *port);
  return result;
}

std::string GitUrl::without_login() const {
  return fmt::format("{}://{}{}", to_text(scheme), host_and_port(), path);
}

std::string GitUrl::shown() const {
  const std::string login = scheme == UrlScheme::ssh && !user.empty() ? escaped(user) + "@" : std::string();
  return safe_url(fmt::format("{}://{}{}{}", to_text(scheme), login, host_and_port(), path));
}

std::string GitUrl::local_path() const {
  return percent_decoded(path);
}

GitUrl parse_url(std::string_view text) {
  check_characters(text);
  const auto colon = text.find("://");
  if (colon == std::string_view::npos) refuse("the URL has no scheme, such as https://");
  GitUrl url;
  url.scheme = parse_scheme(text.substr(0, colon));
  const std::string_view rest = text.substr(colon + 3);
  const auto slash = std::min(rest.find('/'), rest.size());
  url.path = std::string(rest.substr(slash));
  if (url.scheme == UrlScheme::file)
    parse_file_authority(rest.substr(0, slash));
  else
    parse_authority(rest.substr(0, slash), url);
  return url;
}

GitUrl parse_git_url(std::string_view text) {
  GitUrl url = parse_url(text);
  if (url.path.find_first_not_of('/') == std::string::npos) refuse("the URL names no repository");
  return url;
}

std::string safe_url(std::string_view text) {
  std::string result;
  std::size_t done = 0;
  for (auto colon = text.find("://"); colon != std::string_view::npos; colon = text.find("://", done)) {
    const std::size_t start = colon + 3;
    result += text.substr(done, start - done);
    const std::size_t at = end_of_login(text, start);
    if (at != start) result += hidden_login(lower(scheme_before(text, colon)), text.substr(start, at - start));
    const std::size_t query = std::min(text.find('?', at), text.size());
    const std::size_t end = std::min(text.find('#', at), text.size());
    result += text.substr(at, std::min(query, end) - at);
    if (query < end) result += hidden_query(text.substr(query, end - query));
    done = end;
  }
  return result + std::string(text.substr(done));
}

std::string normalised_url(std::string_view text) {
  const GitUrl url = parse_git_url(text);
  const std::string login = url.scheme == UrlScheme::ssh && !url.user.empty() ? escaped(url.user) + "@" : std::string();
  return fmt::format("{}://{}{}{}", to_text(url.scheme), login, url.host_and_port(), normalised_path(url.path));
}

std::string rewrite(std::string_view url, const std::vector<UrlRewrite>& rules) {
  const UrlRewrite* best = nullptr;
  for (const UrlRewrite& rule : rules) {
    const bool matches = !rule.from.empty() && url.substr(0, rule.from.size()) == rule.from;
    if (matches && (!best || rule.from.size() > best->from.size())) best = &rule;
  }
  return best ? best->to + std::string(url.substr(best->from.size())) : std::string(url);
}

}  // namespace venvoy::source
