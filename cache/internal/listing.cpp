#include "cache/internal/listing.hpp"

#include <algorithm>
#include <sys/stat.h>

namespace venvoy::cache::internal {
namespace {

namespace fs = std::filesystem;

std::uint64_t file_bytes(const fs::path& path) {
  struct stat status;
  return ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) ? static_cast<std::uint64_t>(status.st_size)
                                                                        : 0;
}

}  // namespace

std::vector<fs::path> entries_of(const fs::path& directory) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error))
    paths.push_back(entry->path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

WallTime time_of_change(const fs::path& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return {};
  return WallTime(std::chrono::seconds(status.st_mtim.tv_sec) +
                  std::chrono::microseconds(status.st_mtim.tv_nsec / 1000));
}

std::uint64_t tree_bytes(const fs::path& path) {
  std::uint64_t sum = file_bytes(path);
  std::error_code error;
  constexpr auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator entry(path, options, error), end; !error && entry != end;
       entry.increment(error))
    sum += file_bytes(entry->path());
  return sum;
}

}  // namespace venvoy::cache::internal
