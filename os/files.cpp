#include "os/files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.hpp"
#include "os/fd.hpp"

namespace venvoy::os {
namespace {

// `error` is errno, read before the texts are put together, which may change it.
[[noreturn]] void fail(int error, std::string_view doing, const fs::path& path) {
  throw system_error(error, fmt::format("{} '{}'", doing, path.string()));
}

// Reads to the end of the file; its size is only a guess, as for files in /proc.
std::string read_all(const Fd& file, const fs::path& path, std::size_t max_bytes) {
  std::string result;
  std::array<char, 65536> block;
  for (;;) {
    const ssize_t count = ::read(file.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(errno, "cannot read", path);
    if (count == 0) return result;
    if (static_cast<std::size_t>(count) > max_bytes - result.size())
      throw Error(ErrorCode::limit, fmt::format("'{}' is longer than {} bytes", path.string(), max_bytes));
    result.append(block.data(), static_cast<std::size_t>(count));
  }
}

// The errno of the first step that failed, 0 if none did.
int write_and_flush(const Fd& file, std::string_view contents, unsigned mode) {
  if (::fchmod(file.get(), mode) != 0) return errno;
  while (!contents.empty()) {
    const ssize_t count = ::write(file.get(), contents.data(), contents.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno;
    contents.remove_prefix(static_cast<std::size_t>(count));
  }
  return ::fsync(file.get()) == 0 ? 0 : errno;
}

// Like write_and_flush, and closes the file: some file systems report a full disk only then.
int write_flush_close(Fd file, std::string_view contents, unsigned mode) {
  const int error = write_and_flush(file, contents, mode);
  const bool closed = ::close(file.release()) == 0;
  if (error != 0) return error;
  return closed ? 0 : errno;
}

Fd open_directory(const fs::path& path) {
  return open_file(path, O_RDONLY | O_DIRECTORY);
}

void flush_directory(const Fd& directory, const fs::path& path) {
  // EINVAL: a file system without anything to flush for a directory.
  if (::fsync(directory.get()) != 0 && errno != EINVAL) fail(errno, "cannot flush the directory", path);
}

fs::path parent_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

}  // namespace

std::string read_file(const fs::path& path, std::size_t max_bytes) {
  // O_NONBLOCK: the open of a FIFO must not wait for a writer.
  const Fd file = open_file(path, O_RDONLY | O_NONBLOCK);
  struct stat status;
  if (::fstat(file.get(), &status) != 0) fail(errno, "cannot read", path);
  if (!S_ISREG(status.st_mode))
    throw Error(ErrorCode::io, fmt::format("cannot read '{}': it is not a regular file", path.string()));
  return read_all(file, path, max_bytes);
}

std::string read_file_or_pipe(const fs::path& path, std::size_t max_bytes) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0 || !S_ISFIFO(status.st_mode)) return read_file(path, max_bytes);
  return read_all(open_file(path, O_RDONLY), path, max_bytes);
}

std::optional<std::string> read_file_if_there(const fs::path& path, std::size_t max_bytes) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0 && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  try {
    return read_file(path, max_bytes);
  } catch (const Error&) {
    // It may have gone in between.
    if (::stat(path.c_str(), &status) != 0 && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
    throw;
  }
}

void write_file_atomically(const fs::path& path, std::string_view contents, unsigned mode) {
  const fs::path folder = parent_of(path), name = path.filename();
  // Opened first, so that hardly anything can fail after the rename.
  const Fd directory =
      in_context(fmt::format("while writing '{}'", path.string()), [&] { return open_directory(folder); });
  const std::string temporary = fmt::format(".{}.tmp", random_name());
  Fd file(::openat(directory.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) fail(errno, "cannot write", path);
  int error = write_flush_close(std::move(file), contents, mode);
  if (error == 0 && ::renameat(directory.get(), temporary.c_str(), directory.get(), name.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlinkat(directory.get(), temporary.c_str(), 0);
    fail(error, "cannot write", path);
  }
  flush_directory(directory, folder);
}

bool make_directory(const fs::path& path, unsigned mode) {
  if (::mkdir(path.c_str(), mode) != 0) {
    const int error = errno;
    struct stat status;
    if (error == EEXIST && ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) return false;
    fail(error, "cannot make the directory", path);
  }
  if (::chmod(path.c_str(), mode) != 0) fail(errno, "cannot set the mode of", path);
  return true;
}

void flush_directory(const fs::path& path) {
  flush_directory(open_directory(path), path);
}

std::vector<FileEntry> list_tree(const fs::path& root) {
  std::vector<FileEntry> result;
  const std::size_t prefix = (root / "").native().size();
  fs::path at = root;
  try {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
      at = entry.path();
      struct stat status;
      if (::lstat(at.c_str(), &status) != 0) fail(errno, "cannot list", at);
      const bool is_link = S_ISLNK(status.st_mode);
      if (!S_ISREG(status.st_mode) && !is_link) continue;
      result.push_back({at.native().substr(prefix), static_cast<std::uint64_t>(status.st_size), is_link});
    }
  } catch (const fs::filesystem_error& error) {
    fail(error.code().value(), "cannot list", at);
  }
  std::sort(result.begin(), result.end(), [](const FileEntry& a, const FileEntry& b) { return a.path < b.path; });
  return result;
}

std::string random_name() {
  std::uint64_t number = 0;
  ssize_t count = 0;
  do {
    count = ::getrandom(&number, sizeof number, 0);
  } while (count < 0 && errno == EINTR);
  if (count != sizeof number) throw system_error(errno, "cannot get random bytes");
  return fmt::format("{:016x}", number);
}

}  // namespace venvoy::os
