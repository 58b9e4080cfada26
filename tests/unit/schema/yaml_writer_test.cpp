#include "schema/yaml_writer.hpp"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>

#include "base/error.hpp"
#include "schema/internal/text_form.hpp"
#include "schema/json.hpp"
#include "schema/yaml.hpp"
#include "support/catch.hpp"
#include "unit/schema/random_value.hpp"

using namespace venvoy;
using namespace venvoy::schema;

namespace {

// How a text is written as the value of a key.
std::string written(std::string_view text) {
  const std::string document = write_yaml(Map{{"k", text}});
  return document.substr(3, document.size() - 4);
}

Value read_back(const std::string& text) {
  return to_typed_value(read_yaml(text, "f.yaml"));
}

// The values of the vectors; JSON lacks {"@float": "1.5"}, {"@bytes": base64} and {"@map": [[key, value]]}.
Value vector_value(const Value& json) {
  if (json.kind() == Kind::list) {
    List list;
    for (const Value& item : json.as_list()) list.push_back(vector_value(item));
    return list;
  }
  if (const Value* text = json.find("@float")) return std::strtod(text->as_text().c_str(), nullptr);
  if (const Value* text = json.find("@bytes")) return *from_base64(text->as_text());
  const Value* entries = json.find("@map");
  const bool is_plain_map = json.kind() == Kind::map && !entries;
  if (!entries && !is_plain_map) return json;
  Map map;
  if (is_plain_map)
    for (const auto& [key, value] : json.as_map()) map.insert(key, vector_value(value));
  if (entries)
    for (const Value& entry : entries->as_list())
      map.insert(vector_value(entry.as_list()[0]), vector_value(entry.as_list()[1]));
  return map;
}

}  // namespace

TEST_CASE("texts are written in the style of the Go engine") {
  // The rows of spec/workflow.md 1.5.
  const struct {
    std::string_view text;
    std::string_view yaml;
  } rows[] = {
      // What would read back as something else.
      {"5", "\"5\""},
      {"1e3", "\"1e3\""},
      {"0x1F", "\"0x1F\""},
      {"017", "\"017\""},
      {"0o7", "\"0o7\""},
      {"0b11", "\"0b11\""},
      {"1_000", "\"1_000\""},
      {"+1", "\"+1\""},
      {".5", "\".5\""},
      {".inf", "\".inf\""},
      {".nan", "\".nan\""},
      {"true", "\"true\""},
      {"True", "\"True\""},
      {"FALSE", "\"FALSE\""},
      {"null", "\"null\""},
      {"Null", "\"Null\""},
      {"NULL", "\"NULL\""},
      {"~", "\"~\""},
      {"", "\"\""},
      {"2020-01-01", "\"2020-01-01\""},
      // What means something in a plain scalar.
      {"a: b", "'a: b'"},
      {" lead", "' lead'"},
      {"trail ", "'trail '"},
      {"[a", "'[a'"},
      {"*x", "'*x'"},
      {"#x", "'#x'"},
      {"a #x", "'a #x'"},
      {"'q'", "'''q'''"},
      {"\"dq\"", "'\"dq\"'"},
      {"a:", "'a:'"},
      {"- x", "'- x'"},
      {"-", "'-'"},
      {"---", "'---'"},
      {"...", "'...'"},
      {"%x", "'%x'"},
      {"@x", "'@x'"},
      {"`x", "'`x'"},
      // Line feeds.
      {"a\nb", "|-\n    a\n    b"},
      {"a\nb\n", "|\n    a\n    b"},
      {"a\n\n", "|+\n    a\n"},
      {" a\nb", "|4-\n     a\n    b"},
      {"a\n\n  b", "|-\n    a\n\n      b"},
      {"a\tb\nc", "|-\n    a\tb\n    c"},
      {"a \nb", "\"a \\nb\""},
      {"a\nb ", "\"a\\nb \""},
      {"a\n\x01", "\"a\\n\\x01\""},
      // What only an escape can say.
      {"tab\tx", "\"tab\\tx\""},
      {"a\r\nb", "\"a\\r\\nb\""},
      {"\U0001F600", "\"\\U0001F600\""},
      {"a\u0085"
       "b",
       "\"a\\Nb\""},
      {"x\uFEFF", "\"x\\uFEFF\""},
      {"\uFEFFx", "\"\\uFEFF\\x78\""},
      {std::string_view("\0\a\b\v\f\x1B\x7F\"\\", 9), "\"\\0\\a\\b\\v\\f\\e\\x7F\\\"\\\\\""},
      // Everything else.
      {"yes", "yes"},
      {"on", "on"},
      {"y", "y"},
      {"NaN", "NaN"},
      {"a,b", "a,b"},
      {"a:b", "a:b"},
      {"1:30", "1:30"},
      {"=", "="},
      {"<<", "<<"},
      {"é", "é"},
      {"a'b\"c", "a'b\"c"},
      {"a#b", "a#b"},
      {"-x", "-x"},
      {"?x", "?x"},
      {":x", ":x"},
      {"a\u00A0b", "a\u00A0b"},
  };
  for (const auto& row : rows) {
    INFO(row.text);
    CHECK(written(row.text) == row.yaml);
    CHECK(read_back(write_yaml(Map{{"k", row.text}})) == Value(Map{{"k", row.text}}));
  }
}

TEST_CASE("long texts are never folded") {
  std::string words;
  for (int index = 0; index < 100; ++index) words += "word word, ";
  CHECK(written(words + "end") == words + "end");
  CHECK(written(words + "#end") == "'" + words + "#end'");
  CHECK(written(words + "\x01") == "\"" + words + "\\x01\"");
}

TEST_CASE("values other than texts are written in the style of the Go engine") {
  const struct {
    Value value;
    std::string_view yaml;
  } rows[] = {
      {nullptr, "null\n"},
      {Value::written_null("~"), "null\n"},
      {true, "true\n"},
      {-5, "-5\n"},
      {std::numeric_limits<std::int64_t>::min(), "-9223372036854775808\n"},
      {99.0, "99.0\n"},
      {"root", "root\n"},
      {"a\nb\n", "|\n    a\n    b\n"},
      {List{}, "[]\n"},
      {Map{}, "{}\n"},
      {Map{{"output_id", "success"}, {"output_data", Map{}}}, "output_data: {}\noutput_id: success\n"},
      {Map{{"output_data", Map{{"key", "value"}}}}, "output_data:\n    key: value\n"},
      {Map{{"l", List{1, Map{{"f", 2}, {"g", List{}}}, List{List{3, 4}, List{}}}}},
       "l:\n    - 1\n    - f: 2\n      g: []\n    - - - 3\n        - 4\n      - []\n"},
      {List{Map{{"a", Map{{"b", List{1}}}}, {"c", 1}}}, "- a:\n    b:\n        - 1\n  c: 1\n"},
      {List{Map{{"a", Map{{"b", 1}}}}, "x"}, "- a:\n    b: 1\n- x\n"},
      {Map{{"b", 1}, {"a", 2}, {"B", 3}, {"é", 4}, {"ab", 5}}, "B: 3\na: 2\nab: 5\nb: 1\né: 4\n"},
      {Map{{10, "i"}, {9, "j"}, {true, "b"}, {1.5, "f"}, {nullptr, "n"}}, "1.5: f\n10: i\n9: j\nnull: n\ntrue: b\n"},
      {Map{{"5", "t"}, {"", 0}, {"a: b", 1}}, "\"\": 0\n\"5\": t\n'a: b': 1\n"},
      {Map{{"a\nb", 1}, {"c", Map{{"d\ne\n", List{1, 2}}}}},
       "? |-\n    a\n    b\n: 1\nc:\n    ? |\n        d\n        e\n    :   - 1\n        - 2\n"},
      {Map{{"a\r", Map{{"x", 1}, {"y", 2}}}}, "? \"a\\r\"\n:   x: 1\n    y: 2\n"},
      {Bytes{}, "!!binary \"\"\n"},
      {Map{{"b", Bytes{std::byte{0}, std::byte{255}}}}, "b: !!binary AP8=\n"},
      {Map{{Bytes{std::byte{1}}, 1}}, "!!binary AQ==: 1\n"},
      {Map{{"l", List{"a\nb\n", "c"}}}, "l:\n    - |\n      a\n      b\n    - c\n"},
      {Map{{"k", "a\n\n"}, {"l", 1}}, "k: |+\n    a\n\nl: 1\n"},
  };
  for (const auto& row : rows) {
    INFO(row.yaml);
    CHECK(write_yaml(row.value) == row.yaml);
    CHECK(read_back(std::string(row.yaml)) == row.value);
  }
}

TEST_CASE("TestMarshalFloatWholeNumber and what the Go engine's tests marshal beside it") {
  const double infinity = std::numeric_limits<double>::infinity();
  const List shares = {99.0, 3.0, 12.25};
  const struct {
    std::string_view test;
    Value value;
    std::string_view yaml;
  } rows[] = {
      {"TestMarshalFloatWholeNumber", 99.0, "99.0\n"},
      {"TestMarshalFloatFractional", 12.25, "12.25\n"},
      {"TestMarshalFloatZero", 0.0, "0.0\n"},
      {"TestMarshalFloatNegativeWhole", -8.0, "-8.0\n"},
      {"TestMarshalFloat32", double{1.0F}, "1.0\n"},
      {"TestMarshalFloatNaN", std::nan(""), ".nan\n"},
      {"TestMarshalFloatInf", infinity, ".inf\n"},
      {"TestMarshalFloatNegInf", -infinity, "-.inf\n"},
      {"TestMarshalNil", nullptr, "null\n"},
      {"TestMarshalBool", true, "true\n"},
      {"TestMarshalString", "plain", "plain\n"},
      {"TestMarshalInt", 7, "7\n"},
      {"TestMarshalInt64", std::int64_t{-31}, "-31\n"},
      {"TestMarshalUint64", 512, "512\n"},
      {"TestMarshalSlice", List{"a", 1.0, nullptr}, "- a\n- 1.0\n- null\n"},
      {"TestMarshalStringMap", Map{{"city", "Brno"}, {"width", 6.0}}, "city: Brno\nwidth: 6.0\n"},
      {"TestMarshalAnyMap", Map{{"key", 10.0}, {1, true}}, "1: true\nkey: 10.0\n"},
      {"TestMarshalMapKeysAreSorted", Map{{"z", 1}, {"a", 2}, {"m", 3}}, "a: 2\nm: 3\nz: 1\n"},
      {"TestMarshalNestedStructure", Map{{"output_data", Map{{"shares", shares}}}},
       "output_data:\n    shares:\n        - 99.0\n        - 3.0\n        - 12.25\n"},
      {"TestMarshalEmptySlice", List{}, "[]\n"},
      {"TestMarshalEmptyMap", Map{}, "{}\n"},
  };
  for (const auto& row : rows) {
    INFO(row.test);
    CHECK(write_yaml(row.value) == row.yaml);
  }
  CHECK(read_back(write_yaml(shares)) == Value(shares));
}

TEST_CASE("keys of more than 128 bytes stand behind a question mark") {
  const std::string short_enough(128, 'x');
  const std::string too_long(129, 'x');
  CHECK(write_yaml(Map{{short_enough, 1}}) == short_enough + ": 1\n");
  CHECK(write_yaml(Map{{too_long, Map{{"a", 1}, {"b", 2}}}}) == "? " + too_long + "\n:   a: 1\n    b: 2\n");
}

TEST_CASE("long bytes are broken into lines as by the Go engine") {
  const Bytes bytes(54, std::byte{'x'});
  const std::string first = "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eH";
  CHECK(write_yaml(Map{{"b", bytes}}) == "b: !!binary |\n    " + first + "\n    h4\n");
  CHECK(write_yaml(List{bytes}) == "- !!binary |\n  " + first + "\n  h4\n");
  CHECK(read_back(write_yaml(List{bytes})) == Value(List{bytes}));
}

TEST_CASE("what the Go engine writes so that it can't be read is written differently") {
  const struct {
    Value value;
    std::string_view yaml;
  } rows[] = {
      // It loses a line feed at the start,
      {Map{{"k", "\na"}}, "k: |4-\n\n    a\n"},
      {Map{{"k", "\n"}}, "k: |4+\n\n"},
      {Map{{"k", "\n\n"}, {"l", 1}}, "k: |4+\n\n\nl: 1\n"},
      // gives an indentation of 4 where it is less,
      {List{" a\nb"}, "- |2-\n   a\n  b\n"},
      {List{Map{{"a", "\n b"}}}, "- a: |2-\n\n     b\n"},
      // none for a tab at the start,
      {Map{{"k", "\ta\nb"}}, "k: |4-\n    \ta\n    b\n"},
      // breaks lines at what is a line break in YAML 1.1 only,
      {Map{{"k", "a\u2028b"}}, "k: \"a\\Lb\"\n"},
      {Map{{"k", "a\u2029\nb"}}, "k: \"a\\P\\nb\"\n"},
      // makes a merge key of a key,
      {Map{{"<<", Map{{"a", 1}}}}, "\"<<\":\n    a: 1\n"},
      // and leaves quotes off numbers that it can't hold.
      {"1e400", "\"1e400\"\n"},
      {"0xFFFFFFFFFFFFFFFFFF", "\"0xFFFFFFFFFFFFFFFFFF\"\n"},
  };
  for (const auto& row : rows) {
    INFO(row.yaml);
    CHECK(write_yaml(row.value) == row.yaml);
    CHECK(read_back(std::string(row.yaml)) == row.value);
  }
}

// Written by gopkg.in/yaml.v3 3.0.1 from nodes as the Go engine makes them: kind scalar, tag !!str (!!int …), the text,
// no style; keys sorted by their text. Random texts, numbers and the like, and structures; what yaml.v3 could not read
// back itself, and numbers without quotes beyond its range, are left out.
TEST_CASE("the vectors of the Go library are written byte for byte") {
  for (const std::string name : {"go-texts.json", "go-numbers.json", "go-structures.json"}) {
    std::ifstream file(VENVOY_TEST_DATA "/yaml/" + name, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const Value vectors = read_json(text, name);
    REQUIRE(vectors.as_list().size() > 400);
    for (const Value& row : vectors.as_list()) {
      const Value value = vector_value(row.as_list()[0]);
      const std::string& expected = row.as_list()[1].as_text();
      if (write_yaml(value) != expected) {
        INFO(name);
        CHECK(write_yaml(value) == expected);
      }
      if (read_back(expected) != value) {
        INFO(expected);
        CHECK(read_back(expected) == value);
      }
    }
  }
}

TEST_CASE("floats are written with the fewest digits and without exponent") {
  const struct {
    double value;
    std::string_view text;
  } rows[] = {
      {0.0, "0.0"},
      {-0.0, "-0.0"},
      {99, "99.0"},
      {-1, "-1.0"},
      {1e21, "1000000000000000000000.0"},
      {1e23, "100000000000000000000000.0"},
      {0.1, "0.1"},
      {1.0 / 3, "0.3333333333333333"},
      {123.456, "123.456"},
      {1e-7, "0.0000001"},
      {-1.25e-10, "-0.000000000125"},
      {9007199254740993.0, "9007199254740992.0"},
      {10, "10.0"},
      {1e15, "1000000000000000.0"},
      {std::nan(""), ".nan"},
      {INFINITY, ".inf"},
      {-INFINITY, "-.inf"},
  };
  for (const auto& row : rows) CHECK(yaml_float(row.value) == row.text);
  for (const double value : {std::numeric_limits<double>::max(), std::numeric_limits<double>::min(),
                             std::numeric_limits<double>::denorm_min(), 5e-324}) {
    CHECK(yaml_float(value).find('e') == std::string::npos);
    CHECK(std::strtod(yaml_float(value).c_str(), nullptr) == value);
  }
}

TEST_CASE("the options of the YAML writer") {
  const Value value = Map{{"b", List{1, Map{{"d", "x\ny"}, {"c", 2}}}}, {"a", 0}};
  CHECK(write_yaml(value, {.sort_keys = false}) ==
        "b:\n    - 1\n    - d: |-\n        x\n        y\n      c: 2\na: 0\n");
  CHECK(write_yaml(value, {.sort_keys = false, .indent = 2}) ==
        "b:\n  - 1\n  - d: |-\n      x\n      y\n    c: 2\na: 0\n");
}

TEST_CASE("TestMarshalUnsupportedType: what is no valid value is not written as YAML") {
  CHECK_THROWS_WITH(write_yaml(List{Value::invalid("the integer is too large")}),
                    "cannot be written as YAML: the integer is too large");
  CHECK(write_yaml("a\xFF") == "a\uFFFD\n");
}

TEST_CASE("TestMarshalRoundTripPreservesFloatTypes: what is written as YAML reads back the same") {
  test::RandomValues random(20240301);
  for (int round = 0; round < 3000; ++round) {
    const Value value = random.next();
    const YamlWriteOptions options{.sort_keys = random.below(2) == 0, .indent = static_cast<int>(random.below(12))};
    const std::string text = write_yaml(value, options);
    INFO(text);
    REQUIRE(read_back(text) == value);
  }
}

TEST_CASE("large values are written as YAML") {
  const std::string text(10 << 20, 'x');
  CHECK(write_yaml(Map{{"a", text}}).size() == text.size() + 4);
  List list;
  for (int index = 0; index < 1'000'000; ++index) list.push_back(index);
  CHECK(write_yaml(std::move(list)).size() == 8'888'890);
}
