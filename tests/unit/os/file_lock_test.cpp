#include "os/file_lock.hpp"

#include <atomic>
#include <filesystem>
#include <sys/stat.h>
#include <thread>

#include "base/error.hpp"
#include "os/files.hpp"
#include "second_process.hpp"
#include "support/catch.hpp"
#include "support/temporary_dir.hpp"

using namespace venvoy;
using os::FileLock;
using os::LockMode;
using test::SecondProcess;
namespace fs = std::filesystem;

namespace {

// What another process is told when it asks for the lock.
bool free_for_others(const std::string& mode, const fs::path& path) {
  return test::run_helper({"try-lock", mode, path.string()}) == 0;
}

}  // namespace

TEST_CASE("an exclusive lock keeps other processes out, a shared one only exclusive ones") {
  const test::TemporaryDir dir;
  struct Row {
    LockMode ours;
    bool others_exclusive, others_shared;
  };
  for (const Row& row : {Row{LockMode::exclusive, false, false}, Row{LockMode::shared, false, true}}) {
    const auto lock = FileLock::try_lock(dir / "lock", row.ours);
    REQUIRE(lock);
    CHECK(free_for_others("exclusive", dir / "lock") == row.others_exclusive);
    CHECK(free_for_others("shared", dir / "lock") == row.others_shared);
  }
  CHECK(free_for_others("exclusive", dir / "lock"));
}

TEST_CASE("a lock that another process holds is not had until that process lets go or dies") {
  const test::TemporaryDir dir;
  const bool killed = GENERATE(false, true);
  SecondProcess holder({"lock", "exclusive", (dir / "lock").string()});
  REQUIRE(holder.read_line() == "locked");
  CHECK_FALSE(FileLock::try_lock(dir / "lock", LockMode::exclusive));
  CHECK_FALSE(FileLock::try_lock(dir / "lock", LockMode::shared));
  CHECK_FALSE(FileLock::try_lock_existing(dir / "lock", LockMode::shared));
  if (killed) {
    holder.kill();
  } else {
    holder.end_input();
  }
  const FileLock ours = FileLock::wait(dir / "lock", LockMode::exclusive, {});
  CHECK_FALSE(free_for_others("shared", dir / "lock"));
}

TEST_CASE("the lock file is private, and stays") {
  const test::TemporaryDir dir;
  CHECK(FileLock::try_lock_existing(dir / "lock", LockMode::exclusive) == std::nullopt);
  CHECK_FALSE(fs::exists(dir / "lock"));
  { const FileLock lock = FileLock::wait(dir / "lock", LockMode::exclusive, {}); }
  struct stat status = {};
  REQUIRE(::stat((dir / "lock").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(FileLock::try_lock_existing(dir / "lock", LockMode::exclusive));
}

TEST_CASE("a moved lock is held by its new owner alone") {
  const test::TemporaryDir dir;
  auto first = FileLock::try_lock(dir / "one", LockMode::exclusive);
  auto second = FileLock::try_lock(dir / "two", LockMode::exclusive);
  REQUIRE((first && second));
  *first = std::move(*second);  // lets go of "one"
  second.reset();
  CHECK(free_for_others("exclusive", dir / "one"));
  CHECK_FALSE(free_for_others("exclusive", dir / "two"));
  first.reset();
  CHECK(free_for_others("exclusive", dir / "two"));
}

TEST_CASE("waiting ends when it is cancelled") {
  const test::TemporaryDir dir;
  SecondProcess holder({"lock", "shared", (dir / "lock").string()});
  REQUIRE(holder.read_line() == "locked");
  CancelSource source;
  ErrorCode code = ErrorCode::internal;
  std::thread waiter([&, token = source.token()] {
    try {
      const FileLock lock = FileLock::wait(dir / "lock", LockMode::exclusive, token);
    } catch (const Error& error) {
      code = error.code();
    }
  });
  source.cancel();
  waiter.join();
  CHECK(code == ErrorCode::cancelled);
}

TEST_CASE("a lock file that is replaced while somebody waits is locked in its new form") {
  const test::TemporaryDir dir;
  std::optional<FileLock> old = FileLock::try_lock(dir / "lock", LockMode::exclusive);
  REQUIRE(old);
  SecondProcess waiter({"lock", "exclusive", (dir / "lock").string()});
  SECTION("replaced") {
    os::write_file_atomically(dir / "lock", "");
  }
  SECTION("removed") {
    fs::remove(dir / "lock");
  }
  old.reset();
  CHECK(waiter.read_line() == "locked");
  CHECK_FALSE(FileLock::try_lock(dir / "lock", LockMode::shared));
}

TEST_CASE("a lock is never one on a file that has gone meanwhile") {
  const test::TemporaryDir dir;
  std::atomic<int> taken = 0, worthless = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, path = dir / "lock"] {
      for (int turn = 0; turn < 3000; ++turn) {
        const auto lock = FileLock::try_lock(path, LockMode::exclusive);
        if (!lock) continue;
        ++taken;
        if (FileLock::try_lock(path, LockMode::exclusive)) ++worthless;
        fs::remove(path);  // others have it open just now
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(taken > 0);
  CHECK(worthless == 0);
}

TEST_CASE("a lock where no file can be is an error that names it") {
  const test::TemporaryDir dir;
  for (const fs::path& path : {dir / "none/lock", dir.path()}) {
    try {
      static_cast<void>(FileLock::try_lock(path, LockMode::exclusive));
      FAIL("locked " << path);
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::io);
      CHECK_THAT(error.what(), Catch::ContainsSubstring("cannot lock '" + path.string()));
    }
  }
}
