#include "schema/value.hpp"

#include <cmath>
#include <limits>
#include <thread>

#include "support/catch.hpp"

using namespace venvoy::schema;

namespace {

constexpr auto nan_value = std::numeric_limits<double>::quiet_NaN();

struct KindCase {
  Value value;
  Kind kind;
  std::string_view word;
};

}  // namespace

TEST_CASE("a value knows what it is", "[value]") {
  const std::vector<KindCase> cases = {{Value(), Kind::null, "null"},
                                       {nullptr, Kind::null, "null"},
                                       {Value::written_null("~"), Kind::null, "null"},
                                       {true, Kind::boolean, "boolean"},
                                       {5, Kind::integer, "integer"},
                                       {std::int64_t{5}, Kind::integer, "integer"},
                                       {1.5, Kind::floating, "float"},
                                       {"a", Kind::text, "string"},
                                       {std::string("a"), Kind::text, "string"},
                                       {std::string_view("a"), Kind::text, "string"},
                                       {Bytes{std::byte{1}}, Kind::bytes, "bytes"},
                                       {List{1}, Kind::list, "list"},
                                       {Map{{"a", 1}}, Kind::map, "map"},
                                       {Value::invalid("why"), Kind::invalid, "invalid value"}};
  for (const KindCase& row : cases) {
    CAPTURE(describe(row.value));
    CHECK(row.value.kind() == row.kind);
    CHECK(to_text(row.value.kind()) == row.word);
    CHECK(row.value.is_null() == (row.kind == Kind::null));
  }
}

TEST_CASE("contents come back as they were put in", "[value]") {
  CHECK(Value(true).as_bool());
  CHECK(Value(std::numeric_limits<std::int64_t>::min()).as_integer() == std::numeric_limits<std::int64_t>::min());
  CHECK(Value(-0.5).as_float() == -0.5);
  CHECK(Value("text").as_text() == "text");
  CHECK(Value(Bytes{std::byte{7}}).as_bytes() == Bytes{std::byte{7}});
  CHECK(Value(List{1, "a"}).as_list().size() == 2);
  CHECK(Value(Map{{"a", 1}}).as_map().size() == 1);
  CHECK(Value::invalid("too large").invalid_reason() == "too large");
  CHECK(*Value::written_null("~").null_text() == "~");
  CHECK(Value().null_text() == nullptr);
  CHECK(Value("").null_text() == nullptr);
  CHECK_THROWS_AS(Value(1).as_text(), std::bad_variant_access);
  CHECK_THROWS_AS(Value(1).as_float(), std::bad_variant_access);
}

TEST_CASE("values are equal by kind and contents", "[value]") {
  CHECK(Value(1) == Value(1));
  CHECK_FALSE(Value(1) == Value(1.0));
  CHECK_FALSE(Value(1) == Value("1"));
  CHECK_FALSE(Value(1) == Value(true));
  CHECK_FALSE(Value(nan_value) == Value(nan_value));
  CHECK(Value() == Value::written_null("null"));
  CHECK(Value(List{1, List{2}}) == Value(List{1, List{2}}));
  CHECK_FALSE(Value(List{1, 2}) == Value(List{2, 1}));
  CHECK(Value(Map{{"a", 1}, {"b", 2}}) == Value(Map{{"b", 2}, {"a", 1}}));
  CHECK_FALSE(Value(Map{{"a", 1}}) == Value(Map{{"a", 1}, {"b", 2}}));
  CHECK_FALSE(Value(Map{{"a", 1}}) == Value(Map{{"b", 1}}));
  CHECK(Value::invalid("x") == Value::invalid("x"));
  CHECK_FALSE(Value::invalid("x") == Value::invalid("y"));
}

TEST_CASE("contents are taken from their only owner and copied from others", "[value]") {
  SECTION("list") {
    Value value = List{"long enough to be on the heap", 2};
    const Value other = value;
    const List copy = value.take_list();
    CHECK(value.is_null());
    CHECK(copy == other.as_list());
    Value alone = List{"long enough to be on the heap", 2};
    const Value* const place = alone.as_list().data();
    CHECK(alone.take_list().data() == place);
  }
  SECTION("map") {
    Value value = Map{{"a", 1}};
    const Value other = value;
    Map copy = value.take_map();
    copy.set("a", 2);
    CHECK(value.is_null());
    CHECK(*other.find("a") == Value(1));
    CHECK(copy.size() == 1);
  }
  SECTION("the wrong kind leaves the value as it is") {
    Value value = "text";
    CHECK_THROWS_AS(value.take_list(), std::bad_variant_access);
    CHECK_THROWS_AS(value.take_map(), std::bad_variant_access);
    CHECK(value.as_text() == "text");
  }
}

TEST_CASE("contents may be taken when another thread has let go of them", "[value]") {
  for (int round = 0; round < 200; ++round) {
    Value value = List(10, Value(1));
    std::thread reader([copy = value]() mutable {
      std::int64_t sum = 0;
      for (const Value& item : copy.as_list()) sum += item.as_integer();
      copy = Value(sum);
    });
    List list = value.take_list();
    list.front() = 5;
    reader.join();
    CHECK(list.front() == Value(5));
  }
}

TEST_CASE("a map finds its keys by kind and contents", "[value]") {
  Map map;
  CHECK(map.insert(1, "integer"));
  CHECK(map.insert(1.0, "float"));
  CHECK(map.insert("1", "text"));
  CHECK(map.insert(true, "boolean"));
  CHECK(map.insert(nullptr, "null"));
  CHECK(map.insert(Bytes{std::byte{'1'}}, "bytes"));
  CHECK(map.insert(nan_value, "nan"));
  CHECK_FALSE(map.insert(1, "again"));
  CHECK_FALSE(map.insert(nan_value, "again"));
  CHECK(map.find(Value(1))->as_text() == "integer");
  CHECK(map.find(Value(1.0))->as_text() == "float");
  CHECK(map.find("1")->as_text() == "text");
  CHECK(map.find(std::string("1"))->as_text() == "text");
  CHECK(map.find(Value(true))->as_text() == "boolean");
  CHECK(map.find(Value())->as_text() == "null");
  CHECK(map.find(Value(nan_value))->as_text() == "nan");
  CHECK(map.find(Value(Bytes{std::byte{'1'}}))->as_text() == "bytes");
  CHECK(map.find(Value(List{})) == nullptr);
  CHECK(map.find(Value(2)) == nullptr);
  CHECK_FALSE(map.contains("2"));
}

TEST_CASE("maps of all sizes keep order, replace and erase", "[value]") {
  const int size = GENERATE(0, 1, 7, 8, 9, 10, 64, 1000);
  CAPTURE(size);
  Map map;
  for (int key = 0; key < size; ++key) {
    CHECK(map.insert(key, key));
    CHECK(map.insert("key " + std::to_string(key), key));
  }
  for (int key = 0; key < size; key += 3) map.set(key, "replaced");
  for (int key = 0; key < size; key += 2) CHECK(map.erase(key));
  CHECK_FALSE(map.erase(size));
  REQUIRE(map.size() == static_cast<std::size_t>(2 * size - (size + 1) / 2));
  for (int key = 0; key < size; ++key) {
    const Value* number = map.find(Value(key));
    CHECK((number == nullptr) == (key % 2 == 0));
    if (number) CHECK(*number == (key % 3 == 0 ? Value("replaced") : Value(key)));
    CHECK(*map.find("key " + std::to_string(key)) == Value(key));
  }
  std::int64_t last = -1;
  for (const auto& [key, value] : map) {
    if (key.kind() != Kind::text) continue;
    CHECK(value.as_integer() > last);
    last = value.as_integer();
  }
}

TEST_CASE("a map that was copied or moved from still works", "[value]") {
  Map map;
  for (int key = 0; key < 20; ++key) map.insert(key, key);
  Map copy = map;
  Map moved = std::move(map);
  map = Map();
  CHECK(map.insert(3, 1));
  CHECK(map.size() == 1);
  copy.erase(3);
  CHECK(moved.find(Value(3)));
  CHECK_FALSE(copy.find(Value(3)));
  CHECK(copy.find(Value(19)));
}

TEST_CASE("a later entry of a literal map replaces an earlier one", "[value]") {
  const Map map = {{"a", 1}, {"b", 2}, {"a", 3}};
  CHECK(map.size() == 2);
  CHECK(map.find("a")->as_integer() == 3);
}

TEST_CASE("values look up text keys", "[value]") {
  const Value value = Map{{"a", 1}};
  CHECK(*value.find("a") == Value(1));
  CHECK(value.find("b") == nullptr);
  CHECK(Value(1).find("a") == nullptr);
  CHECK(Value().find("a") == nullptr);
}

TEST_CASE("values are described briefly", "[value]") {
  CHECK(describe(Value()) == "null");
  CHECK(describe(true) == "true");
  CHECK(describe(-5) == "-5");
  CHECK(describe(1.5) == "1.5");
  CHECK(describe("a") == "'a'");
  CHECK(describe(Bytes(3)) == "3 bytes");
  CHECK(describe(Value::invalid("too large")) == "too large");
  CHECK(describe(Map{{"a", List{1, "b"}}, {2, Map{}}}) == "{'a': [1, 'b'], 2: {}}");
  CHECK(describe(std::string(100, 'x'), 10) == "'xxxxxxxxx…");
  CHECK(describe(List(1000, Value(1)), 10) == "[1, 1, 1, …");
  // Not in the middle of a character.
  CHECK(describe("ääääää", 4) == "'ä…");
  Value deep = List{};
  for (int level = 0; level < 1000; ++level) deep = List{deep};
  CHECK(describe(deep, 5) == "[[[[[…");
}
