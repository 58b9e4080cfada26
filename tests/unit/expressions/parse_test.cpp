#include "expressions/parse.hpp"

#include <string>
#include <utility>
#include <vector>

#include "fixture.hpp"
#include "support/catch.hpp"
#include "vectors/tree_text.hpp"

using namespace venvoy;
using namespace venvoy::expressions;
using Catch::ContainsSubstring;
using Table = std::vector<std::pair<std::string, std::string>>;

namespace {

std::string tree(std::string_view text) {
  return test::s_expression(parse(text).tree());
}

}  // namespace

TEST_CASE("numbers are told from names") {
  const Table table = {
      {"5", "(int 5)"},         {"0", "(int 0)"},          {"9223372036854775807", "(int 9223372036854775807)"},
      {"1.", "(float 1)"},      {"00.5", "(float 0.5)"},   {"5.0E-5", "(float 5e-05)"},
      {"1.e3", "(float 1000)"}, {"1.0e-400", "(float 0)"}, {"007", "(id 007)"},
      {"0x1F", "(id 0x1F)"},    {"0b101", "(id 0b101)"},   {"1_000", "(id 1_000)"},
      {"1e5", "(id 1e5)"},      {"12p3", "(id 12p3)"},     {"$. 1e5", "(dot (root) 1e5)"},
  };
  for (const auto& [text, expected] : table) CHECK(tree(text) == expected);
}

TEST_CASE("strings and their escapes") {
  const Table table = {
      {R"("a\t\n\r\b\\\"\'z")", R"((str "a\t\n\r\b\\\"'z"))"},
      {R"('a"b')", R"((str "a\"b"))"},
      {R"("\q\x41\u0041\101\a")", R"((str "\\q\\x41\\u0041\\101\\a"))"},
      {R"("\01")", R"((str "\u00001"))"},
      {R"("\\n")", R"((str "\\n"))"},
      {R"(`a\n"'`)", R"((str "a\\n\"'"))"},
      // Not closed, for its last quote is escaped, but taken all the same.
      {R"("ends\")", R"((str "ends\\"))"},
      {"\"größe\"", "(str \"größe\")"},
      {"\"// no comment\"", "(str \"// no comment\")"},
  };
  for (const auto& [text, expected] : table) CHECK(tree(text) == expected);
  CHECK(value_of("\"a\xFF\"") == schema::Value("a\xFF"));
}

TEST_CASE("white space and comments") {
  for (const char* text : {"1+2", " 1 + 2\n", "1\t+\r\n2",
                           "\xC2\xA0"
                           "1 + 2\xE2\x80\x89",
                           "1 /* c */ + 2", "1 // c\n + 2", "/**/1+2",
                           "\xEF\xBB\xBF"
                           "1 + 2"})
    CHECK(tree(text) == "(+ (int 1) (int 2))");
  CHECK(tree("1 > = 2") == "(>= (int 1) (int 2))");
  CHECK(tree("true & & false") == "(&& (bool true) (bool false))");
  CHECK(tree("1 ! /* */ = 2") == "(!= (int 1) (int 2))");
}

TEST_CASE("operators bind as in the table of section 4") {
  const Table table = {
      {"1 || 2 && 3", "(|| (int 1) (&& (int 2) (int 3)))"},
      {"1 && 2 == 3", "(&& (int 1) (== (int 2) (int 3)))"},
      {"1 < 2 == true", "(== (< (int 1) (int 2)) (bool true))"},
      {"1 == 2 + 3", "(== (int 1) (+ (int 2) (int 3)))"},
      {"1 - 2 - 3", "(- (- (int 1) (int 2)) (int 3))"},
      {"1 + 2 * 3", "(+ (int 1) (* (int 2) (int 3)))"},
      {"1 * 2 / 3 % 4", "(% (/ (* (int 1) (int 2)) (int 3)) (int 4))"},
      {"1 * 2 ^ 3", "(* (int 1) (^ (int 2) (int 3)))"},
      {"2 ^ 3 ^ 2", "(^ (^ (int 2) (int 3)) (int 2))"},
      {"2 ^ (3 ^ 2)", "(^ (int 2) (^ (int 3) (int 2)))"},
      {"(1 + 2) * 3", "(* (+ (int 1) (int 2)) (int 3))"},
      {"$.my-step", "(- (dot (root) my) (id step))"},
  };
  for (const auto& [text, expected] : table) CHECK(tree(text) == expected);
}

TEST_CASE("prefix operators take everything to their right") {
  const Table table = {
      {"-5 + 3", "(neg (+ (int 5) (int 3)))"},
      {"-(5) + 3", "(neg (+ (int 5) (int 3)))"},
      {"(-5) + 3", "(+ (neg (int 5)) (int 3))"},
      {"5 - -3 + 1", "(- (int 5) (neg (+ (int 3) (int 1))))"},
      {"5 * -3 + 4", "(* (int 5) (neg (+ (int 3) (int 4))))"},
      {"-2 ^ 2", "(neg (^ (int 2) (int 2)))"},
      {"-1 == -1", "(neg (== (int 1) (neg (int 1))))"},
      {"!true || true", "(not (|| (bool true) (bool true)))"},
      {"true && !false || true", "(&& (bool true) (not (|| (bool false) (bool true))))"},
      {"true == (!false)", "(== (bool true) (not (bool false)))"},
      {"- - !1", "(neg (neg (not (int 1))))"},
      {"$.l[-1 + 1]", "(index (dot (root) l) (neg (+ (int 1) (int 1))))"},
      {"f(-1 + 2, !3)", "(call f (neg (+ (int 1) (int 2))) (not (int 3)))"},
      // Which typing refuses.
      {"1 ! 2", "(! (int 1) (int 2))"},
      {"true && != false", "(&& (bool true) (unary!= (bool false)))"},
  };
  for (const auto& [text, expected] : table) CHECK(tree(text) == expected);
}

TEST_CASE("access chains and calls") {
  const Table table = {
      {"$", "(root)"},
      {"$.r.name", "(dot (dot (root) r) name)"},
      {"$.l[0][1].x", "(dot (index (index (dot (root) l) (int 0)) (int 1)) x)"},
      {"a.b", "(dot (id a) b)"},
      {"f()", "(call f)"},
      {"f( )[0].a", "(dot (index (call f) (int 0)) a)"},
      {"f(1, (2), g(3))", "(call f (int 1) (int 2) (call g (int 3)))"},
      {"$(1)", "(call $ (int 1))"},
      {"1 + @", "(+ (int 1) (id @))"},
      {"f(@)", "(call f (id @))"},
  };
  for (const auto& [text, expected] : table) CHECK(tree(text) == expected);
}

TEST_CASE("the canonical text of a tree") {
  CHECK(test::canonical_text(parse("-1.0 / $.l[f(1, \"a\")].x").tree()) == "-((1) ÷ ($.l[f(1, \"a\")].x)) ");
}

TEST_CASE("what does not parse says why and where") {
  struct Row {
    std::string text;
    std::string fragment;
    std::size_t offset;
  };
  const std::vector<Row> table = {
      {"", "Expected token not found", 0},
      {"   ", "Expected token not found", 3},
      {"1 +", "Expected token not found", 3},
      {"  1 )", "placed in invalid configuration; expected end of expression", 4},
      {"1 2", "expected end of expression", 2},
      {"\"é\" )", "Token \")\" of ID \"parentheses-end\"", 5},
      {"(1 + 2", "expected token \"parentheses-end\"", 6},
      {"$.l[0", "expected token \"map-delimiter-end\"", 5},
      {"f(1 2)", "\"list-separator\"", 4},
      {"f(1,)", "placed in invalid configuration", 4},
      {"f(,1)", "placed in invalid configuration", 2},
      {"()", "placed in invalid configuration", 1},
      {"$.", "expected token \"identifier\"", 2},
      {"$.true", "expected token \"identifier\"", 2},
      {"$..i", "expected token \"identifier\"", 2},
      {"1 = 1", "expected token \"equals-sign\"", 4},
      {"true & false", "expected token \"and\"", 7},
      {"true | false", "expected token \"or\"", 7},
      {"1 + !2", "placed in invalid configuration", 4},
      {"1 == !2", "placed in invalid configuration", 5},
      {"+5", "placed in invalid configuration", 0},
      {"@.i", "placed in invalid configuration", 0},
      {"(@)", "placed in invalid configuration", 1},
      {"($.r).name", "expected end of expression", 5},
      {"($.l)[0]", "expected end of expression", 5},
      {"f(1)(2)", "expected end of expression", 4},
      {"$.r.n()", "expected end of expression", 5},
      {"\"a\".b", "dot notation cannot follow a literal", 3},
      {"1[0]", "bracket access cannot follow a literal", 1},
      {"2(3)", "parentheses cannot follow a literal", 1},
      {"9223372036854775808", "value out of range", 0},
      {"1 + 1.5e400", "value out of range", 4},
      {".5", "Invalid token \".5\"", 0},
      {"1..5", "Invalid token \".5\"", 2},
      {"1.5e", "Invalid token \"1.5e\"", 0},
      {"1e+5", "Invalid token \"1e+5\"", 0},
      {"$.größe", "Invalid token \"größe\"", 2},
      {"\"open", "Invalid token \"\"open\"", 0},
      {"\"a\nb\"", "Invalid token", 0},
      {"`a\nb`", "Invalid token", 0},
      {"`open", "Invalid token \"`open\"", 0},
      {"$.i ; 1", "Invalid token \";\"", 4},
      {"1\x0C+ 2", "Invalid token", 1},
      {"1 + 2 // c", "an expression cannot end with a comment", 10},
      {"1 /* open", "an expression cannot end with a comment", 9},
      {"7 / / 2", "placed in invalid configuration", 4},
  };
  for (const Row& row : table) {
    const ExpressionError error = parse_error(row.text);
    CHECK_THAT(error.message(), ContainsSubstring(row.fragment));
    CHECK_THAT(error.message(), ContainsSubstring("failed to parse expression: "));
    CHECK(error.offset() == row.offset);
    CHECK_FALSE(error.absent());
  }
  CHECK(parse_error(std::string_view("1 + \0", 5)).offset() == 4);
  CHECK_THAT(parse_error("7 // 2").hint(), ContainsSubstring("'/' divides"));
}

TEST_CASE("nodes know their source") {
  const Expression expression = parse("  -( 1 + 2 ) * $.l[ 0 ]  ");
  const Tree& tree = expression.tree();
  CHECK(expression.text() == "  -( 1 + 2 ) * $.l[ 0 ]  ");
  std::vector<std::string> sources;
  for (const Node& node : tree.nodes) sources.emplace_back(tree.source(node));
  CHECK(sources == std::vector<std::string>{"1", "2", "1 + 2", "$", "$.l", "0", "$.l[ 0 ]", "( 1 + 2 ) * $.l[ 0 ]",
                                            "-( 1 + 2 ) * $.l[ 0 ]"});
}
