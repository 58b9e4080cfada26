#include "cache/file_system.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/temporary_dir.hpp"
#include "test_store.hpp"

using namespace venvoy;
using namespace venvoy::cache;
using Kind = FileSystemVerdict::Kind;

TEST_CASE("file systems are told by their numbers") {
  struct Row {
    FileSystemFacts facts;
    Kind kind;
    std::string name;
  };
  const Row rows[] = {
      {{0xEF53, "ext4"}, Kind::local, "ext4"},
      {{0x58465342, "xfs"}, Kind::local, "XFS"},
      {{0x9123683E, "btrfs"}, Kind::local, "Btrfs"},
      {{0x01021994, "tmpfs"}, Kind::local, "tmpfs"},
      {{0x794C7630, "overlay"}, Kind::local, "overlayfs"},
      {{0x2FC12FC1, "zfs"}, Kind::local, "ZFS"},
      {{0x6969, "nfs4"}, Kind::shared, "NFSv4"},
      {{0x6969, "nfs"}, Kind::refused, "NFSv3"},
      {{0x6969, ""}, Kind::refused, "NFSv3"},
      {{0x0BD00BD0, "lustre"}, Kind::shared, "Lustre"},
      {{0x00C36400, "ceph"}, Kind::shared, "CephFS"},
      {{0x65735546, "fuse.sshfs"}, Kind::refused, "FUSE (fuse.sshfs)"},
      {{0x65735546, ""}, Kind::refused, "FUSE"},
      {{0xFF534D42, "cifs"}, Kind::refused, "CIFS"},
      {{0x01021997, "9p"}, Kind::refused, "9p"},
      {{0x4D44, "vfat"}, Kind::refused, "FAT"},
      {{0x12345, "strangefs"}, Kind::refused, "a file system of type 0x12345 (strangefs)"},
      {{0x12345, ""}, Kind::refused, "a file system of type 0x12345"},
  };
  for (const Row& row : rows) {
    const FileSystemVerdict verdict = judge(row.facts);
    INFO(row.name);
    CHECK(verdict.kind == row.kind);
    CHECK(verdict.name == row.name);
  }
}

TEST_CASE("the kernel is asked about the real one") {
  CHECK(file_system_of("/proc").magic == 0x9FA0);
  CHECK(file_system_of("/proc").mount_type == "proc");
  CHECK_THROWS_AS(file_system_of("/proc/nothing/here"), Error);
}

TEST_CASE("locks between two processes are tried") {
  const test::TemporaryDir directory;
  CHECK(locks_work_between_processes(directory.path()));
  CHECK(std::filesystem::is_empty(directory.path()));
}

namespace {

std::string refusal(const FileSystemFacts& facts, bool shared_store, bool locks_work) {
  const test::TemporaryDir directory;
  int tests = 0;
  FileSystemProbe probe;
  probe.facts = [&](const std::filesystem::path&) { return facts; };
  probe.locks_work = [&](const std::filesystem::path&) { return ++tests, locks_work; };
  std::string result = "accepted";
  try {
    Store::open({.workdir = directory.path(), .uid = geteuid(), .shared_store = shared_store, .file_system = probe});
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::environment);
    CHECK_FALSE(error.hint().empty());
    CHECK(std::filesystem::is_empty(directory.path()));
    result = error.message().substr(error.message().find(" is on ") + 1);
  }
  return fmt::format("{}, {} tests", result, tests);
}

}  // namespace

TEST_CASE("a store is opened only where it can be kept safe") {
  const FileSystemFacts ext4{0xEF53, "ext4"}, lustre{0x0BD00BD0, "lustre"}, nfs{0x6969, "nfs"};
  CHECK(refusal(ext4, false, false) == "accepted, 0 tests");
  CHECK(refusal(ext4, true, false) == "accepted, 0 tests");
  CHECK(refusal(lustre, false, true) == "is on Lustre, which other machines may use too, 0 tests");
  CHECK(refusal(lustre, true, true) == "accepted, 1 tests");
  CHECK(refusal(lustre, true, false) == "is on Lustre, where locks between processes do not work, 1 tests");
  CHECK(refusal(nfs, true, true) == "is on NFSv3, where a store cannot be kept safe, 0 tests");
}
