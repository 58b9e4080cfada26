// venvoy plugin check REF, venvoy plugin show REF
#pragma once

#include <string>

#include "cli/common.hpp"

namespace venvoy::cli {

// Looks at one plugin as far as it goes: reference, contract, environment, start, hello, schema. Prints what was found
// as data and returns the exit code (CheckExit).
int check_plugin(const std::string& reference, const CommonOptions& common);

// Prints who one plugin is, as data: reference, version, contract, environment, Python, distributions and steps; it is
// made ready for that, but started only if its schema is not known yet. Returns the exit code (PlainExit). Throws an
// Error: what prepare_plugin throws.
int show_plugin(const std::string& reference, const CommonOptions& common);

}  // namespace venvoy::cli
