// Between what hosts see and what the engine works with.
#pragma once

#include <functional>
#include <utility>

#include "api/venvoy/failure.hpp"
#include "api/venvoy/value.hpp"
#include "base/error.hpp"
#include "base/issue.hpp"
#include "schema/value.hpp"

namespace venvoy {

// The one place that may look into a public value.
class ValueConversion {
 public:
  static Value to_public(const schema::Value& value);
  static schema::Value to_schema(const Value& value, int depth);
};

namespace api::internal {

// Throws an Error (schema) for an invalid value.
venvoy::Value to_public(const schema::Value& value);
// Throws an Error (usage) for a key that no map has or that is there twice, (limit) when nested too deep.
schema::Value to_schema(const venvoy::Value& value);

Failure to_public(const Error& error);
Diagnostic to_public(const Issue& issue);
std::vector<Diagnostic> to_public(const Issues& issues);
EngineError usage_error(std::string text);

// Throws what leaves `work` as an EngineError. For the outermost functions.
void translated(const std::function<void()>& work);

}  // namespace api::internal
}  // namespace venvoy
