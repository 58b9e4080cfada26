#include "cache/internal/lock_users.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/text.hpp"

namespace venvoy::cache::internal {

// "12: FLOCK  ADVISORY  READ 4711 fe:00:131104 0 EOF"; lines of those who wait have "->" after the number.
LockTable::LockTable(std::string_view text) {
  for (const std::string_view line : split_lines(text)) {
    int process = 0;
    unsigned major_number = 0, minor_number = 0;
    unsigned long inode = 0;
    if (std::sscanf(std::string(line).c_str(), "%*d: FLOCK %*s %*s %d %x:%x:%lu", &process, &major_number,
                    &minor_number, &inode) == 4 &&
        process > 0)
      rows_.push_back({process, makedev(major_number, minor_number), inode});
  }
}

LockTable LockTable::read() {
  std::ifstream file("/proc/locks");
  return LockTable(std::string(std::istreambuf_iterator<char>(file), {}));
}

std::vector<pid_t> LockTable::holders(const std::filesystem::path& path) const {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return {};
  return holders(status.st_dev, status.st_ino);
}

std::vector<pid_t> LockTable::holders(dev_t device, ino_t inode) const {
  std::vector<pid_t> processes;
  for (const Row& row : rows_)
    if (row.device == device && row.inode == inode) processes.push_back(row.process);
  std::sort(processes.begin(), processes.end());
  processes.erase(std::unique(processes.begin(), processes.end()), processes.end());
  return processes;
}

}  // namespace venvoy::cache::internal
