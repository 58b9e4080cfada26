#include "os/staging_dir.hpp"

#include <optional>
#include <sys/stat.h>

#include "base/error.hpp"
#include "os/files.hpp"
#include "second_process.hpp"
#include "support/catch.hpp"
#include "support/temporary_dir.hpp"

using namespace venvoy;
using Catch::ContainsSubstring;
using os::StagingDir;
namespace fs = std::filesystem;

namespace {

void build_into(const fs::path& path, const std::string& text = "text") {
  fs::create_directories(path / "folder");
  os::write_file_atomically(path / "folder/file", text);
  fs::create_symlink("nowhere", path / "link");
}

std::ptrdiff_t entries_of(const fs::path& path) {
  return std::distance(fs::directory_iterator(path), {});
}

}  // namespace

TEST_CASE("a staging directory is private and removed when it is not published") {
  const test::TemporaryDir dir;
  {
    const StagingDir staging(dir.path());
    struct stat status = {};
    REQUIRE(::stat(staging.path().c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0700);
    CHECK(staging.path().parent_path() == dir.path());
    build_into(staging.path());
  }
  CHECK(entries_of(dir.path()) == 0);
}

TEST_CASE("what is published is there whole, and stays") {
  const test::TemporaryDir dir;
  {
    StagingDir staging(dir.path());
    build_into(staging.path());
    CHECK(staging.publish(dir / "target") == StagingDir::Published::by_us);
    CHECK(staging.path().empty());
  }
  CHECK(os::read_file(dir / "target/folder/file", 100) == "text");
  CHECK(entries_of(dir.path()) == 1);
}

TEST_CASE("whoever comes second discards his own") {
  const test::TemporaryDir dir;
  const std::string there = GENERATE("folder", "empty folder", "file", "dangling link");
  if (there == "folder") build_into(dir / "target", "first");
  if (there == "empty folder") fs::create_directory(dir / "target");
  if (there == "file") os::write_file_atomically(dir / "target", "first");
  if (there == "dangling link") fs::create_symlink("nowhere", dir / "target");
  StagingDir staging(dir.path());
  build_into(staging.path(), "second");
  CHECK(staging.publish(dir / "target") == StagingDir::Published::by_another);
  CHECK(entries_of(dir.path()) == 1);
  CHECK_FALSE(fs::exists(dir / "target/folder/file") != (there == "folder"));
  if (there == "folder") CHECK(os::read_file(dir / "target/folder/file", 100) == "first");
}

TEST_CASE("a target that cannot be is an error, and nothing stays") {
  const test::TemporaryDir dir;
  {
    StagingDir staging(dir.path());
    build_into(staging.path());
    try {
      static_cast<void>(staging.publish(dir / "no/target"));
      FAIL("published");
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::io);
      CHECK_THAT(error.what(), ContainsSubstring("no/target': No such file or directory"));
    }
    CHECK(fs::exists(staging.path() / "folder/file"));
  }
  CHECK(entries_of(dir.path()) == 0);
}

TEST_CASE("where nothing can be made there is no staging directory") {
  const test::TemporaryDir dir;
  CHECK_THROWS_AS(StagingDir(dir / "none"), Error);
  test::give_to_unprivileged(dir.path());
  ::chmod(dir.path().c_str(), 0555);
  CHECK_THAT(test::unprivileged([&] { StagingDir staging(dir.path()); }), ContainsSubstring("Permission denied"));
  ::chmod(dir.path().c_str(), 0755);
}

TEST_CASE("of a target without permission the whole is kept back") {
  const test::TemporaryDir dir;
  fs::create_directory(dir / "locked");
  test::give_to_unprivileged(dir.path());
  ::chmod((dir / "locked").c_str(), 0555);
  CHECK_THAT(test::unprivileged([&] {
               StagingDir staging(dir.path());
               build_into(staging.path());
               static_cast<void>(staging.publish(dir / "locked/target"));
             }),
             ContainsSubstring("target': Permission denied"));
  CHECK(entries_of(dir.path()) == 1);
  CHECK(entries_of(dir / "locked") == 0);
}
