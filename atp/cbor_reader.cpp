#include <cbor/streaming.h>
#include <fmt/format.h>

#include "atp/cbor.hpp"
#include "atp/internal/item_builder.hpp"
#include "base/error.hpp"

namespace venvoy::atp {
namespace {

// Major types of RFC 8949.
enum Major : unsigned { byte_string = 2, text_string = 3, map = 5, tag = 6, simple_or_float = 7 };

constexpr unsigned argument_follows = 24;        // in 1, 2, 4 or 8 bytes
constexpr unsigned first_reserved = 28;          // additional information that means nothing
constexpr unsigned indefinite_length = 31;       // or "break"
constexpr unsigned first_constant = 20;          // simple values below are not false, true, null or undefined
constexpr unsigned first_simple_of_a_byte = 32;  // smaller ones must not be written in a byte of their own

// A buffer that has become larger is given back when it is empty.
constexpr std::size_t kept_capacity = std::size_t{1} << 20;

unsigned major_of(std::byte first) noexcept {
  return std::to_integer<unsigned>(first) >> 5;
}
unsigned info_of(std::byte first) noexcept {
  return std::to_integer<unsigned>(first) & 0x1F;
}

[[noreturn]] void not_well_formed(std::byte first) {
  const unsigned info = info_of(first);
  if (info >= first_reserved)
    throw Error(ErrorCode::protocol,
                fmt::format("invalid additional information {} for major type {}", info, major_of(first)));
  throw Error(ErrorCode::protocol, fmt::format("the byte {:#04x} begins no CBOR item", std::to_integer<int>(first)));
}

[[noreturn]] void no_message(std::byte first) {
  constexpr const char* names[] = {"an integer",
                                   "an integer",
                                   "a byte string",
                                   "a text",
                                   "a list",
                                   "a map",
                                   "a value with another tag",
                                   "a simple value or float"};
  throw Error(ErrorCode::protocol, fmt::format("a message is a map, and this is {}", names[major_of(first)]));
}

// Which first bytes a message may have; a tag must then be the one that changes nothing.
bool begins_message(std::byte first) noexcept {
  const unsigned major = major_of(first);
  return major == map || major == tag || first == std::byte{0xF6} || first == std::byte{0xF7};
}

// libcbor's callbacks only note what was found, so that no exception passes through C.
Token& noted(void* context, Token::Kind kind, std::uint64_t number = 0) noexcept {
  Token& token = *static_cast<Token*>(context);
  token.kind = kind;
  token.number = number;
  return token;
}

template <Token::Kind kind, class Number>
void on_number(void* context, Number number) noexcept {
  noted(context, kind, number);
}

template <Token::Kind kind>
void on_head(void* context) noexcept {
  noted(context, kind);
}

template <Token::Kind kind, class Size>
void on_body(void* context, cbor_data body, Size size) noexcept {
  noted(context, kind).body = {reinterpret_cast<const char*>(body), size};
}

template <class Real>
void on_float(void* context, Real real) noexcept {
  noted(context, Token::Kind::floating).real = real;
}

cbor_callbacks noting_callbacks() noexcept {
  using K = Token::Kind;
  cbor_callbacks callbacks = cbor_empty_callbacks;
  callbacks.uint8 = on_number<K::unsigned_integer>;
  callbacks.uint16 = on_number<K::unsigned_integer>;
  callbacks.uint32 = on_number<K::unsigned_integer>;
  callbacks.uint64 = on_number<K::unsigned_integer>;
  callbacks.negint8 = on_number<K::negative_integer>;
  callbacks.negint16 = on_number<K::negative_integer>;
  callbacks.negint32 = on_number<K::negative_integer>;
  callbacks.negint64 = on_number<K::negative_integer>;
  callbacks.byte_string_start = on_head<K::open_bytes_start>;
  callbacks.byte_string = on_body<K::bytes>;
  callbacks.string_start = on_head<K::open_text_start>;
  callbacks.string = on_body<K::text>;
  callbacks.indef_array_start = on_head<K::open_list_start>;
  callbacks.array_start = on_number<K::list_start>;
  callbacks.indef_map_start = on_head<K::open_map_start>;
  callbacks.map_start = on_number<K::map_start>;
  callbacks.tag = on_number<K::tag>;
  callbacks.float2 = on_float;
  callbacks.float4 = on_float;
  callbacks.float8 = on_float;
  callbacks.undefined = on_head<K::null>;
  callbacks.null = on_head<K::null>;
  callbacks.boolean = on_number<K::boolean>;
  callbacks.indef_break = on_head<K::stop>;
  return callbacks;
}

// How many bytes a string at the start of `bytes` takes with its head; nothing when the head is not complete.
std::optional<std::uint64_t> size_of_string(std::span<const std::byte> bytes) noexcept {
  const unsigned info = info_of(bytes[0]);
  if (info < argument_follows) return 1 + std::uint64_t{info};
  const std::size_t width = std::size_t{1} << (info - argument_follows);
  if (bytes.size() < 1 + width) return std::nullopt;
  std::uint64_t length = 0;
  for (const std::byte byte : bytes.subspan(1, width)) length = length << 8 | std::to_integer<std::uint64_t>(byte);
  // One that would overflow is beyond every limit as it stands.
  return length > UINT64_MAX - 1 - width ? length : 1 + width + length;
}

}  // namespace

struct CborReader::State {
  CborLimits limits;
  Expect expect;
  ItemBuilder builder;
  std::vector<std::byte> buffer;
  std::size_t begin = 0;       // of what is unread in the buffer
  std::size_t wanted = 1;      // unread bytes without which decoding need not be tried
  std::size_t item_bytes = 0;  // read of the current item
  std::vector<std::byte> item_head;
  bool failed = false;

  std::span<const std::byte> unread() const noexcept { return std::span(buffer).subspan(begin); }
  std::optional<schema::Value> next();
  std::size_t read_token(Token& token);
  std::optional<std::size_t> read_what_libcbor_refuses(Token& token) const;
  bool string_is_complete();
  std::size_t decode(Token& token);
  void consume(std::size_t count);
  void drop_consumed();
};

CborReader::CborReader(CborLimits limits, Expect expect)
    : state_(new State{limits, expect, ItemBuilder(limits), {}, 0, 1, 0, {}, false}) {}
CborReader::~CborReader() = default;
CborReader::CborReader(CborReader&&) noexcept = default;
CborReader& CborReader::operator=(CborReader&&) noexcept = default;

void CborReader::feed(std::span<const std::byte> bytes) {
  if (state_->failed) return;
  state_->drop_consumed();
  state_->buffer.insert(state_->buffer.end(), bytes.begin(), bytes.end());
}

std::optional<schema::Value> CborReader::next() {
  if (state_->failed) return std::nullopt;
  try {
    return state_->next();
  } catch (...) {
    state_->failed = true;
    throw;
  }
}

bool CborReader::in_item() const noexcept {
  return !state_->builder.idle() || !state_->unread().empty();
}

std::string CborReader::excerpt() const {
  const auto text_of = [](std::span<const std::byte> bytes) {
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  // Far into an item its beginning says nothing about what is wrong with it.
  const bool from_here = state_->failed && state_->item_bytes > excerpt_bytes;
  const std::string head = from_here ? std::string() : text_of(state_->item_head);
  const std::span<const std::byte> unread = state_->unread();
  return head + text_of(unread.first(std::min(unread.size(), excerpt_bytes - head.size())));
}

// Tokens are handed on one by one, so a long list never has to be in the buffer as a whole.
std::optional<schema::Value> CborReader::State::next() {
  while (unread().size() >= wanted) {
    if (builder.idle()) {
      item_head.clear();
      item_bytes = 0;
    }
    Token token;
    const std::size_t count = read_token(token);
    if (count == 0) break;
    builder.add(token);
    consume(count);
    if (auto item = builder.take()) return item;
  }
  return std::nullopt;
}

// The size of the token at the start of what is unread; 0 when more bytes are needed.
std::size_t CborReader::State::read_token(Token& token) {
  const std::byte first = unread()[0];
  const bool must_be_message = expect == Expect::message && builder.at_top();
  if (must_be_message && !begins_message(first)) no_message(first);
  const auto read = read_what_libcbor_refuses(token);
  const std::size_t count = read ? *read : string_is_complete() ? decode(token) : 0;
  if (count == 0) wanted = std::max(wanted, unread().size() + 1);
  const bool foreign_tag = token.kind == Token::Kind::tag && token.number != self_described_tag;
  if (must_be_message && foreign_tag) no_message(first);
  return count;
}

// libcbor 0.8 refuses well-formed simple values and tags that nobody has assigned. The size of such a token, 0 when
// more bytes are needed, nothing for all other tokens.
std::optional<std::size_t> CborReader::State::read_what_libcbor_refuses(Token& token) const {
  const std::byte first = unread()[0];
  const unsigned info = info_of(first);
  if (major_of(first) == tag && info < argument_follows) {
    noted(&token, Token::Kind::tag, info);
    return 1;
  }
  if (major_of(first) != simple_or_float || (info >= first_constant && info != argument_follows)) return std::nullopt;
  if (info != argument_follows) {
    noted(&token, Token::Kind::simple, info);
    return 1;
  }
  if (unread().size() < 2) return 0;
  const auto number = std::to_integer<unsigned>(unread()[1]);
  if (number < first_simple_of_a_byte) not_well_formed(first);
  noted(&token, Token::Kind::simple, number);
  return 2;
}

// libcbor gives a string when it has all of it. So we wait until then, without asking it again for every piece, and not
// at all for a string beyond the limit. True for everything that is not a string of definite length.
bool CborReader::State::string_is_complete() {
  const unsigned major = major_of(unread()[0]);
  if ((major != byte_string && major != text_string) || info_of(unread()[0]) >= first_reserved) return true;
  const auto size = size_of_string(unread());
  if (!size) return false;
  if (*size > limits.max_item_bytes - item_bytes)
    throw Error(ErrorCode::limit, fmt::format("a string of {} bytes exceeds the limit of {} bytes for a message", *size,
                                              limits.max_item_bytes));
  wanted = *size;
  return unread().size() >= *size;
}

std::size_t CborReader::State::decode(Token& token) {
  static const cbor_callbacks callbacks = noting_callbacks();
  const std::span<const std::byte> bytes = unread();
  const cbor_decoder_result result =
      cbor_stream_decode(reinterpret_cast<cbor_data>(bytes.data()), bytes.size(), &callbacks, &token);
  if (result.status == CBOR_DECODER_ERROR) not_well_formed(bytes[0]);
  return result.status == CBOR_DECODER_FINISHED ? result.read : 0;
}

void CborReader::State::consume(std::size_t count) {
  const std::size_t missing = excerpt_bytes - item_head.size();
  const auto head = unread().first(std::min(count, missing));
  item_head.insert(item_head.end(), head.begin(), head.end());
  begin += count;
  wanted = 1;
  item_bytes += count;
  if (item_bytes > limits.max_item_bytes)
    throw Error(ErrorCode::limit, fmt::format("a message exceeds the limit of {} bytes", limits.max_item_bytes));
  if (begin == buffer.size()) drop_consumed();
}

// Moves at most as many bytes as were consumed since the last time, so every byte is moved about once.
void CborReader::State::drop_consumed() {
  if (begin < buffer.size() - begin) return;
  buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(begin));
  begin = 0;
  if (buffer.empty() && buffer.capacity() > kept_capacity) buffer = {};
}

}  // namespace venvoy::atp
