// How values look as text where the format has no form of its own for them: keys of JSON, order of keys, bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/value.hpp"

namespace venvoy::schema {

// The text of a value that is no list, map or invalid value: `null`, `true`, `1`, `1.5` (as by yaml_float), the text
// itself, base64.
std::string text_form(const Value& scalar);

// The entries of a map with the text forms of their keys, by the bytes of those if `sorted`, else in their order.
struct KeyedEntry {
  std::string key_text;
  const Map::Entry* entry;
};
std::vector<KeyedEntry> keyed_entries(const Map& map, bool sorted);

// Base64 of RFC 4648 section 4, with padding.
std::string to_base64(const Bytes& bytes);
// Blanks and line feeds are passed over; nothing if the rest is no base64.
std::optional<Bytes> from_base64(std::string_view text);

}  // namespace venvoy::schema
