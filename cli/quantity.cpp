#include "cli/quantity.hpp"

#include <array>

#include <fmt/format.h>

#include "base/error.hpp"
#include "schema/units.hpp"

namespace venvoy::cli {
namespace {

std::int64_t parse(const schema::Units& units, const std::string& text, const std::string& option, const char* form) {
  try {
    return schema::parse_integer(units, text);
  } catch (const Error& error) {
    throw Error(ErrorCode::usage, fmt::format("{}: {}", option, error.message())).with_hint(form);
  }
}

}  // namespace

std::chrono::milliseconds parse_duration(const std::string& text, const std::string& option) {
  static const schema::Units units{{"ms", "ms", "millisecond", "milliseconds"},
                                   {{1000, {"s", "s", "second", "seconds"}},
                                    {60'000, {"m", "m", "minute", "minutes"}},
                                    {3'600'000, {"h", "h", "hour", "hours"}},
                                    {86'400'000, {"d", "d", "day", "days"}}}};
  const bool bare = text.find_first_not_of("0123456789") == std::string::npos;
  return std::chrono::milliseconds(
      parse(units, bare ? text + "s" : text, option, "a duration is like 90s, 12h or 60d"));
}

std::uint64_t parse_size(const std::string& text, const std::string& option) {
  static const schema::Units units{{"B", "B", "byte", "bytes"},
                                   {{1LL << 10, {"kB", "kB", "kilobyte", "kilobytes"}},
                                    {1LL << 20, {"MB", "MB", "megabyte", "megabytes"}},
                                    {1LL << 30, {"GB", "GB", "gigabyte", "gigabytes"}},
                                    {1LL << 40, {"TB", "TB", "terabyte", "terabytes"}}}};
  return static_cast<std::uint64_t>(parse(units, text, option, "a size is like 800MB or 20GB"));
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> names = {"B", "kB", "MB", "GB", "TB"};
  auto amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < names.size(); ++unit) amount /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", amount, names[unit]);
}

}  // namespace venvoy::cli
