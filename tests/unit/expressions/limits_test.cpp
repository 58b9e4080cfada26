#include <string>

#include "expressions/lint.hpp"
#include "fixture.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::expressions;
using Catch::ContainsSubstring;

namespace {

std::string repeated(std::string_view text, std::size_t count) {
  std::string result;
  for (std::size_t i = 0; i < count; ++i) result += text;
  return result;
}

}  // namespace

TEST_CASE("a chain of 100,001 terms goes through every step") {
  const std::string text = "$.i" + repeated(" + 1", 100'000);
  const Expression expression = parse(text);
  CHECK(infer(expression, root_type(), builtin_functions())->id() == schema::TypeId::integer);
  CHECK(dependencies(expression, root_type(), builtin_functions(), engine_filter).size() == 1);
  CHECK(evaluate(expression, document(), builtin_functions()) == schema::Value(100'007));
  CHECK(surprising_rules(expression).empty());
}

TEST_CASE("a chain of 100,001 accesses goes through every step") {
  const std::string text = "$.x" + repeated(".a", 100'000);
  const Expression expression = parse(text);
  CHECK(infer(expression, root_type(), builtin_functions())->id() == schema::TypeId::any);
  const auto paths =
      dependencies(expression, root_type(), builtin_functions(), {.stop_at_terminals = false, .include_keys = true});
  REQUIRE(paths.size() == 1);
  CHECK(paths[0].elements.size() == 100'002);
  CHECK_THROWS_AS(evaluate(expression, document(), builtin_functions()), ExpressionError);
}

TEST_CASE("a call may have as many arguments as there are") {
  const ExpressionError error = type_error("abs(1.0" + repeated(", 1.0", 100'000) + ")");
  CHECK_THAT(error.message(), ContainsSubstring("got 100001 args"));
}

TEST_CASE("what is open at the same time is limited, and up to the limit everything works") {
  const auto limit = static_cast<std::size_t>(ParseLimits().max_depth);
  CHECK(limit >= 1000);
  CHECK(value_of(repeated("(", limit) + "1" + repeated(")", limit)) == schema::Value(1));
  CHECK(value_of(repeated("-", limit) + "1") == schema::Value(1));
  CHECK(value_of(repeated("(1 + ", limit) + "1" + repeated(")", limit)) == schema::Value(10'001));
  CHECK(value_of(repeated("abs(", limit) + "1.5" + repeated(")", limit)) == schema::Value(1.5));
  CHECK(value_of(repeated("$.l[", limit) + "0" + repeated("] - 10", limit)).kind() == schema::Kind::integer);

  const std::string deep = repeated("(", limit + 1) + "1" + repeated(")", limit + 1);
  CHECK_THAT(parse_error(deep).message(), ContainsSubstring("nested deeper than 10000 levels"));
  CHECK(parse_error(deep).offset() == limit);
  for (const char* opener : {"-", "!", "$.l[", "f("})
    CHECK_THAT(parse_error(repeated(opener, limit + 1)).message(), ContainsSubstring("nested deeper"));
}

TEST_CASE("limits can be set") {
  CHECK_THAT(parse_error("((1))", {.max_depth = 1}).message(), ContainsSubstring("nested deeper than 1 levels"));
  CHECK_THAT(parse_error("1 + 1", {.max_bytes = 4}).message(), ContainsSubstring("longer than 4 bytes"));
  CHECK_NOTHROW(parse("-1 + f((2)) * g[3]", {.max_depth = 3}));
}

TEST_CASE("messages show no more of an expression than helps") {
  const std::string message = type_error("\"" + repeated("x", 5000) + "\" - 1").message();
  CHECK(message.size() < 1500);
  CHECK_THAT(message, ContainsSubstring("…"));
}
