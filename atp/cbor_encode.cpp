#include <array>

#include <cbor/encoding.h>
#include <fmt/format.h>

#include "atp/cbor.hpp"
#include "base/error.hpp"

namespace venvoy::atp {
namespace {

using schema::Kind;
using schema::Value;

// Runs one of libcbor's encoders, which write a head of at most nine bytes.
template <class Encoder, class... Arguments>
void append_head(std::string& out, Encoder encoder, Arguments... arguments) {
  std::array<unsigned char, 9> head;
  const std::size_t size = encoder(arguments..., head.data(), head.size());
  out.append(reinterpret_cast<const char*>(head.data()), size);
}

void append_integer(std::string& out, std::int64_t number) {
  // A negative number n is encoded as -1 - n, which is its complement.
  if (number < 0) {
    append_head(out, cbor_encode_negint, ~static_cast<std::uint64_t>(number));
  } else {
    append_head(out, cbor_encode_uint, static_cast<std::uint64_t>(number));
  }
}

void append_bytes(std::string& out, const schema::Bytes& bytes) {
  append_head(out, cbor_encode_bytestring_start, bytes.size());
  out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void append_text(std::string& out, const std::string& text) {
  append_head(out, cbor_encode_string_start, text.size());
  out.append(text);
}

void append_list(std::string& out, const schema::List& list) {
  append_head(out, cbor_encode_array_start, list.size());
  for (const Value& item : list) append_encoded(out, item);
}

void append_map(std::string& out, const schema::Map& map) {
  append_head(out, cbor_encode_map_start, map.size());
  for (const auto& [key, value] : map) {
    append_encoded(out, key);
    append_encoded(out, value);
  }
}

}  // namespace

void append_encoded(std::string& out, const Value& value) {
  switch (value.kind()) {
    case Kind::null:
      return append_head(out, cbor_encode_null);
    case Kind::boolean:
      return append_head(out, cbor_encode_bool, value.as_bool());
    case Kind::integer:
      return append_integer(out, value.as_integer());
    case Kind::floating:
      return append_head(out, cbor_encode_double, value.as_float());
    case Kind::text:
      return append_text(out, value.as_text());
    case Kind::bytes:
      return append_bytes(out, value.as_bytes());
    case Kind::list:
      return append_list(out, value.as_list());
    case Kind::map:
      return append_map(out, value.as_map());
    case Kind::invalid:
      break;
  }
  throw Error(ErrorCode::schema, fmt::format("a value cannot be sent to a plugin: {}", value.invalid_reason()));
}

std::string encode(const Value& value) {
  std::string out;
  append_encoded(out, value);
  return out;
}

}  // namespace venvoy::atp
