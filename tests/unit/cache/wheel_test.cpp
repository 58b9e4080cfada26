#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cache/collect.hpp"
#include "support/catch.hpp"
#include "test_store.hpp"

using namespace venvoy;
using namespace venvoy::cache;
using namespace venvoy::test;

TEST_CASE("a wheel appears whole") {
  const TestStore test;
  CHECK_FALSE(test.store.lease_wheel(key("a")));
  {
    Staging staging = test.store.stage_wheel(key("a"), {});
    write(staging.path() / "thing.whl", "zip");
    CHECK_FALSE(test.store.lease_wheel(key("a")));
    const Lease lease = staging.publish({.details = {{"file", "thing.whl"}}});
    CHECK(lease.path() == test.store.path() / "wheel-v1" / key("a").hex());
    CHECK(lease.generation() == 0);
  }
  const auto lease = test.store.lease_wheel(key("a"));
  REQUIRE(lease);
  CHECK(read(lease->path() / "thing.whl") == "zip");
  CHECK(lease->details() == nlohmann::json{{"file", "thing.whl"}});
  CHECK(test.store.statistics().builds == 1);
}

TEST_CASE("tools are kept as wheels are, beside them") {
  TestStore test;
  test.build_wheel("a");
  CHECK_FALSE(test.store.lease_tool(key("a")));
  {
    Staging staging = test.store.stage_tool(key("a"), {});
    // So many that they are not flushed one by one.
    for (int i = 0; i < 100; ++i) write(staging.path() / fmt::format("tool/{}.py", i), "code");
    const Lease lease = staging.publish({});
    CHECK(lease.path() == test.store.path() / "tool-v1" / key("a").hex());
    CHECK(prune(test.store, {.max_bytes = 0}, {}).removed.size() == 1);  // the wheel
  }
  fs::remove(test.store.path() / "tool-v1" / key("a").hex() / "tool/7.py");
  CHECK(find_gaps(list(test.store), {}).size() == 1);
  CHECK_FALSE(test.store.lease_tool(key("a")));
  write(test.store.stage_tool(key("a"), {}).path() / "never", "published");
  CHECK(prune(test.store, {.max_bytes = 0}, {}).removed.size() == 1);
  CHECK(fs::is_empty(test.store.path() / "tool-v1"));
}

TEST_CASE("a wheel that is not published leaves nothing") {
  const TestStore test;
  { write(test.store.stage_wheel(key("a"), {}).path() / "thing.whl", "zip"); }
  CHECK(fs::is_empty(test.store.path() / "wheel-v1"));
  CHECK_FALSE(test.store.lease_wheel(key("a")));
}

TEST_CASE("the second of two who build one wheel gets the first one's") {
  const TestStore test;
  Staging one = test.store.stage_wheel(key("a"), {});
  Staging two = test.store.stage_wheel(key("a"), {});
  write(one.path() / "one.whl", "1");
  write(two.path() / "two.whl", "2");
  const fs::path aside = two.path();
  const Lease first = one.publish({});
  const Lease second = two.publish({});
  CHECK(first.path() == second.path());
  CHECK(fs::exists(second.path() / "one.whl"));
  CHECK_FALSE(fs::exists(aside));
  CHECK(test.store.statistics().builds == 1);
}

TEST_CASE("a damaged wheel is replaced") {
  const TestStore test;
  test.build_wheel("a");
  const fs::path path = test.store.path() / "wheel-v1" / key("a").hex();
  SECTION("a file is gone") {
    fs::remove(path / "thing-1.0.whl");
  }
  SECTION("it was being removed") {
    fs::remove(path / "ready.json");
  }
  SECTION("something else is there") {
    fs::remove_all(path);
    write(path, "a file");
  }
  CHECK_FALSE(test.store.lease_wheel(key("a")));
  CHECK_FALSE(test.store.lease_wheel(key("a")));
  test.build_wheel("a");
  CHECK(read(path / "thing-1.0.whl") == "wheel of a");
  CHECK(test.store.lease_wheel(key("a")));
}

TEST_CASE("a damaged wheel that is used is set aside until its user has gone") {
  const TestStore test;
  std::optional<Lease> user = test.build_wheel("a");
  fs::remove(user->path() / "thing-1.0.whl");
  const auto count = [&] { return std::distance(fs::directory_iterator(test.store.path() / "wheel-v1"), {}); };
  test.build_wheel("a");
  CHECK(count() == 2);
  CHECK(test.store.lease_wheel(key("a")));
  user.reset();
  test.build_wheel("b");
  CHECK(count() == 2);  // a and b: the retired one is gone
}
