#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "os/files.hpp"
#include "source/git_mirror.hpp"
#include "source/git_url.hpp"
#include "source/internal/git_handles.hpp"
#include "source/internal/mirror_files.hpp"
#include "source/internal/mirror_reader.hpp"
#include "source/internal/ref_pattern.hpp"
#include "source/internal/ref_table.hpp"

namespace venvoy::source {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(std::error_code error, std::string_view doing, const fs::path& path) {
  throw system_error(error.value(), fmt::format("cannot {} '{}'", doing, path.string()));
}

// A hard link, or a copy where none can be made.
void link_or_copy(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_hard_link(from, to, error);
  if (!error) return;
  error.clear();
  fs::copy_file(from, to, fs::copy_options::none, error);
  if (error) fail(error, "copy", from);
}

// Packs with their index; the index second, since it is what git looks for.
void share_objects(const fs::path& mirror, const fs::path& repository) {
  const fs::path from = mirror / "objects" / "pack";
  const fs::path to = repository / "objects" / "pack";
  std::error_code error;
  for (fs::directory_iterator entry(from, error), end; !error && entry != end; entry.increment(error)) {
    const fs::path pack = entry->path();
    const fs::path index = fs::path(pack).replace_extension(".idx");
    if (pack.extension() != ".pack" || !fs::exists(index)) continue;
    link_or_copy(pack, to / pack.filename());
    link_or_copy(index, to / index.filename());
  }
  if (error) fail(error, "read", from);
}

// The references that a clone would have: remote branches, tags, and the default branch as the one local branch.
RefTable references_of_clone(const RefTable& mirror, const CommitId& head) {
  constexpr std::string_view remote_prefix = "refs/remotes/origin/";
  RefTable table;
  table.head = head.text();
  for (const auto& [name, id] : mirror.refs) {
    if (name.starts_with(tag_prefix)) table.refs[name] = id;
    if (name.starts_with(branch_prefix))
      table.refs[std::string(remote_prefix) + name.substr(branch_prefix.size())] = id;
  }
  const std::string branch = mirror.default_branch();
  if (const auto id = mirror.find(branch)) table.refs[branch] = *id;
  return table;
}

void name_origin(git_repository* repository, const std::string& url) {
  const auto config = take_or_throw<Config>("cannot read the configuration of a work tree",
                                            [&](git_config** out) { return git_repository_config(out, repository); });
  check_git(git_config_set_string(config.get(), "remote.origin.url", url.c_str()), "cannot name the origin");
  check_git(git_config_set_string(config.get(), "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"),
            "cannot name the origin");
}

int stop_if_cancelled(git_checkout_notify_t, const char*, const git_diff_file*, const git_diff_file*,
                      const git_diff_file*, void* cancel) noexcept {
  return static_cast<const CancelToken*>(cancel)->cancelled() ? GIT_EUSER : 0;
}

void check_out(git_repository* repository, const CommitId& commit, const CancelToken& cancel) {
  git_checkout_options options = GIT_CHECKOUT_OPTIONS_INIT;
  options.checkout_strategy = GIT_CHECKOUT_FORCE;
  options.disable_filters = 1;
  options.notify_flags = GIT_CHECKOUT_NOTIFY_ALL;
  options.notify_cb = stop_if_cancelled;
  options.notify_payload = const_cast<CancelToken*>(&cancel);
  const git_oid id = to_oid(commit);
  const auto object = take_or_throw<Object>("cannot check out a commit", [&](git_object** out) {
    return git_object_lookup(out, repository, &id, GIT_OBJECT_COMMIT);
  });
  const int result = git_checkout_tree(repository, object.get(), &options);
  cancel.check();
  check_git(result, "cannot check out a commit");
}

// Before anything is written: a small pack can unfold to more than any disk.
void check_size(const MirrorReader& reader, const CommitId& commit, const WorkTreeOptions& options) {
  const Tree tree = reader.tree(commit);
  std::uint64_t bytes = 0;
  for (const TreeEntry& entry : reader.list(tree.get(), options.max_entries)) {
    if (entry.kind == TreeEntry::Kind::directory || entry.kind == TreeEntry::Kind::submodule) continue;
    bytes += reader.blob_size(to_oid(*CommitId::parse(entry.id)));
    if (bytes > options.max_bytes)
      throw Error(ErrorCode::limit, fmt::format("commit {} of {} has more than {} bytes of files", commit.text(),
                                                safe_url(reader.mirror().url()), options.max_bytes));
  }
}

// True if nothing but directories leads to the path: a link could lead out of the work tree.
bool only_directories(const fs::path& root, const std::string& relative) {
  fs::path place = root;
  for (const fs::path& part : fs::path(relative)) {
    place /= part;
    if (part == ".." || fs::symlink_status(place).type() != fs::file_type::directory) return false;
  }
  return true;
}

// Removes what was made, unless it is whole.
class Undo {
 public:
  explicit Undo(fs::path target) : target_(std::move(target)) {}
  ~Undo() {
    if (target_.empty()) return;
    try {
      os::remove_tree(target_);
    } catch (const Error&) {
      // The first error is the one to tell.
    }
  }
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  void keep() noexcept { target_.clear(); }

 private:
  fs::path target_;
};

// One work tree within another, or the outermost.
struct Place {
  const GitMirror& mirror;
  const CommitId& commit;
  std::string url;  // as written
  fs::path target;
  int depth;
};

void export_one(const Place& place, const WorkTreeOptions& options, const CancelToken& cancel) {
  const MirrorReader reader(place.mirror);
  check_size(reader, place.commit, options);
  const fs::path git_folder = place.target / ".git";
  os::make_directory(git_folder, 0700);
  write_empty_repository(git_folder, false);
  share_objects(place.mirror.directory(), git_folder);
  references_of_clone(reader.references(), place.commit).save(git_folder);
  const Repository repository = open_bare(git_folder);
  if (!repository) throw Error(ErrorCode::io, fmt::format("cannot make a work tree in '{}'", place.target.string()));
  const fs::path absolute = fs::absolute(place.target);
  check_git(git_repository_set_workdir(repository.get(), absolute.c_str(), 0), "cannot make a work tree");
  name_origin(repository.get(), parse_git_url(place.url).shown());
  check_out(repository.get(), place.commit, cancel);
}

void export_with_submodules(const Place& place, const WorkTreeOptions& options, const CancelToken& cancel) {
  export_one(place, options, cancel);
  if (!options.submodule_mirror) return;
  for (const Submodule& submodule : place.mirror.submodules(place.commit, place.url)) {
    if (place.depth == options.max_depth)
      throw Error(ErrorCode::limit,
                  fmt::format("submodules of {} are nested deeper than {}", safe_url(place.url), options.max_depth));
    if (!only_directories(place.target, submodule.path))
      throw Error(ErrorCode::unresolvable,
                  fmt::format("the submodule '{}' of {} is not in a folder", submodule.path, safe_url(place.url)));
    const GitMirror inner = options.submodule_mirror(submodule);
    const Place below{inner, submodule.commit, submodule.url, place.target / submodule.path, place.depth + 1};
    in_context(fmt::format("submodule '{}'", submodule.path), [&] { export_with_submodules(below, options, cancel); });
  }
}

}  // namespace

void GitMirror::export_work_tree(const CommitId& commit, const fs::path& target, const WorkTreeOptions& options,
                                 const CancelToken& cancel) const {
  if (fs::exists(target) && !fs::is_empty(target))
    throw Error(ErrorCode::io, fmt::format("'{}' is not empty", target.string()));
  os::make_directory(target, 0700);
  Undo undo(target);
  export_with_submodules({*this, commit, options.url.empty() ? url_ : options.url, target, 0}, options, cancel);
  undo.keep();
}

}  // namespace venvoy::source
