// Wheels and tools: directories wheel-v1/<key>/ and tool-v1/<key>/ that are staged and renamed.
#pragma once

#include <memory>
#include <optional>

#include "base/cancel.hpp"
#include "cache/internal/store_state.hpp"
#include "cache/key.hpp"
#include "cache/lease.hpp"

namespace venvoy::cache::internal {

// Names of such directories that have been taken out of the way.
inline constexpr const char* retired_prefix = "retired-";

std::optional<Lease> lease_staged(const std::shared_ptr<StoreState>& store, Bucket bucket, const Key& key);
Staging stage(const std::shared_ptr<StoreState>& store, Bucket bucket, const Key& key, const CancelToken& cancel);

}  // namespace venvoy::cache::internal
