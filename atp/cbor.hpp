// Values to CBOR and back (spec/protocol-and-schema.md section 2).
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "schema/value.hpp"

namespace venvoy::atp {

// What a reader takes from a peer before it gives up. All count for one top-level item.
struct CborLimits {
  // Lists, maps, tags and strings in pieces inside each other.
  std::size_t max_depth = 256;
  // Encoded size; so no string can be longer either.
  std::size_t max_item_bytes = std::size_t{256} << 20;
  // Values of all lists and maps together, keys included. A value takes one byte on the wire and 24 in memory.
  std::size_t max_elements = std::size_t{16} << 20;
};

// The deterministic encoding: entries in their order, shortest integers, 64-bit floats, definite lengths. Throws an
// Error (schema) for an invalid value, wherever it is inside.
std::string encode(const schema::Value& value);
void append_encoded(std::string& out, const schema::Value& value);

// Finds the items in a stream of bytes that arrives in pieces. It holds the unfinished item and what follows it, never
// more than was fed, and takes no memory on the word of a length in the stream.
//
// What is well-formed but fits no Value becomes Value::invalid, and reading goes on: text that is not UTF-8, integers
// beyond 64 bits, tags, simple values. A map with a key given twice, or with a list or map as key, is invalid as a
// whole.
class CborReader {
 public:
  enum class Expect {
    any_item,
    // A map or null. Anything else is refused at its first byte, before a length in it makes us wait: text that a
    // plugin writes between messages is found when it arrives, and valid UTF-8 never begins like a message.
    message,
  };

  // How much of an item excerpt() gives.
  static constexpr std::size_t excerpt_bytes = 200;

  explicit CborReader(CborLimits limits = {}, Expect expect = Expect::any_item);
  ~CborReader();
  CborReader(CborReader&&) noexcept;
  CborReader& operator=(CborReader&&) noexcept;

  void feed(std::span<const std::byte> bytes);

  // The next complete item; nothing when it needs more bytes. Throws an Error with code protocol when the bytes are not
  // well-formed, limit when they exceed a limit; nothing can be read after that, and next() gives nothing any more.
  std::optional<schema::Value> next();

  // Whether bytes of an unfinished item are held: the stream must not end here.
  bool in_item() const noexcept;

  // The first bytes of the item that was read last and what was received behind it; after an error the bytes around
  // the place of the error.
  std::string excerpt() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace venvoy::atp
