// Looking through the store and making room in it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "cache/bucket.hpp"
#include "cache/key.hpp"
#include "cache/store.hpp"

namespace venvoy::cache {

struct Entry {
  enum class State {
    ready,
    superseded,  // an older generation; it goes with its last user
    building,
    rubbish,  // unfinished or damaged; nobody will use it again
  };
  Bucket bucket = Bucket::env;
  std::string name;         // the key; the name of a record or mirror; the engine of a work directory
  unsigned generation = 0;  // of an environment
  std::filesystem::path path;
  State state = State::ready;
  bool in_use = false;       // leased, locked or being built
  std::vector<pid_t> users;  // as far as the kernel tells: none from other machines or from outside of a container
  std::uint64_t bytes = 0;   // sum of the sizes of its files
  WallTime created;
  WallTime last_used;
  KeyInputs inputs;  // of environments, wheels and tools; empty for the rest
  nlohmann::json details;
};

// Everything in the store but its lock files: a snapshot, others go on working. Sorted by bucket, name, generation.
std::vector<Entry> list(const Store& store);

struct PruneOptions {
  // Least recently used first, until environments, wheels, tools and mirrors together are not larger than this.
  std::optional<std::uint64_t> max_bytes = {};
  // Everything that was not used for longer than this.
  std::optional<std::chrono::seconds> max_age = {};
  bool dry_run = false;  // say what would be removed
};

struct PruneReport {
  std::vector<Entry> removed;
  std::vector<Entry> in_use;  // would have been removed, but somebody uses them
  std::uint64_t bytes_freed = 0;
  std::uint64_t bytes_left = 0;
};

// Removes rubbish, then what the options say; never anything that is leased, locked or being built. Blocks while it
// removes. Throws an Error (cancelled).
PruneReport prune(const Store& store, const PruneOptions& options, const CancelToken& cancel);

// Removes everything that is not in use.
PruneReport clear(const Store& store, const CancelToken& cancel);

// Removes one entry, as prune does; false if somebody uses it or has used it since it was listed.
bool remove(const Store& store, const Entry& entry);

struct Damage {
  Entry entry;
  std::vector<std::string> paths;  // relative to the entry
};

enum class OnDamageFound {
  report,
  retire,  // and make sure that it is not used again
};

// What a lease of each of these would find: files that are gone or have another size. Only those of environments,
// wheels and tools that were published are looked at; nothing is changed, no use is noted, and no contents are read:
// some milliseconds each. Throws an Error (cancelled).
std::vector<Damage> find_gaps(const std::vector<Entry>& entries, const CancelToken& cancel);

// Reads every byte of all environments, wheels and tools that are ready and compares it with what was published; blocks
// for as long as that takes. Throws an Error (cancelled).
std::vector<Damage> verify(const Store& store, OnDamageFound on_damage, const CancelToken& cancel);

}  // namespace venvoy::cache
