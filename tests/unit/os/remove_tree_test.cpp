#include <fcntl.h>
#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "base/error.hpp"
#include "os/fd.hpp"
#include "os/files.hpp"
#include "second_process.hpp"
#include "support/catch.hpp"
#include "support/temporary_dir.hpp"

using namespace venvoy;
using Catch::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

void touch(const fs::path& path) {
  std::ofstream(path) << "x";
}

// root/directory/directory/…, deeper than any path can say.
void make_deep_tree(const fs::path& root, int depth) {
  fs::create_directory(root);
  os::Fd at = os::open_file(root, O_RDONLY | O_DIRECTORY);
  for (int i = 0; i < depth; ++i) {
    REQUIRE(::mkdirat(at.get(), "directory", 0700) == 0);
    os::Fd next(::openat(at.get(), "directory", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    REQUIRE(next);
    at = std::move(next);
  }
}

}  // namespace

TEST_CASE("removing takes files, trees, links and nothing at all") {
  const test::TemporaryDir dir;
  touch(dir / "precious");
  fs::create_directories(dir / "tree/a/b");
  touch(dir / "tree/a/file");
  fs::create_symlink(dir.path(), dir / "tree/a/up");
  fs::create_symlink("precious", dir / "link");
  touch(dir / "file");
  os::remove_tree(dir / "tree");
  os::remove_tree(dir / "link");
  os::remove_tree(dir / "file");
  os::remove_tree(dir / "nothing");
  os::remove_tree(dir / "nothing/below");
  CHECK(fs::exists(dir / "precious"));
  CHECK(std::distance(fs::directory_iterator(dir.path()), {}) == 1);
}

TEST_CASE("removing takes directories without permission bits") {
  const test::TemporaryDir dir;
  fs::create_directories(dir / "tree/a/b");
  touch(dir / "tree/a/b/file");
  touch(dir / "tree/file");
  test::give_to_unprivileged(dir.path());
  for (const char* folder : {"tree/a/b", "tree/a", "tree"}) ::chmod((dir / folder).c_str(), 0);
  CHECK(test::unprivileged([&] { os::remove_tree(dir / "tree"); }) == "");
  CHECK_FALSE(fs::exists(dir / "tree"));
}

TEST_CASE("removing goes on after a failure and names what stays") {
  const test::TemporaryDir dir;
  fs::create_directories(dir / "tree/own");
  touch(dir / "tree/own/file");
  test::give_to_unprivileged(dir.path());
  // Nobody but root can remove from /proc, and root cannot either.
  CHECK_THAT(test::unprivileged([] { os::remove_tree("/proc/self/status"); }),
             ContainsSubstring("cannot remove '/proc/self/status': "));
  const fs::path stays = dir / "tree/stays";
  fs::create_directory(stays);
  touch(stays / "file");
  ::chmod(stays.c_str(), 0555);
  if (::geteuid() == 0) {
    // Root's own folder in a tree of another user, who can empty neither it nor what holds it.
    CHECK_THAT(test::unprivileged([&] { os::remove_tree(dir / "tree"); }),
               ContainsSubstring("cannot remove '" + (stays / "file").string() + "': Permission denied"));
    CHECK_FALSE(fs::exists(dir / "tree/own"));
    CHECK(fs::exists(stays / "file"));
  }
}

TEST_CASE("removing takes a tree that is deeper than descriptors and paths allow") {
  const test::TemporaryDir dir;
  make_deep_tree(dir / "tree", 1000);
  rlimit before;
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit few{200, before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &few);
  os::remove_tree(dir / "tree");
  ::setrlimit(RLIMIT_NOFILE, &before);
  CHECK_FALSE(fs::exists(dir / "tree"));
}

TEST_CASE("several can remove one tree at the same time") {
  const test::TemporaryDir dir;
  for (int folder = 0; folder < 30; ++folder) {
    const fs::path path = dir / ("tree/" + std::to_string(folder) + "/deeper");
    fs::create_directories(path);
    for (int file = 0; file < 10; ++file) touch(path / std::to_string(file));
  }
  std::vector<std::string> failures(4);
  std::vector<std::thread> threads;
  for (std::string& failure : failures) {
    threads.emplace_back([&failure, path = dir / "tree"] {
      try {
        os::remove_tree(path);
      } catch (const Error& error) {
        failure = error.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(failures == std::vector<std::string>(4));
  CHECK_FALSE(fs::exists(dir / "tree"));
}
