// Text with units, spec/protocol-and-schema.md 4.14:
//
//   text := ws [N1 ws name1] ws [N2 ws name2] … ws [F ws [base-name]] ws
//
// The multiples come in descending order, each at most once; only the amount of base units may have a fraction.
#include "schema/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "schema/internal/numbers.hpp"
#include "schema/internal/wording.hpp"

namespace venvoy::schema {
namespace {

// One amount of a text: "5m" is the digits "5" and the multiplier 60.
struct Part {
  std::string_view digits;  // "5"
  std::string_view number;  // with the fraction, if there is one: "5.5"
  std::int64_t multiplier = 1;
};

bool is_blank(char letter) noexcept {
  return std::string_view(" \t\n\f\r").find(letter) != std::string_view::npos;
}
// The order in which the names are listed in messages.
std::array<std::string_view, 4> names_of(const Unit& unit) {
  return {unit.name_long_plural, unit.name_long_singular, unit.name_short_plural, unit.name_short_singular};
}

std::string shown(std::string_view text) {
  return shortened(text);
}

Error not_parsed(const Units& units, std::string_view text) {
  std::vector<std::string> names;
  const auto add = [&](const Unit& unit) {
    for (const std::string_view name : names_of(unit))
      if (names.size() <= max_shown_names && std::ranges::find(names, name) == names.end()) names.emplace_back(name);
  };
  for (auto entry = units.multipliers.rbegin(); entry != units.multipliers.rend(); ++entry) add(entry->second);
  add(units.base_unit);
  for (std::string& name : names) name = "'" + name + "'";
  return Error(ErrorCode::schema, fmt::format("Cannot parse '{}' as '{}': invalid format, valid unit types are: {}",
                                              shown(text), units.base_unit.name_long_plural, name_list(names)));
}

Error does_not_fit(std::string_view text) {
  return Error(ErrorCode::schema, fmt::format("'{}' does not fit 64 bits", shown(text)));
}

// Splits a text into its parts, from left to right.
class Splitter {
 public:
  Splitter(const Units& units, std::string_view text) : units_(units), text_(text), rest_(text) {}

  std::vector<Part> split() {
    skip_blanks();
    if (rest_.empty())
      throw Error(ErrorCode::schema,
                  fmt::format("Empty string cannot be parsed as {}", units_.base_unit.name_long_plural));
    std::vector<Part> parts;
    for (; !rest_.empty(); skip_blanks()) parts.push_back(next());
    return parts;
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
  }

  std::string_view take_digits() {
    const auto end = std::ranges::find_if_not(rest_, is_digit);
    const std::string_view digits = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(digits.size());
    return digits;
  }

  Part next() {
    if (complete_) throw not_parsed(units_, text_);
    const std::string_view from = rest_;
    Part part;
    part.digits = take_digits();
    bool fits = !part.digits.empty();
    if (rest_.starts_with('.')) {
      rest_.remove_prefix(1);
      fits = fits && !take_digits().empty();
    }
    part.number = from.substr(0, from.size() - rest_.size());
    if (!fits) throw not_parsed(units_, text_);
    skip_blanks();
    part.multiplier = take_name(part.number.size() != part.digits.size());
    return part;
  }

  // The multiplier of the unit that is named next: that of the longest name, and of the largest unit if two have it.
  std::int64_t take_name(bool base_only) {
    std::size_t longest = 0;
    std::int64_t multiplier = 0;
    const auto look_at = [&](const Unit& unit, std::int64_t of_unit) {
      for (const std::string_view name : names_of(unit)) {
        if (name.size() <= longest || !rest_.starts_with(name)) continue;
        longest = name.size();
        multiplier = of_unit;
      }
    };
    if (!base_only) {
      auto entry = last_ ? units_.multipliers.lower_bound(*last_) : units_.multipliers.end();
      while (entry != units_.multipliers.begin()) {
        --entry;
        look_at(entry->second, entry->first);
      }
    }
    look_at(units_.base_unit, 1);
    if (longest == 0 && !rest_.empty()) throw not_parsed(units_, text_);
    rest_.remove_prefix(longest);
    if (multiplier <= 1) complete_ = true;
    last_ = multiplier;
    return std::max<std::int64_t>(multiplier, 1);
  }

  const Units& units_;
  std::string_view text_;
  std::string_view rest_;
  std::optional<std::int64_t> last_;  // the multiplier of the part before
  bool complete_ = false;             // the base units were given, nothing may follow
};

std::string joined(std::string_view amount, const std::string& singular, const std::string& plural, bool space) {
  return fmt::format("{}{}{}", amount, space ? " " : "", amount == "1" ? singular : plural);
}

struct Names {
  bool long_form;
  std::string of(const Unit& unit, std::string_view amount) const {
    if (long_form) return joined(amount, unit.name_long_singular, unit.name_long_plural, true);
    return joined(amount, unit.name_short_singular, unit.name_short_plural, false);
  }
};

void append(std::string& text, std::string_view part, const Names& names) {
  if (names.long_form && !text.empty()) text += ' ';
  text += part;
}

std::string format(const Units& units, std::uint64_t amount, const Names& names) {
  if (amount == 0) return names.of(units.base_unit, "0");
  std::string text;
  for (auto entry = units.multipliers.rbegin(); entry != units.multipliers.rend(); ++entry) {
    const auto multiplier = static_cast<std::uint64_t>(entry->first);
    if (amount < multiplier) continue;
    append(text, names.of(entry->second, std::to_string(amount / multiplier)), names);
    amount %= multiplier;
  }
  if (amount > 0) append(text, names.of(units.base_unit, std::to_string(amount)), names);
  return text;
}

std::string format_signed(const Units& units, std::int64_t amount, const Names& names) {
  if (amount >= 0) return format(units, static_cast<std::uint64_t>(amount), names);
  return "-" + format(units, ~static_cast<std::uint64_t>(amount) + 1, names);
}

// What is left of an amount after whole multiples were taken away, with as many decimals as the amount has: the
// subtraction leaves digits that were never written (61.1 - 60 = 1.1000000000000014).
std::string rest_text(double rest, double amount) {
  const std::string digits = fmt::format("{}", amount);
  const std::size_t point = digits.find('.');
  if (digits.find('e') != std::string::npos || point == std::string::npos) return fmt::format("{}", rest);
  return fmt::format("{:.{}f}", rest, digits.size() - point - 1);
}

}  // namespace

std::int64_t parse_integer(const Units& units, std::string_view text) {
  std::int64_t sum = 0;
  for (const Part& part : Splitter(units, text).split()) {
    if (part.number.size() != part.digits.size())
      throw Error(ErrorCode::schema, fmt::format("Failed to parse {} as an integer, float found.", shown(text)));
    const ParsedNumber<std::int64_t> count = parse_integer_text(part.digits);
    std::int64_t amount = 0;
    if (count.problem != NumberProblem::none || __builtin_mul_overflow(count.value, part.multiplier, &amount) ||
        __builtin_add_overflow(sum, amount, &sum))
      throw does_not_fit(text);
  }
  return sum;
}

double parse_float(const Units& units, std::string_view text) {
  double sum = 0;
  for (const Part& part : Splitter(units, text).split()) {
    const ParsedNumber<double> count = parse_float_text(part.number);
    if (count.problem != NumberProblem::none) throw does_not_fit(text);
    sum += count.value * static_cast<double>(part.multiplier);
  }
  if (!std::isfinite(sum)) throw does_not_fit(text);
  return sum;
}

std::string format_short(const Units& units, std::int64_t amount) {
  return format_signed(units, amount, {false});
}
std::string format_long(const Units& units, std::int64_t amount) {
  return format_signed(units, amount, {true});
}

std::string format_short(const Units& units, double amount) {
  const Names names{false};
  if (is_integer(amount)) return format_signed(units, static_cast<std::int64_t>(amount), names);
  if (!std::isfinite(amount)) return names.of(units.base_unit, fmt::format("{}", amount));
  if (amount < 0) return "-" + format_short(units, -amount);
  std::string text;
  double rest = amount;
  for (auto entry = units.multipliers.rbegin(); entry != units.multipliers.rend(); ++entry) {
    const auto multiplier = static_cast<double>(entry->first);
    const double count = std::floor(rest / multiplier);
    if (count < 1) continue;
    text += names.of(entry->second, fmt::format("{}", count));
    rest -= count * multiplier;
  }
  if (rest > 0 || text.empty()) text += names.of(units.base_unit, rest_text(rest, amount));
  return text;
}

const Units& character_units() {
  static const Units units = {{"char", "chars", "character", "characters"}, {}};
  return units;
}

}  // namespace venvoy::schema
