// Whether data fits a type, and whether one type accepts another (spec/protocol-and-schema.md section 4).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/position.hpp"
#include "schema/given.hpp"
#include "schema/type.hpp"
#include "schema/value.hpp"

namespace venvoy::schema {

// The way from the root of some data to a place in it. Segments are written as in messages: a property `a`, a list item
// `[0]`, a map's value `[key]`, a map's key `{key}`. Between two types, `[*]` stands for all items of a list or all
// values of a map, `{*}` for all keys of a map and `[key]` for the member of a one-of.
using Path = std::vector<std::string>;

// One thing that does not fit.
struct Mismatch {
  Path path;
  std::string text;
  Position at;  // of the offending node where data with positions was checked (Given); unknown otherwise

  // "Validation failed for 'a' -> '[0]': text", or "Validation failed: text" without a path.
  std::string sentence() const;
};

// Data that does not fit. The message is the sentence of the first mismatch; all of them are at hand.
class MismatchError : public Error {
 public:
  explicit MismatchError(std::vector<Mismatch> mismatches);
  const std::vector<Mismatch>& mismatches() const noexcept { return mismatches_; }

 private:
  std::vector<Mismatch> mismatches_;
};

struct UnserializeOptions {
  // Put the default of an absent property into the result. Without, a property that has a default may be absent.
  bool fill_defaults = true;
};

// Named limits of all checks of this file.
struct CheckLimits {
  int max_depth = 512;                      // nested lists, maps and objects; deeper data or types are a mismatch
  std::size_t max_mismatches = 50;          // further ones are not collected
  std::size_t max_default_values = 100000;  // defaults put into one result; they can multiply when objects nest
  std::size_t max_object_pairs = 100000;    // pairs of objects that one comparison of types looks at
};
inline constexpr CheckLimits check_limits;

// Reads foreign data (wire form, or the texts of a YAML file) as the type: coerces, fills in defaults, checks. The
// result has the type's own kinds: integers for `integer`, texts for `string`, and so on; patterns and enums stay
// texts or integers. Throws MismatchError with everything that is wrong.
Value unserialize(const Type& type, const Value& data, const UnserializeOptions& options = {});

// Checks data that has the type's own kinds already, changing nothing. Throws MismatchError.
void validate(const Type& type, const Value& data);

// The wire form of data that has the type's own kinds: lossless, text discriminators as the type writes them. Throws
// MismatchError.
Value serialize(const Type& type, const Value& data);

// Whether values of the type `given` can go where `expected` stands, decided before any value is there: empty if so.
// These are the strict rules of 4.16 by which the Go engine accepts workflows, with its defects mended.
std::vector<Mismatch> incompatibilities(const Type& expected, const Type& given);
// The same for a structure of literals and types, by the rules for what a workflow file gives to a step.
std::vector<Mismatch> incompatibilities(const Type& expected, const Given& given);

// Whether every value of `given` reads as `declared`, or may do so where only the value decides: the comparison of an
// inferred workflow output with its declared schema (spec/workflow.md 3.8). Object ids do not matter, an integer is
// accepted for a float or string, an enum for its base type, `any` and texts where only the value decides.
std::vector<Mismatch> unreadable_parts(const Type& declared, const Given& given);
std::vector<Mismatch> unreadable_parts(const Type& declared, const Type& given);

}  // namespace venvoy::schema
