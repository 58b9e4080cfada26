// References and the objects they stand for; the rules of one-ofs that can be checked when both are known.
#pragma once

#include <functional>

#include "schema/internal/trail.hpp"
#include "schema/type.hpp"

namespace venvoy::schema {

// Calls `visit` for the type and for every type inside it, with the path of its wire form, but follows no reference.
// Where `visit` returns false, the types inside are left out.
void walk_types(const Type& type, const Trail& where, const std::function<bool(const Type&, const Trail&)>& visit);

// Links the references without a namespace that belong to this scope, and checks its one-ofs. `where` is the path of
// the scope. Nested scopes have been linked by themselves.
void link_scope(const ScopeType& scope, const Trail& where, Findings& findings);

// Checks the one-ofs with members that need no link (objects and scopes written in place), outside of nested scopes.
void check_one_ofs(const Type& type, const Trail& where, Findings& findings);

}  // namespace venvoy::schema
