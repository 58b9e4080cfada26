// The scalar types: what reads as them, and whether it keeps to their limits (spec/protocol-and-schema.md 4.2-4.7).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "schema/type.hpp"
#include "schema/value.hpp"

namespace venvoy::schema {

// A value, or why there is none.
template <class T>
struct Converted {
  std::optional<T> value;
  std::string problem;
};

Converted<bool> to_bool(const Value& value);
// With units, texts are amounts: "5m30s".
Converted<std::int64_t> to_integer(const Value& value, const Units* units = nullptr);
Converted<double> to_float(const Value& value, const Units* units = nullptr);
// A Value of kind text; shares the text with `value` if that is one. Numbers become their shortest text.
Converted<Value> to_text_value(const Value& value);

// Why a value of the right kind breaks a limit of the type; empty if it does not.
std::string problem_with(const StringType& type, const Value& text);
std::string problem_with(const IntegerType& type, std::int64_t value);
std::string problem_with(const FloatType& type, double value);
std::string problem_with(const EnumStringType& type, const Value& text);
std::string problem_with(const EnumIntegerType& type, std::int64_t value);
std::string problem_with(const PatternType& type, const Value& text);
// "Must have at least 1 items, 0 given"
std::string size_problem(std::size_t size, std::optional<std::int64_t> min, std::optional<std::int64_t> max);

// The value as a key of a one-of of this type: a text or an integer; null if it cannot be one.
Value key_as(const Type& one_of, const Value& value);

// Whether the type reads the text of a null that is written in a file: string, enum_string, pattern and any.
bool takes_text(const Type& type) noexcept;
// Whether a property of this type counts as absent when it is given this value: a null, unless the type is `any` or
// the null is written in a file and the type takes its text (4.1).
bool counts_as_absent(const Value& value, const Type& type) noexcept;

}  // namespace venvoy::schema
