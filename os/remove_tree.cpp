#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "os/fd.hpp"
#include "os/files.hpp"

namespace venvoy::os {
namespace {

// Directories nested deeper than this are first moved up, next to the root's own entries: the removal holds one
// descriptor per level, and a hostile tree can be deeper than descriptors and stack allow.
constexpr int max_depth = 64;

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

// All names but "." and "..", errno in `error` if that is not possible.
std::vector<std::string> names_in(const Fd& directory, int& error) {
  std::vector<std::string> names;
  error = 0;
  Fd own(::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::unique_ptr<DIR, CloseDirectory> stream(own ? ::fdopendir(own.get()) : nullptr);
  if (!stream) {
    error = errno;
    return names;
  }
  static_cast<void>(own.release());  // closed with the stream
  for (errno = 0; const dirent* entry = ::readdir(stream.get()); errno = 0) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  error = errno;
  return names;
}

// Opens a directory, never a symbolic link, and gives it the permission bits that emptying it takes.
Fd open_to_empty(int parent, const char* name) {
  const Fd place(::openat(parent, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC));
  if (!place) return {};
  struct stat status;
  const std::string link = fmt::format("/proc/self/fd/{}", place.get());
  // Through the link, because fchmod(2) does not take an O_PATH descriptor. If it fails, the next step says why.
  if (::fstat(place.get(), &status) == 0 && (status.st_mode & 0700) != 0700) ::chmod(link.c_str(), 0700);
  return Fd(::openat(place.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

class TreeRemover {
 public:
  explicit TreeRemover(const fs::path& root) : root_path_(root) {}

  // Goes on after a failure, so that as much as possible is gone; then throws the first one.
  void remove() {
    remove_entry(AT_FDCWD, root_path_.c_str(), root_path_, 0);
    if (error_) throw *error_;
  }

 private:
  // True if there is one entry less.
  bool remove_entry(int parent, const char* name, const fs::path& path, int depth) {
    if (::unlinkat(parent, name, 0) == 0) return true;
    if (errno == ENOENT) return false;
    if (errno != EISDIR && errno != EPERM) return failed(errno, path);
    if (depth == max_depth) return move_up(parent, name, path);
    const Fd directory = open_to_empty(parent, name);
    if (!directory) return errno == ENOENT ? false : failed(errno, path);
    if (depth == 0) root_ = directory.get();
    return remove_directory(directory, parent, name, path, depth);
  }

  bool remove_directory(const Fd& directory, int parent, const char* name, const fs::path& path, int depth) {
    // Again and again, because directories from below may have come up and others may still be writing here.
    for (bool progress = true; progress;) {
      progress = empty(directory, path, depth);
      if (::unlinkat(parent, name, AT_REMOVEDIR) == 0) return true;
      if (errno == ENOENT) return false;
      if (errno != ENOTEMPTY && errno != EEXIST) break;
    }
    return failed(errno, path);
  }

  bool empty(const Fd& directory, const fs::path& path, int depth) {
    int error = 0;
    bool progress = false;
    for (const std::string& name : names_in(directory, error))
      progress |= remove_entry(directory.get(), name.c_str(), path / name, depth + 1);
    if (error != 0) failed(error, path);
    return progress;
  }

  bool move_up(int parent, const char* name, const fs::path& path) {
    open_to_empty(parent, name);  // for its permission bits: a directory that moves must be writable
    if (::renameat(parent, name, root_, random_name().c_str()) == 0) return true;
    return errno == ENOENT ? false : failed(errno, path);
  }

  bool failed(int error, const fs::path& path) {
    if (!error_) error_ = system_error(error, fmt::format("cannot remove '{}'", path.string()));
    return false;
  }

  const fs::path& root_path_;
  int root_ = -1;
  std::optional<Error> error_;
};

}  // namespace

void remove_tree(const fs::path& path) {
  TreeRemover(path).remove();
}

}  // namespace venvoy::os
