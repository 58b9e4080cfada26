#include "expressions/evaluate.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "expressions/internal/numbers.hpp"
#include "fixture.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::expressions;
using Catch::ContainsSubstring;
using schema::Value;

namespace {

constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();

}  // namespace

TEST_CASE("operators on integers") {
  check_values({
      {"7 + 3", 10},
      {"-7 / 2", -3},
      {"(-7) / 2", -3},
      {"(-7) % 3", -1},
      {"7 % (-3)", 1},
      {"9223372036854775807 + 1", least},
      {"9223372036854775807 * 2", -2},
      {"0 - 9223372036854775807 - 2", greatest},
      {"(0 - 9223372036854775807 - 1) / (-1)", least},
      {"(0 - 9223372036854775807 - 1) % (-1)", 0},
      {"-(0 - 9223372036854775807 - 1)", least},
      {"2 ^ 10", 1024},
      {"2 ^ (-1)", 0},
      {"1 ^ (-1)", 1},
      {"0 ^ 0", 1},
      {"2 ^ 63", least},
      {"0 ^ (-1)", least},
      {"(-2) ^ 63", least},
      {"3 ^ 39", std::int64_t{4052555153018976256}},
      {"1 < 2", true},
      {"2 >= 3", false},
  });
}

TEST_CASE("powers have the digits of the Go engine where the C library's differ") {
  // Go's math.Pow, converted as on x86-64.
  CHECK(power(std::int64_t{3}, std::int64_t{34}) == 16677181699666568);
  CHECK(power(std::int64_t{9}, std::int64_t{17}) == 16677181699666568);
  CHECK(power(std::int64_t{63}, std::int64_t{9}) == 15633814156853824);
  CHECK(power(greatest, std::int64_t{1}) == least);
  CHECK(power(2.0, 0.5) == std::sqrt(2.0));
  CHECK(power(-1.0, std::numeric_limits<double>::infinity()) == 1.0);
  CHECK(power(5e-324, -1.0) == std::numeric_limits<double>::infinity());
  CHECK(power(10.0, 400.0) == std::numeric_limits<double>::infinity());
  CHECK(power(10.0, -400.0) == 0.0);
}

TEST_CASE("operators on floats") {
  const double infinity = std::numeric_limits<double>::infinity();
  check_values({
      {"1.0 / 0.0", infinity},
      {"-1.0 / 0.0", -infinity},
      {"7.5 % 2.0", 1.5},
      {"(-7.5) % 2.0", -1.5},
      {"10.0 ^ 15.0", 1e15},
      {"0.1 + 0.2 == 0.3", false},
  });
}

TEST_CASE("floats compare by IEEE") {
  check_values({
      {"0.0 / 0.0 == 0.0 / 0.0", false},
      {"0.0 / 0.0 != 0.0 / 0.0", true},
      {"(-0.0) == 0.0", true},
  });
  CHECK(std::signbit(value_of("-0.0").as_float()));
  CHECK(std::isnan(value_of("5.0 % 0.0").as_float()));
}

TEST_CASE("operators on texts and bools") {
  check_values({
      {"\"a\" + \"b\" + \"\"", "ab"},
      {"\"Z\" < \"a\"", true},
      {"\"10\" < \"9\"", true},
      {"\"é\" > \"z\"", true},
      {"true && !false || true", false},
      {"true != false", true},
      {"false || true", true},
  });
}

TEST_CASE("access") {
  check_values({
      {"$.l[-1]", 30},
      {"$.l[0 - 3]", 10},
      {"$.m[\"two\"]", 2},
      {"$.m.two", 2},
      {"$.r[\"name\"]", "ref"},
      {"$.x.a.b[2].c", "deep"},
      {"$.x.nothing", Value()},
      {"$. 1e5", 99},
      {"1e5 + 1", 100},
      {"splitString(\"a,b\", \",\")[1]", "b"},
      {"bindConstants($.l, 1)[2].item", 30},
  });
}

TEST_CASE("map keys differ by kind, but the zeros are one key and NaN is none") {
  const Value root = schema::Map{
      {"m",
       schema::Map{{1, "int"}, {1.5, "float"}, {true, "bool"}, {"1", "text"}, {-0.0, "zero"}, {std::nan(""), "nan"}}}};
  const auto at = [&](const std::string& key) {
    return evaluate(parse("$.m[" + key + "]"), root, builtin_functions());
  };
  CHECK(at("1") == Value("int"));
  CHECK(at("1.5") == Value("float"));
  CHECK(at("true") == Value("bool"));
  CHECK(at("\"1\"") == Value("text"));
  CHECK(at("0.0") == Value("zero"));
  CHECK(at("-0.0") == Value("zero"));
  CHECK_THROWS_AS(at("1.0"), ExpressionError);
  CHECK_THROWS_AS(at("0.0 / 0.0"), ExpressionError);
}

TEST_CASE("a bare name that starts a key is looked up left of the bracket") {
  // $.m["two"] where `key` is "two"; m has no `key`.
  CHECK(value_of("$.m[$.key]") == Value(2));
  CHECK(value_of("$.m[key + \"\"]") == Value(2));
  CHECK(value_of("$.m[toLower(key)]") == Value(2));
  for (const char* text : {"$.m[key]", "$.m[(key)]", "$.m[r.name]"}) {
    const ExpressionError error = evaluation_error(text);
    CHECK_THAT(error.message(), ContainsSubstring("not found"));
    CHECK_THAT(error.hint(), ContainsSubstring("write '$."));
    CHECK_FALSE(error.absent());
  }
  // x has a `key`: "a".
  CHECK(value_of("$.x[key]") == value_of("$.x.a"));
  CHECK(value_of("x[key].b[0]") == Value(1));
}

TEST_CASE("what fails on its data names key, part and place") {
  struct Row {
    std::string text;
    std::vector<std::string> fragments;
    std::size_t offset;
    bool absent = false;
  };
  const std::vector<Row> table = {
      {"$.opt", {"map key opt not found in '$.opt'"}, 2, true},
      {"opt", {"map key opt not found"}, 0, true},
      {"$.items[1].free.y",
       {"map key free not found", "'$.items[1].free' of the expression '$.items[1].free.y'"},
       11,
       true},
      {"$.x.missing.c", {"map key missing not found"}, 4, true},
      {"$.m[\"Grace\"]", {"map key Grace not found in '$.m[\"Grace\"]'"}, 4},
      {"$.m[$.s]", {"map key alpha not found in '$.m[$.s]'"}, 4},
      {"$.m[1]", {"map key 1 not found"}, 4},
      {"$.l[3]", {"index 3 is larger than the list items length (3)", "'$.l[3]'"}, 4},
      {"$.l[-4]", {"negative index -4 is larger"}, 4},
      {"$.l[\"0\"]", {"unsupported slice index type 'string'"}, 4},
      {"$.l.x", {"unsupported slice index type 'string'"}, 4},
      {"$.s.x", {"cannot evaluate identifier x on a value of the kind string"}, 4},
      {"$.x.nothing.y", {"cannot evaluate identifier y on a value of the kind null"}, 12},
      {"$.m[$.l]", {"a value of the kind list cannot be a map key"}, 4},
      {"$.m[$.x.nothing]", {"a value of the kind null cannot be a map key"}, 4},
      {"10 / $.zero", {"integer division by zero in '10 / $.zero'"}, 0},
      {"1 + 10 % $.zero", {"integer modulus by zero in '10 % $.zero'"}, 4},
      {"false && 1 / 0 == 1", {"integer division by zero"}, 9},
      {"true || $.l[9] == 1", {"index 9 is larger"}, 12},
      {"1 + 1.5", {"'integer'", "'float'", "do not match"}, 0},
      {"$.l == $.l", {"the operator '==' is not for values of the kind list"}, 0},
      {"$.x.nothing == $.x.nothing", {"kind null"}, 0},
      {"\"a\" - \"b\"", {"the operator '-' is not for values of the kind string"}, 0},
      {"true + true", {"'+'"}, 0},
      {"1 && 1", {"'&&'"}, 0},
      {"1.5 || 1.5", {"'||'"}, 0},
      {"1 ! 2", {"'!'"}, 0},
      {"!=true", {"'!='"}, 0},
      {"-true", {"'-'"}, 0},
      {"!1", {"'!'"}, 0},
      {"nope(1 / 0)", {"could not find function 'nope'"}, 0},
      {"1 + stringToInt($.s)", {"'alpha' is no integer", "'stringToInt($.s)'"}, 4},
      {"abs(1.0, 2.0)", {"Expected 1 args, got 2 args"}, 0},
      {"abs(1)", {"Argument 1 is of the kind integer"}, 0},
      {"toUpper($.x.nothing)", {"Argument 1 is of the kind null"}, 0},
      {"bindConstants($.l, $.x.nothing)", {"Argument 2 is of the kind null"}, 0},
  };
  for (const Row& row : table) {
    INFO(row.text);
    const ExpressionError error = evaluation_error(row.text);
    for (const std::string& fragment : row.fragments) CHECK_THAT(error.message(), ContainsSubstring(fragment));
    CHECK(error.offset() == row.offset);
    CHECK(error.absent() == row.absent);
  }
}

TEST_CASE("results share what they have in common with the data") {
  CHECK(&value_of("$.x.a").as_map() == &document().find("x")->find("a")->as_map());
  CHECK(&value_of("bindConstants($.items, $.x)[0].constant.a").as_map() == &document().find("x")->find("a")->as_map());
}
