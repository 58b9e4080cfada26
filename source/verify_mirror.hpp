// Reading a mirror again, object by object.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/cancel.hpp"

namespace venvoy::source {

// What is damaged in the mirror at `directory`: the ids of objects that cannot be read or are not what their id says,
// or one sentence if nothing can be read at all. Empty for a whole mirror. Blocks for as long as reading everything
// takes; changes nothing. Throws an Error (cancelled).
std::vector<std::string> damaged_objects(const std::filesystem::path& directory, const CancelToken& cancel);

}  // namespace venvoy::source
