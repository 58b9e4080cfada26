#include "expressions/internal/float_text.hpp"

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "expressions/functions.hpp"
#include "schema/json.hpp"
#include "schema/value.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::expressions;

namespace {

// Rows of [value, format, precision, text].
schema::Value rows_of(const std::string& name) {
  std::ifstream file(VENVOY_TEST_DATA "/expressions/" + name, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return schema::read_json(text);
}

}  // namespace

// Written by Go's strconv.FormatFloat, which is what these functions stand in for.
TEST_CASE("floats are formatted as Go does it") {
  const schema::Value rows = rows_of("format_float.json");
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

TEST_CASE("Test_floatToFormattedString_success: the function takes every value, format and precision") {
  const schema::Value rows = rows_of("format_float.json");
  for (const schema::Value& row : rows.as_list()) {
    const schema::List& cells = row.as_list();
    const double value = parse_float(cells[0].as_text()).value;
    INFO(cells[0].as_text() << " " << cells[1].as_text() << " " << cells[2].as_integer());
    const std::vector<schema::Value> arguments = {value, cells[1], cells[2]};
    CHECK(builtin_functions().find("floatToFormattedString")->call(arguments) == cells[3]);
  }
}
