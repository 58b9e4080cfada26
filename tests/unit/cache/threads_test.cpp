// Two handles of one store, or two stores, in many threads.
#include <atomic>
#include <thread>

#include "base/error.hpp"
#include "cache/collect.hpp"
#include "cache/internal/parallel.hpp"
#include "support/catch.hpp"
#include "test_store.hpp"

using namespace venvoy;
using namespace venvoy::cache;
using namespace venvoy::test;

TEST_CASE("threads of two stores build once") {
  const TestStore test;
  const Store other = test.open();
  std::atomic<int> leased = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&, i] {
        const Store& store = i % 2 ? test.store : other;
        auto result = store.lease_or_build(key("a"), WhenReady::use, {});
        if (auto* building = std::get_if<Building>(&result)) {
          fill(building->path());
          static_cast<void>(building->publish({}));
        } else {
          ++leased;
        }
      });
  }
  CHECK(leased == 7);
  CHECK(test.store.statistics().builds + other.statistics().builds == 1);
}

TEST_CASE("threads lease, rebuild, look and collect at once") {
  const TestStore test;
  const Store other = test.open();
  test.build("a");
  std::atomic<int> absent = 0, unknown = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i)
      threads.emplace_back([&, i] {
        for (int round = 0; round < 60; ++round) {
          const auto lease = (i % 2 ? test.store : other).lease(key("a"));
          if (!lease || !fs::exists(lease->path() / "bin/tool")) ++absent;
          const WorkDir work = other.make_work_dir();
        }
      });
    threads.emplace_back([&] {
      for (int round = 0; round < 10; ++round) test.build("a", WhenReady::rebuild);
    });
    threads.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        for (const Entry& entry : list(other))
          unknown += entry.state == Entry::State::ready && entry.bytes == 0 && entry.bucket == Bucket::env;
        prune(other, {}, {});
      }
    });
  }
  CHECK(absent == 0);
  CHECK(unknown == 0);
  prune(test.store, {}, {});
  CHECK(std::distance(fs::directory_iterator(test.environment("a")), {}) == 1);
}

TEST_CASE("builders and those who remove what they build do not trip over each other") {
  const FastTestStore test;
  const Store other = test.open();
  std::atomic<int> failures = 0;
  const auto repeat = [&](auto work) {
    return std::jthread([&failures, &test, work] {
      // On a busy machine the first thread may be through before another begins.
      for (int round = 0; round < 100 || test.store.statistics().builds < 2; ++round) try {
          work();
        } catch (const Error&) {
          ++failures;
        }
    });
  };
  {
    const auto build = [&] {
      auto result = test.store.lease_or_build(key("a"), WhenReady::use, {});
      if (auto* building = std::get_if<Building>(&result)) {
        write(building->path() / "file", "x");
        static_cast<void>(building->publish({}));
      }
    };
    const std::jthread threads[] = {repeat(build), repeat(build), repeat([&] { other.retire(key("a")); }),
                                    repeat([&] { clear(other, {}); })};
  }
  CHECK(failures == 0);
}

TEST_CASE("work is spread over threads, each item once") {
  std::vector<std::atomic<int>> seen(1000);
  cache::internal::for_each_index(seen.size(), {}, [&](std::size_t i) { ++seen[i]; });
  for (const auto& count : seen) CHECK(count == 1);
  CHECK_THROWS_AS(cache::internal::for_each_index(1000, {},
                                                  [](std::size_t i) {
                                                    if (i == 500) throw Error(ErrorCode::io, "no");
                                                  }),
                  Error);
  CancelSource source;
  source.cancel();
  CHECK_THROWS_AS(cache::internal::for_each_index(1, source.token(), [](std::size_t) {}), Error);
}
