#include "source/internal/git_handles.hpp"

#include <cstdlib>

#include <curl/curl.h>
#include <fmt/format.h>
#include <git2/sys/repository.h>

#include "base/text.hpp"

namespace venvoy::source {
namespace {

struct Libraries {
  Libraries() {
    if (git_libgit2_init() < 0) throw Error(ErrorCode::internal, "libgit2 could not be started");
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
      throw Error(ErrorCode::internal, "libcurl could not be started");
  }
};

Repository open_with(const std::filesystem::path& directory, const Config& config) {
  int result = 0;
  Repository repository =
      take<Repository>(result, [&](git_repository** out) { return git_repository_open_bare(out, directory.c_str()); });
  if (result < 0) return nullptr;
  check_git(git_repository_set_config(repository.get(), config.get()), "cannot set the configuration");
  return repository;
}

Config empty_config() {
  return take_or_throw<Config>("cannot make a configuration", [](git_config** out) { return git_config_new(out); });
}

}  // namespace

void ensure_libraries() {
  static const Libraries* const libraries = new Libraries();
  (void)libraries;
}

std::string last_git_message() {
  const git_error* error = git_error_last();
  if (!error || !error->message) return "no reason given";
  std::string text = to_valid_utf8(error->message);
  while (!text.empty() && (text.back() == '\n' || text.back() == '.')) text.pop_back();
  return text;
}

void check_git(int result, std::string_view doing, ErrorCode code) {
  if (result < 0) throw Error(code, fmt::format("{}: {}", doing, last_git_message()));
}

git_oid to_oid(const CommitId& commit) noexcept {
  git_oid id;
  git_oid_fromstr(&id, commit.text().c_str());
  return id;
}

std::string to_hex(const git_oid& id) {
  std::string text(GIT_OID_HEXSZ, '0');
  git_oid_fmt(text.data(), &id);
  return text;
}

CommitId to_commit_id(const git_oid& id) {
  return *CommitId::parse(to_hex(id));
}

bool has_object(git_repository* repository, const git_oid& id) {
  const auto objects = take_or_throw<ObjectDatabase>(
      "cannot read a repository", [&](git_odb** out) { return git_repository_odb(out, repository); });
  return git_odb_exists(objects.get(), &id) == 1;
}

bool has_whole_commit(git_repository* repository, const git_oid& id) {
  int result = 0;
  const auto commit = take<Commit>(result, [&](git_commit** out) { return git_commit_lookup(out, repository, &id); });
  if (result < 0) return false;
  const auto tree = take<Tree>(result, [&](git_tree** out) { return git_commit_tree(out, commit.get()); });
  if (result < 0) return false;
  const auto objects = take_or_throw<ObjectDatabase>(
      "cannot read a repository", [&](git_odb** out) { return git_repository_odb(out, repository); });
  // Folders are looked into, so they are there if the walk comes to its end.
  const auto look = [](const char*, const git_tree_entry* entry, void* odb) {
    if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB) return 0;
    return git_odb_exists(static_cast<git_odb*>(odb), git_tree_entry_id(entry)) == 1 ? 0 : -1;
  };
  return git_tree_walk(tree.get(), GIT_TREEWALK_PRE, look, objects.get()) == 0;
}

Repository open_bare(const std::filesystem::path& directory) {
  ensure_libraries();
  const Config config = empty_config();
  const std::string file = directory / "config";
  const int added = git_config_add_file_ondisk(config.get(), file.c_str(), GIT_CONFIG_LEVEL_LOCAL, nullptr, 0);
  if (added < 0) return nullptr;
  return open_with(directory, config);
}

Repository open_foreign(const std::filesystem::path& directory) {
  ensure_libraries();
  return open_with(directory, empty_config());
}

}  // namespace venvoy::source
