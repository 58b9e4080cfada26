// Making room without being asked (`cacheMaxSize`, `cacheMaxAge`; spec/command.md section 4).
#pragma once

#include <chrono>

#include "base/cancel.hpp"
#include "cache/collect.hpp"
#include "cache/store.hpp"

namespace venvoy::cache {

// Between two upkeeps of one store, by whatever engines.
inline constexpr std::chrono::hours upkeep_interval{6};

// Does what prune() does with these options, if nobody has done it for `upkeep_interval` and nobody is at it; what was
// removed is told to the store's log. A new store is left alone for that time. Blocks while it removes: for pool
// threads. A cancelled token ends it after the next removal, and whoever comes next goes on. Never throws: what cannot
// be done now is done some other time.
void keep_up(const Store& store, const PruneOptions& options, const CancelToken& cancel) noexcept;

}  // namespace venvoy::cache
