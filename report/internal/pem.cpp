#include "report/internal/pem.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

#include "base/text.hpp"

namespace venvoy::report::internal {

namespace {

constexpr std::string_view pem_begin = "-----BEGIN ";
constexpr std::string_view pem_end = "-----END ";
constexpr std::string_view pem_dashes = "-----";

struct PemPlace {
  std::size_t begin = 0;       // of the whole block
  std::size_t body_begin = 0;  // of what stands between its lines
  std::size_t body_end = 0;
  std::size_t end = 0;
};

// Behind the dashes that end the line whose first dashes are at `at`.
std::size_t end_of_mark(std::string_view text, std::size_t at, std::size_t mark) {
  const std::size_t dashes = text.find(pem_dashes, at + mark);
  return dashes == text.npos ? text.size() : dashes + pem_dashes.size();
}

std::optional<PemPlace> next_pem(std::string_view text, std::size_t from) {
  PemPlace place;
  place.begin = text.find(pem_begin, from);
  if (place.begin == text.npos) return std::nullopt;
  place.body_begin = end_of_mark(text, place.begin, pem_begin.size());
  place.body_end = std::min(text.find(pem_end, place.body_begin), text.size());
  place.end = place.body_end == text.size() ? text.size() : end_of_mark(text, place.body_end, pem_end.size());
  return place;
}

bool is_base64_line(std::string_view line) {
  line = trim(line);
  return !line.empty() && std::all_of(line.begin(), line.end(), [](char symbol) {
    return std::isalnum(static_cast<unsigned char>(symbol)) != 0 || is_in("+/=", symbol);
  });
}

// Where the base64 lines before `end` begin, not before `from`.
std::size_t begin_of_base64(std::string_view text, std::size_t from, std::size_t end) {
  std::size_t begin = end;
  while (begin > from) {
    const std::size_t line_end = begin - 1;  // its line feed
    const std::size_t feed = text.substr(from, line_end - from).rfind('\n');
    const std::size_t line = feed == text.npos ? from : from + feed + 1;
    if (text[line_end] != '\n' || !is_base64_line(text.substr(line, line_end - line))) break;
    begin = line;
  }
  return begin;
}

}  // namespace

bool begins_pem(std::string_view line) noexcept {
  return line.find(pem_begin) != line.npos;
}
bool ends_pem(std::string_view line) noexcept {
  return line.find(pem_end) != line.npos;
}
bool mentions_pem(std::string_view text) noexcept {
  return begins_pem(text) || ends_pem(text);
}

std::vector<std::string_view> pem_blocks(std::string_view text) {
  std::vector<std::string_view> blocks;
  auto place = next_pem(text, 0);
  while (place) {
    blocks.push_back(text.substr(place->body_begin, place->body_end - place->body_begin));
    place = next_pem(text, place->end);
  }
  return blocks;
}

std::string without_pem(std::string_view text, std::string_view mask) {
  std::string result;
  std::size_t done = 0;
  while (done < text.size()) {
    const auto place = next_pem(text, done);
    const std::size_t lonely_end = text.find(pem_end, done);
    if (lonely_end < (place ? place->begin : text.npos)) {
      const std::size_t begin = begin_of_base64(text, done, lonely_end);
      result += text.substr(done, begin - done);
      done = end_of_mark(text, lonely_end, pem_end.size());
    } else if (place) {
      result += text.substr(done, place->begin - done);
      done = place->end;
    } else {
      break;
    }
    result += mask;
  }
  return result += text.substr(done);
}

}  // namespace venvoy::report::internal
