// From a plan to the picture of its graph.
#pragma once

#include "report/graph_picture.hpp"
#include "workflow/plan.hpp"

namespace venvoy::report {

// The workflow's input, its steps and its outputs in the order of the file, with one edge for all that a step uses of
// another one; of what a step uses of itself there is none. A loop has the file of its sub-workflow as detail; that one
// is not drawn. No secrets: references are as plugins tell them of themselves.
GraphPicture picture_of(const workflow::Plan& plan);

}  // namespace venvoy::report
