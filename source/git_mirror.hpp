// The bare mirror of one git repository: everything that is read of a repository is read here.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.hpp"
#include "source/commit_id.hpp"
#include "source/transport.hpp"

namespace venvoy::source {

// What the version of a reference turned out to be.
enum class VersionKind { commit, abbreviation, branch, tag, default_branch, reference };
std::string_view to_text(VersionKind kind) noexcept;

struct ResolvedVersion {
  CommitId commit;
  VersionKind kind = VersionKind::commit;
  // Full name of the reference, such as refs/tags/v1; empty for commit and abbreviation.
  std::string reference;
};

// Times in seconds since 1970, UTC.
struct CommitInfo {
  std::int64_t author_time = 0;
  std::int64_t committer_time = 0;
  std::string tree;  // id of the root tree, 40 hexadecimal digits
};

struct TreeEntry {
  enum class Kind { file, executable, symlink, directory, submodule };
  std::string path;  // from the root of the repository, with '/'
  Kind kind = Kind::file;
  std::string id;
};

struct Submodule {
  std::string path;
  std::string url;  // absolute; what .gitmodules says, resolved against the parent's URL
  CommitId commit;
};

struct FetchRequest {
  // Asked for by id; if the server does not do that, looked up after a fetch of everything. Fetched together with the
  // tags that point into its history. Without it all branches and tags are fetched.
  std::optional<CommitId> commit;
  // One more reference to fetch, by its full name, besides branches and tags; empty: none.
  std::string reference;
};

struct FetchResult {
  bool contacted = false;  // false: somebody else had fetched the commit while we waited for the lock
  bool by_id = false;      // true: branches were not looked at
};

class GitMirror;

struct WorkTreeOptions {
  // What submodules are relative to and what the tree's `origin` is called (without its login); empty: the mirror's
  // URL.
  std::string url;
  // Gives the mirror that holds the commit of a submodule; without it submodules stay empty folders.
  std::function<GitMirror(const Submodule&)> submodule_mirror;
  std::size_t max_entries = 500'000;
  std::uint64_t max_bytes = std::uint64_t{16} << 30;
  int max_depth = 16;  // of submodules in submodules
};

// A value: copies mean the same directory, and may be used by several threads at once. Reading needs no lock. Every
// function throws an Error (io) when the mirror on the disk is damaged; "not there" and damaged beyond use look the
// same to sound() and has_commit(), and the next fetch builds the mirror anew.
//
//   <directory>/             bare repository; branches in refs/heads, tags in refs/tags as the server has them;
//     HEAD                   the server's default branch
//     refs/keep/<commit>     commits that were fetched by id, so that later fetches build on them
//     venvoy-packs           "<bytes> <name>" of every file in objects/pack: a file that somebody removed is noticed
class GitMirror {
 public:
  // `url` is where the mirror is fetched from, with its login if it has one. Nothing is touched here. `lock_file` is
  // locked exclusively by fetch(); its folder and that of `directory` must exist.
  GitMirror(std::string url, std::filesystem::path directory, std::filesystem::path lock_file);

  const std::string& url() const noexcept { return url_; }
  const std::filesystem::path& directory() const noexcept { return directory_; }

  // The repository is there and no file of it is missing.
  bool sound() const;
  // The commit with every file of its tree.
  bool has_commit(const CommitId& commit) const;

  // Brings the mirror up to date; makes it, or makes it anew, if it is not there or damaged. Blocks: for pool threads.
  // Throws an Error: network, authentication, unresolvable (no such repository), cancelled, limit, io. That the commit
  // is not there either is no error here: resolve() says it.
  FetchResult fetch(const FetchRequest& request, const Transport& transport, const CancelToken& cancel,
                    const FetchProgressSink& progress = {}) const;

  // Removes the mirror, since something in it is missing that a fetch would not bring again. Throws an Error:
  // cancelled, io.
  void discard(const CancelToken& cancel) const;

  // What a version means by what the mirror holds: "" the default branch, 40 digits a commit, "refs/…" that reference,
  // else the branch of that name, else the tag (the order of pip), else, for 7 and more digits, the start of a commit
  // id. Tags are followed to their commit. Throws an Error (unresolvable) that names version and URL.
  ResolvedVersion resolve(std::string_view version) const;

  CommitInfo commit_info(const CommitId& commit) const;

  // The contents of a file; symbolic links in its last part are followed inside the repository. Nothing if there is no
  // such file or it is no file. Throws an Error (limit) if it is longer than `max_bytes`.
  std::optional<std::string> read_file(const CommitId& commit, std::string_view path, std::size_t max_bytes) const;
  bool has_path(const CommitId& commit, std::string_view path) const;
  // Everything, in the order of git; folders before what they contain. Throws an Error (limit).
  std::vector<TreeEntry> list_tree(const CommitId& commit, std::size_t max_entries = 500'000) const;
  // The submodules that .gitmodules gives a URL, except those with `update = none`. Throws an Error (unresolvable) for
  // a URL that must not be used: a local path below a repository that is not local itself, or one that is no URL.
  // `parent_url` is what they are relative to; empty: the mirror's URL.
  std::vector<Submodule> submodules(const CommitId& commit, std::string_view parent_url = {}) const;

  // Makes `target` (which must not exist, or be empty) a work tree of the commit with a `.git` of its own: HEAD
  // detached, default branch, remote branches and tags as after a clone, so that versions can be taken from git.
  // Objects are hard links to the mirror's packs (copies on another file system), so the tree stays whole when the
  // mirror goes. No hook, filter or other program of the repository is run; line ends stay as committed. On an error
  // what was made in `target` is removed.
  void export_work_tree(const CommitId& commit, const std::filesystem::path& target, const WorkTreeOptions& options,
                        const CancelToken& cancel) const;

 private:
  void ensure_created() const;

  std::string url_;
  std::filesystem::path directory_;
  std::filesystem::path lock_file_;
};

}  // namespace venvoy::source
