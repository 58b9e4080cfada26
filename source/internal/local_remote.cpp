#include "source/internal/local_remote.hpp"

#include <fmt/format.h>
#include <git2/sys/repository.h>

#include "base/text.hpp"
#include "os/files.hpp"
#include "source/internal/ref_pattern.hpp"

namespace venvoy::source {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_git_file = 4096;

// What a `.git` file of a linked work tree or submodule points to; nothing if it is no such file.
std::optional<fs::path> git_file_target(const fs::path& file) {
  constexpr std::string_view key = "gitdir: ";
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return std::nullopt;
  const std::string text = os::read_file(file, max_git_file);
  if (text.compare(0, key.size(), key) != 0) return std::nullopt;
  return (file.parent_path() / trim(std::string_view(text).substr(key.size()))).lexically_normal();
}

// The places that git looks at for a path, in its order.
Repository open_like_git(const fs::path& path) {
  for (const char* suffix : {"/.git", "", ".git/.git", ".git"}) {
    const fs::path place = path.string() + suffix;
    if (const auto target = git_file_target(place))
      if (Repository repository = open_foreign(*target)) return repository;
    std::error_code ignored;
    if (!fs::is_directory(place, ignored)) continue;
    if (Repository repository = open_foreign(place)) return repository;
  }
  return nullptr;
}

}  // namespace

LocalRemote::LocalRemote(RemoteSettings settings) : settings_(std::move(settings)), shown_url_(settings_.url.shown()) {}

void LocalRemote::check(int result) const {
  if (result >= 0) return;
  const std::string said = last_git_message();
  settings_.cancel.check();
  throw Error(ErrorCode::io, fmt::format("cannot fetch {}: {}", shown_url_, said));
}

Advertisement LocalRemote::connect() {
  const fs::path path = settings_.url.local_path();
  repository_ = open_like_git(path.has_filename() ? path : path.parent_path());
  if (!repository_)
    throw Error(ErrorCode::unresolvable, fmt::format("cannot fetch {}: repository not found", shown_url_))
        .with_hint("check the path in the reference, and that you may read the repository");
  int result = 0;
  auto iterator = take<ReferenceIterator>(
      result, [&](git_reference_iterator** out) { return git_reference_iterator_new(out, repository_.get()); });
  check(result);
  git_reference* raw = nullptr;
  while ((result = git_reference_next(&raw, iterator.get())) == 0) advertise(Reference(raw).get());
  if (result != GIT_ITEROVER) check(result);
  auto head = take<Reference>(result, [&](git_reference** out) { return git_repository_head(out, repository_.get()); });
  if (result < 0) return advertisement_;  // an empty repository, or a HEAD that leads nowhere
  advertisement_.head = *git_reference_target(head.get());
  if (git_repository_head_detached(repository_.get()) == 0)
    advertisement_.default_branch = git_reference_name(head.get());
  return advertisement_;
}

void LocalRemote::advertise(const git_reference* reference) {
  int result = 0;
  const auto resolved =
      take<Reference>(result, [&](git_reference** out) { return git_reference_resolve(out, reference); });
  if (result < 0) return;  // leads nowhere: git does not advertise it either
  const std::string name = git_reference_name(reference);
  advertisement_.refs.push_back({name, *git_reference_target(resolved.get())});
  const auto target =
      take<Object>(result, [&](git_object** out) { return git_reference_peel(out, resolved.get(), GIT_OBJECT_ANY); });
  if (result == 0 && !git_oid_equal(git_object_id(target.get()), git_reference_target(resolved.get())))
    advertisement_.refs.push_back({name + "^{}", *git_object_id(target.get())});
}

// Tags are packed one by one, down to the commit whose history the walk brings. What the target has, it has with all
// that it leads to.
void LocalRemote::add_wanted(git_packbuilder* builder, git_revwalk* walk, const git_oid& wanted) {
  git_oid id = wanted;
  while (!has_object(settings_.target, id)) {
    int result = 0;
    const auto object = take<Object>(
        result, [&](git_object** out) { return git_object_lookup(out, repository_.get(), &id, GIT_OBJECT_ANY); });
    check(result);
    const git_object_t type = git_object_type(object.get());
    if (type == GIT_OBJECT_COMMIT) return check(git_revwalk_push(walk, &id));
    if (type != GIT_OBJECT_TAG) return check(git_packbuilder_insert_recur(builder, &id, nullptr));
    check(git_packbuilder_insert(builder, &id, nullptr));
    id = *git_tag_target_id(reinterpret_cast<const git_tag*>(object.get()));
  }
}

void LocalRemote::hide_what_is_there(git_revwalk* walk) {
  int result = 0;
  auto iterator = take<ReferenceIterator>(
      result, [&](git_reference_iterator** out) { return git_reference_iterator_new(out, settings_.target); });
  check(result);
  git_reference* raw = nullptr;
  while (git_reference_next(&raw, iterator.get()) == 0) {
    const Reference reference(raw);
    const auto commit = take<Object>(
        result, [&](git_object** out) { return git_reference_peel(out, reference.get(), GIT_OBJECT_COMMIT); });
    if (result == 0 && has_object(repository_.get(), *git_object_id(commit.get())))
      check(git_revwalk_hide(walk, git_object_id(commit.get())));
  }
}

bool LocalRemote::download(const Wanted& wanted) {
  int result = 0;
  const auto walk =
      take<RevisionWalk>(result, [&](git_revwalk** out) { return git_revwalk_new(out, repository_.get()); });
  check(result);
  const auto builder =
      take<PackBuilder>(result, [&](git_packbuilder** out) { return git_packbuilder_new(out, repository_.get()); });
  check(result);
  check(git_packbuilder_set_callbacks(builder.get(), on_build, this));
  if (wanted.commit) {
    const git_oid id = to_oid(*wanted.commit);
    if (!has_object(repository_.get(), id)) return false;
    add_wanted(builder.get(), walk.get(), id);
  }
  for (const RemoteRef& ref : advertisement_.refs)
    if (matches_any(wanted.patterns, ref.name)) add_wanted(builder.get(), walk.get(), ref.id);
  if (advertisement_.head && matches_any(wanted.patterns, "HEAD"))
    add_wanted(builder.get(), walk.get(), *advertisement_.head);
  hide_what_is_there(walk.get());
  check(git_packbuilder_insert_walk(builder.get(), walk.get()));
  if (git_packbuilder_object_count(builder.get()) > 0) write_pack(builder.get());
  return true;
}

void LocalRemote::write_pack(git_packbuilder* builder) {
  const std::string folder = settings_.objects_directory + "/pack";
  check(git_packbuilder_write(builder, folder.c_str(), 0, on_progress, this));
  // libgit2 counts no bytes here.
  std::error_code error;
  const auto bytes = std::filesystem::file_size(folder + "/pack-" + git_packbuilder_name(builder) + ".pack", error);
  const auto objects = static_cast<unsigned>(git_packbuilder_object_count(builder));
  if (!error && settings_.progress) settings_.progress({objects, objects, objects, bytes});
}

int LocalRemote::on_build(int, std::uint32_t, std::uint32_t, void* self) noexcept {
  return static_cast<LocalRemote*>(self)->settings_.cancel.cancelled() ? GIT_EUSER : 0;
}

int LocalRemote::on_progress(const git_indexer_progress* progress, void* self) noexcept {
  const RemoteSettings& settings = static_cast<LocalRemote*>(self)->settings_;
  if (settings.cancel.cancelled()) return GIT_EUSER;
  try {
    if (settings.progress)
      settings.progress(
          {progress->received_objects, progress->total_objects, progress->indexed_objects, progress->received_bytes});
    return 0;
  } catch (...) {
    return GIT_EUSER;  // a progress display that fails ends the fetch
  }
}

}  // namespace venvoy::source
