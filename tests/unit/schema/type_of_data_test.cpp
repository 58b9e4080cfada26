// The type that data has by itself.
#include "schema/type_of_data.hpp"

#include "base/error.hpp"
#include "schema/check.hpp"
#include "schema/json.hpp"
#include "schema/read_type.hpp"
#include "schema_support.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::schema;
using namespace venvoy::schema::test;

TEST_CASE("data has the type of its kind", "[type_of_data]") {
  struct Row {
    Value data;
    const char* type;
  };
  const std::vector<Row> rows = {
      {true, "{'type_id':'bool'}"},
      {5, "{'type_id':'integer'}"},
      {5.0, "{'type_id':'float'}"},
      {"5", "{'type_id':'string'}"},
      {nullptr, "{'type_id':'any'}"},
      {Bytes(2), "{'type_id':'any'}"},
      {List{}, "{'type_id':'list','items':{'type_id':'any'}}"},
      {List{1, 2}, "{'type_id':'list','items':{'type_id':'integer'}}"},
      {List{1, 2.0}, "{'type_id':'list','items':{'type_id':'any'}}"},
      {List{List{1}, List{"a"}}, "{'type_id':'list','items':{'type_id':'any'}}"},
      {Map{{1, "a"}, {2, "b"}}, "{'type_id':'map','keys':{'type_id':'integer'},'values':{'type_id':'string'}}"},
      {Map{{1, "a"}, {"b", "b"}}, "{'type_id':'any'}"},
      {Map{{"a", 1}},
       "{'type_id':'object','id':'data','properties':{'a':{'type':{'type_id':'integer'},'required':true}},'id_"
       "unenforced':true}"},
      {Map{}, "{'type_id':'object','id':'data','properties':{},'id_unenforced':true}"},
  };
  for (const Row& row : rows) {
    CAPTURE(describe(row.data));
    const TypePtr type = type_of_data(row.data);
    CHECK(write_json(write_type(*type), {.indent = 0}) == double_quoted(row.type));
    // It is a type that takes the data.
    if (row.data.kind() != Kind::null) CHECK_NOTHROW(unserialize(*type, row.data));
  }
}

TEST_CASE("data that nests without end has no type", "[type_of_data]") {
  Value data = 1;
  for (int level = 0; level < 2000; ++level) data = List{std::move(data)};
  CHECK_THROWS_AS(type_of_data(data), Error);
}
