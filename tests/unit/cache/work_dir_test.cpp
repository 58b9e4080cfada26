#include "cache/work_dir.hpp"

#include <functional>
#include <sys/stat.h>

#include "helper_process.hpp"
#include "support/catch.hpp"
#include "test_store.hpp"

using namespace venvoy;
using namespace venvoy::cache;
using namespace venvoy::test;

namespace {

long count_in(const fs::path& path) {
  return std::distance(fs::directory_iterator(path), {});
}

}  // namespace

TEST_CASE("every plugin process has a place of its own") {
  const TestStore test;
  const WorkDir one = test.store.make_work_dir();
  const WorkDir two = test.store.make_work_dir();
  CHECK(one.path() != two.path());
  CHECK(fs::is_empty(one.path()));
  struct stat status;
  REQUIRE(stat(one.path().c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0700);
}

TEST_CASE("a work directory goes with everything in it") {
  const TestStore test;
  fs::path path;
  {
    WorkDir work = test.store.make_work_dir();
    path = work.path();
    write(path / "deep/er/file", "x");
    fs::create_directory(path / "locked");
    write(path / "locked/file", "x");
    chmod((path / "locked").c_str(), 0);
    chmod((path / "deep").c_str(), 0500);
    work = test.store.make_work_dir();
    CHECK_FALSE(fs::exists(path));
    path = work.path();
    CHECK(fs::exists(path));
  }
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("a directory that was left as it was made is used again, under a new name") {
  const TestStore test;
  const auto inode_of = [](const fs::path& path) {
    struct stat status;
    REQUIRE(stat(path.c_str(), &status) == 0);
    return status.st_ino;
  };
  const auto use = [&] {
    const WorkDir work = test.store.make_work_dir();
    return std::pair(work.path(), inode_of(work.path()));
  };
  const auto [first, inode] = use();
  CHECK_FALSE(fs::exists(first));
  const auto [second, same] = use();
  CHECK(second != first);
  CHECK(same == inode);

  const std::vector<std::function<void(const fs::path&)>> soils = {
      [](const fs::path& path) { write(path / "file", "x"); },
      [](const fs::path& path) { chmod(path.c_str(), 0777); },
      [](const fs::path& path) { fs::create_directory(path / "folder"); },
  };
  for (const auto& soil : soils) {
    soil(test.store.make_work_dir().path());
    const WorkDir next = test.store.make_work_dir();
    CHECK(fs::is_empty(next.path()));
    struct stat status;
    REQUIRE(stat(next.path().c_str(), &status) == 0);
    CHECK((status.st_mode & 07777) == 0700);
  }
}

TEST_CASE("an engine's directory goes with the engine") {
  const TemporaryDir directory;
  const fs::path root = directory / fmt::format("venvoy-{}", geteuid());
  {
    const Store store = Store::open({.workdir = directory.path(), .uid = geteuid()});
    store.make_work_dir();
    CHECK(count_in(root / "work-v1") == 1);
  }
  CHECK(fs::is_empty(root / "work-v1"));
}

TEST_CASE("what killed engines leave is swept, what live ones use is not") {
  const TestStore test;
  HelperProcess live(test.directory.path()), dead(test.directory.path());
  REQUIRE(live.receive() == "ready");
  REQUIRE(dead.receive() == "ready");
  const fs::path used = live.ask("work").substr(5), left = dead.ask("work").substr(5);
  write(used / "file", "x");
  write(left / "file", "x");
  fs::remove(used.parent_path() / "lease");  // a cleaner was here
  dead.kill();
  const WorkDir work = test.store.make_work_dir();
  CHECK(fs::exists(used / "file"));
  CHECK_FALSE(fs::exists(left.parent_path()));
  CHECK(test.store.statistics().swept == 1);
}

TEST_CASE("wheels that a killed engine was building are swept with it") {
  const TestStore test;
  const fs::path engine = test.store.make_work_dir().path().parent_path();
  const Staging staging = test.store.stage_wheel(key("a"), {});
  CHECK(staging.path().parent_path() == engine);
}

TEST_CASE("an engine's directory that was removed is made again") {
  const TestStore test;
  const fs::path engine = test.store.make_work_dir().path().parent_path();
  fs::remove_all(engine);
  CHECK(fs::is_directory(test.store.make_work_dir().path()));
}
