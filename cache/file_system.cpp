#include "cache/file_system.hpp"

#include <cerrno>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include <fmt/format.h>

#include "base/error.hpp"

namespace venvoy::cache {
namespace {

using Kind = FileSystemVerdict::Kind;

constexpr std::uint64_t nfs_magic = 0x6969;

struct Row {
  std::uint64_t magic;
  Kind kind;
  const char* name;
};

// Magic numbers as in statfs(2) and the kernel's linux/magic.h.
constexpr Row table[] = {
    {0xEF53, Kind::local, "ext4"},          {0x58465342, Kind::local, "XFS"},
    {0x9123683E, Kind::local, "Btrfs"},     {0x01021994, Kind::local, "tmpfs"},
    {0x858458F6, Kind::local, "ramfs"},     {0x794C7630, Kind::local, "overlayfs"},
    {0x61756673, Kind::local, "aufs"},      {0x2FC12FC1, Kind::local, "ZFS"},
    {0xF2F52010, Kind::local, "F2FS"},      {0xCA451A4E, Kind::local, "bcachefs"},
    {0x52654973, Kind::local, "ReiserFS"},  {0x3153464A, Kind::local, "JFS"},
    {0x3434, Kind::local, "NILFS"},         {0x24051905, Kind::local, "UBIFS"},
    {0xF15F, Kind::local, "eCryptfs"},      {0x0BD00BD0, Kind::shared, "Lustre"},
    {0x00C36400, Kind::shared, "CephFS"},   {0x65735546, Kind::refused, "FUSE"},
    {0x01021997, Kind::refused, "9p"},      {0x517B, Kind::refused, "SMB"},
    {0xFE534D42, Kind::refused, "SMB2"},    {0xFF534D42, Kind::refused, "CIFS"},
    {0x5346414F, Kind::refused, "AFS"},     {0x6B414653, Kind::refused, "kAFS"},
    {0x73757245, Kind::refused, "Coda"},    {0x47504653, Kind::refused, "GPFS"},
    {0x19830326, Kind::refused, "BeeGFS"},  {0x20030528, Kind::refused, "OrangeFS"},
    {0x01161970, Kind::refused, "GFS2"},    {0x7461636F, Kind::refused, "OCFS2"},
    {0x786F4256, Kind::refused, "vboxsf"},  {0xBACBACBC, Kind::refused, "vmhgfs"},
    {0x4D44, Kind::refused, "FAT"},         {0x2011BAB0, Kind::refused, "exFAT"},
    {0x5346544E, Kind::refused, "NTFS"},    {0x7366746E, Kind::refused, "NTFS"},
    {0x4244, Kind::refused, "HFS"},         {0x482B, Kind::refused, "HFS+"},
    {0x9660, Kind::refused, "ISO 9660"},    {0x73717368, Kind::refused, "SquashFS"},
    {0xE0F5E1E2, Kind::refused, "EROFS"},   {0x9FA0, Kind::refused, "procfs"},
    {0x62656572, Kind::refused, "sysfs"},   {0x27E0EB, Kind::refused, "cgroup"},
    {0x63677270, Kind::refused, "cgroup2"},
};

// Version 3 has the same magic number; its locks need a daemon beside it that is often not there.
FileSystemVerdict judge_nfs(const std::string& mount_type) {
  if (mount_type == "nfs4") return {Kind::shared, "NFSv4"};
  return {Kind::refused, "NFSv3"};
}

// The type after " - " in the line of mountinfo(5) whose third field is the device.
std::string mount_type_of(dev_t device) {
  const std::string wanted = fmt::format("{}:{}", major(device), minor(device));
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string id, parent, at, word, type;
    fields >> id >> parent >> at;
    if (at != wanted) continue;
    while (fields >> word && word != "-") continue;
    if (fields >> type) return type;
  }
  return {};
}

}  // namespace

FileSystemVerdict judge(const FileSystemFacts& facts) {
  if (facts.magic == nfs_magic) return judge_nfs(facts.mount_type);
  for (const Row& row : table) {
    if (row.magic != facts.magic) continue;
    // "fuse.sshfs" says more than "FUSE".
    if (facts.mount_type.starts_with("fuse")) return {row.kind, fmt::format("{} ({})", row.name, facts.mount_type)};
    return {row.kind, row.name};
  }
  const std::string number = fmt::format("a file system of type 0x{:X}", facts.magic);
  return {Kind::refused, facts.mount_type.empty() ? number : fmt::format("{} ({})", number, facts.mount_type)};
}

FileSystemFacts file_system_of(const std::filesystem::path& path) {
  const auto fail = [&path] {
    throw system_error(errno, fmt::format("cannot ask for the file system of '{}'", path.string()));
  };
  struct statfs file_system;
  struct stat status;
  if (::statfs(path.c_str(), &file_system) != 0) fail();
  if (::stat(path.c_str(), &status) != 0) fail();
  // f_type is signed on some machines; the magic numbers have 32 bits.
  return {static_cast<std::uint32_t>(file_system.f_type), mount_type_of(status.st_dev)};
}

void require_usable_file_system(const std::filesystem::path& directory, bool shared_store,
                                const FileSystemProbe& probe) {
  const FileSystemVerdict verdict = judge(probe.facts(directory));
  if (verdict.kind == Kind::local) return;
  const auto refuse = [&](std::string_view why, std::string_view hint) {
    throw Error(ErrorCode::environment,
                fmt::format("the work directory '{}' is on {}, {}", directory.string(), verdict.name, why))
        .with_hint(std::string(hint));
  };
  constexpr std::string_view go_local = "set `workdir` to a directory on a local disk";
  if (verdict.kind == Kind::refused) refuse("where a store cannot be kept safe", go_local);
  if (!shared_store)
    refuse("which other machines may use too",
           "set `workdir` to a directory on a local disk, or `sharedStore: true` to share the store with them");
  if (!probe.locks_work(directory)) refuse("where locks between processes do not work", go_local);
}

}  // namespace venvoy::cache
