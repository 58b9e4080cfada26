// Whole files and trees.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace venvoy::os {

namespace fs = std::filesystem;

// The contents of a regular file (symbolic links are followed). Throws an Error: (io) when it cannot be read or is a
// directory, (limit) when it is longer than `max_bytes`.
std::string read_file(const fs::path& path, std::size_t max_bytes);
// The same for what a person may also name as a pipe (`-i <(…)`, /dev/stdin): a pipe is read to its end, and waited
// for.
std::string read_file_or_pipe(const fs::path& path, std::size_t max_bytes);
// As read_file, but nothing when there is no such file.
std::optional<std::string> read_file_if_there(const fs::path& path, std::size_t max_bytes);

// Replaces the file in one step: written beside it, flushed to disk, renamed, and the rename flushed too. When this
// returns the new contents survive a power cut; when it throws (io: a full disk, no permission) the old file is as it
// was and nothing else remains; only if the flush of the rename fails the new file is there. `mode` is that of the new
// file, whatever the umask. A symbolic link in the place of the file is replaced, not followed.
void write_file_atomically(const fs::path& path, std::string_view contents, unsigned mode = 0600);

// Removes a file or a tree, also when it holds directories without write permission; symbolic links are not followed.
// Nothing there is a success. Throws an Error (io) naming the first path that could not be removed.
void remove_tree(const fs::path& path);

// Makes the directory (not its parents) with this mode, whatever the umask; true if it was made, false if it was there.
bool make_directory(const fs::path& path, unsigned mode);

// fsync(2) of a directory, so that names made or renamed in it survive a power cut.
void flush_directory(const fs::path& path);

struct FileEntry {
  std::string path;        // relative to the root of the listing, with '/'
  std::uint64_t size = 0;  // of a regular file; for a symbolic link the length of its target
  bool symlink = false;
};
// Regular files and symbolic links below a directory, sorted by path.
std::vector<FileEntry> list_tree(const fs::path& root);

// 16 random hexadecimal digits: names of temporary files and ids.
std::string random_name();

}  // namespace venvoy::os
