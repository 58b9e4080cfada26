// Pruning without being asked.
#include "cache/upkeep.hpp"

#include "support/catch.hpp"
#include "test_store.hpp"

using namespace venvoy;
using namespace venvoy::cache;
using namespace venvoy::test;
using namespace std::chrono_literals;

namespace {

constexpr PruneOptions a_day = {.max_bytes = {}, .max_age = std::chrono::hours(24)};

}  // namespace

TEST_CASE("a store is pruned by itself, but not more often than it needs") {
  TestStore test;
  test.build("a");
  keep_up(test.store, a_day, {});
  test.clock.advance(48h);
  test.build("b");
  keep_up(test.store, a_day, {});
  CHECK_FALSE(test.store.lease(key("a")));
  CHECK(test.store.lease(key("b")));
  CHECK(test.store.statistics().evicted == 1);
  test.clock.advance(25h);
  {
    const Lease leased = test.store.lease(key("b")).value();
    test.build("c");
    test.clock.advance(48h);
    keep_up(test.store, a_day, {});
    CHECK(fs::exists(leased.path() / "bin/tool"));
    CHECK(test.store.statistics().evicted == 2);
  }
  // Used a moment ago: when its lease ended.
  test.build("d");
  test.clock.advance(upkeep_interval - 1min);
  keep_up(test.store, {.max_bytes = 1, .max_age = {}}, {});
  CHECK(test.store.lease(key("d")));
  test.clock.advance(1min);
  keep_up(test.store, {.max_bytes = 1, .max_age = {}}, {});
  CHECK_FALSE(test.store.lease(key("d")));
  CHECK_FALSE(test.store.lease(key("b")));
}

TEST_CASE("a new store is left alone") {
  TestStore test;
  test.build("a");
  test.clock.advance(24h * 100);
  keep_up(test.store, a_day, {});
  CHECK(test.store.lease(key("a")));
}

TEST_CASE("an upkeep that is cancelled removes something, and the next one goes on") {
  TestStore test;
  keep_up(test.store, a_day, {});
  for (const char* name : {"a", "b", "c"}) test.build(name);
  test.clock.advance(48h);
  CancelSource cancelled;
  cancelled.cancel();
  for (std::uint64_t round = 1; round <= 3; ++round) {
    keep_up(test.store, a_day, cancelled.token());
    CHECK(test.store.statistics().evicted == round);
  }
}

TEST_CASE("a time of the last upkeep that lies in the future does not keep the store from being pruned") {
  TestStore test;
  test.clock.advance(24h * 100);
  keep_up(test.store, a_day, {});
  test.clock.advance(-24h * 50);
  test.build("a");
  test.clock.advance(24h * 2);
  keep_up(test.store, a_day, {});
  CHECK_FALSE(test.store.lease(key("a")));
}
