#include "schema/internal/wording.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"

namespace venvoy::schema {
namespace {

// Looking for the nearest name costs the product of the lengths, so it is done for what people write.
constexpr std::size_t max_compared_names = 200;
constexpr std::size_t max_compared_length = 100;

std::string join(const std::vector<std::string>& names, std::string_view quote) {
  std::string text;
  for (std::size_t index = 0; index < names.size(); ++index) {
    if (index > 0) text += ", ";
    if (index == max_shown_names) return text + "…";
    text.append(quote).append(shortened(names[index])).append(quote);
  }
  return text;
}

template <class Entries>
std::vector<std::string> texts_of_keys(const Entries& entries) {
  std::vector<std::string> keys;
  keys.reserve(entries.size());
  for (const auto& [key, unused] : entries) keys.push_back(plain(Value(key)));
  return keys;
}

}  // namespace

std::string_view kind_word(const Value& value) noexcept {
  return value.kind() == Kind::boolean ? "bool" : to_text(value.kind());
}

std::string with_article(std::string_view word) {
  const bool vowel = !word.empty() && std::string_view("aeiou").find(word.front()) != std::string_view::npos;
  return fmt::format("{} {}", vowel ? "an" : "a", word);
}

std::string shortened(std::string_view text) {
  if (text.size() <= max_shown_text) return std::string(text);
  std::size_t end = max_shown_text;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "…";
}

std::string plain(const Value& value) {
  if (value.kind() == Kind::text) return shortened(value.as_text());
  if (const std::string* written = value.null_text()) return *written;
  return describe(value, max_shown_text);
}

std::string quoted(const Value& value) {
  return "'" + plain(value) + "'";
}

std::string cannot_convert(const Value& value, std::string_view type) {
  if (value.kind() == Kind::invalid) return value.invalid_reason();
  const bool show = value.kind() == Kind::floating || value.kind() == Kind::integer;
  return fmt::format("{}{} cannot be converted to {}", kind_word(value), show ? " " + plain(value) : "",
                     with_article(type));
}

std::string unsupported(std::string_view expected, std::string_view given) {
  return fmt::format("unsupported data type for '{}' type: {}", expected, given);
}

std::string unsupported(const Type& expected, const Value& given) {
  if (given.kind() == Kind::invalid) return given.invalid_reason();
  return unsupported(expected.name(), kind_word(given));
}

std::string suggestion(std::string_view word, const std::vector<std::string>& names) {
  // One letter is as near to every other one.
  if (word.size() < 2 || word.size() > max_compared_length || names.size() > max_compared_names) return {};
  if (std::ranges::any_of(names, [](const std::string& name) { return name.size() > max_compared_length; })) return {};
  return did_you_mean(word, names);
}

std::string name_list(const std::vector<std::string>& names) {
  return join(names, "");
}

std::string invalid_parameter(std::string_view name, const std::vector<std::string>& expected) {
  if (expected.empty()) return fmt::format("Invalid parameter '{}', none is expected here", shortened(name));
  return fmt::format("Invalid parameter '{}', expected one of: {}{}", shortened(name), name_list(expected),
                     suggestion(name, expected));
}

bool is_meant_by(std::string_view name, std::string_view written, const std::vector<std::string>& expected) {
  return suggestion(written, expected) == fmt::format(", did you mean '{}'?", name);
}

std::string invalid_choice(std::string_view field, const Value& given, const std::vector<std::string>& expected) {
  return fmt::format("Invalid value for \"{}\", expected one of: {}; {} given{}", shortened(field), name_list(expected),
                     quoted(given), suggestion(plain(given), expected));
}

std::string not_in_enum(const Value& given, std::vector<std::string> keys) {
  std::ranges::sort(keys);
  return fmt::format("{} is not a valid value, must be one of: {}{}", quoted(given), join(keys, "'"),
                     suggestion(plain(given), keys));
}

std::string missing_field(std::string_view name) {
  return fmt::format("could not find required field {}", shortened(name));
}

std::string other_discriminator(std::string_view expected, std::string_view given) {
  return fmt::format("Discriminator field name '{}' does not match the expected '{}'", shortened(given),
                     shortened(expected));
}

std::string disabled_text(const Property& property) {
  std::string text = "error due to attempting to use disabled property";
  if (property.disabled_reason) text += ": " + shortened(*property.disabled_reason);
  return text;
}

std::string not_linked(const RefType& reference) {
  return fmt::format("Referenced object '{}' not found in scope with namespace \"{}\"", reference.id,
                     reference.name_space);
}

std::vector<std::string> key_texts(const EnumStringType& type) {
  return texts_of_keys(type.values);
}
std::vector<std::string> key_texts(const EnumIntegerType& type) {
  return texts_of_keys(type.values);
}
std::vector<std::string> key_texts(const OneOfMembers& type) {
  return texts_of_keys(type.types);
}

}  // namespace venvoy::schema
