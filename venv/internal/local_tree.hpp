// A folder with a plugin under development: its hash, and a copy to build from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/cancel.hpp"

namespace venvoy::venv::internal {

struct TreeLimits {
  std::size_t max_entries = 100'000;
  std::uint64_t max_bytes = std::uint64_t{4} << 30;
};

// The SHA-256 over names, modes and contents of everything in the folder, but for what is not source: `.git` and other
// folders of version control, caches, virtual environments, `build`, `dist` and `*.egg-info` at the top. Symbolic links
// count by their target. Blocks. Throws an Error: io, limit, cancelled.
std::string hash_tree(const std::filesystem::path& folder, const CancelToken& cancel, const TreeLimits& limits = {});

// Copies what hash_tree counts to a folder that is not there yet, and gives the hash of what was copied. Blocks. Throws
// as hash_tree.
std::string copy_tree(const std::filesystem::path& folder, const std::filesystem::path& target,
                      const CancelToken& cancel, const TreeLimits& limits = {});

}  // namespace venvoy::venv::internal
