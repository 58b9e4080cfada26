#include "expressions/functions.hpp"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "fixture.hpp"
#include "support/catch.hpp"
#include "support/temporary_dir.hpp"

using namespace venvoy;
using namespace venvoy::expressions;
using Catch::ContainsSubstring;
using schema::List;
using schema::Value;

namespace {

// A function on values that no literal can write.
Value call(const std::string& name, const std::vector<Value>& arguments) {
  return builtin_functions().find(name)->call(arguments);
}

}  // namespace

TEST_CASE("TestFunctionsBulk: conversions of numbers") {
  check_values({
      {"intToFloat(9223372036854775807)", 9223372036854775808.0},
      {"floatToInt(5.9)", 5},
      {"floatToInt(-5.9)", -5},
      {"floatToInt(1.0 / 0.0)", std::numeric_limits<std::int64_t>::max()},
      {"floatToInt(-1.0 / 0.0)", std::numeric_limits<std::int64_t>::min()},
      {"floatToInt(1.0e30)", std::numeric_limits<std::int64_t>::min()},
      {"floatToInt(9223372036854774784.0)", std::int64_t{9223372036854774784}},
      {"floatToInt(9223372036854775808.0)", std::numeric_limits<std::int64_t>::min()},
      {"intToString(-55)", "-55"},
      {"floatToString(1.0)", "1"},
      {"floatToString(-0.0)", "-0"},
      {"floatToString(1.0e-7)", "0.0000001"},
      {"floatToString(1.0e21)", "1000000000000000000000"},
      {"floatToString(0.0 / 0.0)", "NaN"},
      {"floatToString(1.0 / 0.0)", "+Inf"},
      {"boolToString(1 == 2)", "false"},
      {"floatToFormattedString(0.125, \"f\", 2)", "0.12"},
      {"floatToFormattedString(1.5, \"ff\", 1)", "1.5"},
      {"floatToFormattedString(1.5, \"z\", 1)", "%z"},
      {"floatToFormattedString(1.5, \"é\", 1)", "%\xEF\xBF\xBD"},
  });
  CHECK_THAT(evaluation_error("floatToInt(0.0 / 0.0)").message(), ContainsSubstring("NaN"));
  CHECK_THAT(evaluation_error("floatToFormattedString(1.5, \"\", 1)").message(), ContainsSubstring("format is empty"));
  CHECK_THAT(evaluation_error("floatToFormattedString(1.5, \"f\", 1000001)").message(), ContainsSubstring("limit"));
  CHECK(value_of("floatToFormattedString(1.5, \"f\", 1000000)").as_text().size() == 1'000'002);
}

TEST_CASE("texts read as numbers") {
  check_values({
      {"stringToInt(\"+42\")", 42},
      {"stringToInt(\"-00042\")", -42},
      {"stringToInt(\"-9223372036854775808\")", std::numeric_limits<std::int64_t>::min()},
      {"stringToFloat(\".5\")", 0.5},
      {"stringToFloat(\"5.\")", 5.0},
      {"stringToFloat(\"1_000.5e1_0\")", 1000.5e10},
      {"stringToFloat(\"0x_1p-2\")", 0.25},
      {"stringToFloat(\"-Infinity\")", -std::numeric_limits<double>::infinity()},
      {"stringToFloat(\"iNF\")", std::numeric_limits<double>::infinity()},
      {"stringToFloat(\"1e-400\")", 0.0},
      {"stringToFloat(\"0x1p-2000\")", 0.0},
      {"stringToFloat(\"5e-324\")", 5e-324},
      {"stringToBool(\"T\")", true},
      {"stringToBool(\"FALSE\")", false},
      {"stringToBool(\"0\")", false},
  });
  for (const char* text : {"", "+", "-", "+-5", "--5", "4.2", " 42", "42 ", "1_000", "0x1", "zz"}) {
    CHECK_THAT(evaluation_error("stringToInt(\"" + std::string(text) + "\")").message(),
               ContainsSubstring("invalid syntax"));
  }
  CHECK_THAT(evaluation_error("stringToInt(\"9223372036854775808\")").message(), ContainsSubstring("out of range"));
  for (const char* text : {"",   "abc",  "1__0", "_1", "1_",  "1_.5", "1._5", "1_e5", "1e_5", "0b1", "0x10",
                           "0x", "-NaN", "+nan", "1e", "1e+", " 1",   "1 ",   ".",    "infi", "0x1p"}) {
    CHECK_THAT(evaluation_error("stringToFloat(\"" + std::string(text) + "\")").message(),
               ContainsSubstring("invalid syntax"));
  }
  CHECK_THAT(evaluation_error("stringToFloat(\"1e400\")").message(), ContainsSubstring("out of range"));
  CHECK_THAT(evaluation_error("stringToFloat(\"0x1p1024\")").message(), ContainsSubstring("out of range"));
  for (const char* text : {"", "yes", "truee", "2"})
    CHECK_THAT(evaluation_error("stringToBool(\"" + std::string(text) + "\")").message(),
               ContainsSubstring("is no bool"));
}

TEST_CASE("mathematics") {
  check_values({
      {"ceil(1.2)", 2.0},
      {"floor(-1.2)", -2.0},
      {"round(2.5)", 3.0},
      {"round(-2.5)", -3.0},
      {"round(0.49999999999999994)", 0.0},
      {"abs(-1.0 / 0.0)", std::numeric_limits<double>::infinity()},
  });
  CHECK(std::signbit(value_of("ceil(-0.5)").as_float()));
  CHECK(std::isnan(value_of("floor(0.0 / 0.0)").as_float()));
}

TEST_CASE("upper and lower case, code point by code point") {
  check_values({
      {"toUpper(\"straße ǆ ᾳ ﬁ déf\")", "STRAßE Ǆ ᾼ ﬁ DÉF"},
      {"toLower(\"İ ΣΑΣ Ǆ 𐐀 ẞ ABC\")", "i σασ ǆ 𐐨 ß abc"},
      {"toLower(\"\")", ""},
  });
  CHECK(call("toUpper", {"a\xFF"
                         "b"}) == Value("A\xEF\xBF\xBD"
                                        "B"));
}

TEST_CASE("splitting") {
  check_values({
      {"splitString(\",a,,b,\", \",\")", List{"", "a", "", "b", ""}},
      {"splitString(\"\", \",\")", List{""}},
      {"splitString(\"\", \"\")", List{}},
      {"splitString(\"häß\", \"\")", List{"h", "ä", "ß"}},
      {"splitString(\"aaa\", \"aa\")", List{"", "a"}},
  });
  CHECK(call("splitString", {"a\xFF"
                             "b",
                             ""}) == Value(List{"a", "\xFF", "b"}));
}

TEST_CASE("Test_bindConstants: constants of every kind are bound to each item") {
  CHECK(value_of("bindConstants(splitString(\"a,b\", \",\"), 1)") ==
        Value(List{schema::Map{{"item", "a"}, {"constant", 1}}, schema::Map{{"item", "b"}, {"constant", 1}}}));
  CHECK(call("bindConstants", {List{Value()}, 1}) == Value(List{schema::Map{{"item", Value()}, {"constant", 1}}}));
  CHECK(call("bindConstants", {List{}, 1}) == Value(List{}));
  // Also a map, and the list itself.
  const Value items = List{schema::Map{{"host", "a"}}, schema::Map{{"host", "b"}}};
  for (const Value& constant : {Value(schema::Map{{"a", "A"}, {"b", "B"}}), items}) {
    const auto bound = [&](const Value& item) { return schema::Map{{"item", item}, {"constant", constant}}; };
    CHECK(call("bindConstants", {items, constant}) ==
          Value(List{bound(items.as_list()[0]), bound(items.as_list()[1])}));
  }
}

TEST_CASE("TestFunctionsBulk: reading files") {
  const test::TemporaryDir directory;
  const auto path = directory / "a file.txt";
  const std::string contents("line\n\0\xFF", 7);
  std::ofstream(path, std::ios::binary) << contents;
  CHECK(call("readFile", {path.string()}) == Value(contents));

  const auto failure = [&](const std::string& name) {
    try {
      call("readFile", {name});
    } catch (const ExpressionError& error) {
      return error.message();
    }
    return std::string("no error");
  };
  CHECK_THAT(failure((directory / "absent.txt").string()), ContainsSubstring("absent.txt"));
  CHECK_THAT(failure((directory / "absent.txt").string()), ContainsSubstring("No such file"));
  CHECK_THAT(failure(directory.path().string()), ContainsSubstring("Is a directory"));
  CHECK_THAT(failure(path.string() + std::string(1, '\0')), ContainsSubstring("Invalid argument"));
  CHECK_THAT(failure("/dev/zero"), ContainsSubstring("larger than"));
}

TEST_CASE("TestGetEnvVarFunction: a variable of the environment, or the default") {
  setenv("VENVOY_TEST_VARIABLE", "a=b", 1);
  setenv("VENVOY_TEST_EMPTY", "", 1);
  check_values({
      {"getEnvVar(\"VENVOY_TEST_VARIABLE\", \"d\")", "a=b"},
      {"getEnvVar(\"VENVOY_TEST_EMPTY\", \"d\")", ""},
      {"getEnvVar(\"VENVOY_TEST_ABSENT\", \"d\")", "d"},
      {"getEnvVar(\"VENVOY_TEST_VARIABLE=a\", \"d\")", "d"},
      {"getEnvVar(\"VENVOY_TEST_EMPTY\\0\", \"d\")", "d"},
      {"getEnvVar(\"\", \"d\")", "d"},
  });
}
