// From the tokens of a CBOR stream to values. Private to atp/cbor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "atp/cbor.hpp"
#include "schema/value.hpp"

namespace venvoy::atp {

// In front of any item: "this is CBOR". It changes nothing.
inline constexpr std::uint64_t self_described_tag = 55799;

// One head of the stream, with the body of a string.
struct Token {
  enum class Kind {
    none,
    unsigned_integer,
    negative_integer,  // -1 - number
    bytes,             // body
    text,              // body
    floating,          // real
    boolean,           // number
    null,
    simple,            // number; none of the above
    list_start,        // of `number` items
    map_start,         // of `number` entries
    open_bytes_start,  // the four of indefinite length
    open_text_start,
    open_list_start,
    open_map_start,
    tag,   // number
    stop,  // ends one of the four
  };
  Kind kind = Kind::none;
  std::uint64_t number = 0;
  double real = 0;
  std::string_view body;  // in the buffer that was decoded
};

// Puts tokens together, without recursion. Errors as CborReader::next.
class ItemBuilder {
 public:
  explicit ItemBuilder(const CborLimits& limits) : limits_(limits) {}

  void add(const Token& token);

  // Whether the next token is the first of an item.
  bool idle() const noexcept { return at_top() && !tagged_; }
  // Whether the next token is an item of its own, perhaps behind the tag that changes nothing.
  bool at_top() const noexcept { return open_.empty(); }

  // The item that the last token has completed, if it did.
  std::optional<schema::Value> take() noexcept;

 private:
  using Count = std::optional<std::uint64_t>;  // none: of indefinite length
  struct OpenList {
    Count missing;
    schema::List items;
  };
  struct OpenMap {
    Count missing;
    schema::Map entries;
    std::optional<schema::Value> key;
    std::string flaw;  // why the map as a whole is invalid
  };
  struct OpenString {
    Token::Kind kind;
    std::string body;
    bool flawed = false;
  };
  struct OpenTag {
    std::uint64_t number;
    schema::Value content;
  };
  using Open = std::variant<OpenList, OpenMap, OpenString, OpenTag>;

  void count_element();
  void add_piece(OpenString& string, const Token& token);
  void open(Open container);
  void open_list(std::uint64_t count);
  void open_map(std::uint64_t count);
  void open_tag(std::uint64_t number);
  void stop();
  void complete(schema::Value value);

  static bool put(Open& container, schema::Value value);
  static schema::Value close(Open& container);

  CborLimits limits_;
  std::vector<Open> open_;
  // A tag that changes nothing was read: its item must follow.
  bool tagged_ = false;
  std::size_t elements_ = 0;
  std::optional<schema::Value> done_;
};

}  // namespace venvoy::atp
