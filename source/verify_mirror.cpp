#include "source/verify_mirror.hpp"

#include <exception>

#include "source/internal/git_handles.hpp"
#include "source/internal/mirror_files.hpp"

namespace venvoy::source {
namespace {

using RawObject = std::unique_ptr<git_odb_object, GitFree<git_odb_object_free>>;

// What git_odb_foreach calls. libgit2 compares what it reads with the id.
struct Reading {
  git_odb* objects;
  const CancelToken& cancel;
  std::vector<std::string> damaged = {};
  std::exception_ptr failure = nullptr;

  static int look(const git_oid* id, void* payload) noexcept {
    Reading& self = *static_cast<Reading*>(payload);
    try {
      self.cancel.check();
      int result = 0;
      take<RawObject>(result, [&](auto raw) { return git_odb_read(raw, self.objects, id); });
      if (result != 0) self.damaged.push_back(to_hex(*id));
      return 0;
    } catch (...) {
      self.failure = std::current_exception();
      return -1;
    }
  }
};

}  // namespace

std::vector<std::string> damaged_objects(const std::filesystem::path& directory, const CancelToken& cancel) {
  ensure_libraries();
  const Repository repository = open_bare(directory);
  if (!repository) return {"it is no repository"};
  if (!packs_are_complete(directory)) return {"a pack file is missing or has another length"};
  int result = 0;
  const auto objects =
      take<ObjectDatabase>(result, [&](auto raw) { return git_repository_odb(raw, repository.get()); });
  if (result != 0) return {last_git_message()};
  Reading reading{objects.get(), cancel};
  result = git_odb_foreach(objects.get(), Reading::look, &reading);
  if (reading.failure) std::rethrow_exception(reading.failure);
  if (result != 0) reading.damaged.push_back(last_git_message());
  return reading.damaged;
}

}  // namespace venvoy::source
