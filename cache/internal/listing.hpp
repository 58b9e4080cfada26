// What is in directories that others change meanwhile.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "base/clock.hpp"

namespace venvoy::cache::internal {

// The paths of a directory's entries, sorted; none if it cannot be read.
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& directory);

// When the file was last written to, the beginning of 1970 if there is none.
WallTime time_of_change(const std::filesystem::path& path);

// The sum of the sizes of the regular files at and below a path, as far as they can be seen.
std::uint64_t tree_bytes(const std::filesystem::path& path);

}  // namespace venvoy::cache::internal
