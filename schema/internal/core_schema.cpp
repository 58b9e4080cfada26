#include "schema/internal/core_schema.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>

namespace venvoy::schema {
namespace {

constexpr std::string_view decimals = "0123456789";

bool is_any_of(std::string_view text, std::string_view one, std::string_view two, std::string_view three) {
  return text == one || text == two || text == three;
}

// Takes the digits at the start of a text away and returns how many there were.
std::size_t skip_digits(std::string_view& text) {
  const std::size_t count = std::min(text.find_first_not_of(decimals), text.size());
  text.remove_prefix(count);
  return count;
}

bool skip_sign(std::string_view& text) {
  if (!text.starts_with('+') && !text.starts_with('-')) return false;
  text.remove_prefix(1);
  return true;
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool is_float(std::string_view text) {
  skip_sign(text);
  const std::size_t whole = skip_digits(text);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (skip_digits(text) + whole == 0) return false;
  } else if (whole == 0) {
    return false;
  }
  if (!text.starts_with('e') && !text.starts_with('E')) return text.empty();
  text.remove_prefix(1);
  skip_sign(text);
  return skip_digits(text) > 0 && text.empty();
}

Value integer(std::string_view digits, int base, std::string_view written) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error == std::errc::result_out_of_range)
    return Value::invalid("the integer " + std::string(written.substr(0, 40)) + " does not fit 64 bits");
  return value;
}

// [-+]? [0-9]+ | 0o [0-7]+ | 0x [0-9a-fA-F]+
std::optional<Value> as_integer(std::string_view text) {
  const auto all = [&](std::string_view digits, std::string_view set) {
    return !digits.empty() && digits.find_first_not_of(set) == std::string_view::npos;
  };
  if (text.starts_with("0o") && all(text.substr(2), "01234567")) return integer(text.substr(2), 8, text);
  if (text.starts_with("0x") && all(text.substr(2), "0123456789abcdefABCDEF")) return integer(text.substr(2), 16, text);
  std::string_view digits = text;
  skip_sign(digits);
  if (!all(digits, decimals)) return std::nullopt;
  return integer(text.starts_with('+') ? digits : text, 10, text);
}

Value floating(std::string_view text) {
  const std::string_view digits = text.starts_with('+') ? text.substr(1) : text;
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc::result_out_of_range) return value;
  // Out of range are also numbers that are nearly nought; strtod tells them apart. The library never sets a locale.
  value = std::strtod(std::string(digits).c_str(), nullptr);
  if (std::isfinite(value)) return value;
  return Value::invalid("the number " + std::string(text.substr(0, 40)) + " is too large for a float");
}

}  // namespace

bool is_core_null(std::string_view plain) noexcept {
  return plain.empty() || plain == "~" || is_any_of(plain, "null", "Null", "NULL");
}

Value core_value(std::string_view plain) {
  if (is_core_null(plain)) return nullptr;
  if (is_any_of(plain, "true", "True", "TRUE")) return true;
  if (is_any_of(plain, "false", "False", "FALSE")) return false;
  if (is_any_of(plain, ".nan", ".NaN", ".NAN")) return std::numeric_limits<double>::quiet_NaN();
  std::string_view unsigned_text = plain;
  skip_sign(unsigned_text);
  if (is_any_of(unsigned_text, ".inf", ".Inf", ".INF"))
    return plain.starts_with('-') ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  if (const auto value = as_integer(plain)) return *value;
  return is_float(plain) ? floating(plain) : Value(plain);
}

}  // namespace venvoy::schema
