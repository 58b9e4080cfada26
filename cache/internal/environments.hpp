// Environments: generations of directories below env-v1/<2 hex>/<key>/.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/cancel.hpp"
#include "cache/internal/store_state.hpp"
#include "cache/key.hpp"
#include "cache/lease.hpp"
#include "cache/store.hpp"

namespace venvoy::cache::internal {

struct Generation {
  unsigned number = 0;  // from 1
  std::filesystem::path path;
  bool ready = false;
  bool operator==(const Generation&) const = default;
};

// env-v1/<2 hex>/<key>
std::filesystem::path environment_path(const StoreState& store, const std::string& key);
// Newest first; none if there is no such directory.
std::vector<Generation> generations_in(const std::filesystem::path& environment);
// Whether there is a newer one that is ready.
bool is_superseded(const std::vector<Generation>& generations, unsigned number);
// Removes what nobody needs (not ready, or superseded) and nobody uses. `below`: only generations older than that.
void sweep_generations(StoreState& store, const std::filesystem::path& environment, unsigned below = ~0u);
// Removes the directory and the one above it if they are empty.
void remove_empty_environment(const std::filesystem::path& environment) noexcept;

std::optional<Lease> lease_environment(const std::shared_ptr<StoreState>& store, const Key& key);
std::variant<Lease, Building> lease_or_build(const std::shared_ptr<StoreState>& store, const Key& key,
                                             WhenReady when_ready, const CancelToken& cancel);
std::optional<std::variant<Lease, Building>> try_lease_or_build(const std::shared_ptr<StoreState>& store,
                                                                const Key& key, WhenReady when_ready, int attempt,
                                                                const CancelToken& cancel);
void retire_environment(const std::shared_ptr<StoreState>& store, const Key& key);

}  // namespace venvoy::cache::internal
