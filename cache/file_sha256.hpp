// SHA-256 of files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace venvoy::cache {

// Of a regular file, 64 lower-case digits. Nothing if there is none at that path, if it is a symbolic link, or if it
// cannot be read; throws an Error (io) when descriptors run out.
std::optional<std::string> sha256_of_file(const std::filesystem::path& path);

}  // namespace venvoy::cache
