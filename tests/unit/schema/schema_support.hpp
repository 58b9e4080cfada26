// Types and data written as JSON, and what the checks say about them as text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schema/check.hpp"
#include "schema/given.hpp"
#include "schema/json.hpp"
#include "schema/read_type.hpp"
#include "schema/type.hpp"
#include "schema/value.hpp"

namespace venvoy::schema::test {

// A place for quotes that are easier to read: 'a' becomes "a".
inline std::string double_quoted(std::string text) {
  for (char& letter : text)
    if (letter == '\'') letter = '"';
  return text;
}

// JSON, in which single quotes may stand for double ones.
inline Value from_json(std::string_view json) {
  return read_json(double_quoted(std::string(json)));
}

inline TypePtr type(std::string_view json, const ReadOptions& options = {}) {
  return read_type(from_json(json), options);
}

// A scope with the given objects (a JSON map) and the root A.
inline TypePtr scope(std::string_view objects) {
  return type("{'root': 'A', 'objects': " + std::string(objects) + "}");
}

// A scope with one object A of the given properties (a JSON map).
inline TypePtr object(std::string_view properties) {
  return scope("{'A': {'id': 'A', 'properties': " + std::string(properties) + "}}");
}

inline std::vector<std::string> sentences(const std::vector<Mismatch>& mismatches) {
  std::vector<std::string> result;
  for (const Mismatch& mismatch : mismatches) result.push_back(mismatch.sentence());
  return result;
}

// The sentences of the error that `work` ends with; empty if it ends well.
template <class Work>
std::vector<std::string> mismatches_of(const Work& work) {
  try {
    work();
  } catch (const MismatchError& error) {
    return sentences(error.mismatches());
  }
  return {};
}

// The value read, in short form, or "ERR " and the first sentence without "Validation failed".
template <class Work>
std::string outcome(const Work& work) {
  try {
    return write_json(work(), {.indent = 0});
  } catch (const MismatchError& error) {
    return "ERR" + error.message().substr(std::string_view("Validation failed").size());
  }
}

inline std::string unserialized(const TypePtr& to, const Value& value, bool fill_defaults = true) {
  return outcome([&] { return unserialize(*to, value, {fill_defaults}); });
}

// "ok", or the first sentence without "Validation failed".
inline std::string verdict(const std::vector<Mismatch>& mismatches) {
  if (mismatches.empty()) return "ok";
  return "ERR" + mismatches.front().sentence().substr(std::string_view("Validation failed").size());
}

// A literal as it stands in a file.
inline Given given(Value value) {
  return Given{std::move(value), {}};
}
inline Given given(TypePtr of_expression) {
  return Given{std::move(of_expression), {}};
}
inline Given::Entry entry(Value key, Given value, bool optional = false) {
  return {std::move(key), std::move(value), optional, {}};
}

// A text inside of that many lists.
inline Given nested_items(int levels) {
  Given nested = given("x");
  for (; levels > 0; --levels) {
    Given::Items items;
    items.push_back(std::move(nested));
    nested = Given{std::move(items), {}};
  }
  return nested;
}

}  // namespace venvoy::schema::test
