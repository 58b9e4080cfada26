// What the reader takes of memory and of time; bytes are counted, time shows as a test that does not end.
#include "atp/cbor.hpp"
#include "base/error.hpp"
#include "counted_memory.hpp"
#include "hex.hpp"
#include "support/catch.hpp"

using namespace venvoy;
using namespace venvoy::atp;
using namespace venvoy::test;
using schema::List;
using schema::Value;

namespace {

// Reads one item that arrives in pieces.
Value read_in_pieces(std::string_view stream, std::size_t piece) {
  CborReader reader({}, CborReader::Expect::any_item);
  std::optional<Value> item;
  for (; !stream.empty(); stream.remove_prefix(std::min(piece, stream.size()))) {
    if (item) FAIL("an item before its end");
    reader.feed(bytes_of(stream.substr(0, piece)));
    item = reader.next();
  }
  REQUIRE(item);
  return std::move(*item);
}

constexpr std::size_t MiB = std::size_t{1} << 20;

}  // namespace

TEST_CASE("a length in a head takes no memory") {
  for (const char* hex : {"9bffffffffffffffff", "bbffffffffffffffff", "7bffffffffffffffff", "5bffffffffffffffff",
                          "9b00000000007fffff", "bb00000000003fffff", "7b0000000000ffffff", "5b0000000000ffffff",
                          "d9d9f79b00000000007fffff", "bf9b00000000007fffff"}) {
    CAPTURE(hex);
    const std::string bytes = from_hex(hex);
    const MemoryPeak peak;
    CborReader reader;
    reader.feed(bytes_of(bytes));
    try {
      if (reader.next()) FAIL("this is no complete item");
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::limit);
    }
    CHECK(peak.bytes() < 4096);
  }
}

TEST_CASE("a list of a million integers takes little more than its values") {
  constexpr std::size_t count = 1000000;
  const std::string stream = encode(Value(List(count, Value(1000000))));
  const MemoryPeak peak;
  const Value list = read_in_pieces(stream, 64 << 10);
  CHECK(list.as_list().size() == count);
  CHECK(peak.bytes() < 64 * count);
}

TEST_CASE("a long string is not copied about") {
  const std::string text(10 * MiB, 'x');
  const std::string stream = encode(Value(text));
  const MemoryPeak peak;
  const Value read = read_in_pieces(stream, 64 << 10);
  CHECK(read.as_text() == text);
  CHECK(peak.bytes() < 30 * MiB);
}

TEST_CASE("a long string is not scanned again for every piece") {
  const std::string text(2 * MiB, 'x');
  CHECK(read_in_pieces(encode(Value(text)), 1).as_text() == text);
  const std::string pieces = "\x7f" + repeated(2 * MiB / 4, "\x63xxx") + "\xff";
  CHECK(read_in_pieces(pieces, 7).as_text().size() == 2 * MiB / 4 * 3);
}

TEST_CASE("many items that arrive at once are taken from the front without moving the rest each time") {
  const std::string stream = repeated(MiB, "\x01");
  CborReader reader;
  reader.feed(bytes_of(stream));
  std::size_t count = 0;
  while (reader.next()) ++count;
  CHECK(count == stream.size());
}

TEST_CASE("a buffer that was large once is given back") {
  const std::string stream = encode(Value(std::string(10 * MiB, 'x')));
  CborReader reader;
  const MemoryPeak peak;
  reader.feed(bytes_of(stream));
  reader.next();
  CHECK(peak.bytes() >= 20 * MiB);
  const MemoryPeak later;
  reader.feed(bytes_of("\x01"));
  CHECK(reader.next() == Value(1));
  CHECK(later.bytes() < 4096);
}
