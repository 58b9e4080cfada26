#include "cache/internal/open_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include "base/error.hpp"

namespace venvoy::cache::internal {

os::Fd open_if_there(int parent, const char* path, int flags) {
  os::Fd file(::openat(parent, path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600));
  if (!file && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
    throw system_error(errno, fmt::format("cannot open '{}'", path));
  return file;
}

bool make_directory_if_possible(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0700) != 0) {
    if (errno == EEXIST || errno == ENOENT) return false;
    throw system_error(errno, fmt::format("cannot make the directory '{}'", path.string()));
  }
  ::chmod(path.c_str(), 0700);
  return true;
}

}  // namespace venvoy::cache::internal
