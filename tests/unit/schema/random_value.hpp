// Random values for round trips, the same ones for the same seed with every standard library.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <string_view>

#include "schema/internal/text_form.hpp"
#include "schema/value.hpp"

namespace venvoy::test {

struct RandomValueOptions {
  bool only_json = false;  // only what JSON can hold
  int max_depth = 5;
};

class RandomValues {
 public:
  explicit RandomValues(std::uint64_t seed, RandomValueOptions options = {}) : engine_(seed), options_(options) {}

  schema::Value next() { return value(0); }

  // Text put together from pieces that formats care about.
  std::string text() {
    static constexpr std::string_view pieces[] = {
        "a",   "b",          "word", "é",    "日本",   "\U0001F600", " ",      " ",      "  ",     "\n",
        "\n",  "\n\n",       "\t",   "\r",   ":",      ": ",         " #",     "#",      "-",      "- ",
        "---", "...",        "?",    "? ",   "[",      "]",          "{",      "}",      ",",      "'",
        "\"",  "\\",         "&",    "*",    "!",      "|",          ">",      "%",      "@",      "`",
        "=",   "<<",         "~",    "null", "true",   "no",         "1",      "0x1",    "1.5",    ".inf",
        "1e3", "2020-01-01", "\x01", "\x7F", "\u0085", "\u2028",     "\uFEFF", "\u00A0", "\uFFFE", "\U00010000",
        "0",   "+",          ".",    "_"};
    std::string result;
    for (std::uint64_t count = below(6); count > 0; --count) result += pieces[below(std::size(pieces))];
    return result;
  }

  std::uint64_t below(std::uint64_t end) { return engine_() % end; }

 private:
  schema::Value value(int depth) {
    const std::uint64_t kind = below(depth >= options_.max_depth ? 8 : 12);
    if (kind >= 10) return list(depth);
    return kind >= 8 ? map(depth) : scalar();
  }

  schema::Value scalar() {
    switch (below(options_.only_json ? 7 : 9)) {
      case 0:
        return nullptr;
      case 1:
        return below(2) == 0;
      case 2:
        return static_cast<std::int64_t>(engine_() >> below(64));
      case 3:
        return floating();
      case 7:
        return bytes();
      case 8:
        return below(2) == 0 ? INFINITY : -INFINITY;
      default:
        return text();
    }
  }

  // Any finite bit pattern, or a number as people write them.
  schema::Value floating() {
    const double any = std::bit_cast<double>(engine_());
    if (below(2) == 0 && std::isfinite(any)) return any;
    return static_cast<double>(static_cast<std::int64_t>(below(2'000'000)) - 1'000'000) / 1000;
  }

  schema::Value bytes() {
    schema::Bytes result(below(100));
    for (std::byte& byte : result) byte = static_cast<std::byte>(below(256));
    return result;
  }

  schema::Value list(int depth) {
    schema::List result;
    for (std::uint64_t count = below(5); count > 0; --count) result.push_back(value(depth + 1));
    return result;
  }

  schema::Value map(int depth) {
    schema::Map result;
    std::set<std::string> keys;  // readers of text tell keys apart by their text
    for (std::uint64_t count = below(5); count > 0; --count) {
      const schema::Value key = options_.only_json ? schema::Value(text()) : scalar();
      if (keys.insert(schema::text_form(key)).second) result.insert(key, value(depth + 1));
    }
    return result;
  }

  std::mt19937_64 engine_;
  RandomValueOptions options_;
};

}  // namespace venvoy::test
