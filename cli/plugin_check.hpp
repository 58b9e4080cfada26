// venvoy plugin check REF
#pragma once

#include <string>

#include "cli/common.hpp"

namespace venvoy::cli {

// Looks at one plugin as far as it goes: reference, contract, environment, start, hello, schema. Prints what was found
// as data and returns the exit code (CheckExit).
int check_plugin(const std::string& reference, const CommonOptions& common);

}  // namespace venvoy::cli
