// Which file systems a store may live on (design D4): locks must hold between processes, and names must be what they
// are on a local disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace venvoy::cache {

struct FileSystemFacts {
  std::uint64_t magic = 0;  // f_type of statfs(2)
  std::string mount_type;   // as in /proc/self/mountinfo: "nfs4", "fuse.sshfs"; empty if unknown
};

struct FileSystemVerdict {
  enum class Kind {
    local,    // always
    shared,   // other machines may use it too: with `sharedStore: true`, after the self-test
    refused,  // never
  };
  Kind kind = Kind::refused;
  std::string name;  // for people: "ext4", "NFSv3"
};

FileSystemVerdict judge(const FileSystemFacts& facts);

// Asks the kernel. Throws an Error (io).
FileSystemFacts file_system_of(const std::filesystem::path& path);

// Two processes lock one file in the directory: whether they keep each other out, and whether the lock of one that dies
// is let go. Forks; may take as long as the file system takes to answer.
bool locks_work_between_processes(const std::filesystem::path& directory);

// How the two questions are answered; tests give their own answers.
struct FileSystemProbe {
  std::function<FileSystemFacts(const std::filesystem::path&)> facts = file_system_of;
  std::function<bool(const std::filesystem::path&)> locks_work = locks_work_between_processes;
};

// Throws an Error (environment) that names the file system if a store must not be in that directory.
void require_usable_file_system(const std::filesystem::path& directory, bool shared_store,
                                const FileSystemProbe& probe);

}  // namespace venvoy::cache
