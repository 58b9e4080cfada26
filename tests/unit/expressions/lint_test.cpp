#include "expressions/lint.hpp"

#include <string>
#include <vector>

#include "fixture.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::expressions;
using Catch::ContainsSubstring;

TEST_CASE("what surprises is named, with its place") {
  struct Row {
    std::string text;
    std::size_t offset;
    std::string fragment;
  };
  const std::vector<Row> table = {
      {"-5 + 3", 0, "'5 + 3'"},
      {" - (5) + 3", 1, "'-((5) + 3)'"},
      {"5 - -3 + 1", 4, "'3 + 1'"},
      {"-$.i == 1", 0, "'$.i == 1'"},
      {"!$.b && $.c", 0, "'!($.b && $.c)'"},
      {"$.a && !$.b || $.c", 7, "'$.b || $.c'"},
      {"$.l[-1 + 1]", 4, "'1 + 1'"},
      {"2 ^ 3 ^ 2", 0, "'(2 ^ 3) ^ 2'"},
      {"2 ^ 3 ^ 2 ^ 4", 0, "'2 ^ 3 ^ 2' is '(2 ^ 3) ^ 2'"},
      {"1 + 007", 4, "'007' is no number"},
      {"$.r + key", 6, "'$.key'"},
      {"r.name", 0, "'$.r'"},
      {"$.m[key]", 4, "value left of them"},
      {"$.m[(r.name)]", 5, "value left of them"},
      {"1 /* c */ + 2", 2, "'/* c */' is a comment"},
      {"7 // 2\n + 1", 2, "'/' divides"},
  };
  for (const Row& row : table) {
    INFO(row.text);
    const std::vector<Warning> warnings = surprising_rules(parse(row.text));
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].offset == row.offset);
    CHECK_THAT(warnings[0].text, ContainsSubstring(row.fragment));
  }
}

TEST_CASE("what means what it looks like is not named") {
  for (const char* text : {"-5", "(-5) + 3", "-(5 + 3)", "-$.i * 2", "-7 / 2 % 3", "-2 ^ 2", "!$.b", "!($.b && $.c)",
                           "!$.b == $.c", "!1 < 2", "2 ^ (3 ^ 2)", "(2 ^ 3) ^ 2", "$.m[$.key]", "$.m[\"key\"]",
                           "toUpper($.s)", "\"// text\"", "1 - 2 - 3", "$.l[-1]"}) {
    INFO(text);
    CHECK(surprising_rules(parse(text)).empty());
  }
}

TEST_CASE("warnings come in the order of the text") {
  const std::vector<Warning> warnings = surprising_rules(parse("/* 1 */ -i + 2 ^ 3 ^ j"));
  REQUIRE(warnings.size() == 5);
  for (std::size_t i = 1; i < warnings.size(); ++i) CHECK(warnings[i - 1].offset <= warnings[i].offset);
}
