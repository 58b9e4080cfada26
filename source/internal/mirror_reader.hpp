// One opened mirror, for one reading.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "source/git_mirror.hpp"
#include "source/internal/git_handles.hpp"
#include "source/internal/ref_table.hpp"

namespace venvoy::source {

// Empty if the mirror is not there or a file of it is missing.
Repository open_sound(const std::filesystem::path& directory);

// Used on one thread; the mirror must outlive it. Every function throws an Error (io) when an object that must be there
// is not.
class MirrorReader {
 public:
  // Throws an Error (io) if the mirror is not sound.
  explicit MirrorReader(const GitMirror& mirror);

  const GitMirror& mirror() const noexcept { return mirror_; }
  const RefTable& references() const noexcept { return references_; }
  git_repository* repository() const noexcept { return repository_.get(); }

  // The commit that an object id leads to, through tags; nothing if there is no such object or it leads elsewhere.
  std::optional<CommitId> peel(const std::string& id) const;
  std::vector<CommitId> commits_starting_with(std::string_view digits) const;
  Commit commit(const CommitId& id) const;
  Tree tree(const CommitId& commit) const;
  // Null if there is no such path.
  Entry entry(git_tree* tree, const std::string& path) const;
  // `path` is named in the Error (limit).
  std::string blob(const git_oid& id, std::size_t max_bytes, std::string_view path) const;
  std::uint64_t blob_size(const git_oid& id) const;
  std::vector<TreeEntry> list(git_tree* tree, std::size_t max_entries) const;

 private:
  std::string reading() const;  // what we are doing, for errors

  const GitMirror& mirror_;
  Repository repository_;
  ObjectDatabase objects_;
  RefTable references_;
};

}  // namespace venvoy::source
