#include "atp/cbor.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "base/error.hpp"
#include "hex.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::atp;
using namespace venvoy::test;
using schema::Bytes;
using schema::Kind;
using schema::List;
using schema::Map;
using schema::Value;

namespace {

Value invalid(const char* reason) {
  return Value::invalid(reason);
}

Bytes some_bytes(std::initializer_list<int> numbers) {
  Bytes bytes;
  for (const int number : numbers) bytes.push_back(static_cast<std::byte>(number));
  return bytes;
}

// All items of a stream that is fed as a whole.
std::vector<Value> read_all(CborReader& reader, std::string_view stream) {
  std::vector<Value> items;
  reader.feed(bytes_of(stream));
  while (auto item = reader.next()) items.push_back(std::move(*item));
  return items;
}

struct Refusal {
  std::optional<ErrorCode> code;
  std::string message;
};

Refusal refusal_of(std::string_view stream, CborLimits limits = {},
                   CborReader::Expect expect = CborReader::Expect::any_item) {
  CborReader reader(limits, expect);
  try {
    read_all(reader, stream);
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {};
}

}  // namespace

TEST_CASE("values are encoded in the one form that both SDKs emit") {
  struct Row {
    Value value;
    const char* hex;
  };
  const Row rows[] = {
      {nullptr, "f6"},
      {Value::written_null("~"), "f6"},
      {true, "f5"},
      {false, "f4"},
      {0, "00"},
      {23, "17"},
      {24, "1818"},
      {255, "18ff"},
      {256, "190100"},
      {65536, "1a00010000"},
      {std::int64_t{1} << 32, "1b0000000100000000"},
      {std::numeric_limits<std::int64_t>::max(), "1b7fffffffffffffff"},
      {-1, "20"},
      {-24, "37"},
      {-25, "3818"},
      {-257, "390100"},
      {std::numeric_limits<std::int64_t>::min(), "3b7fffffffffffffff"},
      {1.5, "fb3ff8000000000000"},
      {100000.0, "fb40f86a0000000000"},
      {std::numeric_limits<double>::infinity(), "fb7ff0000000000000"},
      {"", "60"},
      {"é", "62c3a9"},
      {std::string(24, 'a'), "7818616161616161616161616161616161616161616161616161"},
      {some_bytes({1, 2, 255}), "430102ff"},
      {List{}, "80"},
      {List{1, "a", List{nullptr}}, "8301616181f6"},
      {Map{}, "a0"},
      {Map{{"b", 1}, {"a", 2}, {1, "x"}}, "a3616201616102016178"},  // in their order
  };
  for (const Row& row : rows) CHECK(to_hex(encode(row.value)) == row.hex);
  std::string after = "x";
  append_encoded(after, 1);
  CHECK(to_hex(after) == "7801");
  const Value bad_inside = List{1, Map{{"a", invalid("no number")}}};
  CHECK_THROWS_WITH(encode(bad_inside), Catch::ContainsSubstring("no number"));
}

// Spec 2.2 and appendix A.2, with what we do better.
TEST_CASE("items are decoded") {
  struct Row {
    const char* hex;
    Value value;
  };
  const Row rows[] = {
      {"05", 5},
      {"24", -5},
      {"1800", 0},  // longer than needed
      {"1b0000000000000005", 5},
      {"1b7fffffffffffffff", std::numeric_limits<std::int64_t>::max()},
      {"3b7fffffffffffffff", std::numeric_limits<std::int64_t>::min()},
      {"1b8000000000000000", invalid("9223372036854775808 is too large for a 64-bit integer")},
      {"1bffffffffffffffff", invalid("18446744073709551615 is too large for a 64-bit integer")},
      {"3b8000000000000000", invalid("-9223372036854775809 is too small for a 64-bit integer")},
      {"3bffffffffffffffff", invalid("-18446744073709551616 is too small for a 64-bit integer")},
      {"c24105", 5},
      {"c240", 0},
      {"c34105", -6},
      {"c24a00000000000000000105", 261},
      {"c2487fffffffffffffff", std::numeric_limits<std::int64_t>::max()},
      {"c3487fffffffffffffff", std::numeric_limits<std::int64_t>::min()},
      {"c25f41014102ff", 258},
      {"c2488000000000000000", invalid("9223372036854775808 is too large for a 64-bit integer")},
      {"c249010000000000000000", invalid("an integer of 9 bytes does not fit 64 bits")},
      {"c26161", invalid("a value with the CBOR tag 2 fits no type")},
      {"f93e00", 1.5},
      {"fa3fc00000", 1.5},
      {"fb3ff8000000000000", 1.5},
      {"f97c00", std::numeric_limits<double>::infinity()},
      {"f9fc00", -std::numeric_limits<double>::infinity()},
      {"f90001", std::ldexp(1.0, -24)},
      {"f6", nullptr},
      {"f7", nullptr},
      {"f5", true},
      {"f4", false},
      {"e0", invalid("the CBOR simple value 0 fits no type")},
      {"f0", invalid("the CBOR simple value 16 fits no type")},
      {"f8ff", invalid("the CBOR simple value 255 fits no type")},
      {"f820", invalid("the CBOR simple value 32 fits no type")},
      {"5f4101420203ff", some_bytes({1, 2, 3})},
      {"7f61616162ff", "ab"},
      {"7f60ff", ""},
      {"7fff", ""},
      {"7f62c3a961ffff", invalid("a text is not valid UTF-8")},
      {"7f61c361a9ff", invalid("a text is not valid UTF-8")},  // each piece must be whole
      {"61ff", invalid("a text is not valid UTF-8")},
      {"62c3a9", "é"},
      {"80", List{}},
      {"9fff", List{}},
      {"9f0102ff", List{1, 2}},
      {"a0", Map{}},
      {"bfff", Map{}},
      {"bf616101ff", Map{{"a", 1}}},
      {"a2016161026162", Map{{1, "a"}, {2, "b"}}},
      {"a20161616162f5", Map{{1, "a"}, {"b", true}}},
      {"a201616161316162", Map{{1, "a"}, {"1", "b"}}},
      {"a1f93e0001", Map{{1.5, 1}}},
      {"a1f601", Map{{nullptr, 1}}},
      {"a1f501", Map{{true, 1}}},
      {"a1410101", Map{{some_bytes({1}), 1}}},
      {"a2616101616102", invalid("the key 'a' is given twice")},
      {"a3616101616102616203", invalid("the key 'a' is given twice")},
      {"81a2010a010b", List{invalid("the key 1 is given twice")}},
      {"a1810101", invalid("invalid map key type: a list")},
      {"a1a001", invalid("invalid map key type: a map")},
      {"a161ff01", invalid("invalid map key: a text is not valid UTF-8")},
      {"d9d9f705", 5},
      {"d9d9f7d9d9f782d9d9f70102", List{1, 2}},
      {"c074323031332d30332d32315432303a30343a30305a", invalid("a value with the CBOR tag 0 fits no type")},
      {"c11a514b67b0", invalid("a value with the CBOR tag 1 fits no type")},
      {"d8206161", invalid("a value with the CBOR tag 32 fits no type")},
      {"c66161", invalid("a value with the CBOR tag 6 fits no type")},
      {"d48101", invalid("a value with the CBOR tag 20 fits no type")},
      {"d9d9f681c600", invalid("a value with the CBOR tag 55798 fits no type")},
      {"82c1a1616101c20a",
       List{invalid("a value with the CBOR tag 1 fits no type"), invalid("a value with the CBOR tag 2 fits no type")}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.hex);
    const std::string bytes = from_hex(row.hex);
    CborReader reader;
    const std::vector<Value> items = read_all(reader, bytes + "\x01");
    REQUIRE(items.size() == 2);
    CHECK(items[0] == row.value);
    CHECK(items[1] == Value(1));
    CHECK_FALSE(reader.in_item());

    // No piece of it is an item of its own.
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      CborReader waiting;
      CHECK(read_all(waiting, std::string_view(bytes).substr(0, size)).empty());
      CHECK(waiting.in_item() == (size > 0));
    }
  }
  CborReader reader;
  CHECK(std::isnan(read_all(reader, from_hex("f97e00")).at(0).as_float()));
}

TEST_CASE("the order of a map's entries is kept") {
  CborReader reader;
  const Value map = read_all(reader, from_hex("a3617a01616102016b6f75747075745f64617461")).at(0);
  REQUIRE(map.as_map().size() == 3);
  CHECK(map.as_map().begin()->key == Value("z"));
  CHECK((map.as_map().end() - 1)->key == Value(1));
}

TEST_CASE("what is not well-formed ends the stream") {
  struct Row {
    const char* hex;
    const char* message;
  };
  const Row rows[] = {
      {"1c", "invalid additional information 28 for major type 0"},
      {"1f", "invalid additional information 31 for major type 0"},
      {"3d", "invalid additional information 29"},
      {"5e", "invalid additional information 30"},
      {"7c", "invalid additional information 28"},
      {"9d", "invalid additional information 29"},
      {"bc", "invalid additional information 28"},
      {"dc", "invalid additional information 28"},
      {"df", "invalid additional information 31"},
      {"fc", "invalid additional information 28"},
      {"f814", "begins no CBOR item"},
      {"ff", "unexpected \"break\" code"},
      {"81ff", "unexpected \"break\" code"},
      {"a1ff", "unexpected \"break\" code"},
      {"bf01ff", "unexpected \"break\" code"},  // a key without a value
      {"c1ff", "unexpected \"break\" code"},
      {"d9d9f7ff", "unexpected \"break\" code"},
      {"9fd9d9f7ff", "unexpected \"break\" code"},
      {"7f01ff", "string of indefinite length"},
      {"7f4161ff", "string of indefinite length"},
      {"7f7f6161ffff", "string of indefinite length"},
      {"7fd9d9f76161ff", "string of indefinite length"},
      {"5f6161ff", "string of indefinite length"},
      {"7ff6ff", "string of indefinite length"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.hex);
    const Refusal refusal = refusal_of(from_hex(row.hex));
    CHECK(refusal.code == ErrorCode::protocol);
    CHECK_THAT(refusal.message, Catch::ContainsSubstring(row.message));
  }
  CborReader reader;
  CHECK_THROWS_AS(read_all(reader, "\xFF\x01"), Error);
  CHECK(reader.next() == std::nullopt);
  CHECK(read_all(reader, "\x01").empty());
}

TEST_CASE("limits have names and hold") {
  const CborLimits small{.max_depth = 64, .max_item_bytes = 1000, .max_elements = 200};
  struct Row {
    std::string bytes;
    const char* message;  // empty: accepted
  };
  const Row rows[] = {
      {repeated(64, "\x81") + "\x01", ""},
      {repeated(65, "\x81") + "\x01", "exceeded max nested level 64"},
      {repeated(100000, "\x81"), "exceeded max nested level 64"},
      {repeated(100000, "\x9f"), "exceeded max nested level 64"},
      {repeated(100000, "\xa1\x01"), "exceeded max nested level 64"},
      {repeated(100000, "\xbf\x01"), "exceeded max nested level 64"},
      {repeated(100000, "\xc1"), "exceeded max nested level 64"},
      {repeated(100000, "\xd9\xd9\xf7"), "exceeded max number of elements 200"},
      {repeated(63, "\x81") + "\xc1\x01", ""},
      {repeated(64, "\x81") + "\xc1\x01", "exceeded max nested level 64"},
      {repeated(64, "\x81") + "\x7f\xff", "exceeded max nested level 64"},
      {"\x98\xc7" + repeated(199, "\x01"), ""},
      {"\x98\xc8" + repeated(200, "\x01"), "exceeded max number of elements 200"},
      {from_hex("98c9"), "exceeded max number of elements 200"},  // known from the head
      {from_hex("b865"), "exceeded max number of elements 200"},
      {"\x9f" + repeated(200, "\x01"), "exceeded max number of elements 200"},
      {"\xbf" + repeated(100, "\x61\x61\x01"), "exceeded max number of elements 200"},
      {from_hex("9bffffffffffffffff"), "exceeded max number of elements 200"},
      {from_hex("bbffffffffffffffff"), "exceeded max number of elements 200"},
      {from_hex("5bffffffffffffffff"), "exceeds the limit of 1000 bytes"},
      {from_hex("7bffffffffffffffff"), "exceeds the limit of 1000 bytes"},
      {from_hex("7bfffffffffffffff5"), "exceeds the limit of 1000 bytes"},
      {from_hex("7a7fffffff"), "exceeds the limit of 1000 bytes"},
      {from_hex("7903e5") + repeated(997, "a"), ""},
      {from_hex("7903e6"), "exceeds the limit of 1000 bytes"},
      {from_hex("8261617903e5"), "exceeds the limit of 1000 bytes"},
      {"\x7f" + repeated(99,
                         "\x6c"
                         "a text of 12"),
       "exceeds the limit of 1000 bytes"},
      {"\x9f" + repeated(99,
                         "\x6c"
                         "a text of 12"),
       "exceeds the limit of 1000 bytes"},
  };
  for (const Row& row : rows) {
    CAPTURE(to_hex(row.bytes.substr(0, 12)), row.bytes.size());
    const Refusal refusal = refusal_of(row.bytes, small);
    if (*row.message) {
      CHECK(refusal.code == ErrorCode::limit);
      CHECK_THAT(refusal.message, Catch::ContainsSubstring(row.message));
    } else {
      CHECK(refusal.message == "");
    }
  }
  // They count for each item anew.
  CborReader reader(small);
  CHECK(read_all(reader, repeated(20, "\x98\xc7" + repeated(199, "\x01"))).size() == 20);
}

TEST_CASE("more than the reference decoder takes is taken") {
  const CborLimits limits;
  CHECK(limits.max_depth >= 64);
  CHECK(limits.max_elements >= 131072 * 2);
  // Appendix A.2, rows 34 and 35.
  CHECK(refusal_of(repeated(30, "\x81") + "\x01").message == "");
  CHECK(refusal_of(repeated(31, "\x81") + "\x01").message == "");
  CHECK(refusal_of(repeated(64, "\x81") + "\x01").message == "");
  CHECK(refusal_of(from_hex("9a00020001") + repeated(131073, "\x01")).message == "");
}

TEST_CASE("what is no message is refused at its first byte") {
  constexpr auto expect = CborReader::Expect::message;
  for (int first = 0; first < 256; ++first) {
    CAPTURE(first);
    const bool may_be_message = (first >= 0xA0 && first <= 0xDF) || first == 0xF6 || first == 0xF7;
    const bool no_item = (first & 0x1F) >= 28 && first != 0xBF;
    if (may_be_message && no_item) continue;
    const std::string byte(1, static_cast<char>(first));
    const bool foreign_tag = first >= 0xC0 && first < 0xD8;
    CHECK(refusal_of(byte, {}, expect).message.empty() == (may_be_message && !foreign_tag));
  }
  for (const char* text : {"raw text on fd 1\n", "{\"version\":3}", "Traceback (most recent call last)", "x", "é",
                           "日本", "\n", " ", "[1]", "0", "-", "🐍"}) {
    CAPTURE(text);
    CHECK(refusal_of(text, {}, expect).code == ErrorCode::protocol);
  }
  CHECK(refusal_of(from_hex("d9d9f7a0"), {}, expect).message == "");
  CHECK(refusal_of(from_hex("d9d9f705"), {}, expect).message == "a message is a map, and this is an integer");
  CHECK(refusal_of(from_hex("d820"), {}, expect).message == "a message is a map, and this is a value with another tag");
  CHECK(refusal_of("hello", {}, expect).message == "a message is a map, and this is a text");
}

TEST_CASE("an excerpt shows where the stream broke") {
  CborReader reader({}, CborReader::Expect::message);
  CHECK_THROWS_AS(read_all(reader, from_hex("a0a0") + "some text"), Error);
  CHECK(reader.excerpt() == "some text");

  CborReader inside;
  CHECK_THROWS_AS(read_all(inside, from_hex("8201ff") + "rest"), Error);
  CHECK(inside.excerpt() == from_hex("8201ff") + "rest");

  CborReader far_inside;
  CHECK_THROWS_AS(read_all(far_inside, "\x9f" + repeated(500, "\x01") + "\xfc" + std::string(300, 'x')), Error);
  CHECK(far_inside.excerpt() == "\xfc" + std::string(199, 'x'));

  CborReader complete;
  complete.feed(bytes_of(from_hex("820102") + "next"));
  CHECK(complete.next() == Value(List{1, 2}));
  CHECK(complete.excerpt() == from_hex("820102") + "next");
}

namespace {

// A value of every kind that goes through the wire unchanged.
Value random_value(std::mt19937& random, int depth) {
  const auto below = [&](unsigned limit) { return random() % limit; };
  const auto text = [&] {
    std::string result;
    for (unsigned i = below(6); i > 0; --i) result += i % 2 ? "é" : "a";
    return result + std::string(below(8) == 0 ? 300 : 0, 'x');
  };
  switch (below(depth > 0 ? 8 : 6)) {
    case 0:
      return nullptr;
    case 1:
      return below(2) == 1;
    case 2:
      return static_cast<std::int64_t>((std::uint64_t{random()} << 32 | random()) >> below(64));
    case 3:
      return -1 - static_cast<std::int64_t>(random() >> below(32));
    case 4:
      return static_cast<double>(random()) / 7;
    case 5:
      return text();
    case 6: {
      List list;
      for (unsigned i = below(30); i > 0; --i) list.push_back(random_value(random, depth - 1));
      return list;
    }
    default: {
      Map map;
      for (unsigned i = below(12); i > 0; --i)
        map.insert(below(2) ? Value(text()) : Value(static_cast<int>(below(300))), random_value(random, depth - 1));
      return map;
    }
  }
}

}  // namespace

TEST_CASE("what was encoded is decoded, however it is cut") {
  std::mt19937 random(20240607);
  for (int round = 0; round < 200; ++round) {
    std::vector<Value> values;
    std::string stream;
    for (int i = 0; i < 4; ++i) {
      values.push_back(random_value(random, 3));
      append_encoded(stream, values.back());
    }
    CborReader reader;
    std::vector<Value> read;
    for (std::string_view rest = stream; !rest.empty();) {
      const std::size_t size = std::min<std::size_t>(1 + random() % 97, rest.size());
      for (Value& value : read_all(reader, rest.substr(0, size))) read.push_back(std::move(value));
      rest.remove_prefix(size);
    }
    CHECK(read == values);
    CHECK_FALSE(reader.in_item());
  }
}

TEST_CASE("random bytes are refused or read, and what was read can be sent") {
  std::mt19937 random(7);
  const CborLimits limits{.max_depth = 20, .max_item_bytes = 4000, .max_elements = 500};
  for (int round = 0; round < 20000; ++round) {
    std::string bytes;
    for (unsigned i = random() % 60; i > 0; --i) bytes.push_back(static_cast<char>(random()));
    CborReader reader(limits);
    try {
      for (const Value& item : read_all(reader, bytes)) {
        if (item.kind() == Kind::list || item.kind() == Kind::map || item.kind() == Kind::invalid) continue;
        CborReader again(limits);
        const std::vector<Value> same = read_all(again, encode(item));
        REQUIRE(same.size() == 1);
        CHECK((same[0] == item || std::isnan(item.as_float())));
      }
    } catch (const Error& error) {
      CHECK((error.code() == ErrorCode::protocol || error.code() == ErrorCode::limit));
      CHECK(reader.excerpt().size() <= CborReader::excerpt_bytes);
    }
  }
}
