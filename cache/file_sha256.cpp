#include "cache/file_sha256.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sha256.hpp"
#include "cache/internal/open_file.hpp"

namespace venvoy::cache {
namespace {

os::Fd open_regular_file(const std::filesystem::path& path) {
  os::Fd file = internal::open_if_there(AT_FDCWD, path.c_str(), O_RDONLY);
  struct stat status;
  if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  return file;
}

}  // namespace

std::optional<std::string> sha256_of_file(const std::filesystem::path& path) {
  const os::Fd file = open_regular_file(path);
  if (!file) return std::nullopt;
  Sha256 hash;
  std::array<char, 65536> block;
  for (;;) {
    const ssize_t count = ::read(file.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::nullopt;
    if (count == 0) return hash.hex();
    hash.update({block.data(), static_cast<std::size_t>(count)});
  }
}

}  // namespace venvoy::cache
