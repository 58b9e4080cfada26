#include "cache/store.hpp"

#include <sys/stat.h>

#include "base/error.hpp"
#include "helper_process.hpp"
#include "support/catch.hpp"
#include "test_store.hpp"

using namespace venvoy;
using namespace venvoy::cache;
using namespace venvoy::test;

namespace {

unsigned mode_of(const fs::path& path) {
  struct stat status;
  REQUIRE(lstat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

std::string refusal(const fs::path& workdir, uid_t uid = geteuid()) {
  try {
    Store::open({.workdir = workdir, .uid = uid});
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::environment);
    CHECK_FALSE(error.hint().empty());
    return error.message();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a store is a directory of its user alone") {
  const TemporaryDir directory;
  const Store store = Store::open({.workdir = directory.path(), .uid = geteuid()});
  CHECK(store.path() == directory / fmt::format("venvoy-{}", geteuid()));
  CHECK(mode_of(store.path()) == 0700);
  for (const char* bucket : {"git-v1", "refs-v1", "verdict-v1", "python-v1", "tool-v1", "wheel-v1", "env-v1",
                             "schema-v1", "lock-v1", "work-v1"}) {
    INFO(bucket);
    CHECK(mode_of(store.path() / bucket) == 0700);
  }
  CHECK(refusal(directory.path()) == "accepted");  // once more
  chmod(store.path().c_str(), 0755);
  CHECK(refusal(directory.path()) == "accepted");
  CHECK(mode_of(store.path()) == 0700);
}

TEST_CASE("a work directory that is not there is made, with its parents") {
  const TemporaryDir directory;
  CHECK(refusal(directory / "not/yet") == "accepted");
  CHECK(fs::is_directory(directory / "not/yet" / fmt::format("venvoy-{}", geteuid())));
}

TEST_CASE("what cannot be a store is refused with a reason") {
  const TemporaryDir directory;
  const fs::path root = directory / fmt::format("venvoy-{}", geteuid());
  const std::string at = "'" + root.string() + "' ";

  write(directory / "file", "");
  CHECK(refusal(directory / "file") ==
        fmt::format("the work directory '{}' is not a directory", (directory / "file").string()));

  fs::create_directory(directory / "elsewhere");
  fs::create_symlink("elsewhere", root);
  CHECK(refusal(directory.path()) == at + "is a symbolic link, but the store must be a directory of its own");
  CHECK(fs::is_empty(directory / "elsewhere"));
  fs::remove(root);

  write(root, "");
  CHECK(refusal(directory.path()) == at + "is not a directory");
  fs::remove(root);

  fs::create_directory(root);
  chmod(root.c_str(), 0770);
  CHECK(refusal(directory.path()) == "other users can write to " + at + "(mode 0770)");
  chmod(root.c_str(), 0700);

  const uid_t other = geteuid() + 1;
  const fs::path theirs = directory / fmt::format("venvoy-{}", other);
  fs::create_directory(theirs);
  CHECK(refusal(directory.path(), other) ==
        fmt::format("'{}' belongs to another user (uid {})", theirs.string(), geteuid()));
}

TEST_CASE("a work directory that cannot be written to is named") {
  const TemporaryDir directory;
  chmod(directory.path().c_str(), 0555);
  HelperProcess helper(directory.path(), "65534");
  CHECK(helper.receive() ==
        fmt::format("error: the work directory '{}' is not writable (Permission denied); choose another directory "
                    "with `workdir` in the configuration",
                    directory.path().string()));
  chmod(directory.path().c_str(), 0700);
}

TEST_CASE("a store that is removed under its user comes back") {
  const TestStore test;
  fs::remove_all(test.store.path());
  test.store.write_record(Bucket::refs, "main.json", "{}");
  CHECK(test.store.read_record(Bucket::refs, "main.json") == "{}");
  CHECK(mode_of(test.store.path()) == 0700);
  CHECK(test.build("x").generation() == 1);
  CHECK(fs::is_directory(test.store.make_work_dir().path()));
}

TEST_CASE("records are written whole and read back") {
  const TestStore test;
  const Store& store = test.store;
  CHECK_FALSE(store.read_record(Bucket::refs, "a.json"));
  store.write_record(Bucket::refs, "a.json", "one");
  store.write_record(Bucket::refs, "a.json", "two");
  store.write_record(Bucket::schema, "a.json", std::string("\0\xFF", 2));
  CHECK(store.read_record(Bucket::refs, "a.json") == "two");
  CHECK(store.read_record(Bucket::schema, "a.json") == std::string("\0\xFF", 2));
  CHECK_FALSE(store.read_record(Bucket::verdict, "a.json"));
  store.remove_record(Bucket::refs, "a.json");
  store.remove_record(Bucket::refs, "a.json");
  CHECK_FALSE(store.read_record(Bucket::refs, "a.json"));
}

TEST_CASE("records that are torn or unreadable are absent") {
  const TestStore test;
  write(test.store.path() / "refs-v1/empty", "");
  fs::create_directory(test.store.path() / "refs-v1/directory");
  fs::create_symlink("loop", test.store.path() / "refs-v1/loop");
  for (const char* name : {"empty", "directory", "loop"}) CHECK_FALSE(test.store.read_record(Bucket::refs, name));
}

TEST_CASE("names of records stay in their bucket") {
  const TestStore test;
  for (const std::string& name : {std::string(), std::string(".."), std::string(".hidden"), std::string("a/b"),
                                  std::string("a\n"), std::string(201, 'a')}) {
    CHECK_THROWS_AS(test.store.write_record(Bucket::refs, name, "x"), Error);
    CHECK_THROWS_AS(test.store.read_record(Bucket::refs, name), Error);
  }
  CHECK_THROWS_AS(test.store.write_record(Bucket::env, "a", "x"), Error);
}
