#include "source/internal/mirror_reader.hpp"

#include <exception>
#include <set>

#include <fmt/format.h>

#include "base/text.hpp"
#include "source/git_url.hpp"
#include "source/internal/ascii.hpp"
#include "source/internal/mirror_files.hpp"

namespace venvoy::source {
namespace {

TreeEntry::Kind kind_of(const git_tree_entry* entry) noexcept {
  switch (git_tree_entry_filemode(entry)) {
    case GIT_FILEMODE_TREE:
      return TreeEntry::Kind::directory;
    case GIT_FILEMODE_LINK:
      return TreeEntry::Kind::symlink;
    case GIT_FILEMODE_COMMIT:
      return TreeEntry::Kind::submodule;
    case GIT_FILEMODE_BLOB_EXECUTABLE:
      return TreeEntry::Kind::executable;
    default:
      return TreeEntry::Kind::file;
  }
}

// What git_tree_walk calls. A few hostile objects can make a tree of billions of entries, hence the limit.
struct Listing {
  std::vector<TreeEntry> entries;
  std::size_t limit;
  bool too_many = false;
  std::exception_ptr failure;

  static int add(const char* root, const git_tree_entry* entry, void* payload) noexcept {
    Listing& self = *static_cast<Listing*>(payload);
    if (self.entries.size() == self.limit) {
      self.too_many = true;
      return -1;
    }
    try {
      self.entries.push_back(
          {std::string(root) + git_tree_entry_name(entry), kind_of(entry), to_hex(*git_tree_entry_id(entry))});
      return 0;
    } catch (...) {
      self.failure = std::current_exception();
      return -1;
    }
  }
};

struct PrefixSearch {
  std::string digits;
  std::set<std::string> found;

  static int look(const git_oid* id, void* payload) noexcept {
    PrefixSearch& self = *static_cast<PrefixSearch*>(payload);
    try {
      std::string text = to_hex(*id);
      if (text.starts_with(self.digits)) self.found.insert(std::move(text));
      return 0;
    } catch (...) {
      return -1;
    }
  }
};

}  // namespace

Repository open_sound(const std::filesystem::path& directory) {
  if (!packs_are_complete(directory)) return nullptr;
  return open_bare(directory);
}

MirrorReader::MirrorReader(const GitMirror& mirror) : mirror_(mirror), repository_(open_sound(mirror.directory())) {
  if (!repository_)
    throw Error(ErrorCode::io, fmt::format("the mirror of {} is not there or damaged", safe_url(mirror.url())));
  objects_ = take_or_throw<ObjectDatabase>(reading(),
                                           [&](git_odb** out) { return git_repository_odb(out, repository_.get()); });
  references_ = RefTable::load(mirror.directory());
}

std::string MirrorReader::reading() const {
  return fmt::format("cannot read the mirror of {}", safe_url(mirror_.url()));
}

std::optional<CommitId> MirrorReader::peel(const std::string& text) const {
  git_oid id;
  check_git(git_oid_fromstr(&id, text.c_str()), reading());
  int result = 0;
  const auto object = take<Object>(
      result, [&](git_object** out) { return git_object_lookup(out, repository_.get(), &id, GIT_OBJECT_ANY); });
  if (result < 0) return std::nullopt;
  const auto commit =
      take<Object>(result, [&](git_object** out) { return git_object_peel(out, object.get(), GIT_OBJECT_COMMIT); });
  if (result < 0) return std::nullopt;
  return to_commit_id(*git_object_id(commit.get()));
}

std::vector<CommitId> MirrorReader::commits_starting_with(std::string_view digits) const {
  PrefixSearch search{lower(digits), {}};
  check_git(git_odb_foreach(objects_.get(), PrefixSearch::look, &search), reading());
  std::vector<CommitId> commits;
  for (const std::string& text : search.found) {
    git_oid id;
    std::size_t size = 0;
    git_object_t type = GIT_OBJECT_INVALID;
    check_git(git_oid_fromstr(&id, text.c_str()), reading());
    check_git(git_odb_read_header(&size, &type, objects_.get(), &id), reading());
    if (type == GIT_OBJECT_COMMIT) commits.push_back(to_commit_id(id));
  }
  return commits;
}

Commit MirrorReader::commit(const CommitId& commit) const {
  const git_oid id = to_oid(commit);
  return take_or_throw<Commit>(reading(),
                               [&](git_commit** out) { return git_commit_lookup(out, repository_.get(), &id); });
}

Tree MirrorReader::tree(const CommitId& id) const {
  const Commit object = commit(id);
  return take_or_throw<Tree>(reading(), [&](git_tree** out) { return git_commit_tree(out, object.get()); });
}

Entry MirrorReader::entry(git_tree* tree, const std::string& path) const {
  int result = 0;
  Entry entry =
      take<Entry>(result, [&](git_tree_entry** out) { return git_tree_entry_bypath(out, tree, path.c_str()); });
  if (result == GIT_ENOTFOUND && git_error_last() && git_error_last()->klass == GIT_ERROR_ODB)
    check_git(result, reading());
  if (result < 0 && result != GIT_ENOTFOUND) check_git(result, reading());
  return entry;
}

std::uint64_t MirrorReader::blob_size(const git_oid& id) const {
  std::size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  check_git(git_odb_read_header(&size, &type, objects_.get(), &id), reading());
  return size;
}

std::string MirrorReader::blob(const git_oid& id, std::size_t max_bytes, std::string_view path) const {
  if (blob_size(id) > max_bytes)
    throw Error(ErrorCode::limit,
                fmt::format("'{}' in {} is longer than {} bytes", path, safe_url(mirror_.url()), max_bytes));
  const auto object =
      take_or_throw<Blob>(reading(), [&](git_blob** out) { return git_blob_lookup(out, repository_.get(), &id); });
  return std::string(static_cast<const char*>(git_blob_rawcontent(object.get())),
                     static_cast<std::size_t>(git_blob_rawsize(object.get())));
}

std::vector<TreeEntry> MirrorReader::list(git_tree* tree, std::size_t max_entries) const {
  Listing listing{{}, max_entries, false, nullptr};
  const int result = git_tree_walk(tree, GIT_TREEWALK_PRE, Listing::add, &listing);
  if (listing.failure) std::rethrow_exception(listing.failure);
  if (listing.too_many)
    throw Error(ErrorCode::limit,
                fmt::format("a commit of {} has more than {} files", safe_url(mirror_.url()), max_entries));
  check_git(result, reading());
  return std::move(listing.entries);
}

}  // namespace venvoy::source
