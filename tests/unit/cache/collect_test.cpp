#include "cache/collect.hpp"

#include <algorithm>
#include <fcntl.h>
#include <functional>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cache/internal/choose.hpp"
#include "cache/internal/lock_users.hpp"
#include "helper_process.hpp"
#include "os/file_lock.hpp"
#include "support/catch.hpp"
#include "test_store.hpp"

using namespace venvoy;
using namespace venvoy::cache;
using namespace venvoy::test;
using namespace std::chrono_literals;
using State = Entry::State;

namespace {

std::optional<Entry> find(const std::vector<Entry>& entries, Bucket bucket, const std::string& name,
                          unsigned generation = 0) {
  for (const Entry& entry : entries)
    if (entry.bucket == bucket && entry.name == name && (generation == 0 || entry.generation == generation))
      return entry;
  return std::nullopt;
}

std::vector<std::string> names(const std::vector<Entry>& entries) {
  std::vector<std::string> result;
  for (const Entry& entry : entries)
    result.push_back(fmt::format("{} {} {}", name_of(entry.bucket), entry.name.substr(0, 6), entry.generation));
  return result;
}

std::string environment_name(const std::string& name, unsigned generation = 1) {
  return fmt::format("env {} {}", key(name).hex().substr(0, 6), generation);
}

std::string wheel_name(const std::string& name) {
  return fmt::format("wheel {} 0", key(name).hex().substr(0, 6));
}

}  // namespace

TEST_CASE("the list tells everything about an environment") {
  TestStore test;
  const WallTime created = test.clock.wall();
  test.build("a");
  test.clock.advance(1h);
  test.store.lease(key("a"));
  auto entry = find(list(test.store), Bucket::env, key("a").hex());
  REQUIRE(entry);
  CHECK(entry->generation == 1);
  CHECK(entry->path == test.environment("a") / "1");
  CHECK(entry->state == State::ready);
  CHECK(entry->created == created);
  CHECK(entry->last_used == created + 1h);
  CHECK(entry->bytes == 10 + 15 + 5000 + 4);
  CHECK(entry->inputs == key("a").inputs());
  CHECK(entry->details["made for"] == "a");
  CHECK_FALSE(entry->in_use);
  CHECK(entry->users.empty());
}

TEST_CASE("the list tells who uses what") {
  TestStore test;
  HelperProcess user(test.directory.path()), builder(test.directory.path());
  REQUIRE(user.receive() == "ready");
  REQUIRE(builder.receive() == "ready");
  test.build("a");
  REQUIRE(user.ask("lease a") == "leased 1");
  REQUIRE(builder.ask("begin b") == "building 1");
  REQUIRE(user.ask("mirror-lock url.git") == "locked");
  write(test.store.path() / "git-v1/url.git/HEAD", "ref: refs/heads/main\n");
  write(test.store.path() / "git-v1/idle.git/HEAD", "ref: refs/heads/main\n");
  const fs::path work = user.ask("work").substr(5);
  const auto entries = list(test.store);

  const auto leased = find(entries, Bucket::env, key("a").hex());
  REQUIRE(leased);
  CHECK(leased->in_use);
  CHECK(leased->state == State::ready);
  CHECK(leased->users == std::vector{user.pid()});
  const auto building = find(entries, Bucket::env, key("b").hex());
  REQUIRE(building);
  CHECK(building->in_use);
  CHECK(building->state == State::building);
  CHECK(building->users == std::vector{builder.pid()});
  CHECK(find(entries, Bucket::git, "url.git")->users == std::vector{user.pid()});
  CHECK_FALSE(find(entries, Bucket::git, "idle.git")->in_use);
  const auto engine = find(entries, Bucket::work, work.parent_path().filename().string());
  REQUIRE(engine);
  CHECK(engine->in_use);
}

TEST_CASE("the list knows the other buckets, and rubbish") {
  TestStore test;
  const Lease old = test.build("a");
  test.build("a", WhenReady::rebuild);
  test.build_wheel("w");
  test.store.write_record(Bucket::refs, "main.json", "{}");
  test.store.write_record(Bucket::verdict, "v.json", "{}");
  test.store.write_record(Bucket::schema, "s.cbor", "xxx");
  write(test.store.path() / "refs-v1/.0123.tmp", "half");
  write(test.environment("b") / "1/file", "left by a kill");
  const auto entries = list(test.store);
  CHECK(find(entries, Bucket::env, key("a").hex(), 1)->state == State::superseded);
  CHECK(find(entries, Bucket::env, key("a").hex(), 2)->state == State::ready);
  CHECK(find(entries, Bucket::env, key("b").hex(), 1)->state == State::rubbish);
  CHECK(find(entries, Bucket::env, key("b").hex(), 1)->bytes == 14);
  CHECK(find(entries, Bucket::wheel, key("w").hex())->details["made for"] == "w");
  CHECK(find(entries, Bucket::refs, "main.json")->bytes == 2);
  CHECK(find(entries, Bucket::refs, ".0123.tmp")->state == State::rubbish);
  CHECK(find(entries, Bucket::schema, "s.cbor")->bytes == 3);
  CHECK(find(entries, Bucket::verdict, "v.json"));
}

TEST_CASE("the holders of locks are read from the kernel's table") {
  const cache::internal::LockTable table(
      "1: POSIX  ADVISORY  WRITE 100 fe:00:5 0 EOF\n"
      "2: FLOCK  ADVISORY  READ 300 fe:00:5 0 EOF\n"
      "3: FLOCK  ADVISORY  READ 200 fe:00:5 0 EOF\n"
      "3: -> FLOCK  ADVISORY  WRITE 400 fe:00:5 0 EOF\n"
      "4: FLOCK  ADVISORY  WRITE 0 fe:00:5 0 EOF\n"
      "5: FLOCK  ADVISORY  WRITE 500 fe:01:5 0 EOF\n"
      "nonsense\n");
  CHECK(table.holders(makedev(0xfe, 0), 5) == std::vector<pid_t>{200, 300});
  CHECK(table.holders(makedev(0xfe, 0), 6).empty());
}

TEST_CASE("what is chosen for removal") {
  const WallTime now{std::chrono::hours(24 * 365 * 50)};
  const auto entry = [&](std::string name, Bucket bucket, std::chrono::hours age, std::uint64_t bytes,
                         State state = State::ready, bool in_use = false) {
    Entry result;
    result.name = std::move(name);
    result.bucket = bucket;
    result.last_used = now - age;
    result.bytes = bytes;
    result.state = state;
    result.in_use = in_use;
    return result;
  };
  const std::vector<Entry> entries = {
      entry("new", Bucket::env, 1h, 10),
      entry("old", Bucket::env, 100h, 10),
      entry("oldest-used", Bucket::env, 300h, 10, State::ready, true),
      entry("wheel", Bucket::wheel, 200h, 10),
      entry("mirror", Bucket::git, 50h, 10),
      entry("record", Bucket::refs, 150h, 1),
      entry("rubbish", Bucket::env, 1h, 10, State::rubbish),
      entry("superseded", Bucket::env, 1h, 10, State::superseded),
      entry("superseded-used", Bucket::env, 1h, 10, State::superseded, true),
      entry("building", Bucket::env, 999h, 10, State::building, true),
      entry("half-young", Bucket::refs, 0h, 1, State::rubbish),
      entry("half-old", Bucket::refs, 2h, 1, State::rubbish),
      entry("young-mirror", Bucket::git, 0h, 0, State::rubbish),
      entry("dead-mirror", Bucket::git, 2h, 0, State::rubbish),
      entry("engine", Bucket::work, 999h, 10, State::ready, true),
      entry("dead-engine", Bucket::work, 1h, 10, State::rubbish),
  };
  struct Row {
    std::string what;
    PruneOptions options;
    std::string remove, in_use;
  };
  const std::string rubbish = "rubbish superseded half-old dead-mirror dead-engine";
  const Row rows[] = {
      {"nothing but rubbish", {}, rubbish, "superseded-used"},
      {"by age", {.max_age = 120h}, rubbish + " wheel record", "superseded-used oldest-used"},
      {"an age that nothing has", {.max_age = 1000h}, rubbish, "superseded-used"},
      // 90 bytes count, 20 of them are rubbish.
      {"a size that is not reached", {.max_bytes = 70}, rubbish, "superseded-used"},
      {"a size a little below", {.max_bytes = 69}, rubbish + " wheel", "superseded-used oldest-used"},
      {"half", {.max_bytes = 45}, rubbish + " wheel old mirror", "superseded-used oldest-used"},
      {"none", {.max_bytes = 0}, rubbish + " wheel old mirror new", "superseded-used oldest-used"},
      {"both", {.max_bytes = 45, .max_age = 90h}, rubbish + " wheel record old mirror", "superseded-used oldest-used"},
  };
  const auto text = [&](const std::vector<std::size_t>& indexes) {
    std::string result;
    for (const std::size_t index : indexes) result += (result.empty() ? "" : " ") + entries[index].name;
    return result;
  };
  for (const Row& row : rows) {
    INFO(row.what);
    const auto choice = cache::internal::choose(entries, row.options, now);
    CHECK(text(choice.remove) == row.remove);
    CHECK(text(choice.in_use) == row.in_use);
  }
  const auto all = cache::internal::choose_all(entries, now);
  CHECK(text(all.in_use) == "oldest-used superseded-used building engine");
  CHECK(text(all.remove) == "new old wheel mirror record rubbish superseded half-old dead-mirror dead-engine");
}

TEST_CASE("prune by age never touches what is leased or being built") {
  TestStore test;
  HelperProcess user(test.directory.path()), builder(test.directory.path());
  REQUIRE(user.receive() == "ready");
  REQUIRE(builder.receive() == "ready");
  test.build("leased");
  test.build("idle");
  test.build("recent");
  test.build_wheel("idle");
  const Lease wheel = test.build_wheel("leased");
  REQUIRE(user.ask("lease leased") == "leased 1");
  REQUIRE(builder.ask("begin built") == "building 1");
  // The helper's clock is the machine's; here it has been long ago.
  for (const char* name : {"leased", "idle"}) {
    const timespec old[2] = {{0, 0}, {1'000'000, 0}};
    REQUIRE(utimensat(AT_FDCWD, (test.environment(name) / "1/lease").c_str(), old, 0) == 0);
  }
  test.clock.advance(24h);
  test.store.lease(key("recent"));
  const PruneOptions dry{.max_age = 12h, .dry_run = true};
  const std::vector<std::string> expected = {environment_name("idle"), wheel_name("idle")};
  CHECK(names(prune(test.store, dry, {}).removed) == expected);
  CHECK(fs::exists(test.environment("idle")));

  const PruneReport report = prune(test.store, {.max_age = 12h}, {});
  CHECK(names(report.removed) == expected);
  CHECK(report.bytes_freed == 5029 + 13);
  CHECK(names(report.in_use) == std::vector{environment_name("leased"), wheel_name("leased")});
  CHECK_FALSE(fs::exists(test.environment("idle")));
  CHECK_FALSE(fs::exists(test.store.path() / ("lock-v1/env-" + key("idle").hex())));
  CHECK(fs::exists(test.environment("recent") / "1/ready.json"));
  CHECK(fs::exists(test.environment("built") / "1"));
  CHECK(test.store.statistics().evicted == 2);
  CHECK(builder.ask("publish") == "built 1");
  CHECK(test.store.lease(key("leased")));
}

TEST_CASE("prune by size takes what was used least recently") {
  TestStore test;
  for (const char* name : {"one", "two", "three"}) {
    test.build(name);
    test.clock.advance(1h);
  }
  test.store.lease(key("one"));
  const PruneReport report = prune(test.store, {.max_bytes = 2 * 5029}, {});
  CHECK(names(report.removed) == std::vector{environment_name("two")});
  CHECK(report.bytes_left == 2 * 5029);
}

TEST_CASE("prune sweeps rubbish, and the locks of what is no more") {
  TestStore test;
  write(test.environment("killed") / "3/file", "x");
  write(test.store.path() / ("lock-v1/env-" + key("killed").hex()), "");
  write(test.store.path() / ("lock-v1/env-" + key("never").hex()), "");
  write(test.store.path() / "wheel-v1/retired-0123/file", "x");
  test.build("a");
  const PruneReport report = prune(test.store, {}, {});
  CHECK(report.removed.size() == 2);
  CHECK(test.store.statistics().swept == 2);
  CHECK(fs::is_empty(test.store.path() / "wheel-v1"));
  std::vector<std::string> left;
  for (const auto& file : fs::directory_iterator(test.store.path() / "lock-v1")) left.push_back(file.path().filename());
  CHECK(left == std::vector{"env-" + key("a").hex()});
}

TEST_CASE("a mirror goes only when its lock is free") {
  TestStore test;
  write(test.store.path() / "git-v1/a.git/HEAD", "x");
  write(test.store.path() / "git-v1/b.git/HEAD", "x");
  const auto lock = os::FileLock::try_lock(test.store.lock_file(Bucket::git, "a.git"), os::LockMode::shared);
  REQUIRE(lock);
  const PruneReport report = clear(test.store, {});
  CHECK(fs::exists(test.store.path() / "git-v1/a.git/HEAD"));
  CHECK_FALSE(fs::exists(test.store.path() / "git-v1/b.git"));
  CHECK(names(report.in_use).front() == "git a.git 0");
}

TEST_CASE("a mirror that is about to get its name is left alone") {
  TestStore test;
  const fs::path staging = test.store.path() / "git-v1/.staging-0123";
  write(staging / "HEAD", "x");
  CHECK(prune(test.store, {.max_bytes = 0, .max_age = 0s}, {}).removed.empty());
  CHECK(clear(test.store, {}).removed.empty());
  CHECK(fs::exists(staging / "HEAD"));
  const timespec long_ago[2] = {{1'000'000, 0}, {1'000'000, 0}};
  REQUIRE(::utimensat(AT_FDCWD, staging.c_str(), long_ago, 0) == 0);
  CHECK(prune(test.store, {}, {}).removed.size() == 1);
  CHECK_FALSE(fs::exists(staging));
}

TEST_CASE("clear leaves only what is in use") {
  TestStore test;
  test.build("a");
  const Lease lease = test.build("b");
  test.build_wheel("w");
  test.store.write_record(Bucket::refs, "main.json", "{}");
  test.store.write_record(Bucket::schema, "s.cbor", "{}");
  const PruneReport report = clear(test.store, {});
  CHECK(report.removed.size() == 4);
  CHECK(names(list(test.store)) == names(report.in_use));
  CHECK_FALSE(test.store.read_record(Bucket::refs, "main.json"));
  CHECK(test.store.lease(key("b")));
  CHECK_FALSE(test.store.lease(key("a")));
}

TEST_CASE("the collector is cancelled") {
  TestStore test;
  test.build("a");
  CancelSource source;
  source.cancel();
  CHECK_THROWS(clear(test.store, source.token()));
  CHECK_THROWS(verify(test.store, OnDamageFound::report, source.token()));
  CHECK(test.store.lease(key("a")));
}

TEST_CASE("verify finds a changed byte") {
  struct Row {
    std::string path;
    std::vector<std::string> found;
  };
  // Of the same size, so that no lease would notice.
  const auto change = [](const fs::path& path) {
    std::string text = read(path);
    text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 1);
    write(path, text);
  };
  const Row rows[] = {
      {"lib/package/data", {"lib/package/data"}},
      {"bin/tool", {"bin/tool"}},
      {"hashes.json", {"hashes.json"}},
      {"ready.json", {"ready.json"}},
  };
  for (const Row& row : rows) {
    INFO(row.path);
    TestStore test;
    test.build("a");
    test.build("b");
    CHECK(verify(test.store, OnDamageFound::report, {}).empty());
    change(test.environment("a") / "1" / row.path);
    const auto damages = verify(test.store, OnDamageFound::report, {});
    REQUIRE(damages.size() == 1);
    CHECK(damages[0].entry.name == key("a").hex());
    CHECK(damages[0].paths == row.found);
  }
}

TEST_CASE("verify finds what a lease would find, in wheels too") {
  TestStore test;
  test.build("a");
  test.build_wheel("w");
  fs::remove(test.environment("a") / "1/lib/package/data");
  fs::remove(test.environment("a") / "1/bin/link");
  write(test.store.path() / "wheel-v1" / key("w").hex() / "thing-1.0.whl", "wheel of W");
  const auto damages = verify(test.store, OnDamageFound::report, {});
  REQUIRE(damages.size() == 2);
  CHECK(damages[0].paths == std::vector<std::string>{"thing-1.0.whl"});
  CHECK(damages[1].paths == std::vector<std::string>{"bin/link", "lib/package/data"});
}

TEST_CASE("what verify retires is made again") {
  TestStore test;
  test.build("a");
  write(test.environment("a") / "1/bin/tool", "#!/bin/rm\n");
  CHECK(test.store.lease(key("a")));
  CHECK(verify(test.store, OnDamageFound::retire, {}).size() == 1);
  CHECK_FALSE(test.store.lease(key("a")));
  CHECK(test.build("a", WhenReady::use).generation() == 2);
}
