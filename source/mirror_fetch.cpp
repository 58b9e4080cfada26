#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/error.hpp"
#include "os/file_lock.hpp"
#include "os/files.hpp"
#include "os/staging_dir.hpp"
#include "source/git_mirror.hpp"
#include "source/git_url.hpp"
#include "source/internal/git_handles.hpp"
#include "source/internal/mirror_files.hpp"
#include "source/internal/mirror_reader.hpp"
#include "source/internal/ref_pattern.hpp"
#include "source/internal/ref_table.hpp"
#include "source/internal/remote_repository.hpp"
#include "source/internal/sigpipe_guard.hpp"

namespace venvoy::source {
namespace {

// One fetch into one mirror, under the mirror's lock.
class Fetch {
 public:
  Fetch(const std::filesystem::path& directory, git_repository* repository, const Advertisement& advertised,
        RemoteRepository& remote, std::string shown_url)
      : directory_(directory),
        repository_(repository),
        advertised_(advertised),
        remote_(remote),
        shown_url_(std::move(shown_url)) {}

  // False: the server does not give this commit by its id.
  bool commit_with_tags(const CommitId& commit) {
    if (!remote_.download({{}, commit})) return false;
    if (!has_object(repository_, to_oid(commit)))
      throw Error(ErrorCode::network, fmt::format("cannot fetch {}: the server has sent other objects than commit {}",
                                                  shown_url_, commit.text()));
    RefTable table = RefTable::load(directory_);
    table.refs[std::string(keep_prefix) + commit.text()] = commit.text();
    follow_tags(table);
    save(table);
    return true;
  }

  void everything(const FetchRequest& request) {
    Wanted wanted;
    wanted.patterns = {std::string(branch_prefix) + "*", std::string(tag_prefix) + "*"};
    if (!request.reference.empty()) wanted.patterns.push_back(request.reference);
    if (advertised_.head && advertised_.default_branch.empty()) wanted.patterns.push_back("HEAD");
    if (!remote_.download(wanted)) throw Error(ErrorCode::internal, "a fetch of branches was refused");
    RefTable table = RefTable::load(directory_);
    forget_moved(table, request.reference);
    for (const RemoteRef& ref : advertised_.refs)
      if (matches_any(wanted.patterns, ref.name)) set(table, ref);
    if (!advertised_.default_branch.empty())
      table.head = "ref: " + advertised_.default_branch;
    else if (advertised_.head)
      table.head = to_hex(*advertised_.head);
    save(table);
  }

 private:
  static bool is_tag(const std::string& name) { return name.starts_with(tag_prefix); }

  // Tags whose commit we have now. The server sends annotated ones along with their commit; those of commits that we
  // had before are asked for by name.
  void follow_tags(RefTable& table) {
    Wanted missing;
    for (const RemoteRef& tag : tags_of_commits_here())
      if (!has_object(repository_, tag.id)) missing.patterns.push_back(tag.name);
    if (!missing.patterns.empty() && !remote_.download(missing))
      throw Error(ErrorCode::internal, "a fetch of tags was refused");
    for (const RemoteRef& tag : tags_of_commits_here()) set(table, tag);
  }

  std::vector<RemoteRef> tags_of_commits_here() const {
    std::map<std::string, git_oid> commits;  // tag → what it leads to
    for (const RemoteRef& ref : advertised_.refs) {
      const bool peeled = ref.name.ends_with(peeled_suffix);
      const std::string name = ref.name.substr(0, ref.name.size() - (peeled ? peeled_suffix.size() : 0));
      if (!is_tag(name)) continue;
      if (peeled)
        commits[name] = ref.id;
      else
        commits.emplace(name, ref.id);
    }
    std::vector<RemoteRef> result;
    for (const RemoteRef& ref : advertised_.refs)
      if (const auto place = commits.find(ref.name); place != commits.end() && has_object(repository_, place->second))
        result.push_back(ref);
    return result;
  }

  void set(RefTable& table, const RemoteRef& ref) const {
    int valid = 0;
    git_reference_name_is_valid(&valid, ref.name.c_str());
    if (valid && has_object(repository_, ref.id)) table.refs[ref.name] = to_hex(ref.id);
  }

  static void forget_moved(RefTable& table, const std::string& reference) {
    for (auto place = table.refs.begin(); place != table.refs.end();) {
      const bool mirrored = matches_any({"refs/heads/*", "refs/tags/*"}, place->first) || place->first == reference;
      place = mirrored ? table.refs.erase(place) : std::next(place);
    }
  }

  // Packs first: a reference must never lead to what is not there.
  void save(const RefTable& table) const {
    record_packs(directory_);
    table.save(directory_);
  }

  const std::filesystem::path& directory_;
  git_repository* repository_;
  const Advertisement& advertised_;
  RemoteRepository& remote_;
  std::string shown_url_;
};

// Whether every reference leads to an object: a server is told of them, and what it sends builds on them. What is
// wanted must not be there in part, since no server would send the rest.
bool can_be_built_on(const std::filesystem::path& directory, const std::optional<CommitId>& wanted) {
  const Repository repository = open_sound(directory);
  if (!repository) return false;
  if (wanted && has_object(repository.get(), to_oid(*wanted)) && !has_whole_commit(repository.get(), to_oid(*wanted)))
    return false;
  const RefTable table = RefTable::load(directory);
  return std::all_of(table.refs.begin(), table.refs.end(), [&](const auto& ref) {
    const auto commit = CommitId::parse(ref.second);
    return commit && has_object(repository.get(), to_oid(*commit));
  });
}

}  // namespace

void GitMirror::ensure_created() const {
  if (std::filesystem::exists(directory_)) return;
  os::StagingDir staging(directory_.parent_path());
  write_empty_repository(staging.path(), true);
  // Somebody else's mirror is as good as ours.
  static_cast<void>(staging.publish(directory_));
}

FetchResult GitMirror::fetch(const FetchRequest& request, const Transport& transport, const CancelToken& cancel,
                             const FetchProgressSink& progress) const {
  const SigpipeGuard guard;
  const GitUrl url = parse_git_url(url_);
  const os::FileLock lock = os::FileLock::wait(lock_file_, os::LockMode::exclusive, cancel);
  if (!can_be_built_on(directory_, request.commit)) os::remove_tree(directory_);
  ensure_created();
  if (request.commit && has_commit(*request.commit)) return {};
  sweep(directory_);
  const Repository repository = open_sound(directory_);
  if (!repository) throw Error(ErrorCode::io, fmt::format("cannot make the mirror '{}'", directory_.string()));

  const std::unique_ptr<RemoteRepository> remote =
      make_remote({repository.get(), directory_ / "objects", url, &transport, cancel, progress});
  const Advertisement advertised = remote->connect();
  Fetch fetch(directory_, repository.get(), advertised, *remote, url.shown());
  if (request.commit && fetch.commit_with_tags(*request.commit)) return {true, true};
  fetch.everything(request);
  return {true, false};
}

}  // namespace venvoy::source
