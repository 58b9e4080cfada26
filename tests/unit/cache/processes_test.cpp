// Several processes on one store. Counters and what is on disk are judged, never time.
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <sys/file.h>
#include <thread>

#include "cache/collect.hpp"
#include "helper_process.hpp"
#include "support/catch.hpp"
#include "test_store.hpp"

using namespace venvoy;
using namespace venvoy::cache;
using namespace venvoy::test;

namespace {

using Helpers = std::vector<std::unique_ptr<HelperProcess>>;

template <class Store>
Helpers start(const Store& test, int count) {
  Helpers helpers;
  for (int i = 0; i < count; ++i) helpers.push_back(std::make_unique<HelperProcess>(test.directory.path()));
  for (auto& helper : helpers) REQUIRE(helper->receive() == "ready");
  return helpers;
}

struct Counts {
  int hits = 0, misses = 0, builds = 0, waits = 0, swept = 0;
};

Counts sum(Helpers& helpers) {
  Counts total;
  for (auto& helper : helpers) {
    std::istringstream line(helper->ask("counters"));
    Counts one;
    line >> one.hits >> one.misses >> one.builds >> one.waits >> one.swept;
    total.hits += one.hits;
    total.misses += one.misses;
    total.builds += one.builds;
    total.waits += one.waits;
    total.swept += one.swept;
  }
  return total;
}

long count_in(const fs::path& path) {
  return std::distance(fs::directory_iterator(path), {});
}

}  // namespace

TEST_CASE("six processes on an empty store build once") {
  const TestStore test;
  Helpers helpers = start(test, 6);
  for (auto& helper : helpers) helper->send("build x 200");
  int built = 0;
  for (auto& helper : helpers) {
    const std::string answer = helper->receive();
    CHECK((answer == "built 1" || answer == "leased 1"));
    built += answer == "built 1";
  }
  CHECK(built == 1);
  const Counts counts = sum(helpers);
  CHECK(counts.builds == 1);
  CHECK(counts.hits == 5);
  CHECK(count_in(test.environment("x")) == 1);
}

TEST_CASE("Always builds once in every process") {
  const TestStore test;
  test.build("x");
  Helpers helpers = start(test, 4);
  for (auto& helper : helpers) helper->send("rebuild x 20");
  for (auto& helper : helpers) CHECK(helper->receive().starts_with("built "));
  CHECK(sum(helpers).builds == 4);
  // All but the newest are held by their builders; they go with them.
  CHECK(count_in(test.environment("x")) == 4);
  for (auto& helper : helpers) helper->ask("release");
  CHECK(count_in(test.environment("x")) == 1);
  CHECK(test.store.lease(key("x"))->generation() == 5);
}

TEST_CASE("somebody who waits for a builder that dies builds himself") {
  const TestStore test;
  Helpers helpers = start(test, 2);
  REQUIRE(helpers[0]->ask("begin x") == "building 1");
  helpers[1]->send("build x 10");
  // Time to begin to wait; if it has not by then, the test proves less but holds all the same.
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  helpers[0]->kill();
  CHECK(helpers[1]->receive() == "built 2");
  CHECK(count_in(test.environment("x")) == 1);
}

TEST_CASE("the last user's process removes the old generation") {
  const TestStore test;
  Helpers helpers = start(test, 3);
  CHECK(helpers[0]->ask("build x 10") == "built 1");
  CHECK(helpers[1]->ask("lease x") == "leased 1");
  CHECK(helpers[2]->ask("rebuild x 10") == "built 2");
  CHECK(helpers[0]->ask("release") == "released");
  CHECK(fs::exists(test.environment("x") / "1/ready.json"));
  CHECK(helpers[1]->ask("release") == "released");
  CHECK_FALSE(fs::exists(test.environment("x") / "1"));
  CHECK(sum(helpers).swept == 1);
}

TEST_CASE("an old generation whose last user was killed goes with the next lease") {
  const TestStore test;
  Helpers helpers = start(test, 2);
  CHECK(helpers[0]->ask("build x 10") == "built 1");
  CHECK(helpers[1]->ask("rebuild x 10") == "built 2");
  helpers[0]->kill();
  CHECK(fs::exists(test.environment("x") / "1"));
  CHECK(test.store.lease(key("x"))->generation() == 2);
  CHECK_FALSE(fs::exists(test.environment("x") / "1"));
}

TEST_CASE("two builders who miss each other's lock do not touch each other's directory") {
  const TestStore test;
  Helpers helpers = start(test, 2);
  CHECK(helpers[0]->ask("begin x") == "building 1");
  fs::remove(test.store.path() / ("lock-v1/env-" + key("x").hex()));  // a cleaner
  fs::remove(test.environment("x") / "1/lease");                      // a thorough one
  CHECK(helpers[1]->ask("begin x") == "building 2");
  CHECK(fs::exists(test.environment("x") / "1"));
  CHECK(helpers[1]->ask("publish") == "built 2");
  CHECK(helpers[1]->ask("release") == "released");
  CHECK(test.store.lease(key("x"))->generation() == 2);
  CHECK(fs::exists(test.environment("x") / "1"));
  // It has lost its own lease file and says so instead of publishing something that could be removed under a user.
  CHECK(helpers[0]->ask("publish").starts_with("error: "));
  CHECK(test.store.lease(key("x"))->generation() == 2);
}

namespace {

// How long a helper takes to build at best, to spread kills over it.
std::chrono::microseconds time_of_a_build(const FastTestStore& test) {
  auto best = std::chrono::microseconds::max();
  for (int i = 0; i < 3; ++i) {
    HelperProcess helper(test.directory.path());
    REQUIRE(helper.receive() == "ready");
    const auto begin = std::chrono::steady_clock::now();
    REQUIRE(helper.ask(fmt::format("build measure-{} 300", i)) == "built 1");
    const auto time = std::chrono::steady_clock::now() - begin;
    best = std::min(best, std::chrono::duration_cast<std::chrono::microseconds>(time));
  }
  return best;
}

// What a kill has left of an environment.
enum class Left { nothing, directory, hashes, environment };

Left left_of(const fs::path& generation) {
  if (fs::exists(generation / "ready.json")) return Left::environment;
  if (fs::exists(generation / "hashes.json")) return Left::hashes;
  return fs::exists(generation) ? Left::directory : Left::nothing;
}

}  // namespace

TEST_CASE("after a kill -9 at any moment of a build the next one succeeds") {
  const FastTestStore test;
  std::mt19937 random(20260102);
  std::uniform_int_distribution<std::int64_t> moments(0, time_of_a_build(test).count() * 5 / 4);
  std::map<Left, int> kills;
  for (int round = 0; round < 60; ++round) {
    INFO("round " << round);
    const std::string name = fmt::format("round-{}", round);
    HelperProcess helper(test.directory.path());
    REQUIRE(helper.receive() == "ready");
    helper.send("build " + name + " 300");
    std::this_thread::sleep_for(std::chrono::microseconds(moments(random)));
    helper.kill();
    ++kills[left_of(test.environment(name) / "1")];

    auto result = test.store.lease_or_build(key(name), WhenReady::use, {});
    if (auto* building = std::get_if<Building>(&result)) {
      fill(building->path());
      static_cast<void>(building->publish({}));
    }
    CHECK(test.store.lease(key(name)));
    CHECK(count_in(test.environment(name)) == 1);
  }
  CHECK(test.store.statistics().waits == 0);  // no lock was left
  CHECK(verify(test.store, OnDamageFound::report, {}).empty());
  INFO("before " << kills[Left::nothing] << ", filling " << kills[Left::directory] << ", publishing "
                 << kills[Left::hashes] << ", after " << kills[Left::environment]);
  // Kills that all miss the build would prove nothing.
  CHECK(kills[Left::directory] + kills[Left::hashes] > 0);
}

TEST_CASE("processes that build, lease, rebuild and die at random always end with a whole environment") {
  const FastTestStore test;
  std::mt19937 random(7);
  for (int round = 0; round < 10; ++round) {
    INFO("round " << round);
    Helpers helpers = start(test, 4);
    helpers[0]->send("build x 50");
    helpers[1]->send("rebuild x 50");
    helpers[2]->send("build x 50");
    helpers[3]->send("rebuild x 50");
    std::this_thread::sleep_for(std::uniform_int_distribution<>(0, 60'000)(random) * std::chrono::microseconds(1));
    helpers[static_cast<std::size_t>(round) % 4]->kill();
    helpers[static_cast<std::size_t>(round + 1) % 4]->kill();
    for (int i = 2; i < 4; ++i) {
      const std::string answer = helpers[static_cast<std::size_t>(round + i) % 4]->receive();
      CHECK((answer.starts_with("built ") || answer.starts_with("leased ")));
    }
    helpers.clear();
    CHECK(test.store.lease(key("x")));
  }
  CHECK(prune(test.store, {}, {}).in_use.empty());
  CHECK(count_in(test.environment("x")) == 1);
  CHECK(verify(test.store, OnDamageFound::report, {}).empty());
}
