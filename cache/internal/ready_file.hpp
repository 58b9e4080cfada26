// ready.json, the small file that commits a directory (design D4), and hashes.json beside it.
//
// ready.json = {
//   "layout": 1,
//   "key": 64 hexadecimal digits,
//   "inputs": [[name, value] …],          the key's inputs in clear
//   "details": …,                          the maker's own block
//   "created": microseconds since 1970, UTC,
//   "lease": inode of the file `lease`,
//   "bytes": sum of the sizes of the files,
//   "files": {folder: {name: size of a regular file | target of a symbolic link}},
//   "hashes": SHA-256 of hashes.json,
//   "seal": SHA-256 of this object without "seal", as nlohmann::json::dump() writes it
// }
// hashes.json = {"path": SHA-256 …} of all regular files.
// Folders are relative to the directory, "" is the directory itself. Grouped like this the list of 2,000 files takes
// half the bytes, and half the time to read, of a list of paths. In paths and targets, bytes that are not printable
// ASCII, and '%', are written %XX: names of files need not be UTF-8.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "cache/key.hpp"
#include "os/files.hpp"

namespace venvoy::cache::internal {

inline constexpr const char* ready_file = "ready.json";
inline constexpr const char* hashes_file = "hashes.json";

// What ready.json says.
struct Ready {
  std::string key;
  KeyInputs inputs;
  nlohmann::json details;
  WallTime created;
  std::uint64_t lease_inode = 0;
  std::uint64_t bytes = 0;
  nlohmann::json files;
  std::string hashes;
  bool seal_holds = false;  // only looked at if asked for
};

// The texts of the two files for a directory. Blocks while it reads and hashes all files, on several threads. Throws an
// Error: (io) when a file cannot be read, (cancelled).
struct ReadyTexts {
  std::string ready;
  std::string hashes;
};
ReadyTexts describe_directory(const std::filesystem::path& root, const Key& key, const nlohmann::json& details,
                              WallTime created, std::uint64_t lease_inode, const CancelToken& cancel);

enum class Seal { skip, check };
// Nothing if the text is not what a ready.json of this layout looks like.
std::optional<Ready> parse_ready(const std::string& text, Seal seal = Seal::skip);

// The text of a file in an open directory, without following links; nothing if it is not there or not a regular file
// of a sane size. Throws an Error (io) when descriptors run out.
std::optional<std::string> read_in(int directory, const char* name);

// The first listed file that is missing, of another kind or of another size; nothing if all are as listed. This is
// the check of a lease: 2,000 files take about 4 ms, nearly all of it in the kernel.
std::optional<std::string> first_gap(int directory, const nlohmann::json& files);

// Paths that are not as listed: gaps, changed bytes, and the two files themselves. Reads everything.
std::vector<std::string> damaged_paths(const std::filesystem::path& root, int directory, const CancelToken& cancel);

}  // namespace venvoy::cache::internal
