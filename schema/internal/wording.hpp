// The words of messages that several checks use, so that they say the same thing the same way.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schema/type.hpp"
#include "schema/value.hpp"

namespace venvoy::schema {

// How many bytes of foreign text and how many names of a list go into a message.
inline constexpr std::size_t max_shown_text = 200;
inline constexpr std::size_t max_shown_names = 50;

// The value's kind in the words of type ids: "null", "bool", "integer", "float", "string", "bytes", "list", "map".
std::string_view kind_word(const Value& value) noexcept;
// "an integer", "a string".
std::string with_article(std::string_view word);

// The text, cut with "…" if it is long.
std::string shortened(std::string_view text);
// A value as text: a string without quotes, everything else as describe() gives it.
std::string plain(const Value& value);
// The same in single quotes.
std::string quoted(const Value& value);

// "string cannot be converted to an integer"; the reason itself for an invalid value.
std::string cannot_convert(const Value& value, std::string_view type);
// "unsupported data type for 'integer' type: string"
std::string unsupported(std::string_view expected, std::string_view given);
std::string unsupported(const Type& expected, const Value& given);

// Whether invalid_parameter says that the name was meant by what is written: then it is not missing as well.
bool is_meant_by(std::string_view name, std::string_view written, const std::vector<std::string>& expected);

// ", did you mean 'name'?" or nothing; not for names that are very long or very many.
std::string suggestion(std::string_view word, const std::vector<std::string>& names);
// "a, b, c", the list cut with "…" if it is long.
std::string name_list(const std::vector<std::string>& names);
// "Invalid parameter 'nam', expected one of: name, age, did you mean 'name'?"
std::string invalid_parameter(std::string_view name, const std::vector<std::string>& expected);
// "Invalid value for "kind", expected one of: cat, dog; 'catt' given, did you mean 'cat'?"
std::string invalid_choice(std::string_view field, const Value& given, const std::vector<std::string>& expected);
// "'2' is not a valid value, must be one of: '1', '5'", the keys sorted as text.
std::string not_in_enum(const Value& given, std::vector<std::string> keys);
// "could not find required field name"
std::string missing_field(std::string_view name);
// Two one-ofs whose discriminators are different fields.
std::string other_discriminator(std::string_view expected, std::string_view given);
// "error due to attempting to use disabled property: the reason"
std::string disabled_text(const Property& property);
// "Referenced object 'A' not found in scope with namespace "n"; …"
std::string not_linked(const RefType& reference);

// The keys of an enum and of a one-of as texts.
std::vector<std::string> key_texts(const EnumStringType& type);
std::vector<std::string> key_texts(const EnumIntegerType& type);
std::vector<std::string> key_texts(const OneOfMembers& type);

}  // namespace venvoy::schema
