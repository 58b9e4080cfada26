// Actions of commands that policies decide about (spec/governance.md 8.8).
#pragma once

#include <string>

#include "api/runtime.hpp"
#include "cli/common.hpp"
#include "schema/value.hpp"

namespace venvoy::cli {

// Does nothing where nobody governs. Throws an Error (denied) with the policy's reason.
void ask_policies(api::Runtime& runtime, std::string action, schema::Map input);

// For a command that has no engine: makes one if the configuration says that policies are asked. Throws as above, and
// an Error (usage) when the configuration cannot be used.
void ask_policies(const CommonOptions& options, std::string action, schema::Map input);

}  // namespace venvoy::cli
