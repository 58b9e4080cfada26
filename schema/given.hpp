// A value of which parts are known only by their type: what a workflow file gives to a step before it runs.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/position.hpp"
#include "schema/type.hpp"

namespace venvoy::schema {

// A tree of literals, of types (those of expressions) and of lists and mappings of the same. Each node knows its place
// in the file, so that a finding about it can be shown there.
struct Given {
  struct Entry;
  // One of several values, with the name of the option in a field (`!oneof` of a workflow file).
  struct OneOf {
    std::string discriminator;
    std::vector<Entry> options;  // the key is the option's name
  };
  using Items = std::vector<Given>;
  using Entries = std::vector<Entry>;

  // A Value is a literal; a list or map in it is a literal too. A null TypePtr is an expression whose type is not known
  // because it is wrong (which has been reported already): it fits everywhere.
  std::variant<Value, TypePtr, Items, Entries, OneOf> form;
  Position at;
};

struct Given::Entry {
  Value key;
  Given value;
  // The entry is left out when its value does not come (`!wait-optional`, `!soft-optional`).
  bool optional = false;
  Position key_at;
};

// The type of a value of which parts are known by type (spec/expressions.md section 9): literals are text, mappings
// become objects whose id is not enforced, lists have the type of their first item. `object_id` names the objects made.
// Throws an Error (schema) with the position of the node that has no type. A one-of option that is no object:
// "type of OneOf option is not an object".
TypePtr infer_type(const Given& given, const std::string& object_id);

}  // namespace venvoy::schema
