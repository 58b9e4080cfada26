#include "cache/key.hpp"

#include <algorithm>

#include "base/sha256.hpp"

namespace venvoy::cache {
namespace {

// What is hashed:   key = *( netstring(name) netstring(value) )     netstring(s) = decimal length ":" s ","
// The lengths make it unambiguous: no two lists of inputs have the same text.
void hash_netstring(Sha256& hash, std::string_view text) {
  hash.update(std::to_string(text.size()) + ":");
  hash.update(text);
  hash.update(",");
}

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

}  // namespace

std::optional<Key> Key::from_hex(std::string_view hex) {
  if (hex.size() != 64 || !std::all_of(hex.begin(), hex.end(), is_hex_digit)) return std::nullopt;
  return Key(std::string(hex), {});
}

KeyBuilder::KeyBuilder() {
  add("layout", std::to_string(layout_version));
}

KeyBuilder& KeyBuilder::add(std::string_view name, std::string_view value) {
  inputs_.emplace_back(name, value);
  return *this;
}

Key KeyBuilder::finish() const {
  Sha256 hash;
  for (const auto& [name, value] : inputs_) {
    hash_netstring(hash, name);
    hash_netstring(hash, value);
  }
  return Key(hash.hex(), inputs_);
}

}  // namespace venvoy::cache
