#include "expressions/internal/float_text.hpp"

#include <fstream>
#include <iterator>
#include <string>

#include "schema/json.hpp"
#include "schema/value.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::expressions;

// [value, format, precision, text]: written by Go's strconv.FormatFloat, which is what these functions stand in for.
TEST_CASE("floats are formatted as Go does it") {
  std::ifstream file(VENVOY_TEST_DATA "/expressions/format_float.json", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const schema::Value rows = schema::read_json(text);
  REQUIRE(rows.as_list().size() == 3000);
  for (const schema::Value& row : rows.as_list()) {
    const ParsedFloat value = parse_float(row.as_list()[0].as_text());
    REQUIRE(value.problem == FloatProblem::none);
    const char format = row.as_list()[1].as_text()[0];
    const std::int64_t precision = row.as_list()[2].as_integer();
    INFO(row.as_list()[0].as_text() << " " << format << " " << precision);
    CHECK(format_float(value.value, format, precision) == row.as_list()[3].as_text());
  }
}
