// The pip that the store keeps for an interpreter.
#include <algorithm>

#include "cache/collect.hpp"
#include "engine.hpp"
#include "os/files.hpp"

using namespace venvoy;
using namespace venvoy::test;

namespace {

std::vector<cache::Entry> tools_of(const Engine& engine) {
  std::vector<cache::Entry> tools = cache::list(engine.store);
  std::erase_if(tools, [](const cache::Entry& entry) { return entry.bucket != cache::Bucket::tool; });
  return tools;
}

}  // namespace

TEST_CASE("one pip serves all environments of an interpreter, and is in none of them") {
  const Place place;
  const PluginRepository one(place / "one"), two(place / "two");
  Engine engine(place.path());
  const auto first = engine.get(one.reference(), pip_settings());
  const auto tools = tools_of(engine);
  REQUIRE(tools.size() == 1);
  CHECK(tools.front().state == cache::Entry::State::ready);
  CHECK_FALSE(tools.front().in_use);
  CHECK(tools.front().details.value("tool", "") == "pip");
  CHECK_FALSE(tools.front().details.value("version", "").empty());
  const auto second = engine.get(two.reference(two.first), pip_settings());
  CHECK(output_of(*second) == "hello");
  CHECK(tools_of(engine).size() == 1);
  CHECK(tools_of(engine).front().created == tools.front().created);
  for (const auto& environment : {first, second}) {
    CHECK_FALSE(fs::exists(environment->lease.path() / "venv/bin/pip"));
    for (const venv::Distribution& distribution : environment->distributions) CHECK(distribution.name != "pip");
  }
  // Nothing of what pip did while it ran lies in its folder.
  CHECK(cache::verify(engine.store, cache::OnDamageFound::report, {}).empty());
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(tools.front().path / "pip"))
    files += entry.is_regular_file() ? 1 : 0;
  CHECK(os::list_tree(tools.front().path).size() == files + 3);  // lease, ready.json, hashes.json
  CHECK(is_clean(place.path()));
}

TEST_CASE("a damaged pip is not used, but copied anew") {
  const Place place;
  const PluginRepository repository(place / "repository");
  Engine engine(place.path());
  engine.get(repository.reference(), pip_settings());
  const auto tools = tools_of(engine);
  REQUIRE(tools.size() == 1);
  fs::remove(tools.front().path / "pip/__main__.py");
  CHECK(cache::find_gaps(cache::list(engine.store), {}).size() == 1);
  venv::GetContext context;
  context.refresh = true;
  CHECK(engine.get(repository.reference(), pip_settings(), context)->built_now);
  CHECK(cache::find_gaps(cache::list(engine.store), {}).empty());
  CHECK(fs::exists(tools.front().path / "pip/__main__.py"));
  CHECK(tools_of(engine).size() == 1);
}
