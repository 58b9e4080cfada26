// The schema language as data: reading and writing types, scopes and the links between them
// (spec/protocol-and-schema.md section 3).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/check.hpp"
#include "schema/type.hpp"
#include "schema/value.hpp"

namespace venvoy::schema {

// Who wrote the schema. A plugin's may hold fields that we do not know (a newer SDK) and null for "unset": these become
// warnings. In a user's file they are errors.
enum class SchemaOrigin { plugin, user };

struct ReadOptions {
  SchemaOrigin origin = SchemaOrigin::user;
  // Gets a sentence with its path for everything that was passed over; may be empty.
  std::function<void(const std::string&)> warn;
  int max_depth = 200;              // nested types
  std::size_t max_types = 1000000;  // in one schema
};

// Reads a type with its `type_id`, or a scope or object without. References in a scope to its own objects are linked;
// those with a namespace are not yet. Checks all that 3.5 and 3.6 demand: roots, ids, targets, discriminators. Throws
// MismatchError with the path of everything that is wrong ('objects' -> '[A]' -> 'properties' -> '[a]' -> 'type').
TypePtr read_type(const Value& data, const ReadOptions& options = {});
TypePtr read_scope(const Value& data, const ReadOptions& options = {});

// The wire form; unset fields are left out. write_scope gives the form without `type_id`.
Value write_type(const Type& type);
Value write_scope(const ScopeType& scope);

// Links every reference in `type` whose namespace is `name_space`, without following references. A reference to an
// object that `objects` lacks, and what the one-of rules of 3.6 refuse once the link is there, is returned as a
// mismatch.
std::vector<Mismatch> apply_namespace(const Type& type, std::string_view name_space,
                                      const std::vector<std::pair<std::string, ObjectPtr>>& objects);

// A reference that nothing has linked.
struct UnlinkedReference {
  Path path;
  std::string id;
  std::string name_space;
};
std::vector<UnlinkedReference> unlinked_references(const Type& type);

}  // namespace venvoy::schema
