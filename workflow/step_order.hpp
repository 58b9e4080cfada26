// In which order the steps of a workflow can run, as its text tells it: without types, so without any plugin.
#pragma once

#include <cstddef>
#include <vector>

#include "workflow/document.hpp"

namespace venvoy::workflow {

// Positions of steps in the document.
using StepList = std::vector<std::size_t>;

// For each step the steps that its expressions name, in the order of the file, without itself. A step that is only used
// if it comes (an option, an optional value) is among them. Names that are no step's are left out.
std::vector<StepList> step_dependencies(const Document& document);

// The steps in groups: those of one can run side by side, when those of the groups before have ended. In each the order
// of the file. Of steps that need each other in a circle the first one comes first.
std::vector<StepList> parallel_groups(const std::vector<StepList>& dependencies);

}  // namespace venvoy::workflow
