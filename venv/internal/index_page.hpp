// One project's page of a package index (PEP 503, 629, 658, 691, 700): read, filtered, and written again. Nothing in
// here touches network or disk.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "venv/lock_file.hpp"

namespace venvoy::venv::internal {

// Named limits.
inline constexpr std::size_t max_index_page = 64u << 20;  // bytes
inline constexpr std::size_t max_index_files = 200'000;

struct IndexFile {
  std::string name;                   // "helper-1.0-py3-none-any.whl"
  std::string url;                    // absolute, without the fragment
  std::vector<std::string> hashes;    // as Pin::hashes
  std::string requires_python;        // empty: says nothing
  std::optional<std::string> yanked;  // the reason, perhaps empty
  std::string metadata;               // PEP 658: "true" or "sha256=…"; empty: there is none
  std::string uploaded;               // "2026-01-02T03:04:05.678Z"; empty: says nothing
  // From a folder or page that the user named as findLinks: dates are not asked of it, what is there is meant.
  bool from_links = false;
};

// The files that a page lists, in its order. `url` is that of the page. Throws an Error: network (no page of an index),
// limit.
std::vector<IndexFile> read_index_page(std::string_view content_type, std::string_view body, const std::string& url);

// Whether a file is a wheel or source archive of the project, by its name.
bool is_file_of(const std::string& normalised_project, std::string_view file_name);

// The files of one version, by their names.
bool is_of_version(std::string_view file_name, std::string_view version);

// The second after the last file of a version was uploaded, since 1970: before it all of them were there. Nothing if
// nobody says when that was.
std::optional<std::int64_t> time_of_release(const std::vector<IndexFile>& files, std::string_view version);

// What an installer may see.
struct IndexRule {
  // Only files that were uploaded before this time, "2026-01-02T03:04:05Z"; empty: all.
  std::string before;
  // Only these, by normalised name, and only files with one of their hashes.
  std::optional<std::map<std::string, std::vector<Pin>>> pins;
};

IndexRule rule_for(const std::vector<Pin>& pins, std::string before);

// What is left of a page.
struct IndexView {
  std::vector<IndexFile> files;
  bool unlisted = false;  // the rule has pins, and none of this project
  bool dateless = false;  // files were left out because nobody knows when they were uploaded
  // Versions that are there and pinned, of which no file has a hash of the lock file.
  std::vector<std::string> mismatched;
};

// `files` of the project with this normalised name.
IndexView view_of(const std::string& project, std::vector<IndexFile> files, const IndexRule& rule);

// The page as PEP 503 has it, which every installer reads.
std::string write_index_page(const std::string& project, const std::vector<IndexFile>& files);

}  // namespace venvoy::venv::internal
