#include "cache/internal/root.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "os/fd.hpp"

namespace venvoy::cache::internal {
namespace {

namespace fs = std::filesystem;

constexpr const char* choose_another = "choose another directory with `workdir` in the configuration";

[[noreturn]] void refuse(std::string sentence, std::string hint = choose_another) {
  throw Error(ErrorCode::environment, std::move(sentence)).with_hint(std::move(hint));
}

[[noreturn]] void refuse_to_make(int error, const fs::path& workdir, const fs::path& root) {
  if (error == ENOTDIR) refuse(fmt::format("the work directory '{}' is not a directory", workdir.string()));
  if (error == EACCES || error == EPERM || error == EROFS)
    refuse(fmt::format("the work directory '{}' is not writable ({})", workdir.string(), std::strerror(error)));
  throw system_error(error, fmt::format("cannot make the store '{}'", root.string()), ErrorCode::environment)
      .with_hint(choose_another);
}

// The Go deployer makes the work directory with its parents (spec/workflow.md 8.3).
void make_workdir(const fs::path& workdir, const fs::path& root) {
  std::error_code error;
  fs::create_directories(workdir, error);
  if (error) refuse_to_make(error.value(), workdir, root);
}

void check_kind_and_owner(const struct stat& status, const fs::path& root, uid_t uid) {
  if (S_ISLNK(status.st_mode))
    refuse(fmt::format("'{}' is a symbolic link, but the store must be a directory of its own", root.string()),
           "remove the link, or choose another directory with `workdir` in the configuration");
  if (!S_ISDIR(status.st_mode)) refuse(fmt::format("'{}' is not a directory", root.string()));
  if (status.st_uid != uid) refuse(fmt::format("'{}' belongs to another user (uid {})", root.string(), status.st_uid));
  if ((status.st_mode & 022) != 0)
    refuse(fmt::format("other users can write to '{}' (mode {:04o})", root.string(), status.st_mode & 07777),
           "whoever can write there can run code as you: remove the directory, it will be made again");
}

void check_root(const fs::path& root, uid_t uid) {
  struct stat status;
  if (::lstat(root.c_str(), &status) != 0)
    throw system_error(errno, fmt::format("cannot look at '{}'", root.string()), ErrorCode::environment);
  check_kind_and_owner(status, root, uid);
  // Once more, on what is really there: the parent may be open to everybody.
  const os::Fd directory(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory || ::fstat(directory.get(), &status) != 0)
    throw system_error(errno, fmt::format("cannot open '{}'", root.string()), ErrorCode::environment);
  check_kind_and_owner(status, root, uid);
  if ((status.st_mode & 07777) != 0700 && ::fchmod(directory.get(), 0700) != 0)
    throw system_error(errno, fmt::format("cannot set the mode of '{}'", root.string()), ErrorCode::environment);
}

}  // namespace

fs::path root_in(const fs::path& workdir, uid_t uid) {
  return workdir / fmt::format("venvoy-{}", uid);
}

void ensure_root(const fs::path& workdir, const fs::path& root, uid_t uid) {
  make_workdir(workdir, root);
  if (::mkdir(root.c_str(), 0700) != 0 && errno != EEXIST) {
    const int error = errno;
    struct stat status;
    // The store of a work directory that is no longer writable can still be used.
    if (::lstat(root.c_str(), &status) != 0) refuse_to_make(error, workdir, root);
  }
  check_root(root, uid);
}

}  // namespace venvoy::cache::internal
