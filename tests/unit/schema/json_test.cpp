#include "schema/json.hpp"

#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "support/catch.hpp"
#include "unit/schema/random_value.hpp"

using namespace venvoy;
using namespace venvoy::schema;

namespace {

// "code line:column message" of the error that reading gives, "" if there is none.
std::string error_of(std::string_view text, const JsonLimits& limits = {}) {
  try {
    read_json(text, "f.json", limits);
    return {};
  } catch (const Error& error) {
    const std::string code = error.code() == ErrorCode::limit ? "limit" : "document";
    return code + " " + error.position().text() + " " + error.what();
  }
}

std::string one_line(const Value& value) {
  return write_json(value, {.indent = 0});
}

}  // namespace

TEST_CASE("JSON is read with its types") {
  const struct {
    std::string_view text;
    Value value;
  } rows[] = {
      {"null", nullptr},
      {" true ", true},
      {"false", false},
      {"0", 0},
      {"-0", 0},
      {"9223372036854775807", std::numeric_limits<std::int64_t>::max()},
      {"-9223372036854775808", std::numeric_limits<std::int64_t>::min()},
      {"9223372036854775808", 9223372036854775808.0},
      {"18446744073709551615", 18446744073709551615.0},
      {"18446744073709551616", 18446744073709551616.0},
      {"-9223372036854775809", -9223372036854775809.0},
      {"1.0", 1.0},
      {"-0.0", -0.0},
      {"1e3", 1000.0},
      {R"("a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00")", "a\"\\/\b\f\n\r\té😀"},
      {"\xEF\xBB\xBF[]", List{}},
      {"{}", Map{}},
      {R"([1, [2.5], {"b": 1, "a": {"": null}}])", List{1, List{2.5}, Map{{"b", 1}, {"a", Map{{"", nullptr}}}}}},
  };
  for (const auto& row : rows) {
    INFO(row.text);
    CHECK(read_json(row.text) == row.value);
  }
}

TEST_CASE("keys of JSON keep their order") {
  const Value value = read_json(R"({"z": 1, "a": 2, "m": 3})");
  CHECK(one_line(value) == R"({"z":1,"a":2,"m":3})");
  CHECK(write_json(value, {.indent = 0, .sort_keys = true}) == R"({"a":2,"m":3,"z":1})");
}

TEST_CASE("errors of JSON have their place") {
  const struct {
    std::string_view text;
    std::string_view message;
  } rows[] = {
      {"", "document f.json:1:1 invalid JSON: unexpected end of input; expected '[', '{', or a literal"},
      {"{\n  \"ä\": 1,\n  \"é\": x}", "document f.json:3:8 invalid JSON: invalid literal"},
      {"{\n  \"a\": 1\n  \"b\": 2}", "document f.json:3:3 invalid JSON: unexpected string literal; expected '}'"},
      {"[1, 2", "document f.json:1:6 invalid JSON: unexpected end of input; expected ']'"},
      {"[1] 2", "document f.json:1:5 invalid JSON: unexpected number literal; expected end of input"},
      {"\xEF\xBB\xBF[1] 2", "document f.json:1:5 invalid JSON: unexpected number literal; expected end of input"},
      {"{\"a\": 1,\n \"b\": {\"a\": 1}, \"a\": 2}", "document f.json:2:17 duplicate key 'a'"},
      {R"({"q\\\"": 1, "q\\\"": 2})", "document f.json:1:14 duplicate key 'q\\\"'"},
      {R"({"": 1, "": 2})", "document f.json:1:9 duplicate key ''"},
      {"\"\xFF\"", "document f.json:1:2 invalid JSON: invalid string: ill-formed UTF-8 byte"},
      {std::string_view("{}\0{}", 5), "document f.json:1:3 invalid JSON: unexpected NUL byte"},
      {std::string_view("{}\0", 3), "document f.json:1:3 invalid JSON: unexpected NUL byte"},
      {"[1e999]", "document f.json:1:6 invalid JSON: number overflow parsing '1e999'"},
      {"[\"a\nb\"]",
       "document f.json:1:4 invalid JSON: invalid string: control character U+000A (LF) must be escaped to \\u000A or "
       "\\n"},
  };
  for (const auto& row : rows) {
    INFO(row.text);
    CHECK(error_of(row.text) == row.message);
  }
}

TEST_CASE("an error of JSON does not repeat megabytes") {
  CHECK(error_of("[" + std::string(1 << 20, '9') + "e999]").size() < 400);
  CHECK(error_of("[\"" + std::string(1 << 20, 'x')).size() < 400);
  const std::string key = "\"" + std::string(1 << 20, 'x') + "\":1";
  CHECK(error_of("{" + key + "," + key + "}").size() < 400);
}

TEST_CASE("JSON is read under limits") {
  CHECK(error_of("[[[1]]]", {.max_depth = 3}).empty());
  CHECK(error_of("[\n [[[1]]]]", {.max_depth = 3}) == "limit f.json:2:4 the JSON text is nested deeper than 3 levels");
  CHECK_THAT(error_of(std::string(1'000'000, '[')), Catch::Matchers::StartsWith("limit f.json:1:201"));
  CHECK_THAT(error_of("{\"a\":" + std::string(100'000, '[')), Catch::Matchers::StartsWith("limit"));
  CHECK(error_of("[1234]", {.max_bytes = 5}) == "limit f.json the JSON text has 6 bytes, more than the limit of 5");
}

TEST_CASE("JSON is written") {
  const struct {
    Value value;
    std::string_view text;
  } rows[] = {
      {nullptr, "null"},
      {Value::written_null("~"), "null"},
      {true, "true"},
      {std::numeric_limits<std::int64_t>::min(), "-9223372036854775808"},
      {1.0, "1.0"},
      {0.1, "0.1"},
      {1e300, "1e+300"},
      {std::nan(""), "\"NaN\""},
      {INFINITY, "\"Infinity\""},
      {-INFINITY, "\"-Infinity\""},
      {std::string_view("a\"\\\b\f\n\r\t\x01\x1F\x7F\0é😀", 18),
       "\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7F\\u0000é😀\""},
      {"a\xFF", "\"a\uFFFD\""},
      {Bytes{std::byte{0}, std::byte{255}}, "\"AP8=\""},
      {List{}, "[]"},
      {Map{}, "{}"},
      {List{1, List{}, "a"}, R"([1,[],"a"])"},
      {Map{{1, "i"}, {true, "b"}, {1.5, "f"}, {nullptr, "n"}, {"t", Map{{"x", 1}}}},
       R"({"1":"i","true":"b","1.5":"f","null":"n","t":{"x":1}})"},
  };
  for (const auto& row : rows) {
    INFO(row.text);
    CHECK(one_line(row.value) == row.text);
  }
  CHECK(write_json(Map{{"a", List{1, 2}}, {"b", Map{}}, {"c", Map{{"d", nullptr}}}}) ==
        "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {},\n  \"c\": {\n    \"d\": null\n  }\n}");
}

TEST_CASE("what JSON cannot hold is an error") {
  CHECK_THROWS_WITH(one_line(Value::invalid("the integer is too large")),
                    "cannot be written as JSON: the integer is too large");
  CHECK_THROWS_WITH(one_line(Map{{1, "a"}, {"1", "b"}}), "cannot be written as JSON: two keys of a map read '1' there");
}

TEST_CASE("what is written as JSON reads back the same") {
  test::RandomValues random(20240229, {.only_json = true});
  for (int round = 0; round < 3000; ++round) {
    const Value value = random.next();
    for (const int indent : {0, 3}) {
      const std::string text = write_json(value, {.indent = indent});
      INFO(text);
      CHECK(read_json(text) == value);
    }
  }
}

TEST_CASE("JSON of many scalars") {
  List list;
  for (int index = 0; index < 200'000; ++index) list.push_back(index);
  const Value value(std::move(list));
  CHECK(read_json(write_json(value)) == value);
}
