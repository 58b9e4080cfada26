// The files of a repository that we make ourselves, and what a killed fetch or a file cleaner leaves of them.
#pragma once

#include <filesystem>

namespace venvoy::source {

// Makes the files of an empty repository in an existing directory: `.git` of a work tree, or a bare one. Nothing is
// taken from templates or from anybody's configuration.
void write_empty_repository(const std::filesystem::path& directory, bool bare);

// Writes down which pack files there are, and how long. Called after every change, under the lock.
void record_packs(const std::filesystem::path& repository);
// False if one of them is missing or has another length.
bool packs_are_complete(const std::filesystem::path& repository);

// Removes what a killed fetch has left: half packs, halves of packs, temporary files. Under the lock.
void sweep(const std::filesystem::path& repository);

}  // namespace venvoy::source
