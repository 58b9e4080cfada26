// Names of what the store holds: a SHA-256 over everything that the content depends on.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace venvoy::cache {

// Part of every key: a new layout of the store never meets directories of an old one.
inline constexpr int layout_version = 1;

// Names and values in the order in which they were given. They are kept in clear in manifests: no secrets.
using KeyInputs = std::vector<std::pair<std::string, std::string>>;

// 64 hexadecimal digits and what they were made from.
class Key {
 public:
  // A key that somebody typed; it has no inputs. Nothing if the text is not 64 lower-case hexadecimal digits.
  static std::optional<Key> from_hex(std::string_view hex);

  const std::string& hex() const noexcept { return hex_; }
  const KeyInputs& inputs() const noexcept { return inputs_; }

  friend bool operator==(const Key& left, const Key& right) noexcept { return left.hex_ == right.hex_; }
  friend auto operator<=>(const Key& left, const Key& right) noexcept { return left.hex_ <=> right.hex_; }

 private:
  friend class KeyBuilder;
  Key(std::string hex, KeyInputs inputs) : hex_(std::move(hex)), inputs_(std::move(inputs)) {}

  std::string hex_;
  KeyInputs inputs_;
};

// KeyBuilder{}.add("url", url).add("commit", commit).finish(). The order counts, and a name may be given several times
// (a list). The first input of every key is the layout version.
class KeyBuilder {
 public:
  KeyBuilder();
  KeyBuilder& add(std::string_view name, std::string_view value);
  Key finish() const;

 private:
  KeyInputs inputs_;
};

}  // namespace venvoy::cache
