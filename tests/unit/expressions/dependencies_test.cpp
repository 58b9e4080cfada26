#include "expressions/dependencies.hpp"

#include <string>
#include <vector>

#include "fixture.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::expressions;

namespace {

constexpr DependencyFilter everything = {.include_keys = true};
constexpr DependencyFilter functions_only = {.exclude_data_root_paths = true};
using Paths = std::vector<std::string>;

}  // namespace

TEST_CASE("what expressions depend on") {
  struct Row {
    std::string text;
    Paths engine;
    Paths all;
  };
  const std::vector<Row> table = {
      {"1", {}, {}},
      {"\"a\" + \"b\"", {}, {}},
      {"$", {"$"}, {"$"}},
      {"$.i + 1", {"$.i"}, {"$.i"}},
      {"i", {"$.i"}, {"$.i"}},
      {"-$.i + $.j", {"$.i", "$.j"}, {"$.i", "$.j"}},
      {"$.items[0].name", {"$.items.name"}, {"$.items.0.name"}},
      {"$.items[$.i].name", {"$.items.name", "$.i"}, {"$.items.name", "$.i"}},
      {"$.m[$.key]", {"$.m", "$.key"}, {"$.m", "$.key"}},
      {"$.m[key]", {"$.m", "$.key"}, {"$.m", "$.key"}},
      {"$.m[(\"one\")]", {"$.m"}, {"$.m.one"}},
      {"$.l[-1]", {"$.l"}, {"$.l"}},
      {"$.m[\"one\"] + $.m[\"two\"]", {"$.m"}, {"$.m.one", "$.m.two"}},
      {"$.x.a.b", {"$.x"}, {"$.x.a.b"}},
      {"$.x[\"a\"].b", {"$.x"}, {"$.x.a.b"}},
      {"$.x[true]", {"$.x"}, {"$.x.true"}},
      {"splitString($.s, \",\")[$.i]", {"$.s", "$.i"}, {"splitString", "$.s", "$.i"}},
      {"bindConstants($.l, $.r)[0].constant.name", {"$.l", "$.r"}, {"bindConstants.0.constant.name", "$.l", "$.r"}},
  };
  for (const Row& row : table) {
    CHECK(paths_of(row.text, engine_filter) == row.engine);
    CHECK(paths_of(row.text, everything) == row.all);
  }
}

TEST_CASE("paths that start at functions alone") {
  CHECK(paths_of("bindConstants($.l, 1)[0].item + stringToInt($.s)", functions_only) ==
        Paths{"bindConstants.item", "stringToInt"});
}

TEST_CASE("keys directly on an any value survive the cut, what follows them does not") {
  CHECK(paths_of("$.x[\"a\"].b", {.stop_at_terminals = true, .include_keys = true}) == Paths{"$.x.a"});
}

TEST_CASE("paths come once, where they appear first, and know where") {
  const Expression expression = parse(" $.j + $.i + j + $.l[$.i]");
  const auto paths = dependencies(expression, root_type(), builtin_functions(), engine_filter);
  REQUIRE(paths.size() == 3);
  CHECK(paths[0].elements == schema::List{"$", "j"});
  CHECK(paths[0].offset == 1);
  CHECK(paths[1].elements == schema::List{"$", "i"});
  CHECK(paths[1].offset == 7);
  CHECK(paths[2].elements == schema::List{"$", "l"});
  CHECK(paths[2].offset == 17);
}

TEST_CASE("paths are equal when they print the same") {
  CHECK(paths_of("bindConstants(bindConstants($.l, $.x[\"1\"]), $.x[1])", everything) ==
        Paths{"bindConstants", "$.l", "$.x.1"});
}

TEST_CASE("against any, bare names depend on nothing") {
  const auto count = [](std::string_view text) {
    return dependencies(parse(text), schema::any_type(), builtin_functions(), engine_filter).size();
  };
  CHECK(count("$.a.b") == 1);
  CHECK(count("a.b") == 0);
  CHECK(count("a[$.b]") == 1);
}
