#include "schema/units.hpp"

#include "base/error.hpp"
#include "schema_support.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::schema;

namespace {

Units seconds() {
  return {
      {"s", "s", "second", "seconds"},
      {{60, {"m", "m", "minute", "minutes"}}, {3600, {"H", "H", "hour", "hours"}}, {86400, {"d", "d", "day", "days"}}}};
}

Units bytes() {
  return {{"B", "B", "byte", "bytes"},
          {{1024, {"kB", "kB", "kilobyte", "kilobytes"}},
           {std::int64_t{1} << 20, {"MB", "MB", "megabyte", "megabytes"}},
           {std::int64_t{1} << 30, {"GB", "GB", "gigabyte", "gigabytes"}},
           {std::int64_t{1} << 40, {"TB", "TB", "terabyte", "terabytes"}},
           {std::int64_t{1} << 50, {"PB", "PB", "petabyte", "petabytes"}}}};
}

Units nanoseconds() {
  return {{"ns", "ns", "nanosecond", "nanoseconds"},
          {{1000, {"μs", "μs", "microsecond", "microseconds"}},
           {1000000, {"ms", "ms", "milliseconds", "milliseconds"}},
           {1000000000, {"s", "s", "second", "seconds"}},
           {60000000000, {"m", "m", "minute", "minutes"}},
           {3600000000000, {"H", "H", "hour", "hours"}},
           {86400000000000, {"d", "d", "day", "days"}}}};
}

Units percent() {
  return {{"%", "%", "percent", "percent"}, {}};
}

std::string integer(const Units& units, std::string_view text) {
  try {
    return std::to_string(parse_integer(units, text));
  } catch (const Error& error) {
    return "ERR " + error.message();
  }
}

std::string floating(const Units& units, std::string_view text) {
  try {
    return describe(parse_float(units, text));
  } catch (const Error& error) {
    return "ERR " + error.message();
  }
}

struct Row {
  Units units;
  const char* text;
  const char* as_integer;  // what the result begins with
  const char* as_float;
};

constexpr const char* not_parsed = "ERR Cannot parse '";

}  // namespace

// Appendix A.3 of spec/protocol-and-schema.md, column "Required".
TEST_CASE("amounts with units are parsed by the grammar", "[units]") {
  const std::vector<Row> rows = {
      {seconds(), "5m30s", "330", "330"},
      {seconds(), "5m 30s", "330", "330"},
      {seconds(), "5 minutes 30 seconds", "330", "330"},
      {seconds(), "1d2H3m4s", "93784", "93784"},
      {seconds(), "90", "90", "90"},
      {seconds(), "007", "7", "7"},
      {seconds(), "1second", "1", "1"},
      {seconds(), "2second", "2", "2"},
      {seconds(), "1.5s", "ERR Failed to parse 1.5s as an integer, float found.", "1.5"},
      {seconds(), "1m1.5s", "ERR Failed to parse 1m1.5s as an integer, float found.", "61.5"},
      {seconds(), "1.5m", not_parsed, not_parsed},
      {seconds(), "30s5m", not_parsed, not_parsed},
      {seconds(), "5M", not_parsed, not_parsed},
      {seconds(), "5h", not_parsed, not_parsed},
      {seconds(), "-5", not_parsed, not_parsed},
      {seconds(), "+5", not_parsed, not_parsed},
      {seconds(), "5x5", not_parsed, not_parsed},
      {seconds(), "1e3", not_parsed, not_parsed},
      {seconds(), "1,5", not_parsed, not_parsed},
      {seconds(), "1m5", "65", "65"},
      {seconds(), "", "ERR Empty string cannot be parsed as seconds", "ERR Empty string cannot be parsed as seconds"},
      {seconds(), " \t\n", "ERR Empty string cannot be parsed as seconds",
       "ERR Empty string cannot be parsed as seconds"},
      {seconds(), "9223372036854775807m", "ERR '9223372036854775807m' does not fit 64 bits", "5.53"},
      {seconds(), "99999999999999999999", "ERR '99999999999999999999' does not fit 64 bits", "1e+20"},
      {seconds(), "9223372036854775807", "9223372036854775807", "9.22"},
      {seconds(), "1m9223372036854775807", "ERR '1m9223372036854775807' does not fit 64 bits", "9.22"},
      {bytes(), "1kB", "1024", "1024"},
      {bytes(), "5MB", "5242880", "5242880"},
      {bytes(), "1PB", "1125899906842624", "1125899906842624"},
      {bytes(), "1GB1kB1B", "1073742849", "1073742849"},
      {bytes(), "2kilobytes 5 bytes", "2053", "2053"},
      {bytes(), "1KB", not_parsed, not_parsed},
      {bytes(), "1kb", not_parsed, not_parsed},
      {bytes(), "1k", not_parsed, not_parsed},
      {bytes(), "1.5MB", not_parsed, not_parsed},
      {nanoseconds(), "5m30s", "330000000000", "330000000000"},
      {nanoseconds(), "1ms1μs1ns", "1001001", "1001001"},
      {nanoseconds(), "1us", not_parsed, not_parsed},
      {nanoseconds(), "1millisecond", not_parsed, not_parsed},
      {percent(), "50%", "50", "50"},
      {percent(), "1.1%", "ERR Failed to parse 1.1% as an integer, float found.", "1.1"},
      {percent(), ".5%", not_parsed, not_parsed},
      {percent(), "1.%", not_parsed, not_parsed},
      // A.4
      {seconds(), "5m", "300", "300"},
      {seconds(), "5.0", "ERR Failed to parse 5.0 as an integer, float found.", "5"},
      {seconds(), " 5 ", "5", "5"},
      // Each unit at most once, nothing after the base units, blanks only between.
      {seconds(), "1m1m", not_parsed, not_parsed},
      {seconds(), "5s5s", not_parsed, not_parsed},
      {seconds(), "5 5", not_parsed, not_parsed},
      {seconds(), "m", not_parsed, not_parsed},
      {seconds(), "1 m 1 s ", "61", "61"},
      {seconds(), "1min", not_parsed, not_parsed},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const std::string as_integer = integer(row.units, row.text);
    const std::string as_float = floating(row.units, row.text);
    CAPTURE(as_integer, as_float);
    const bool exact = std::string_view(row.as_integer) != not_parsed;
    CHECK((exact ? as_integer == row.as_integer : as_integer.starts_with(row.as_integer)));
    CHECK(as_float.starts_with(row.as_float));
  }
}

TEST_CASE("the message lists the names of all units, the largest first", "[units]") {
  CHECK(
      integer(seconds(), "5M") ==
      "ERR Cannot parse '5M' as 'seconds': invalid format, valid unit types are: 'days', 'day', 'd', 'hours', 'hour', "
      "'H', 'minutes', 'minute', 'm', 'seconds', 'second', 's'");
}

TEST_CASE("amounts are formatted with units", "[units]") {
  struct FormatRow {
    Units units;
    std::int64_t amount;
    const char* in_short;
    const char* in_long;
  };
  const std::vector<FormatRow> rows = {
      {seconds(), 0, "0s", "0 seconds"},
      {seconds(), 1, "1s", "1 second"},
      {seconds(), 10, "10s", "10 seconds"},
      {seconds(), 60, "1m", "1 minute"},
      {seconds(), 330, "5m30s", "5 minutes 30 seconds"},
      {seconds(), 90061, "1d1H1m1s", "1 day 1 hour 1 minute 1 second"},
      {seconds(), -61, "-1m1s", "-1 minute 1 second"},
      {bytes(), 1025, "1kB1B", "1 kilobyte 1 byte"},
      {bytes(), 10240, "10kB", "10 kilobytes"},
      {character_units(), 1, "1char", "1 character"},
      {character_units(), 5, "5chars", "5 characters"},
      {percent(), std::numeric_limits<std::int64_t>::min(), "-9223372036854775808%", "-9223372036854775808 percent"},
  };
  for (const FormatRow& row : rows) {
    CHECK(format_short(row.units, row.amount) == row.in_short);
    CHECK(format_long(row.units, row.amount) == row.in_long);
    if (row.amount >= 0) CHECK(parse_integer(row.units, row.in_short) == row.amount);
  }
}

TEST_CASE("fractions are formatted without the noise of the subtraction", "[units]") {
  CHECK(format_short(percent(), 0.5) == "0.5%");
  CHECK(format_short(seconds(), 61.1) == "1m1.1s");
  CHECK(format_short(seconds(), -61.1) == "-1m1.1s");
  CHECK(format_short(seconds(), 60.0) == "1m");
  CHECK(format_short(seconds(), 0.0) == "0s");
  CHECK(format_short(seconds(), 1e-7) == "1e-07s");
  CHECK(format_short(seconds(), std::numeric_limits<double>::infinity()) == "infs");
}

TEST_CASE("the longest name is taken", "[units]") {
  // "m" is the beginning of "mm" and of "month".
  const Units units = {{"mm", "mm", "millimetre", "millimetres"}, {{1000, {"m", "m", "metre", "metres"}}}};
  CHECK(parse_integer(units, "5mm") == 5);
  CHECK(parse_integer(units, "5m5mm") == 5005);
  CHECK(parse_integer(units, "5metres") == 5000);
  // A name that two units have means the larger one, and the smaller one after it.
  const Units twice = {{"s", "s", "second", "seconds"}, {{60, {"x", "x", "x", "x"}}, {3600, {"x", "x", "x", "x"}}}};
  CHECK(parse_integer(twice, "1x1x") == 3660);
  // A unit without names cannot be named.
  const Units nameless = {{"s", "s", "second", "seconds"}, {{60, {"", "", "", ""}}}};
  CHECK(parse_integer(nameless, "5") == 5);
}
