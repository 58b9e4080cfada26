// A run as JUnit XML, for the programs that show test results (spec/command.md section 8, "JUnit").
#pragma once

#include <string>

#include "report/run_facts.hpp"

namespace venvoy::report {

// A suite for the workflow and one for each sub-workflow of a loop; a case for each step, in a loop for each step of
// each item that is kept. An error output is a failure, a crash an error; what was disabled or did not begin is
// skipped. A run that failed although no step has gets a case of its own with the error. Ends with a line feed.
std::string junit_xml(const RunFacts& facts);

}  // namespace venvoy::report
