#include "schema/internal/plain_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string>

#include "base/text.hpp"
#include "schema/internal/core_schema.hpp"

namespace venvoy::schema {
namespace {

// Reads the formats that yaml.v3 hands to Go's time.Parse, with all that time.Parse lets through.
class TimestampReader {
 public:
  explicit TimestampReader(std::string_view text) : rest_(text) {}

  // YYYY-M-D, alone or with `T`, `t` and a time with a zone, or with blanks and a time without one.
  bool is_timestamp() {
    if (!date()) return false;
    if (rest_.empty()) return true;
    if (skip('T') || skip('t')) return time() && zone() && rest_.empty();
    if (!skip(' ')) return false;
    while (skip(' ')) {
    }
    return time() && rest_.empty();
  }

 private:
  bool skip(char symbol) {
    if (!rest_.starts_with(symbol)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // One or two digits.
  bool number(int& value, bool two = false) {
    std::size_t count = 0;
    for (value = 0; count < 2 && count < rest_.size() && is_digit(rest_[count]); ++count)
      value = value * 10 + (rest_[count] - '0');
    rest_.remove_prefix(count);
    return count == 2 || (count == 1 && !two);
  }
  bool date() {
    const std::size_t digits = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    if (digits != 4) return false;
    int year = 0;
    std::from_chars(rest_.data(), rest_.data() + digits, year);
    rest_.remove_prefix(digits);
    int month = 0;
    int day = 0;
    if (!skip('-') || !number(month) || !skip('-') || !number(day)) return false;
    return month >= 1 && month <= 12 && day >= 1 && day <= days_of(year, month);
  }
  bool time() {
    int hour = 0;
    int minute = 0;
    int second = 0;
    if (!number(hour) || !skip(':') || !number(minute) || !skip(':') || !number(second)) return false;
    if (hour > 23 || minute > 59 || second > 59) return false;
    if (rest_.size() >= 2 && (rest_[0] == '.' || rest_[0] == ',') && is_digit(rest_[1]))
      rest_.remove_prefix(std::min(rest_.find_first_not_of("0123456789", 1), rest_.size()));
    return true;
  }
  bool zone() {
    if (skip('Z')) return true;
    int hours = 0;
    int minutes = 0;
    if (!skip('+') && !skip('-')) return false;
    return number(hours, true) && skip(':') && number(minutes, true) && hours <= 24 && minutes <= 60;
  }
  static int days_of(int year, int month) {
    constexpr std::array days = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[static_cast<std::size_t>(month - 1)] + (month == 2 && is_leap ? 1 : 0);
  }

  std::string_view rest_;
};

// Digits of a base that fit a number of at most `limit`.
bool fits(std::string_view digits, int base, std::uint64_t limit) {
  std::uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto result = std::from_chars(digits.data(), end, value, base);
  return result.ec == std::errc() && result.ptr == end && value <= limit;
}

// An integer of Go: a sign; 0x, 0o, 0b in either case, or a 0 for octal. With a sign it has 64 bits, without one it may
// use the 64th for its value.
bool is_go_integer(std::string_view text) {
  constexpr std::uint64_t most_signed = 0x7FFF'FFFF'FFFF'FFFF;
  std::uint64_t limit = 0xFFFF'FFFF'FFFF'FFFF;
  if (text.starts_with('+') || text.starts_with('-')) {
    limit = text.starts_with('+') ? most_signed : most_signed + 1;
    text.remove_prefix(1);
  }
  if (text == "0") return true;
  if (!text.starts_with('0')) return fits(text, 10, limit);
  if (text.size() >= 3) {
    const char mark = text[1];
    if (mark == 'x' || mark == 'X') return fits(text.substr(2), 16, limit);
    if (mark == 'o' || mark == 'O') return fits(text.substr(2), 8, limit);
    if (mark == 'b' || mark == 'B') return fits(text.substr(2), 2, limit);
  }
  return fits(text.substr(1), 8, limit);
}

// yaml.v3 reads the digits after 0b and 0o once more, with a sign of their own.
bool is_signed_after_prefix(std::string_view text) {
  if (!text.starts_with("0b") && !text.starts_with("0o")) return false;
  const int base = text[1] == 'b' ? 2 : 8;
  text.remove_prefix(2);
  if (!text.starts_with('+') && !text.starts_with('-')) return false;
  const std::uint64_t limit = text.starts_with('+') ? 0x7FFF'FFFF'FFFF'FFFF : 0x8000'0000'0000'0000;
  return fits(text.substr(1), base, limit);
}

// Go lets one `_` stand between two digits of a float such as .5_5.
bool is_float_with_underscores(std::string_view text) {
  std::string digits;
  for (std::size_t index = 0; index < text.size(); ++index) {
    if (text[index] != '_') {
      digits += text[index];
    } else if (index == 0 || index + 1 == text.size() || !is_digit(text[index - 1]) || !is_digit(text[index + 1])) {
      return false;
    }
  }
  return core_value(digits).kind() == Kind::floating;
}

// A text that starts with a digit or a sign; yaml.v3 does not care where a `_` stands. Integers beyond 64 bits are
// floats there if they are not too large, which a point at their end shows.
bool is_go_number(std::string_view text) {
  std::string digits(text);
  std::erase(digits, '_');
  if (is_go_integer(digits) || is_signed_after_prefix(digits)) return true;
  const Kind kind = core_value(digits).kind();
  return kind == Kind::integer || kind == Kind::floating || core_value(digits + ".").kind() == Kind::floating;
}

}  // namespace

bool is_text_when_plain(std::string_view text) {
  if (core_value(text).kind() != Kind::text) return false;
  const char first = text[0];  // not empty: that would be null
  if (first == '.') return !is_float_with_underscores(text);
  if (!is_digit(first) && first != '+' && first != '-') return true;
  return !TimestampReader(text).is_timestamp() && !is_go_number(text);
}

}  // namespace venvoy::schema
