#include "source/git_mirror.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/file_lock.hpp"
#include "os/files.hpp"
#include "source/git_url.hpp"
#include "source/internal/git_handles.hpp"
#include "source/internal/gitmodules.hpp"
#include "source/internal/mirror_files.hpp"
#include "source/internal/mirror_reader.hpp"
#include "source/internal/ref_pattern.hpp"
#include "source/internal/ref_table.hpp"

namespace venvoy::source {
namespace {

constexpr std::size_t min_abbreviation = 7;
constexpr std::size_t max_gitmodules = 1u << 20;
constexpr int max_links = 8;

// A commit that somebody asked for and that is not there.
Error not_there(const GitMirror& mirror, std::string_view what) {
  return Error(ErrorCode::unresolvable, fmt::format("{} is not in {}: all its branches and tags were looked through",
                                                    what, safe_url(mirror.url())))
      .with_hint("check it, and that it has been pushed; a commit of a fork has to be asked of the fork");
}

bool is_abbreviation(std::string_view version) {
  const std::string padded = std::string(version) + std::string(40 - std::min<std::size_t>(40, version.size()), '0');
  return version.size() >= min_abbreviation && version.size() < 40 && CommitId::parse(padded).has_value();
}

std::vector<std::string> short_names(const RefTable& table) {
  std::vector<std::string> names;
  for (const auto& [name, id] : table.refs)
    for (const std::string_view prefix : {branch_prefix, tag_prefix})
      if (name.starts_with(prefix)) names.push_back(name.substr(prefix.size()));
  return names;
}

ResolvedVersion resolve_reference(const MirrorReader& reader, const std::string& name, VersionKind kind) {
  const auto id = reader.references().find(name);
  const auto commit = id ? reader.peel(*id) : std::nullopt;
  if (!commit)
    throw Error(ErrorCode::unresolvable,
                fmt::format("{} of {} does not lead to a commit", name, safe_url(reader.mirror().url())));
  return {*commit, kind, name};
}

ResolvedVersion resolve_default(const MirrorReader& reader) {
  const RefTable& table = reader.references();
  if (const std::string branch = table.default_branch(); table.find(branch))
    return resolve_reference(reader, branch, VersionKind::default_branch);
  if (const auto id = CommitId::parse(table.head))
    if (const auto commit = reader.peel(id->text())) return {*commit, VersionKind::default_branch, "HEAD"};
  throw Error(ErrorCode::unresolvable,
              fmt::format("{} has no commits on its default branch", safe_url(reader.mirror().url())))
      .with_hint("name a commit, tag or branch after '@'");
}

ResolvedVersion resolve_abbreviation(const MirrorReader& reader, std::string_view version) {
  const std::vector<CommitId> found = reader.commits_starting_with(version);
  if (found.empty())
    throw not_there(reader.mirror(), fmt::format("'{}', neither as a name nor as the start of a commit id,", version));
  if (found.size() == 1) return {found.front(), VersionKind::abbreviation, ""};
  std::vector<std::string> names;
  for (const CommitId& commit : found) names.push_back(commit.text());
  throw Error(ErrorCode::unresolvable, fmt::format("'{}' is ambiguous in {}: it is the start of {}", version,
                                                   safe_url(reader.mirror().url()), quoted_list(names)));
}

VersionKind kind_of(std::string_view name) {
  if (name.starts_with(branch_prefix)) return VersionKind::branch;
  return name.starts_with(tag_prefix) ? VersionKind::tag : VersionKind::reference;
}

// Where a symbolic link in the tree leads to, from the root of the repository; nothing if out of it.
std::optional<std::string> link_target(std::string_view link, std::string_view target) {
  const std::filesystem::path base = std::filesystem::path(link).parent_path();
  const std::string path = (base / target).lexically_normal().generic_string();
  if (target.starts_with("/") || path == ".." || path.starts_with("../")) return std::nullopt;
  return path;
}

}  // namespace

std::string_view to_text(VersionKind kind) noexcept {
  switch (kind) {
    case VersionKind::commit:
      return "commit";
    case VersionKind::abbreviation:
      return "abbreviated commit";
    case VersionKind::branch:
      return "branch";
    case VersionKind::tag:
      return "tag";
    case VersionKind::default_branch:
      return "default branch";
    case VersionKind::reference:
      return "reference";
  }
  return "";
}

GitMirror::GitMirror(std::string url, std::filesystem::path directory, std::filesystem::path lock_file)
    : url_(std::move(url)), directory_(std::move(directory)), lock_file_(std::move(lock_file)) {}

bool GitMirror::sound() const {
  return open_sound(directory_) != nullptr;
}

bool GitMirror::has_commit(const CommitId& commit) const {
  const Repository repository = open_sound(directory_);
  if (!repository) return false;
  return has_whole_commit(repository.get(), to_oid(commit));
}

void GitMirror::discard(const CancelToken& cancel) const {
  const os::FileLock lock = os::FileLock::wait(lock_file_, os::LockMode::exclusive, cancel);
  os::remove_tree(directory_);
}

ResolvedVersion GitMirror::resolve(std::string_view version) const {
  const MirrorReader reader(*this);
  if (version.empty()) return resolve_default(reader);
  if (const auto id = CommitId::parse(version)) {
    const auto commit = reader.peel(id->text());
    if (!commit) throw not_there(*this, fmt::format("commit {}", id->text()));
    return {*commit, VersionKind::commit, ""};
  }
  const std::string name(version);
  const RefTable& table = reader.references();
  if (version.starts_with("refs/") && table.find(name)) return resolve_reference(reader, name, kind_of(name));
  for (const std::string_view prefix : {branch_prefix, tag_prefix}) {
    const std::string full = std::string(prefix) + name;
    if (table.find(full)) return resolve_reference(reader, full, kind_of(full));
  }
  if (is_abbreviation(version)) return resolve_abbreviation(reader, version);
  throw Error(ErrorCode::unresolvable, fmt::format("there is no branch or tag '{}' in {}{}", version, safe_url(url_),
                                                   did_you_mean(version, short_names(table))))
      .with_hint(fmt::format("`git ls-remote {}` lists what is there", safe_url(url_)));
}

CommitInfo GitMirror::commit_info(const CommitId& commit) const {
  const MirrorReader reader(*this);
  const Commit object = reader.commit(commit);
  return {git_commit_author(object.get())->when.time, git_commit_committer(object.get())->when.time,
          to_hex(*git_commit_tree_id(object.get()))};
}

std::optional<std::string> GitMirror::read_file(const CommitId& commit, std::string_view path,
                                                std::size_t max_bytes) const {
  const MirrorReader reader(*this);
  const Tree tree = reader.tree(commit);
  std::string place(path);
  for (int links = 0; links < max_links; ++links) {
    const Entry entry = reader.entry(tree.get(), place);
    if (!entry || git_tree_entry_type(entry.get()) != GIT_OBJECT_BLOB) return std::nullopt;
    std::string contents = reader.blob(*git_tree_entry_id(entry.get()), max_bytes, place);
    if (git_tree_entry_filemode(entry.get()) != GIT_FILEMODE_LINK) return contents;
    const auto target = link_target(place, contents);
    if (!target) return std::nullopt;
    place = *target;
  }
  return std::nullopt;
}

bool GitMirror::has_path(const CommitId& commit, std::string_view path) const {
  const MirrorReader reader(*this);
  const Tree tree = reader.tree(commit);
  return reader.entry(tree.get(), std::string(path)) != nullptr;
}

std::vector<TreeEntry> GitMirror::list_tree(const CommitId& commit, std::size_t max_entries) const {
  const MirrorReader reader(*this);
  const Tree tree = reader.tree(commit);
  return reader.list(tree.get(), max_entries);
}

std::vector<Submodule> GitMirror::submodules(const CommitId& commit, std::string_view parent_url) const {
  const auto text = read_file(commit, ".gitmodules", max_gitmodules);
  if (!text) return {};
  const std::vector<GitModule> modules = parse_gitmodules(*text);
  std::vector<Submodule> result;
  for (const TreeEntry& entry : list_tree(commit)) {
    if (entry.kind != TreeEntry::Kind::submodule) continue;
    const auto module =
        std::find_if(modules.begin(), modules.end(), [&](const GitModule& one) { return one.path == entry.path; });
    if (module == modules.end() || module->url.empty() || module->update == "none") continue;
    result.push_back(
        {entry.path, submodule_url(module->url, parent_url.empty() ? url_ : parent_url), *CommitId::parse(entry.id)});
  }
  return result;
}

}  // namespace venvoy::source
