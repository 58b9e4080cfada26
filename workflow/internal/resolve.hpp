// Values of a plan in the state of a run.
#pragma once

#include <optional>
#include <string>

#include "schema/check.hpp"
#include "schema/value.hpp"
#include "workflow/plan.hpp"

namespace venvoy::workflow::internal {

struct ResolveContext {
  const Plan& plan;
  const GraphState& graph;
  const schema::Value& data;  // the data model's root
};

// The value with its expressions evaluated; nothing for an optional value that does not come. Throws an Error
// (evaluation) that names the expression and its place.
std::optional<schema::Value> resolve(const PlanValue& value, const ResolveContext& context);

// The optional expression that stands at a path of a value, to say why something required is absent; null if none does.
const PlanValue* find_optional(const PlanValue& value, const schema::Path& path);

}  // namespace venvoy::workflow::internal
