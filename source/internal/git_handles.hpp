// libgit2's objects with owners, and its errors as ours.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <git2.h>

#include "base/error.hpp"
#include "source/commit_id.hpp"

namespace venvoy::source {

template <auto free_function>
struct GitFree {
  template <class T>
  void operator()(T* handle) const noexcept {
    free_function(handle);
  }
};

using Repository = std::unique_ptr<git_repository, GitFree<git_repository_free>>;
using Object = std::unique_ptr<git_object, GitFree<git_object_free>>;
using Commit = std::unique_ptr<git_commit, GitFree<git_commit_free>>;
using Tree = std::unique_ptr<git_tree, GitFree<git_tree_free>>;
using Entry = std::unique_ptr<git_tree_entry, GitFree<git_tree_entry_free>>;
using Blob = std::unique_ptr<git_blob, GitFree<git_blob_free>>;
using Reference = std::unique_ptr<git_reference, GitFree<git_reference_free>>;
using ReferenceIterator = std::unique_ptr<git_reference_iterator, GitFree<git_reference_iterator_free>>;
using ObjectDatabase = std::unique_ptr<git_odb, GitFree<git_odb_free>>;
using Remote = std::unique_ptr<git_remote, GitFree<git_remote_free>>;
using Config = std::unique_ptr<git_config, GitFree<git_config_free>>;
using RevisionWalk = std::unique_ptr<git_revwalk, GitFree<git_revwalk_free>>;
using PackBuilder = std::unique_ptr<git_packbuilder, GitFree<git_packbuilder_free>>;

// Calls `make` with the address of a raw pointer and takes what it puts there; `result` gets its return code.
template <class Handle, class Make>
Handle take(int& result, Make&& make) {
  typename Handle::pointer raw = nullptr;
  result = make(&raw);
  return Handle(raw);
}

// libgit2 and libcurl are started once per process, on first use and from any thread, and never stopped: threads may
// still use them while the process ends.
void ensure_libraries();

// What libgit2 said last on this thread.
std::string last_git_message();

// Throws "<doing>: <what libgit2 says>" if `result` is an error.
void check_git(int result, std::string_view doing, ErrorCode code = ErrorCode::io);

template <class Handle, class Make>
Handle take_or_throw(std::string_view doing, Make&& make, ErrorCode code = ErrorCode::io) {
  int result = 0;
  Handle handle = take<Handle>(result, std::forward<Make>(make));
  check_git(result, doing, code);
  return handle;
}

git_oid to_oid(const CommitId& commit) noexcept;
std::string to_hex(const git_oid& id);
CommitId to_commit_id(const git_oid& id);

// Whether an object is there, of whatever kind.
bool has_object(git_repository* repository, const git_oid& id);
// Whether the commit and every folder and file of its tree are there. Submodules are other repositories' business.
bool has_whole_commit(git_repository* repository, const git_oid& id);

// Opens a directory as a bare repository: neither its owner nor anybody's configuration but its own is looked at, so
// nothing that users set for git on their machine changes what we do. Empty if it is no repository.
Repository open_bare(const std::filesystem::path& directory);

// The same without any configuration, for repositories of others.
Repository open_foreign(const std::filesystem::path& directory);

}  // namespace venvoy::source
