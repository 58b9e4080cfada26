// What is right by the rules and probably not what was meant.
#pragma once

#include "base/issue.hpp"
#include "workflow/document.hpp"
#include "workflow/plan.hpp"

namespace venvoy::workflow {

// Warnings about expressions that mean something else than they look like (spec/expressions.md section 12), in the
// order of the file.
Issues surprising_expressions(const Document& document);

// Warnings about `!wait-optional` and `!soft-optional` values in properties that are required: the step fails when the
// value does not come (spec/workflow.md 9-38). Sub-workflows have plans of their own.
Issues optional_in_required(const Plan& plan);

}  // namespace venvoy::workflow
