// The folders of a store. Each carries the version of its format in its name.
#pragma once

#include <array>
#include <string_view>

namespace venvoy::cache {

enum class Bucket { git, refs, verdict, python, tool, wheel, env, schema, lock, work };

inline constexpr std::array all_buckets = {Bucket::git,   Bucket::refs, Bucket::verdict, Bucket::python, Bucket::tool,
                                           Bucket::wheel, Bucket::env,  Bucket::schema,  Bucket::lock,   Bucket::work};

// Holds directories that are published by a ready.json, and leased.
constexpr bool holds_directories(Bucket bucket) noexcept {
  return bucket == Bucket::env || bucket == Bucket::wheel || bucket == Bucket::tool;
}
// What takes room: the rest is small, or goes with its engine.
constexpr bool counts_for_size(Bucket bucket) noexcept {
  return holds_directories(bucket) || bucket == Bucket::git;
}

// "env"
constexpr std::string_view name_of(Bucket bucket) noexcept {
  constexpr std::array<std::string_view, 10> names = {"git",   "refs", "verdict", "python", "tool",
                                                      "wheel", "env",  "schema",  "lock",   "work"};
  return names[static_cast<std::size_t>(bucket)];
}
// "env-v1"
constexpr std::string_view folder_of(Bucket bucket) noexcept {
  constexpr std::array<std::string_view, 10> folders = {"git-v1",   "refs-v1", "verdict-v1", "python-v1", "tool-v1",
                                                        "wheel-v1", "env-v1",  "schema-v1",  "lock-v1",   "work-v1"};
  return folders[static_cast<std::size_t>(bucket)];
}

}  // namespace venvoy::cache
