// The directory that a store is.
#pragma once

#include <filesystem>
#include <sys/types.h>

namespace venvoy::cache::internal {

// `<workdir>/venvoy-<uid>`
std::filesystem::path root_in(const std::filesystem::path& workdir, uid_t uid);

// Makes `root`, a direct child of `workdir`, with mode 0700, or makes sure that what is there is a directory of that
// user that nobody else can write to. Throws an Error (environment) with a hint.
void ensure_root(const std::filesystem::path& workdir, const std::filesystem::path& root, uid_t uid);

}  // namespace venvoy::cache::internal
