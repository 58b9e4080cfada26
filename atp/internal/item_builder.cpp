#include "atp/internal/item_builder.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace venvoy::atp {
namespace {

using schema::Bytes;
using schema::Kind;
using schema::Value;

constexpr std::uint64_t largest_integer = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t positive_bignum_tag = 2;
constexpr std::uint64_t negative_bignum_tag = 3;

[[noreturn]] void not_well_formed(std::string reason) {
  throw Error(ErrorCode::protocol, std::move(reason));
}

Value integer(std::uint64_t number) {
  if (number <= largest_integer) return static_cast<std::int64_t>(number);
  return Value::invalid(fmt::format("{} is too large for a 64-bit integer", number));
}

// The integer -1 - complement.
Value negative_integer(std::uint64_t complement) {
  if (complement <= largest_integer) return -1 - static_cast<std::int64_t>(complement);
  if (complement == std::numeric_limits<std::uint64_t>::max())
    return Value::invalid("-18446744073709551616 is too small for a 64-bit integer");
  return Value::invalid(fmt::format("-{} is too small for a 64-bit integer", complement + 1));
}

Value bignum(std::uint64_t tag, const Bytes& bytes) {
  const auto first = std::find_if(bytes.begin(), bytes.end(), [](std::byte byte) { return byte != std::byte{0}; });
  if (bytes.end() - first > 8)
    return Value::invalid(fmt::format("an integer of {} bytes does not fit 64 bits", bytes.end() - first));
  std::uint64_t number = 0;
  for (auto byte = first; byte != bytes.end(); ++byte) number = number << 8 | std::to_integer<std::uint64_t>(*byte);
  return tag == positive_bignum_tag ? integer(number) : negative_integer(number);
}

Value tagged(std::uint64_t tag, const Value& content) {
  const bool is_bignum = tag == positive_bignum_tag || tag == negative_bignum_tag;
  if (is_bignum && content.kind() == Kind::bytes) return bignum(tag, content.as_bytes());
  return Value::invalid(fmt::format("a value with the CBOR tag {} fits no type", tag));
}

Value bytes_value(std::string_view body) {
  const auto* first = reinterpret_cast<const std::byte*>(body.data());
  return Bytes(first, first + body.size());
}

Value not_utf8() {
  return Value::invalid("a text is not valid UTF-8");
}

Value text_value(std::string_view body) {
  return is_valid_utf8(body) ? Value(body) : not_utf8();
}

// Why a value cannot be a key; empty if it can.
std::string key_flaw(const Value& key) {
  if (key.kind() == Kind::list || key.kind() == Kind::map)
    return fmt::format("invalid map key type: a {}", to_text(key.kind()));
  return key.kind() == Kind::invalid ? "invalid map key: " + key.invalid_reason() : std::string();
}

}  // namespace

void ItemBuilder::count_element() {
  if (++elements_ > limits_.max_elements)
    throw Error(ErrorCode::limit, fmt::format("exceeded max number of elements {}", limits_.max_elements));
}

void ItemBuilder::add(const Token& token) {
  if (token.kind == Token::Kind::stop) return stop();
  if (idle()) elements_ = 0;
  count_element();
  if (!open_.empty())
    if (auto* string = std::get_if<OpenString>(&open_.back())) return add_piece(*string, token);
  if (token.kind == Token::Kind::tag) return open_tag(token.number);
  tagged_ = false;
  switch (token.kind) {
    case Token::Kind::unsigned_integer:
      return complete(integer(token.number));
    case Token::Kind::negative_integer:
      return complete(negative_integer(token.number));
    case Token::Kind::bytes:
      return complete(bytes_value(token.body));
    case Token::Kind::text:
      return complete(text_value(token.body));
    case Token::Kind::floating:
      return complete(token.real);
    case Token::Kind::boolean:
      return complete(token.number != 0);
    case Token::Kind::null:
      return complete(nullptr);
    case Token::Kind::simple:
      return complete(Value::invalid(fmt::format("the CBOR simple value {} fits no type", token.number)));
    case Token::Kind::list_start:
      return open_list(token.number);
    case Token::Kind::map_start:
      return open_map(token.number);
    case Token::Kind::open_bytes_start:
      return open(OpenString{Token::Kind::bytes, {}});
    case Token::Kind::open_text_start:
      return open(OpenString{Token::Kind::text, {}});
    case Token::Kind::open_list_start:
      return open(OpenList{{}, {}});
    case Token::Kind::open_map_start:
      return open(OpenMap{{}, {}, {}, {}});
    case Token::Kind::none:
    case Token::Kind::tag:
    case Token::Kind::stop:
      break;
  }
}

void ItemBuilder::add_piece(OpenString& string, const Token& token) {
  if (token.kind != string.kind) not_well_formed("a string of indefinite length holds something else than its pieces");
  // Each piece must be UTF-8 by itself.
  if (string.kind == Token::Kind::text && !is_valid_utf8(token.body)) string.flawed = true;
  if (!string.flawed) string.body.append(token.body);
}

void ItemBuilder::open(Open container) {
  if (open_.size() >= limits_.max_depth)
    throw Error(ErrorCode::limit, fmt::format("exceeded max nested level {}", limits_.max_depth));
  open_.push_back(std::move(container));
}

// A count that the limit forbids is refused before its first element.
void ItemBuilder::open_list(std::uint64_t count) {
  if (count > limits_.max_elements)
    throw Error(ErrorCode::limit, fmt::format("exceeded max number of elements {}", limits_.max_elements));
  open(OpenList{count, {}});
  if (count != 0) return;
  open_.pop_back();
  complete(schema::List());
}

void ItemBuilder::open_map(std::uint64_t count) {
  if (count > limits_.max_elements / 2)
    throw Error(ErrorCode::limit, fmt::format("exceeded max number of elements {}", limits_.max_elements));
  open(OpenMap{count, {}, {}, {}});
  if (count != 0) return;
  open_.pop_back();
  complete(schema::Map());
}

void ItemBuilder::open_tag(std::uint64_t number) {
  if (number == self_described_tag) {
    tagged_ = true;
  } else {
    tagged_ = false;
    open(OpenTag{number, {}});
  }
}

void ItemBuilder::stop() {
  struct MayStop {
    bool operator()(const OpenList& list) const { return !list.missing; }
    bool operator()(const OpenMap& map) const { return !map.missing && !map.key; }
    bool operator()(const OpenString&) const { return true; }
    bool operator()(const OpenTag&) const { return false; }
  };
  if (tagged_ || open_.empty() || !std::visit(MayStop(), open_.back())) not_well_formed("unexpected \"break\" code");
  Value value = close(open_.back());
  open_.pop_back();
  complete(std::move(value));
}

void ItemBuilder::complete(Value value) {
  while (!open_.empty()) {
    if (!put(open_.back(), std::move(value))) return;
    value = close(open_.back());
    open_.pop_back();
  }
  done_ = std::move(value);
}

// Adds a value to the container; true if that was its last.
bool ItemBuilder::put(Open& container, Value value) {
  struct Put {
    Value value;

    bool operator()(OpenList& list) {
      list.items.push_back(std::move(value));
      return list.missing && --*list.missing == 0;
    }
    bool operator()(OpenMap& map) {
      if (!map.key) {
        map.key = std::move(value);
        return false;
      }
      insert(map);
      map.key.reset();
      return map.missing && --*map.missing == 0;
    }
    bool operator()(OpenString&) { return false; }
    bool operator()(OpenTag& tag) {
      tag.content = std::move(value);
      return true;
    }
    void insert(OpenMap& map) {
      if (!map.flaw.empty()) return;
      map.flaw = key_flaw(*map.key);
      if (map.flaw.empty() && !map.entries.insert(*map.key, std::move(value)))
        map.flaw = fmt::format("the key {} is given twice", describe(*map.key));
      // What an invalid map holds is never seen.
      if (!map.flaw.empty()) map.entries = schema::Map();
    }
  };
  return std::visit(Put{std::move(value)}, container);
}

Value ItemBuilder::close(Open& container) {
  struct Close {
    Value operator()(OpenList& list) const { return std::move(list.items); }
    Value operator()(OpenMap& map) const {
      return map.flaw.empty() ? Value(std::move(map.entries)) : Value::invalid(std::move(map.flaw));
    }
    Value operator()(OpenString& string) const {
      if (string.flawed) return not_utf8();
      return string.kind == Token::Kind::text ? Value(std::move(string.body)) : bytes_value(string.body);
    }
    Value operator()(OpenTag& tag) const { return tagged(tag.number, tag.content); }
  };
  return std::visit(Close(), container);
}

std::optional<Value> ItemBuilder::take() noexcept {
  return std::exchange(done_, std::nullopt);
}

}  // namespace venvoy::atp
