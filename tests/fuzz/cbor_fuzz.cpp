// The bytes of a plugin: CBOR items one after the other.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "atp/cbor.hpp"
#include "base/error.hpp"
#include "expect.hpp"

namespace {

using namespace venvoy;

// What a reader makes of a stream: the items, and how it ended.
struct Reading {
  std::vector<schema::Value> items;
  std::optional<ErrorCode> failure;
  bool unfinished = false;
};

Reading read(std::span<const std::byte> bytes, std::size_t piece, atp::CborReader::Expect what) {
  Reading reading;
  atp::CborReader reader(atp::CborLimits{}, what);
  try {
    while (!bytes.empty()) {
      const std::size_t size = std::min(piece, bytes.size());
      reader.feed(bytes.first(size));
      bytes = bytes.subspan(size);
      while (auto item = reader.next()) reading.items.push_back(std::move(*item));
    }
  } catch (const Error& error) {
    reading.failure = error.code();
    reader.excerpt();
    fuzz::expect(!reader.next(), "nothing is read after an error");
  }
  reading.unfinished = reader.in_item();
  return reading;
}

// Nothing for a value that has an invalid one inside.
std::optional<std::string> encoded(const schema::Value& value) {
  try {
    return atp::encode(value);
  } catch (const Error& error) {
    fuzz::expect(error.code() == ErrorCode::schema, "only invalid values have no encoding");
    return std::nullopt;
  }
}

void check_round_trip(const schema::Value& item) {
  const auto bytes = encoded(item);
  if (!bytes) return;
  const Reading again = read(std::as_bytes(std::span(*bytes)), bytes->size(), atp::CborReader::Expect::any_item);
  fuzz::expect(again.items.size() == 1 && !again.unfinished, "what was encoded is one item");
  // Compared as bytes: NaN differs from itself.
  fuzz::expect(encoded(again.items[0]) == bytes, "an encoding read and encoded again is the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const Reading whole = read(bytes, size, atp::CborReader::Expect::any_item);
  const Reading pieces = read(bytes, 3, atp::CborReader::Expect::any_item);
  fuzz::expect(whole.items.size() == pieces.items.size(), "pieces give as many items as the whole");
  fuzz::expect(whole.failure == pieces.failure, "pieces fail as the whole does");
  fuzz::expect(whole.unfinished == pieces.unfinished, "pieces end as the whole does");
  for (std::size_t index = 0; index < whole.items.size(); ++index) {
    fuzz::expect(encoded(whole.items[index]) == encoded(pieces.items[index]), "pieces give the items of the whole");
    check_round_trip(whole.items[index]);
    schema::describe(whole.items[index]);
  }
  read(bytes, 7, atp::CborReader::Expect::message);
  return 0;
}
