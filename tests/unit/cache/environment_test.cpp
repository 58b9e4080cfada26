// Environments within one process.
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "cache/internal/ready_file.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"
#include "test_store.hpp"

using namespace venvoy;
using namespace venvoy::cache;
using namespace venvoy::test;

TEST_CASE("what is built once is leased from then on") {
  const TestStore test;
  CHECK_FALSE(test.store.lease(key("a")));
  {
    auto result = test.store.lease_or_build(key("a"), WhenReady::use, {});
    REQUIRE(std::holds_alternative<Building>(result));
    Building building = std::move(std::get<Building>(result));
    CHECK(building.path() == test.environment("a") / "1");
    CHECK_FALSE(test.store.lease(key("a")));
    fill(building.path());
    const Lease lease = building.publish({.details = {{"python", "3.11"}}});
    CHECK(lease.path() == test.environment("a") / "1");
  }
  auto result = test.store.lease_or_build(key("a"), WhenReady::use, {});
  REQUIRE(std::holds_alternative<Lease>(result));
  const Lease& lease = std::get<Lease>(result);
  CHECK(lease.path() == test.environment("a") / "1");
  CHECK(lease.generation() == 1);
  CHECK(lease.key() == key("a").hex());
  CHECK(lease.details() == nlohmann::json{{"python", "3.11"}});
  CHECK(test.store.lease(key("a")));
  CHECK_FALSE(test.store.lease(key("b")));
  const Statistics statistics = test.store.statistics();
  CHECK(statistics.builds == 1);
  CHECK(statistics.hits == 2);
  CHECK(statistics.misses == 4);
}

TEST_CASE("ready.json tells everything in clear") {
  const TestStore test;
  auto result =
      test.store.lease_or_build(KeyBuilder{}.add("url", "https://example.org/\xFF").finish(), WhenReady::use, {});
  Building& building = std::get<Building>(result);
  fill(building.path());
  write(building.path() /
            "lib/gr\xC3\xB6\xC3\x9F"
            "e\xFF%",
        "bytes");
  const Lease lease = building.publish({.details = {{"resolution", "asOfCommit"}, {"bad", "\xFF"}}});
  auto ready = nlohmann::json::parse(read(lease.path() / "ready.json"));
  struct stat status;
  REQUIRE(stat((lease.path() / "lease").c_str(), &status) == 0);
  CHECK(ready["lease"] == status.st_ino);
  // Of this machine only.
  ready["lease"] = 0;
  ready["seal"] = "";
  CHECK_GOLDEN("cache/ready.json", ready.dump(1) + "\n");
  CHECK_GOLDEN("cache/hashes.json", read(lease.path() / "hashes.json"));
}

TEST_CASE("a build that is not published leaves nothing") {
  const TestStore test;
  {
    auto result = test.store.lease_or_build(key("a"), WhenReady::use, {});
    fill(std::get<Building>(result).path());
  }
  CHECK(fs::is_empty(test.store.path() / "env-v1"));
  CHECK(test.would_build("a"));
}

TEST_CASE("a lease misses what is gone or changed, and the next build makes it again") {
  struct Row {
    std::string what;
    void (*bite)(const fs::path&);
  };
  const Row rows[] = {
      {"a file is removed", [](const fs::path& at) { fs::remove(at / "lib/package/module.py"); }},
      {"a file is truncated", [](const fs::path& at) { fs::resize_file(at / "lib/package/data", 4999); }},
      {"a file has grown", [](const fs::path& at) { fs::resize_file(at / "lib/package/data", 5001); }},
      {"a file is a directory now",
       [](const fs::path& at) {
         fs::remove(at / "bin/tool");
         fs::create_directory(at / "bin/tool");
       }},
      {"a file is a link now",
       [](const fs::path& at) {
         fs::rename(at / "bin/tool", at / "bin/other");
         fs::create_symlink("other", at / "bin/tool");
       }},
      {"a link is removed", [](const fs::path& at) { fs::remove(at / "bin/link"); }},
      {"a link points elsewhere",
       [](const fs::path& at) {
         fs::remove(at / "bin/link");
         fs::create_symlink("true", at / "bin/link");
       }},
      {"a link is a file now",
       [](const fs::path& at) {
         fs::remove(at / "bin/link");
         write(at / "bin/link", "tool");
       }},
      {"a folder is removed", [](const fs::path& at) { fs::remove_all(at / "lib"); }},
      {"the lease file is removed", [](const fs::path& at) { fs::remove(at / "lease"); }},
      {"the lease file is replaced",
       [](const fs::path& at) {
         write(at / "new", "");
         fs::rename(at / "new", at / "lease");
       }},
      {"ready.json is removed", [](const fs::path& at) { fs::remove(at / "ready.json"); }},
      {"ready.json is empty", [](const fs::path& at) { fs::resize_file(at / "ready.json", 0); }},
      {"ready.json is torn", [](const fs::path& at) { fs::resize_file(at / "ready.json", 100); }},
      {"ready.json is another's", [](const fs::path& at) { write(at / "ready.json", R"({"layout":1,"files":{}})"); }},
      {"ready.json is of another key",
       [](const fs::path& at) {
         std::string text = read(at / "ready.json");
         text.replace(text.find(key("a").hex()), 64, key("b").hex());
         write(at / "ready.json", text);
       }},
      {"everything is removed", [](const fs::path& at) { fs::remove_all(at); }},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    const TestStore test;
    test.build("a");
    REQUIRE(test.store.lease(key("a")));
    row.bite(test.environment("a") / "1");
    CHECK_FALSE(test.store.lease(key("a")));
    const Lease again = test.build("a", WhenReady::use);
    CHECK(fs::exists(again.path() / "lib/package/module.py"));
    CHECK(test.store.lease(key("a"))->path() == again.path());
    // Nothing is left of the old one.
    CHECK(std::distance(fs::directory_iterator(test.environment("a")), {}) == 1);
  }
}

TEST_CASE("files that came later are nobody's business") {
  const TestStore test;
  test.build("a");
  write(test.environment("a") / "1/lib/package/__pycache__/module.pyc", "x");
  CHECK(test.store.lease(key("a")));
}

TEST_CASE("a damaged environment stays while it is used") {
  const TestStore test;
  std::optional<Lease> user = test.build("a");
  const fs::path old = user->path();
  fs::remove(old / "bin/tool");
  fs::remove(old / "lease");  // the cleaner is thorough
  CHECK_FALSE(test.store.lease(key("a")));
  CHECK(test.store.statistics().gaps == 1);
  const Lease fresh = test.build("a", WhenReady::use);
  CHECK(fresh.path() != old);
  CHECK(fs::exists(old / "lib/package/module.py"));
  user.reset();
  CHECK_FALSE(fs::exists(old));
  CHECK(fs::exists(fresh.path() / "bin/tool"));
}

TEST_CASE("Always builds beside the old one, which goes with its last user") {
  const TestStore test;
  std::optional<Lease> first = test.build("a");
  std::optional<Lease> second = test.store.lease(key("a"));
  const Lease fresh = test.build("a", WhenReady::rebuild);
  CHECK(fresh.generation() == 2);
  CHECK(test.store.lease(key("a"))->generation() == 2);
  first.reset();
  CHECK(fs::exists(test.environment("a") / "1/ready.json"));
  second.reset();
  CHECK_FALSE(fs::exists(test.environment("a") / "1"));
  CHECK(test.store.statistics().swept == 1);
  CHECK(test.store.lease(key("a"))->generation() == 2);
}

TEST_CASE("Always removes an old one that nobody uses at once") {
  const TestStore test;
  test.build("a");
  const Lease fresh = test.build("a", WhenReady::rebuild);
  CHECK(std::distance(fs::directory_iterator(test.environment("a")), {}) == 1);
  CHECK(fs::exists(test.environment("a") / "2/ready.json"));
}

TEST_CASE("the old one is still there while the new one is built, and when that fails") {
  const TestStore test;
  test.build("a");
  {
    auto result = test.store.lease_or_build(key("a"), WhenReady::rebuild, {});
    CHECK(std::get<Building>(result).generation() == 2);
    CHECK(test.store.lease(key("a"))->generation() == 1);
  }
  CHECK(test.store.lease(key("a"))->generation() == 1);
}

TEST_CASE("when the newest is damaged, an older one that is still there does") {
  const TestStore test;
  const Lease user = test.build("a");
  test.build("a", WhenReady::rebuild);
  fs::remove(test.environment("a") / "2/bin/tool");
  CHECK(test.store.lease(key("a"))->generation() == 1);
  CHECK_FALSE(test.would_build("a"));
}

TEST_CASE("a path that was used gets no other content") {
  const TestStore test;
  const fs::path old = test.build("a").path();
  fs::remove(old / "bin/tool");
  CHECK(test.build("a", WhenReady::use).path() != old);
}

TEST_CASE("a build whose directory is removed meanwhile is not published") {
  const TestStore test;
  auto result = test.store.lease_or_build(key("a"), WhenReady::use, {});
  Building& building = std::get<Building>(result);
  fill(building.path());
  SECTION("its lease file") {
    fs::remove(building.path() / "lease");
  }
  SECTION("and made again") {
    fs::remove_all(building.path());
    fill(building.path());
  }
  try {
    static_cast<void>(building.publish({}));
    FAIL("published");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::environment);
    CHECK_FALSE(error.hint().empty());
  }
}

TEST_CASE("publishing is cancelled") {
  const TestStore test;
  CancelSource source;
  {
    auto result = test.store.lease_or_build(key("a"), WhenReady::use, source.token());
    Building& building = std::get<Building>(result);
    fill(building.path());
    source.cancel();
    CHECK_THROWS_AS(building.publish({}), Error);
  }
  CHECK(test.would_build("a"));
}

TEST_CASE("waiting for a builder is cancelled") {
  const TestStore test;
  const auto first = test.store.lease_or_build(key("a"), WhenReady::use, {});
  CancelSource source;
  source.cancel();
  CHECK_THROWS_AS(test.store.lease_or_build(key("a"), WhenReady::use, source.token()), Error);
  CHECK(test.store.statistics().waits == 1);
}

TEST_CASE("who does not want to wait asks again") {
  const TestStore test;
  {
    const auto builder = test.store.lease_or_build(key("a"), WhenReady::use, {});
    CHECK_FALSE(test.store.try_lease_or_build(key("a"), WhenReady::use, 0, {}));
    CHECK_FALSE(test.store.try_lease_or_build(key("a"), WhenReady::use, 1, {}));
    CHECK(test.store.statistics().waits == 1);
    CHECK(test.store.statistics().misses == 2);
  }
  {
    auto result = test.store.try_lease_or_build(key("a"), WhenReady::use, 2, {});
    REQUIRE(result);
    REQUIRE(std::holds_alternative<Building>(*result));
    fill(std::get<Building>(*result).path());
    static_cast<void>(std::get<Building>(*result).publish({}));
  }
  const auto again = test.store.try_lease_or_build(key("a"), WhenReady::use, 0, {});
  REQUIRE(again);
  CHECK(std::holds_alternative<Lease>(*again));
  CHECK(std::holds_alternative<Building>(*test.store.try_lease_or_build(key("a"), WhenReady::rebuild, 0, {})));
}

TEST_CASE("what is retired is absent, and goes with its last user") {
  const TestStore test;
  std::optional<Lease> old = test.build("a"), user = test.build("a", WhenReady::rebuild);
  test.build("b");
  test.store.retire(key("a"));
  test.store.retire(key("b"));
  test.store.retire(key("never"));
  CHECK_FALSE(test.store.lease(key("a")));
  CHECK_FALSE(fs::exists(test.environment("b")));
  CHECK(fs::exists(user->path() / "bin/tool"));
  user.reset();
  old.reset();
  CHECK_FALSE(fs::exists(test.environment("a")));
  CHECK(test.build("a", WhenReady::use).generation() == 1);
}

TEST_CASE("leases and builders can be moved") {
  const TestStore test;
  Lease one = test.build("a");
  Lease two = test.build("b");
  one = std::move(two);
  CHECK(one.path() == test.environment("b") / "1");
  auto first = test.store.lease_or_build(key("c"), WhenReady::use, {});
  auto second = test.store.lease_or_build(key("d"), WhenReady::use, {});
  std::get<Building>(first) = std::move(std::get<Building>(second));
  CHECK_FALSE(fs::exists(test.environment("c")));
  CHECK(std::get<Building>(first).path() == test.environment("d") / "1");
}

TEST_CASE("a lease outlives its store") {
  const TemporaryDir directory;
  std::optional<Lease> lease;
  {
    const Store store = Store::open({.workdir = directory.path(), .uid = geteuid()});
    auto result = store.lease_or_build(key("a"), WhenReady::use, {});
    lease = std::get<Building>(result).publish({});
  }
  CHECK(fs::exists(lease->path() / "ready.json"));
}

TEST_CASE("foreign texts are no ready.json") {
  using cache::internal::parse_ready;
  const TestStore test;
  const Lease lease = test.build("a");
  const std::string good = read(lease.path() / "ready.json");
  REQUIRE(parse_ready(good));
  const auto whole = nlohmann::json::parse(good);
  for (const auto& [name, value] : whole.items()) {
    if (name == "details") continue;
    INFO(name);
    auto without = whole;
    without.erase(name);
    CHECK_FALSE(parse_ready(without.dump()));
    without[name] = nullptr;
    CHECK_FALSE(parse_ready(without.dump()));
  }
  auto bad_folder = whole;
  bad_folder["files"]["lib"] = 3;
  CHECK_FALSE(parse_ready(bad_folder.dump()));
  for (const char* text : {"", "[]", "{", "null", "\xFF"}) CHECK_FALSE(parse_ready(text));
}
