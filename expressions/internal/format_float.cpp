#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "expressions/internal/float_text.hpp"

namespace venvoy::expressions {

namespace {

constexpr int mantissa_bits = 52;
constexpr std::uint64_t implicit_bit = std::uint64_t{1} << mantissa_bits;
// Every finite double has fewer significant decimal digits than this.
constexpr std::int64_t most_digits = 800;

// 0.d1d2d3… times ten to the power of `point`, without zeros at the end; no digits for zero.
struct Decimal {
  std::string digits;
  std::int64_t point = 0;
};

std::string to_text(double value, std::chars_format format, std::int64_t precision) {
  constexpr std::size_t longest_integer_part = 320;
  std::string text(longest_integer_part + static_cast<std::size_t>(std::max<std::int64_t>(precision, 0)), '\0');
  char* const begin = text.data();
  const auto result = precision < 0
                          ? std::to_chars(begin, begin + text.size(), value, format)
                          : std::to_chars(begin, begin + text.size(), value, format, static_cast<int>(precision));
  text.resize(static_cast<std::size_t>(result.ptr - begin));
  return text;
}

// The magnitude rounded to that many significant digits, or in the fewest that read back.
Decimal decimal(double value, std::int64_t significant) {
  const std::string text = to_text(std::fabs(value), std::chars_format::scientific, significant - 1);
  const std::size_t exponent_at = text.find('e');
  Decimal result{.digits = text.substr(0, exponent_at)};
  std::erase(result.digits, '.');
  result.digits.erase(result.digits.find_last_not_of('0') + 1);
  if (!result.digits.empty()) result.point = 1 + std::stoi(text.substr(exponent_at + 1));
  return result;
}

const char* sign_of(double value) {
  return std::signbit(value) ? "-" : "";
}

// With an exponent, and with only the digits that there are.
std::string in_exponent_form(double value, const Decimal& decimal) {
  const std::string digits = decimal.digits.empty() ? "0" : decimal.digits;
  const std::int64_t exponent = decimal.digits.empty() ? 0 : decimal.point - 1;
  return fmt::format("{}{}{}{}e{}{:02}", sign_of(value), digits[0], digits.size() > 1 ? "." : "", digits.substr(1),
                     exponent < 0 ? '-' : '+', std::abs(exponent));
}

// Without an exponent, and with only the digits that there are.
std::string in_plain_form(double value, const Decimal& decimal) {
  const auto point = static_cast<std::size_t>(std::max<std::int64_t>(decimal.point, 0));
  std::string whole = decimal.digits.substr(0, point);
  whole.append(point - whole.size(), '0');
  std::string fraction = decimal.digits.size() > point ? decimal.digits.substr(point) : "";
  if (decimal.point < 0) fraction.insert(0, static_cast<std::size_t>(-decimal.point), '0');
  return fmt::format("{}{}{}{}", sign_of(value), whole.empty() ? "0" : whole, fraction.empty() ? "" : ".", fraction);
}

// %g: with an exponent below -4 or from a limit on, which is the precision, but no more than the digits that are left
// where these cover the whole part, and 6 for the shortest.
std::string in_general_form(double value, std::int64_t precision) {
  const bool shortest = precision < 0;
  const std::int64_t wanted = std::max<std::int64_t>(precision, 1);
  const Decimal rounded = decimal(value, shortest ? 0 : std::min(wanted, most_digits));
  const auto count = static_cast<std::int64_t>(rounded.digits.size());
  std::int64_t limit = shortest ? 6 : wanted;
  if (!shortest && limit > count && count >= rounded.point) limit = count;
  const std::int64_t exponent = rounded.point - 1;
  return exponent < -4 || exponent >= limit ? in_exponent_form(value, rounded) : in_plain_form(value, rounded);
}

struct Binary {
  std::uint64_t mantissa = 0;  // with the implicit bit
  int exponent = 0;            // of the lowest bit of the mantissa
};

Binary binary(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const int biased = static_cast<int>((bits >> mantissa_bits) & 0x7FF);
  const std::uint64_t fraction = bits & (implicit_bit - 1);
  return {biased == 0 ? fraction : fraction | implicit_bit, std::max(biased, 1) - 1075};
}

std::string in_binary_form(double value) {
  const Binary parts = binary(value);
  return fmt::format("{}{}p{:+}", sign_of(value), parts.mantissa, parts.exponent);
}

// 0x1.hhhp±dd, normalised also for the smallest numbers.
std::string in_hexadecimal_form(double value, std::int64_t precision) {
  constexpr int all_digits = mantissa_bits / 4;
  Binary parts = binary(value);
  while (parts.mantissa != 0 && parts.mantissa < implicit_bit) {
    parts.mantissa <<= 1;
    --parts.exponent;
  }
  if (precision >= 0 && precision < all_digits) {
    const int dropped = static_cast<int>(all_digits - precision) * 4;
    const std::uint64_t unit = std::uint64_t{1} << dropped;
    const std::uint64_t rest = parts.mantissa & (unit - 1);
    parts.mantissa -= rest;
    const bool odd = (parts.mantissa & unit) != 0;
    if (rest > unit / 2 || (rest == unit / 2 && odd)) parts.mantissa += unit;
    if (parts.mantissa >= 2 * implicit_bit) {
      parts.mantissa >>= 1;
      ++parts.exponent;
    }
  }
  std::string fraction = fmt::format("{:013x}", parts.mantissa & (implicit_bit - 1));
  if (precision < 0) {
    fraction.erase(fraction.find_last_not_of('0') + 1);
  } else {
    fraction.resize(static_cast<std::size_t>(precision), '0');
  }
  const int exponent = parts.mantissa == 0 ? 0 : parts.exponent + mantissa_bits;
  return fmt::format("{}0x{}{}{}p{}{:02}", sign_of(value), parts.mantissa >> mantissa_bits, fraction.empty() ? "" : ".",
                     fraction, exponent < 0 ? '-' : '+', std::abs(exponent));
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return text;
}

}  // namespace

std::string format_float(double value, char format, std::int64_t precision) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Inf" : "+Inf";
  switch (format) {
    case 'b':
      return in_binary_form(value);
    case 'e':
      return to_text(value, std::chars_format::scientific, precision);
    case 'f':
      return precision < 0 ? in_plain_form(value, decimal(value, 0))
                           : to_text(value, std::chars_format::fixed, precision);
    case 'g':
      return in_general_form(value, precision);
    case 'x':
      return in_hexadecimal_form(value, precision);
    case 'E':
    case 'G':
    case 'X':
      return upper(format_float(value, static_cast<char>(format - 'A' + 'a'), precision));
    default:
      return std::string("%") + format;
  }
}

}  // namespace venvoy::expressions
