// Who holds a lock.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace venvoy::cache::internal {

// /proc/locks, read once for many questions.
class LockTable {
 public:
  // Takes the text of proc_locks(5).
  explicit LockTable(std::string_view text);
  static LockTable read();

  // The processes that hold a flock(2) on that file; sorted. None if the kernel does not tell: it leaves out those of
  // other machines and name spaces, and some file systems have another device number there than in stat(2).
  std::vector<pid_t> holders(const std::filesystem::path& path) const;
  std::vector<pid_t> holders(dev_t device, ino_t inode) const;

 private:
  struct Row {
    pid_t process;
    dev_t device;
    ino_t inode;
  };
  std::vector<Row> rows_;
};

}  // namespace venvoy::cache::internal
