// What is doubtful or wrong about a plugin's schema that can be read: for the plugin's author.
#pragma once

#include <vector>

#include "schema/check.hpp"
#include "schema/plugin_schema.hpp"

namespace venvoy::schema {

struct PluginFinding {
  // Wrong: somebody's workflow fails by it. Otherwise it only deserves a word.
  bool wrong = false;
  Mismatch what;  // the path starts at the hello's schema: 'steps' -> '[id]' -> 'input' -> …
};

// No steps, steps without outputs, references that nothing links, defaults that their own type refuses, patterns that
// cannot be checked here, examples that are no JSON. Each object of a scope once.
std::vector<PluginFinding> plugin_findings(const PluginSchema& plugin);

}  // namespace venvoy::schema
