// Numbers in texts, read strictly and without regard to any locale.
#pragma once

#include <cstdint>
#include <string_view>

namespace venvoy::schema {

enum class NumberProblem { none, not_a_number, out_of_range };

template <class T>
struct ParsedNumber {
  T value{};
  NumberProblem problem = NumberProblem::none;
};

// Decimal digits with an optional sign; no blanks, no `_`, no `0x` (spec/protocol-and-schema.md 4.3).
ParsedNumber<std::int64_t> parse_integer_text(std::string_view text) noexcept;

// What the Go engine's number parser takes (4.5): decimal floats with an optional exponent, hexadecimal floats with
// one,
// `_` between digits, inf, infinity and nan in any case; no blanks. Too small is zero, too large is out of range.
ParsedNumber<double> parse_float_text(std::string_view text);

// Whether a double is a whole number of 64 bits: in [-2^63, 2^63) and without a fraction.
bool is_integer(double value) noexcept;

// Lower case of ASCII letters; everything else stays.
char ascii_lower(char letter) noexcept;

}  // namespace venvoy::schema
