// What the collector takes: decided apart from doing it.
#pragma once

#include <cstddef>
#include <vector>

#include "cache/collect.hpp"

namespace venvoy::cache::internal {

// Indexes into the list of entries.
struct Choice {
  std::vector<std::size_t> remove;  // rubbish first, then least recently used first
  std::vector<std::size_t> in_use;  // would be in `remove`
};

Choice choose(const std::vector<Entry>& entries, const PruneOptions& options, WallTime now);
// Everything that may be gone.
Choice choose_all(const std::vector<Entry>& entries, WallTime now);

}  // namespace venvoy::cache::internal
