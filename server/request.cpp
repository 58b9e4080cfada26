#include "server/request.hpp"

#include <algorithm>
#include <optional>

#include "base/text.hpp"

namespace venvoy::server {
namespace {

const std::string no_text;

std::optional<unsigned> hex_digit(char symbol) noexcept {
  if (is_digit(symbol)) return static_cast<unsigned>(symbol - '0');
  if (symbol >= 'a' && symbol <= 'f') return static_cast<unsigned>(symbol - 'a' + 10);
  if (symbol >= 'A' && symbol <= 'F') return static_cast<unsigned>(symbol - 'A' + 10);
  return std::nullopt;
}

std::optional<std::string> decoded(std::string_view text, bool plus_is_blank) {
  std::string result;
  for (std::size_t index = 0; index < text.size(); ++index) {
    if (text[index] != '%') {
      result += plus_is_blank && text[index] == '+' ? ' ' : text[index];
      continue;
    }
    if (index + 2 >= text.size()) return std::nullopt;
    const auto high = hex_digit(text[index + 1]);
    const auto low = hex_digit(text[index + 2]);
    if (!high || !low) return std::nullopt;
    result += static_cast<char>(*high * 16 + *low);
    index += 2;
  }
  if (result.find('\0') != result.npos || !is_valid_utf8(result)) return std::nullopt;
  return result;
}

}  // namespace

const std::string& HttpRequest::header(std::string_view name) const noexcept {
  const auto found = headers.find(name);
  return found == headers.end() ? no_text : found->second;
}

const std::string& HttpRequest::parameter(std::string_view name) const noexcept {
  const auto found = query.find(name);
  return found == query.end() ? no_text : found->second;
}

bool read_target(std::string_view target, HttpRequest& request) {
  if (target.empty() || target.front() != '/') return false;
  const std::size_t mark = target.find('?');
  const std::string_view path = target.substr(0, mark);
  std::string_view query = mark == target.npos ? std::string_view() : target.substr(mark + 1);
  request.path.clear();
  request.segments.clear();
  request.query.clear();
  for (std::size_t begin = 1; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const auto segment = decoded(path.substr(begin, end - begin), false);
    if (!segment) return false;
    if (!segment->empty()) request.segments.push_back(*segment);
    request.path += "/" + *segment;
    begin = end + 1;
  }
  if (request.path.empty()) request.path = "/";
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const auto name = decoded(pair.substr(0, equals), true);
    const auto value = decoded(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value) return false;
    if (!name->empty()) request.query[*name] = *value;
  }
  return true;
}

}  // namespace venvoy::server
