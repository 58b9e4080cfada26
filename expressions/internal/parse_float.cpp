#include <algorithm>
#include <charconv>
#include <limits>

#include "base/text.hpp"
#include "expressions/internal/float_text.hpp"

namespace venvoy::expressions {

namespace {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equals_ignoring_case(std::string_view text, std::string_view word) {
  return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                    [](char left, char right) { return lower(left) == right; });
}

// A number in parts: the text without sign, prefix and `_`, and what decides between too large and too small.
struct Scan {
  bool hexadecimal = false;
  std::string digits;  // mantissa with its point
  std::string exponent;
};

// Reads digits and `_` while they are digits of that base; false if an `_` does not stand between two digits. The
// hexadecimal prefix counts as a digit.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool run(Scan& scan) {
    scan.hexadecimal = text_.size() > 2 && text_[0] == '0' && lower(text_[1]) == 'x';
    if (scan.hexadecimal) {
      position_ = 2;
      after_digit_ = true;
    }
    if (!mantissa(scan)) return false;
    if (peek() == (scan.hexadecimal ? 'p' : 'e')) {
      if (!exponent(scan)) return false;
    } else if (scan.hexadecimal) {
      return false;
    }
    return position_ == text_.size();
  }

 private:
  char peek() const { return position_ < text_.size() ? lower(text_[position_]) : '\0'; }

  // Appends the digits to `out`; false for a misplaced `_`.
  bool digits(std::string& out, bool hexadecimal) {
    for (;; ++position_) {
      const char c = peek();
      const bool digit = is_digit(c) || (hexadecimal && c >= 'a' && c <= 'f');
      if (c == '_') {
        if (!after_digit_) return false;
        after_underscore_ = true;
      } else if (digit) {
        out += c;
        after_underscore_ = false;
      } else {
        return !after_underscore_;
      }
      after_digit_ = digit;
    }
  }

  bool mantissa(Scan& scan) {
    if (!digits(scan.digits, scan.hexadecimal)) return false;
    if (peek() == '.') {
      ++position_;
      after_digit_ = false;
      scan.digits += '.';
      if (!digits(scan.digits, scan.hexadecimal)) return false;
    }
    return scan.digits.find_first_not_of('.') != std::string::npos;
  }

  bool exponent(Scan& scan) {
    ++position_;
    after_digit_ = false;
    const bool negative = peek() == '-';
    if (negative || peek() == '+') ++position_;
    if (!is_digit(peek())) return false;
    if (negative) scan.exponent = "-";
    return digits(scan.exponent, false);
  }

  std::string_view text_;
  std::size_t position_ = 0;
  bool after_digit_ = false;
  bool after_underscore_ = false;
};

// Whether a number that is out of range is too large, and not too small.
bool is_large(const Scan& scan) {
  constexpr std::int64_t far = std::numeric_limits<std::int64_t>::max() / 16;
  std::int64_t exponent = 0;
  if (!scan.exponent.empty()) {
    const auto result = std::from_chars(scan.exponent.data(), scan.exponent.data() + scan.exponent.size(), exponent);
    if (result.ec != std::errc()) exponent = scan.exponent[0] == '-' ? -far : far;
    exponent = std::clamp(exponent, -far, far);
  }
  const auto point = static_cast<std::int64_t>(std::min(scan.digits.find('.'), scan.digits.size()));
  const auto first = static_cast<std::int64_t>(std::min(scan.digits.find_first_not_of("0."), scan.digits.size()));
  return (point - first) * (scan.hexadecimal ? 4 : 1) + exponent > 0;
}

ParsedFloat magnitude(std::string_view text) {
  if (equals_ignoring_case(text, "inf") || equals_ignoring_case(text, "infinity"))
    return {std::numeric_limits<double>::infinity()};
  Scan scan;
  if (!Scanner(text).run(scan)) return {0, FloatProblem::syntax};
  std::string number = scan.digits;
  if (!scan.exponent.empty()) number += (scan.hexadecimal ? 'p' : 'e') + scan.exponent;
  const std::chars_format format = scan.hexadecimal ? std::chars_format::hex : std::chars_format::general;
  double value = 0;
  const auto result = std::from_chars(number.data(), number.data() + number.size(), value, format);
  if (result.ec == std::errc::result_out_of_range)
    return is_large(scan) ? ParsedFloat{0, FloatProblem::range} : ParsedFloat{0};
  if (result.ec != std::errc()) return {0, FloatProblem::syntax};
  return {value};
}

}  // namespace

ParsedFloat parse_float(std::string_view text) {
  if (equals_ignoring_case(text, "nan")) return {std::numeric_limits<double>::quiet_NaN()};
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  ParsedFloat result = magnitude(text);
  if (negative) result.value = -result.value;
  return result;
}

}  // namespace venvoy::expressions
