// Arithmetic that plain C++ leaves undefined or computes otherwise (spec/expressions.md 6.2).
#pragma once

#include <cstdint>

namespace venvoy::expressions {

// Towards zero; the least integer for what no integer can hold, infinities and NaN included.
std::int64_t truncated(double value) noexcept;

// base ^ exponent of integers, by way of doubles, with the rounding errors of the Go engine above 2^53.
std::int64_t power(std::int64_t base, std::int64_t exponent) noexcept;

// The same method where the exponent is a whole number, else the C library's.
double power(double base, double exponent) noexcept;

}  // namespace venvoy::expressions
