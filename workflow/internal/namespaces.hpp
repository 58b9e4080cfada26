// Objects of steps that an input schema may refer to (spec/workflow.md 5.9).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/issue.hpp"
#include "workflow/plan.hpp"

namespace venvoy::workflow::internal {

// namespace -> its objects, in the order of their ids
using Namespaces = std::map<std::string, std::map<std::string, schema::ObjectPtr>>;

// What the steps whose lifecycle is known offer.
Namespaces collect_namespaces(const std::vector<PlanStep>& steps);

// Links the references of `input` into the namespaces. Returns what cannot be linked, with the list of what there is.
std::vector<schema::Mismatch> link_namespaces(const schema::Type& input, const Namespaces& namespaces);

}  // namespace venvoy::workflow::internal
