// Mirrors that several processes use, and processes that are killed.
#include <chrono>
#include <thread>

#include "git_fixture.hpp"
#include "os/environment.hpp"
#include "source/git_mirror.hpp"
#include "support/catch.hpp"

namespace venvoy::source::test {
namespace {

std::string variable(const char* name) {
  return os::get_variable(os::current_environment(), name).value();
}

// What the second processes do.
TEST_CASE("helper fetches", "[.]") {
  const GitMirror mirror(variable("TEST_URL"), variable("TEST_MIRROR") + ".git", variable("TEST_MIRROR") + ".lock");
  mirror.fetch({id(variable("TEST_COMMIT")), ""}, {}, {});
  REQUIRE(mirror.has_commit(id(variable("TEST_COMMIT"))));
}

std::vector<std::string> helper_environment(const World& world, const std::string& url) {
  return {"TEST_URL=" + url, "TEST_MIRROR=" + (world.directory / "mirror").string(), "TEST_COMMIT=" + world.third};
}

bool has_half_a_pack(const GitMirror& mirror) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(mirror.directory() / "objects" / "pack", ignored))
    if (entry.path().filename().string().starts_with("pack_git2_")) return true;
  return false;
}

TEST_CASE("a fetch that is killed holds no lock and leaves nothing that the next one trips over") {
  const World world;
  const GitMirror mirror = world.mirror(world.url("plain"));
  for (int round = 0; round < 2; ++round) {
    SecondProcess other("helper fetches", helper_environment(world, world.url("stall")));
    while (!has_half_a_pack(mirror)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    other.kill_hard();
    CHECK(mirror.sound());
    CHECK_FALSE(mirror.has_commit(id(world.third)));
  }
  mirror.fetch({id(world.third), ""}, world.transport(), {});
  CHECK(mirror.has_commit(id(world.third)));
  CHECK_FALSE(has_half_a_pack(mirror));
  CHECK(mirror.resolve("v0.1").commit.text() == world.first);
}

TEST_CASE("processes that want the same commit fetch it once") {
  const World world;
  const GitMirror mirror = world.mirror(world.url("any-id"));
  {
    SecondProcess one("helper fetches", helper_environment(world, mirror.url()));
    SecondProcess two("helper fetches", helper_environment(world, mirror.url()));
    SecondProcess three("helper fetches", helper_environment(world, mirror.url()));
    CHECK(one.succeeds());
    CHECK(two.succeeds());
    CHECK(three.succeeds());
  }
  CHECK(world.server().posts() == 1);
  CHECK(mirror.has_commit(id(world.third)));
}

}  // namespace
}  // namespace venvoy::source::test
