#include "schema/yaml.hpp"

#include <cmath>
#include <random>

#include <fmt/format.h>

#include "base/error.hpp"
#include "schema/json.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::schema;

namespace {

YamlNode read(std::string_view text, const YamlLimits& limits = {}) {
  return read_yaml(text, "f.yaml", limits);
}

// The values as texts, in one line of JSON.
std::string texts(std::string_view text) {
  return write_json(to_text_value(read(text)), {.indent = 0});
}
std::string typed(std::string_view text) {
  return write_json(to_typed_value(read(text), "f.yaml"), {.indent = 0});
}

// "code place message" of the error, "" if there is none.
template <class Work>
std::string error_of(Work&& work) {
  try {
    work();
    return {};
  } catch (const Error& error) {
    const std::string code = error.code() == ErrorCode::limit      ? "limit"
                             : error.code() == ErrorCode::document ? "document"
                                                                   : "other";
    return code + " " + error.position().text() + " " + error.what();
  }
}
std::string read_error(std::string_view text, const YamlLimits& limits = {}) {
  return error_of([&] { read(text, limits); });
}

// Every node with its place, in the order of the text: "1:1{ 1:1a 1:4b }", "!tag" before what it belongs to, the place
// of the text in brackets where it is another, and "~" for a null.
std::string places(const YamlNode& node) {
  std::string out = fmt::format("{}:{}{}", node.line, node.column, node.tag);
  if (node.is_scalar()) {
    if (node.text_line != node.line || node.text_column != node.column)
      out += fmt::format("({}:{})", node.text_line, node.text_column);
    return out + (node.is_null() ? "~" : "") + node.text;
  }
  out += node.is_mapping() ? "{" : "[";
  for (const YamlNode& item : node.items) out += " " + places(item);
  for (const auto& [key, value] : node.entries) out += " " + places(key) + " " + places(value);
  return out + (node.is_mapping() ? " }" : " ]");
}

std::string place_in(const YamlNode& node, std::size_t byte) {
  const Position position = node.position_in_text("f.yaml", byte);
  return fmt::format("{}:{}", position.line, position.column);
}

std::string repeat(std::string_view text, int count) {
  std::string result;
  for (int index = 0; index < count; ++index) result += text;
  return result;
}

}  // namespace

TEST_CASE("YAML is read into texts") {
  const struct {
    std::string_view yaml;
    std::string_view json;
  } rows[] = {
      {"a: 1\nb: [x, 'y', \"z\"]\nc: {d: e}\n", R"({"a":"1","b":["x","y","z"],"c":{"d":"e"}})"},
      {"- a\n- - b\n  - c\n-\n  d: e\n", R"(["a",["b","c"],{"d":"e"}])"},
      {"{\"a\": [1, true, null], \"b\": {}}", R"({"a":["1","true",null],"b":{}})"},
      {"5", R"("5")"},
      {"{}", "{}"},
      {"a: one\n  two\n\n  three # no\nb: 'x\n  y'", R"({"a":"one two\nthree","b":"x y"})"},
      {"a: |\n  one\n   two\n\nb: >-\n  three\n  four\n", R"({"a":"one\n two\n","b":"three four"})"},
      {"a: |+\n  x\n\nb: |2-\n    y\n  z\n", R"({"a":"x\n\n","b":"  y\nz"})"},
      {R"(a: "\"\\\/\t\n\x41\u00e9\U0001F600\N\_\L\P")",
       "{\"a\":\"\\\"\\\\/\\t\\nAé\U0001F600\u0085\u00A0\u2028\u2029\"}"},
      {"a: 'it''s'", R"({"a":"it's"})"},
      {"? a\n: b\n? c\n", R"({"a":"b","c":null})"},
      {"? |\n  a\n  b\n: c\n", R"({"a\nb\n":"c"})"},
      {"1: a\ntrue: b\n~: c\n", R"({"1":"a","true":"b","~":"c"})"},
      // The tag of a block scalar or plain scalar in a list, with lines that are indented as the tag is.
      {"- !expr |\n  a\n  b\n- !expr a\n  b\n- x", R"(["a\nb\n","a b","x"])"},
      {"a:\n  !expr |\n  b\n", R"({"a":"b\n"})"},
      {" !expr |\n b\n", R"("b\n")"},
      {"- text: |\n    - !expr |\n- !expr |\n  # a\n  b\n- !t k: v\n- &a |\n  c\n- *a",
       R"([{"text":"- !expr |\n"},"# a\nb\n",{"k":"v"},"c\n","c\n"])"},
      {"- !expr |\n  # a\n- &a >-\n\n  #b\n- &b |\n- *a", R"(["# a\n","\n#b","","\n#b"])"},
      // Ends of lines, byte order marks, documents.
      {"a: x\r\nb: |\r\n  l\r\n  m\r\nc: p\r\n  q\r\n", R"({"a":"x","b":"l\nm\n","c":"p q"})"},
      {"a: x\rb: y\r", R"({"a":"x","b":"y"})"},
      {"\xEF\xBB\xBF"
       "a: b",
       R"({"a":"b"})"},
      {"a: 1\n---\nb: 2\n", R"({"a":"1"})"},
      {"a: 1\n...\n@ no YAML", R"({"a":"1"})"},
      {"%YAML 1.2\n---\na: 1\n...\n", R"({"a":"1"})"},
      {"--- a\n--- [", R"("a")"},
      {"", "null"},
      {"\n# only a comment\n", "null"},
      {"---\n", "null"},
  };
  for (const auto& row : rows) {
    INFO(row.yaml);
    CHECK(texts(row.yaml) == row.json);
  }
}

TEST_CASE("TestYAMLParsing TestMapKeys: maps in their order, lists, tags, and scalars as texts") {
  const struct {
    std::string_view yaml;
    std::string_view json;
    std::string_view places;
  } rows[] = {
      {"welcome: good morning", R"({"welcome":"good morning"})", "1:1{ 1:1welcome 1:10good morning }"},
      {"welcome: good morning\ntint: red", R"({"welcome":"good morning","tint":"red"})",
       "1:1{ 1:1welcome 1:10good morning 2:1tint 2:7red }"},
      {"one: word\ntwo: apple\n", R"({"one":"word","two":"apple"})", "1:1{ 1:1one 1:6word 2:1two 2:6apple }"},
      {"- word", R"(["word"])", "1:1[ 1:3word ]"},
      {"word", R"("word")", "1:1word"},
      {"1", R"("1")", "1:11"},
      {"true", R"("true")", "1:1true"},
      {"1.0", R"("1.0")", "1:11.0"},
      {"null", "null", "1:1~null"},
      {"1: word", R"({"1":"word"})", "1:1{ 1:11 1:4word }"},
  };
  for (const auto& row : rows) {
    INFO(row.yaml);
    CHECK(texts(row.yaml) == row.json);
    CHECK(places(read(row.yaml)) == row.places);
  }
  for (const std::string_view yaml : {"welcome: !!own |-\n  good morning", "- !!own |-\n  good morning"}) {
    const YamlNode node = read(yaml);
    const YamlNode& text = node.is_mapping() ? *node.find("welcome") : node.items.at(0);
    CHECK(text.tag == "tag:yaml.org,2002:own");
    CHECK(text.text == "good morning");
  }
}

TEST_CASE("plain nulls keep their text") {
  const YamlNode node =
      read("a: null\nb: ~\nc:\nd: Null # x\ne: NULL\nf: ''\ng: nULL\nh: !!str\ni: !!str null\nj: \"~\"\nk: &x\n");
  const struct {
    std::string_view key;
    std::string_view text;
    bool is_null;
  } rows[] = {
      {"a", "null", true},  {"b", "~", true},  {"c", "", true},      {"d", "Null", true},
      {"e", "NULL", true},  {"f", "", false},  {"g", "nULL", false}, {"h", "", false},
      {"i", "null", false}, {"j", "~", false}, {"k", "", true},
  };
  for (const auto& row : rows) {
    INFO(row.key);
    CHECK(node.find(row.key)->text == row.text);
    CHECK(node.find(row.key)->is_null() == row.is_null);
  }
  const Value value = to_text_value(node);
  CHECK(*value.find("b")->null_text() == "~");
  CHECK(value.find("b")->is_null());
  CHECK(value.find("i")->as_text() == "null");
}

TEST_CASE("an empty value is not taken for the null behind it") {
  CHECK(texts("a:\nnull: x") == R"({"a":null,"null":"x"})");
  CHECK(read("a:\nnull: x").find("a")->text.empty());
  CHECK(read("a:\n  b:\n~: x").find("a")->find("b")->text.empty());
  CHECK(read("a: &x\nnull: x").find("a")->text.empty());
  CHECK(read("a: &x\n  null\nb: x").find("a")->text == "null");
  CHECK(read("{null, a: null, b: ,}").find("a")->text == "null");
  CHECK(read("{null, a: null, b: ,}").find("b")->text.empty());
  CHECK(read("{null, a: null, b: ,}").find("null")->text.empty());
  CHECK(read("a:\nnullable: x").find("a")->text.empty());
}

TEST_CASE("every node of YAML has its place") {
  const struct {
    std::string_view yaml;
    std::string_view places;
  } rows[] = {
      {"a: b\ncc: [d, {e: f}]", "1:1{ 1:1a 1:4b 2:1cc 2:5[ 2:6d 2:9{ 2:10e 2:13f } ] }"},
      {"é: ü\nöö: {ä: \"ß\", b: c}", "1:1{ 1:1é 1:4ü 2:1öö 2:5{ 2:6ä 2:9ß 2:14b 2:17c } }"},
      {"\xEF\xBB\xBF"
       "a: b",
       "1:1{ 1:1a 1:4b }"},
      {"a: !expr b\nc: !x\n  d: e", "1:1{ 1:1a 1:4!expr(1:10)b 2:1c 2:4!x{ 3:3d 3:6e } }"},
      {"a: &x !t # c\n  b", "1:1{ 1:1a 1:4!t(2:3)b }"},
      {"a: 'b'\nc: |2\n    d\ne: >\n  f", "1:1{ 1:1a 1:4b 2:1c 2:4(3:3)  d\n 4:1e 4:4f }"},
      {"- !t |\n\n  é\n", "1:1[ 1:3!t(2:3)\né\n ]"},
      {"a: !!int 1\nb: !<tag:x> c\nd: ! e",
       "1:1{ 1:1a 1:4tag:yaml.org,2002:int(1:10)1 2:1b 2:4tag:x(2:13)c 3:1d 3:4!(3:6)e }"},
      // Empty nodes stand where something could stand.
      {"a:\nb: # c: d\n\n# e:\n\nc:", "1:1{ 1:1a 1:3~ 2:1b 2:3~ 6:1c 6:3~ }"},
      {"- # c\n-\n- x", "1:1[ 1:2~ 2:2~ 3:3x ]"},
      {"a: {b: , c}", "1:1{ 1:1a 1:4{ 1:5b 1:7~ 1:10c 1:11~ } }"},
      {"a: &x\nb: !!str\n", "1:1{ 1:1a 1:4(1:6)~ 2:1b 2:4tag:yaml.org,2002:str(2:9) }"},
      {"a:\r\n- b\r\n- c", "1:1{ 1:1a 2:1[ 2:3b 3:3c ] }"},
      {"", "1:1~"},
      // A copy has the place of its alias; what is in it keeps the places of the anchor.
      {"a: &x b\nc: *x\nd: &y [e]\nf: *y\n*x : g",
       "1:1{ 1:1a 1:4(1:7)b 2:1c 2:4(1:7)b 3:1d 3:4[ 3:8e ] 4:1f 4:4[ 3:8e ] 5:1(1:7)b 5:6g }"},
  };
  for (const auto& row : rows) {
    INFO(row.yaml);
    CHECK(places(read(row.yaml)) == row.places);
  }
}

TEST_CASE("bytes of a text have their place") {
  const YamlNode node = read(
      "plain: !expr $.ä.b\n"
      "lines: one twö\n"
      "\n"
      "    three\n"
      "  four # five\n"
      "literal: !expr |2-\n"
      "\n"
      "    ä b\n"
      "  c\n"
      "quoted: !expr \"a\\tb\"\n"
      "folded: >\n"
      "  a\n"
      "  b\n");
  const struct {
    std::string_view key;
    std::size_t byte;
    std::string_view place;
  } rows[] = {
      {"plain", 0, "1:14"},   {"plain", 2, "1:16"},   {"plain", 4, "1:17"},  {"plain", 99, "1:19"},
      {"lines", 0, "2:8"},    {"lines", 4, "2:12"},   {"lines", 8, "2:15"},  {"lines", 9, "4:5"},
      {"lines", 13, "4:9"},   {"lines", 15, "5:3"},   {"lines", 19, "5:7"},  {"literal", 0, "7:3"},
      {"literal", 1, "8:3"},  {"literal", 3, "8:5"},  {"literal", 6, "8:7"}, {"literal", 8, "9:3"},
      {"quoted", 0, "10:15"}, {"quoted", 2, "10:15"}, {"folded", 2, "11:9"},
  };
  for (const auto& row : rows) {
    INFO(row.key << " " << row.byte);
    CHECK(place_in(*node.find(row.key), row.byte) == row.place);
  }
  CHECK(node.find("lines")->text == "one twö\nthree four");
  CHECK(place_in(read("- x\r\n- a\r\n   b").items[1], 2) == "3:4");
  CHECK(place_in(read("{a: [b\n c]}").find("a")->items[0], 2) == "2:2");
  CHECK(node.find("plain")->position("f.yaml").text() == "f.yaml:1:8");
}

TEST_CASE("aliases are copies and merge keys are merged") {
  const struct {
    std::string_view yaml;
    std::string_view json;
  } rows[] = {
      {"a: &x {b: 1}\nc: *x\nd: [*x, *x]", R"({"a":{"b":"1"},"c":{"b":"1"},"d":[{"b":"1"},{"b":"1"}]})"},
      {"a: &x 1\nb: &x 2\nc: *x", R"({"a":"1","b":"2","c":"2"})"},
      {"a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3, e: 4}", R"({"a":{"b":"1","c":"2"},"d":{"b":"1","c":"3","e":"4"}})"},
      {"d: {c: 3, <<: {b: 1, c: 2}, e: 4}", R"({"d":{"c":"3","b":"1","e":"4"}})"},
      {"d: {<<: [{a: 1}, {a: 2, b: 3}], c: 4}", R"({"d":{"a":"1","b":"3","c":"4"}})"},
      {"a: &x {<<: {b: 1}, c: 2}\nd: {<<: *x}", R"({"a":{"b":"1","c":"2"},"d":{"b":"1","c":"2"}})"},
      {"d: {<<: []}", R"({"d":{}})"},
      {"d: {!!merge <<: {a: 1}}", R"({"d":{"a":"1"}})"},
      // A key like any other.
      {"d: {<<: x}", R"({"d":{"<<":"x"}})"},
      {"d: {<<: }", R"({"d":{"<<":null}})"},
      {"d: {\"<<\": {a: 1}}", R"({"d":{"<<":{"a":"1"}}})"},
      {"- &k key\n- *k : v", R"(["key",{"key":"v"}])"},
  };
  for (const auto& row : rows) {
    INFO(row.yaml);
    CHECK(texts(row.yaml) == row.json);
  }
}

TEST_CASE("errors of YAML have their place") {
  const struct {
    std::string_view yaml;
    std::string_view error;
  } rows[] = {
      {"a: 1\nb: 2\n\"a\": 3", "document f.yaml:3:1 duplicate key 'a', first given in line 1"},
      {"x:\n  - {ä: 1, b: 2, ä: 3}", "document f.yaml:2:18 duplicate key 'ä', first given in line 2"},
      {"1: a\n'1': b", "document f.yaml:2:1 duplicate key '1', first given in line 1"},
      {"a: 1\n<<: {a: 2}\n<<: {a: 3}", "document f.yaml:3:1 duplicate key '<<', first given in line 2"},
      {"a: &x 1\n? [b]\n: c", "document f.yaml:2:3 invalid YAML: a key is a text, not a list"},
      {"a: &x {b: c}\n*x : d", "document f.yaml:2:1 invalid YAML: a key is a text, not a mapping"},
      {"a: {<<: [1]}", "document f.yaml:1:10 invalid YAML: the key '<<' takes a mapping or a list of mappings"},
      {"a: *nö", "document f.yaml:1:4 invalid YAML: unknown anchor 'nö'"},
      {"a: &x [*x]", "document f.yaml:1:8 invalid YAML: the alias refers to a node that contains it"},
      {"ä: \"ü\"\nb: ö: c", "document f.yaml:2:5 invalid YAML: a ':' cannot stand here"},
      {"a: [b\n", "document f.yaml:2:1 invalid YAML: expected ',' or ']'"},
      {"a: {b: c", "document f.yaml:1:9 invalid YAML: expected ',' or '}'"},
      {"a: [b}", "document f.yaml:1:6 invalid YAML: a closing bracket that fits no opening one"},
      {"a: 'b", "document f.yaml:1:6 invalid YAML: a quoted text does not end"},
      {"a: @b", "document f.yaml:1:4 invalid YAML: a text without quotes cannot start with '@'"},
      {"a: b\n\t- c", "document f.yaml:2:1 invalid YAML: a tab in the indentation"},
      {"a:\n\t- c", "document f.yaml:2:2 invalid YAML: a list cannot start here"},
      {"a:\n  b: c\n d: e", "document f.yaml:3:2 invalid YAML: expected the next key of the mapping, or its end"},
      {"- a\n b: c", "document f.yaml:2:3 invalid YAML: a ':' cannot stand here"},
      {"- a\nb: c", "document f.yaml:2:1 invalid YAML: the document has ended, but more text follows"},
      {"[a] b", "document f.yaml:1:5 invalid YAML: the document has ended, but more text follows"},
      {"a: !x !y b", "document f.yaml:1:7 invalid YAML: cannot assign multiple tags to the same node"},
      {"a: \"\\é\"", "document f.yaml:1:5 invalid YAML: unknown escape '\\é'"},
      {"ä: b\xFF", "document f.yaml:1:5 invalid YAML: the byte FF is not UTF-8"},
      {"a: b\n\xC3", "document f.yaml:2:1 invalid YAML: the byte C3 is not UTF-8"},
      {"a: b\x04",
       "document f.yaml:1:5 invalid YAML: a control character; in a double-quoted text it is written as an escape"},
      {std::string_view("a\0b", 3),
       "document f.yaml:1:2 invalid YAML: a control character; in a double-quoted text it is written as an escape"},
      {"a: \u0080",
       "document f.yaml:1:4 invalid YAML: a control character; in a double-quoted text it is written as an escape"},
  };
  for (const auto& row : rows) {
    INFO(row.yaml);
    CHECK(read_error(row.yaml) == row.error);
  }
}

TEST_CASE("YAML is read under limits") {
  CHECK(read_error("[[[a]]]", {.max_depth = 3}).empty());
  CHECK(read_error("a:\n  [[[a]]]", {.max_depth = 3}) ==
        "limit f.yaml:2:5 the YAML text is nested deeper than 3 levels");
  CHECK(read_error("[a, b]", {.max_nodes = 3}).empty());
  CHECK(read_error("[a,\n b, c]", {.max_nodes = 3}) == "limit f.yaml:2:5 the YAML text has more than 3 nodes");
  CHECK(read_error("abcd", {.max_bytes = 3}) == "limit f.yaml the YAML text has 4 bytes, more than the limit of 3");
}

TEST_CASE("hostile nesting of YAML ends at the limit") {
  for (const std::string_view piece : {"[", "{", "- ", "? ", "{a: ", "[a, {b: ", "[? ", "!t [", "&a ["}) {
    INFO(piece);
    CHECK_THAT(read_error(repeat(piece, 100'000)), Catch::Matchers::StartsWith("limit"));
    CHECK_THAT(read_error("a:\n  " + repeat(piece, 100'000)), Catch::Matchers::StartsWith("limit"));
  }
  CHECK_THAT(read_error(repeat("[", 100'000) + repeat("]", 100'000)), Catch::Matchers::StartsWith("limit"));
  std::string lines;
  for (int level = 0; level < 1000; ++level) lines += std::string(static_cast<std::size_t>(level), ' ') + "a:\n";
  CHECK(read_error(lines) == "limit f.yaml:201:201 the YAML text is nested deeper than 200 levels");
  CHECK_THAT(read_error(repeat("[", 1000), {.max_depth = 100'000}), Catch::Matchers::StartsWith("limit"));
}

TEST_CASE("what yaml-cpp reads ahead is held to the limits") {
  // All of it is read before the first event comes. Told by the events, the places would be others: a bracket that is
  // not closed looks like the start of a mapping, too.
  const std::string much = repeat("[", 3 << 20);
  CHECK(read_error(much) == "limit f.yaml:1:201 the YAML text is nested deeper than 200 levels");
  CHECK(read_error("a: |\n  x\nb:\n- |\n x\n- " + much) ==
        "limit f.yaml:6:203 the YAML text is nested deeper than 200 levels");
  CHECK(read_error("- [" + repeat("x,", 1 << 20), {.max_nodes = 50'000}) ==
        "limit f.yaml:1:100005 the YAML text has more than 50000 nodes");
  CHECK(read_error("- [" + repeat("[],", 1 << 20), {.max_nodes = 50'000}) ==
        "limit f.yaml:1:150001 the YAML text has more than 50000 nodes");
  // In texts brackets do not count, however many.
  for (const std::string_view start : {"a: |\n  ", "a: \"", "a: '", "- !t >\n  ", "a: x\n  ", "# "}) {
    INFO(start);
    const std::string text = std::string(start) + repeat("x[[[{,", 200'000);
    const std::string end = start.find_first_of("\"'") == std::string_view::npos ? "" : std::string(1, start.back());
    CHECK(read_error(text + end + "\n", {.max_nodes = 1000}).empty());
  }
}

TEST_CASE("aliases cannot stand for more than the limits allow") {
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int level = 1; level < 30; ++level)
    laughs += fmt::format("a{0}: &a{0} [{1}]\n", level, repeat(fmt::format("*a{}, ", level - 1), 9));
  CHECK(read_error(laughs, {.max_nodes = 10'000}) == "limit f.yaml:5:10 the YAML text has more than 10000 nodes");
  const std::string text = "a: &a " + std::string(1000, 'x') + "\nb: [" + repeat("*a,", 1000) + "]";
  CHECK(read_error(text).empty());
  CHECK(read_error(text, {.max_bytes = 10'000}) ==
        "limit f.yaml:2:35 the aliases of the YAML text stand for more than 10000 bytes of text");
  std::string deep = "a0: &a0 [x]\n";
  for (int level = 1; level < 1000; ++level) deep += fmt::format("a{0}: &a{0} [*a{1}]\n", level, level - 1);
  CHECK(read_error(deep) == "limit f.yaml:200:14 the YAML text is nested deeper than 200 levels");
}

TEST_CASE("large YAML texts are read") {
  std::string map;
  for (int index = 0; index < 100'000; ++index) map += fmt::format("key{}: [{}]\n", index, index);
  const YamlNode node = read(map);
  REQUIRE(node.entries.size() == 100'000);
  CHECK(node.entries.back().second.items[0].text == "99999");
  CHECK(node.entries.back().second.position("f").text() == "f:100000:11");
  CHECK(read_error(map + "key5: x") == "document f.yaml:100001:1 duplicate key 'key5', first given in line 6");

  std::string line = "[";
  for (int index = 0; index < 300'000; ++index) line += "ä, ";
  line += "b]";
  CHECK(read(line).items.back().column == 900'002);

  std::string literal = "a: |\n";
  for (int index = 0; index < 100'000; ++index) literal += "  a line [of] text\n";
  CHECK(place_in(*read(literal).find("a"), 17 * 99'999 + 2) == "100001:5");
}

TEST_CASE("plain scalars get the types of the core schema") {
  const struct {
    std::string_view yaml;
    Value value;
  } rows[] = {
      {"null", nullptr},
      {"~", nullptr},
      {"true", true},
      {"True", true},
      {"TRUE", true},
      {"false", false},
      {"tRue", "tRue"},
      {"yes", "yes"},
      {"0", 0},
      {"-0", 0},
      {"+12", 12},
      {"-9223372036854775808", std::numeric_limits<std::int64_t>::min()},
      {"007", 7},
      {"0o17", 15},
      {"0x1F", 31},
      {"0x7fffffffffffffff", std::numeric_limits<std::int64_t>::max()},
      {"-0x1", "-0x1"},
      {"0o8", "0o8"},
      {"0b1", "0b1"},
      {"1_000", "1_000"},
      {"1.5", 1.5},
      {".5", 0.5},
      {"5.", 5.0},
      {"+1e3", 1000.0},
      {"1E-2", 0.01},
      {"-0.0", -0.0},
      {"1e-999", 0.0},
      {".", "."},
      {"1e", "1e"},
      {"e1", "e1"},
      {".inf", INFINITY},
      {"-.Inf", -INFINITY},
      {"+.INF", INFINITY},
      {"12:30", "12:30"},
      {"2020-01-01", "2020-01-01"},
      {"'1'", "1"},
      {"\"true\"", "true"},
      {"|\n  1", "1"},
      {"! 1", "1"},
      {"!!str 1", "1"},
      {"[!!str ]", List{""}},
      {"!!str null", "null"},
      {"!!int '5'", 5},
      {"!!float 1", 1.0},
      {"!!float 1.5", 1.5},
      {"!!bool 'true'", true},
      {"!!null ''", nullptr},
      {"!!binary AP8=", Bytes{std::byte{0}, std::byte{255}}},
      {"!!binary |\n  AP\n  8=", Bytes{std::byte{0}, std::byte{255}}},
      {"!!binary ''", Bytes{}},
      {"!!other 1", 1},
      {"!local 1", 1},
      {"!local '1'", "1"},
      {"{1: a, 1.5: b, true: c, null: d, '2': e}", Map{{1, "a"}, {1.5, "b"}, {true, "c"}, {nullptr, "d"}, {"2", "e"}}},
      {"[1, [a], !!set {b}]", List{1, List{"a"}, Map{{"b", nullptr}}}},
  };
  for (const auto& row : rows) {
    INFO(row.yaml);
    CHECK(to_typed_value(read(row.yaml)) == row.value);
  }
  CHECK(std::isnan(to_typed_value(read(".NaN")).as_float()));
}

TEST_CASE("texts that their type does not fit are errors with a place") {
  const struct {
    std::string_view yaml;
    std::string_view error;
  } rows[] = {
      {"a: 9223372036854775808",
       "document f.yaml:1:4 invalid YAML: the integer 9223372036854775808 does not fit 64 bits"},
      {"a: 0xFFFFFFFFFFFFFFFF",
       "document f.yaml:1:4 invalid YAML: the integer 0xFFFFFFFFFFFFFFFF does not fit 64 bits"},
      {"a: -1e999", "document f.yaml:1:4 invalid YAML: the number -1e999 is too large for a float"},
      {"a: !!int x", "document f.yaml:1:4 invalid YAML: 'x' is no integer"},
      {"a: !!int 1.5", "document f.yaml:1:4 invalid YAML: '1.5' is no integer"},
      {"a: !!float x", "document f.yaml:1:4 invalid YAML: 'x' is no float"},
      {"a: !!bool yes", "document f.yaml:1:4 invalid YAML: 'yes' is no boolean"},
      {"a: !!null x", "document f.yaml:1:4 invalid YAML: 'x' is no null"},
      {"a: !!binary x", "document f.yaml:1:4 invalid YAML: 'x' is no base64"},
      {"a: !!binary AP8", "document f.yaml:1:4 invalid YAML: 'AP8' is no base64"},
      {"1: a\n0x1: b", "document f.yaml:2:1 duplicate key: 0x1 is written in two ways"},
  };
  for (const auto& row : rows) {
    INFO(row.yaml);
    CHECK(error_of([&] { typed(row.yaml); }) == row.error);
  }
}

TEST_CASE("TestMapKey: a node of YAML tells what it is") {
  const YamlNode node = read("a: [b]\nc: d");
  CHECK(node.kind_text() == "a mapping");
  CHECK(node.find("a")->kind_text() == "a list");
  CHECK(node.find("c")->kind_text() == "a text");
  CHECK(node.find("x") == nullptr);
  CHECK(node.find_key("c")->line == 2);
  CHECK(node.find_key("x") == nullptr);
  CHECK(node.find("c")->find("d") == nullptr);
}

TEST_CASE("damaged YAML gives an error or a value, nothing else") {
  const std::string document =
      "a: &x {b: [1, 'two', \"thr\\u00e9e\"], <<: {c: ~}}\nl:\n- !expr |2-\n    text\n  more\n- *x\n? key\n: value # "
      "no\n"
      "f: >\n folded\n\xC3\xA4: null\n...\n";
  constexpr std::string_view pieces[] = {"\n",   " ",  "- ",   ": ",   "? ",  "[",  "]",     "{",    "}",
                                         ",",    "'",  "\"",   "!t ",  "&a ", "*a", "|\n",   ">+\n", "#",
                                         "<<: ", "\t", "null", "\xC3", "\\",  "%",  "---\n", "...\n"};
  std::mt19937_64 random(20240302);
  int read_count = 0;
  for (int round = 0; round < 8'000; ++round) {
    std::string text = document;
    for (std::uint64_t changes = 1 + random() % 6; changes > 0; --changes) {
      const std::size_t at = random() % (text.size() + 1);
      if (random() % 2 == 0) {
        text.erase(at, random() % 12);
      } else {
        text.insert(at, pieces[random() % std::size(pieces)]);
      }
    }
    try {
      const YamlNode node = read(text, {.max_bytes = 10'000, .max_nodes = 1000, .max_depth = 20});
      ++read_count;
      to_text_value(node);
      to_typed_value(node);
    } catch (const Error& error) {
      REQUIRE((error.code() == ErrorCode::document || error.code() == ErrorCode::limit));
      REQUIRE(error.position().known());
    }
  }
  CHECK(read_count > 400);
}
