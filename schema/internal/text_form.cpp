#include "schema/internal/text_form.hpp"

#include <algorithm>
#include <cstdint>

#include "schema/yaml_writer.hpp"

namespace venvoy::schema {
namespace {

constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Up to three bytes become four characters.
void append_base64_group(std::string& out, const std::byte* bytes, std::size_t count) {
  std::uint32_t group = 0;
  for (std::size_t index = 0; index < 3; ++index)
    group = group << 8 | (index < count ? std::to_integer<std::uint32_t>(bytes[index]) : 0);
  for (std::size_t index = 0; index < 4; ++index)
    out += index <= count ? base64_digits[group >> (18 - 6 * index) & 63] : '=';
}

}  // namespace

std::string text_form(const Value& scalar) {
  switch (scalar.kind()) {
    case Kind::boolean:
      return scalar.as_bool() ? "true" : "false";
    case Kind::integer:
      return std::to_string(scalar.as_integer());
    case Kind::floating:
      return yaml_float(scalar.as_float());
    case Kind::text:
      return scalar.as_text();
    case Kind::bytes:
      return to_base64(scalar.as_bytes());
    default:
      return "null";
  }
}

std::vector<KeyedEntry> keyed_entries(const Map& map, bool sorted) {
  std::vector<KeyedEntry> entries;
  entries.reserve(map.size());
  for (const Map::Entry& entry : map) entries.push_back({text_form(entry.key), &entry});
  if (sorted) std::ranges::stable_sort(entries, {}, &KeyedEntry::key_text);
  return entries;
}

std::string to_base64(const Bytes& bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t start = 0; start < bytes.size(); start += 3)
    append_base64_group(out, bytes.data() + start, std::min<std::size_t>(3, bytes.size() - start));
  return out;
}

std::optional<Bytes> from_base64(std::string_view text) {
  Bytes bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t group = 0;
  std::size_t digits = 0;
  std::size_t padding = 0;
  for (const char symbol : text) {
    if (std::string_view(" \t\r\n").find(symbol) != std::string_view::npos) continue;
    const std::size_t digit = base64_digits.find(symbol);
    if (symbol == '=') {
      ++padding;
    } else if (digit == std::string_view::npos || padding > 0) {
      return std::nullopt;
    } else {
      group = group << 6 | static_cast<std::uint32_t>(digit);
      if (++digits % 4 != 0) continue;
      for (const int shift : {16, 8, 0}) bytes.push_back(static_cast<std::byte>(group >> shift));
      group = 0;
    }
  }
  const std::size_t rest = digits % 4;
  if (rest == 1 || padding != (4 - rest) % 4) return std::nullopt;
  if (rest >= 2) bytes.push_back(static_cast<std::byte>(group >> (rest == 2 ? 4 : 10)));
  if (rest == 3) bytes.push_back(static_cast<std::byte>(group >> 2));
  return bytes;
}

}  // namespace venvoy::schema
