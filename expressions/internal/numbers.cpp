#include "expressions/internal/numbers.hpp"

#include <cmath>
#include <cstdlib>
#include <limits>

namespace venvoy::expressions {

namespace {

constexpr double two_to_63 = 9223372036854775808.0;

// The method of 6.2, for a base that is finite and not zero. `exponent` is below 2^63 in magnitude.
double power_by_squaring(double base, std::int64_t exponent) noexcept {
  constexpr std::int64_t beyond_double = 1 << 12;
  double result = 1;
  std::int64_t result_exponent = 0;
  int base_exponent = 0;
  double factor = std::frexp(base, &base_exponent);
  std::int64_t factor_exponent = base_exponent;
  for (std::uint64_t bits = static_cast<std::uint64_t>(std::abs(exponent)); bits != 0; bits >>= 1) {
    if (std::abs(factor_exponent) > beyond_double) {
      result_exponent += factor_exponent;  // infinite or zero, whatever follows
      break;
    }
    if (bits & 1) {
      result *= factor;
      result_exponent += factor_exponent;
    }
    factor *= factor;
    factor_exponent *= 2;
    if (factor < 0.5) {
      factor += factor;
      --factor_exponent;
    }
  }
  if (exponent < 0) {
    result = 1 / result;
    result_exponent = -result_exponent;
  }
  return std::ldexp(result, static_cast<int>(result_exponent));
}

}  // namespace

std::int64_t truncated(double value) noexcept {
  // NaN fails both comparisons.
  if (value >= -two_to_63 && value < two_to_63) return static_cast<std::int64_t>(value);
  return std::numeric_limits<std::int64_t>::min();
}

double power(double base, double exponent) noexcept {
  const bool whole = std::trunc(exponent) == exponent && std::fabs(exponent) < two_to_63;
  if (!whole || base == 0 || !std::isfinite(base)) return std::pow(base, exponent);
  return power_by_squaring(base, static_cast<std::int64_t>(exponent));
}

std::int64_t power(std::int64_t base, std::int64_t exponent) noexcept {
  return truncated(power(static_cast<double>(base), static_cast<double>(exponent)));
}

}  // namespace venvoy::expressions
