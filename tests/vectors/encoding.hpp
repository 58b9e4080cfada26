// How the vectors write values and types; their header is the authority.
#pragma once

#include <functional>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

#include "schema/given.hpp"
#include "schema/type.hpp"
#include "schema/value.hpp"

namespace venvoy::test {

// Why a case does not pass, or why a file is no file of vectors.
class VectorProblem : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The field of a mapping. Throws a VectorProblem if there is none, or if this is no mapping.
const schema::Value& field(const schema::Value& mapping, std::string_view name);
const std::string& text_field(const schema::Value& mapping, std::string_view name);
// Throws a VectorProblem if the mapping has a field that is not named here: what is not known cannot be compared.
void check_fields(const schema::Value& mapping, std::initializer_list<std::string_view> known);

// {t, v} as a value; `object` and `map` both become maps. Throws a VectorProblem for everything else.
schema::Value decode_value(const schema::Value& encoded);

// {t, v} as a structure of literals and of the types that `type_of` gives for the text of an expression: also the kinds
// expr, optional_expr and oneof_expr.
using TypeOf = std::function<schema::TypePtr(const std::string& expression)>;
schema::Given decode_given(const schema::Value& encoded, const TypeOf& type_of);

// Equal by kind and contents, where NaN equals NaN and the zeros differ. Floats may differ by the part
// `relative_tolerance`.
bool same_value(const schema::Value& left, const schema::Value& right, double relative_tolerance);

// A type as the vectors write it.
schema::Value encode_type(const schema::TypePtr& type);

}  // namespace venvoy::test
