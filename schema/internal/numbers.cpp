#include "schema/internal/numbers.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

namespace venvoy::schema {
namespace {

bool equal_ignoring_case(std::string_view text, std::string_view lower) noexcept {
  return std::ranges::equal(text, lower, {}, ascii_lower);
}

bool is_digit_of(char letter, bool hexadecimal) noexcept {
  const char lower = ascii_lower(letter);
  return (lower >= '0' && lower <= '9') || (hexadecimal && lower >= 'a' && lower <= 'f');
}

// Takes out the `_` that stand between digits; false if one stands elsewhere. Right after a prefix "0x" one is fine.
bool take_out_underscores(std::string& number, bool hexadecimal) {
  for (std::size_t index = 0; index < number.size(); ++index) {
    if (number[index] != '_') continue;
    const bool after_digit = index == 0 ? hexadecimal : is_digit_of(number[index - 1], hexadecimal);
    if (!after_digit || index + 1 == number.size() || !is_digit_of(number[index + 1], hexadecimal)) return false;
  }
  std::erase(number, '_');
  return true;
}

// Whether a well-formed number without sign is less than 1, from the place of its first digit and its exponent.
bool below_one(std::string_view number, bool hexadecimal) {
  const std::size_t mark = number.find_first_of(hexadecimal ? "pP" : "eE");
  const std::string_view digits = number.substr(0, mark);
  const auto point = static_cast<std::int64_t>(std::min(digits.find('.'), digits.size()));
  const auto first = static_cast<std::int64_t>(std::min(digits.find_first_not_of("0."), digits.size()));
  const std::int64_t place = first < point ? point - first - 1 : point - first;
  std::int64_t exponent = 0;
  if (mark != std::string_view::npos) {
    std::string_view text = number.substr(mark + 1);
    if (text.starts_with('+')) text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (error == std::errc::result_out_of_range) return text.starts_with('-');
  }
  // Half of the range is far beyond any double and cannot overflow in the sum.
  exponent =
      std::clamp(exponent, std::numeric_limits<std::int64_t>::min() / 2, std::numeric_limits<std::int64_t>::max() / 2);
  return place * (hexadecimal ? 4 : 1) + exponent < 0;
}

// A number without sign.
ParsedNumber<double> parse_magnitude(std::string_view text) {
  const bool hexadecimal = text.size() > 2 && text[0] == '0' && ascii_lower(text[1]) == 'x';
  std::string number(hexadecimal ? text.substr(2) : text);
  if (!take_out_underscores(number, hexadecimal)) return {0, NumberProblem::not_a_number};
  // from_chars would also take a sign and the names that are dealt with elsewhere.
  const bool begins = !number.empty() && (is_digit_of(number[0], hexadecimal) || number[0] == '.');
  const bool has_exponent = number.find_first_of("pP") != std::string::npos;
  if (!begins || (hexadecimal && !has_exponent)) return {0, NumberProblem::not_a_number};
  double value = 0;
  const char* const last = number.data() + number.size();
  const auto format = hexadecimal ? std::chars_format::hex : std::chars_format::general;
  const auto [end, error] = std::from_chars(number.data(), last, value, format);
  if (error == std::errc::invalid_argument || end != last) return {0, NumberProblem::not_a_number};
  if (error == std::errc()) return {value};
  if (below_one(number, hexadecimal)) return {0};
  return {0, NumberProblem::out_of_range};
}

}  // namespace

char ascii_lower(char letter) noexcept {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

ParsedNumber<std::int64_t> parse_integer_text(std::string_view text) noexcept {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return {0, NumberProblem::not_a_number};
  }
  std::int64_t value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error == std::errc::invalid_argument || end != last) return {0, NumberProblem::not_a_number};
  if (error != std::errc()) return {0, NumberProblem::out_of_range};
  return {value};
}

ParsedNumber<double> parse_float_text(std::string_view text) {
  const bool has_sign = text.starts_with('+') || text.starts_with('-');
  const double sign = text.starts_with('-') ? -1 : 1;
  if (has_sign) text.remove_prefix(1);
  if (equal_ignoring_case(text, "inf") || equal_ignoring_case(text, "infinity"))
    return {std::copysign(std::numeric_limits<double>::infinity(), sign)};
  if (!has_sign && equal_ignoring_case(text, "nan")) return {std::numeric_limits<double>::quiet_NaN()};
  ParsedNumber<double> number = parse_magnitude(text);
  number.value = std::copysign(number.value, sign);
  return number;
}

bool is_integer(double value) noexcept {
  constexpr double limit = 0x1p63;
  return value >= -limit && value < limit && std::trunc(value) == value;
}

}  // namespace venvoy::schema
