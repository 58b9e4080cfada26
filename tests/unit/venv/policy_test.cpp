// modulePullPolicy.
#include "cache/collect.hpp"
#include "engine.hpp"
#include "support/program.hpp"

using namespace venvoy;
using namespace venvoy::test;

namespace {

venv::Settings always() {
  auto settings = uv_settings();
  settings.pull_policy = venv::PullPolicy::always;
  return settings;
}

venv::GetContext refresh() {
  venv::GetContext context;
  context.refresh = true;
  return context;
}

PluginProject printing(const std::string& word) {
  return {.files = {{"test_plugin.py", "print('" + word + "')\n"}}};
}

}  // namespace

TEST_CASE("TestConnector_PullMod TestPullPolicies: what is there is made anew on Always only") {
  struct Row {
    bool always;
    bool is_there;
    bool is_made;
  };
  for (const Row& row :
       {Row{false, true, false}, Row{false, false, true}, Row{true, true, true}, Row{true, false, true}}) {
    CAPTURE(row.always, row.is_there);
    const Place place;
    const PluginRepository repository(place / "repository");
    const std::string reference = repository.reference();
    if (row.is_there) Engine(place.path()).get(reference);
    Engine engine(place.path());
    const std::vector<fs::path> before = generations_in(place.path());
    CHECK(engine.get(reference, row.always ? always() : uv_settings())->built_now == row.is_made);
    CHECK((generations_in(place.path()) != before) == row.is_made);
  }
}

TEST_CASE("a branch or no version keeps the commit of the first pull until Always or refresh") {
  const Place place;
  PluginRepository repository(place / "repository", printing("one"));
  const std::string version = GENERATE("", "main");
  const std::string reference = repository.reference(version);
  {
    Engine engine(place.path());
    engine.get(reference);
  }
  const std::string second = repository.commit_project(printing("two"));
  {
    Engine engine(place.path());
    CHECK(output_of(*engine.get(reference)) == "one");
    const std::string name = version.empty() ? "the default branch of " : "branch 'main' of ";
    CHECK(engine.log->has(
        {"info: " + name + repository.url() + " means commit " + repository.first, "since 2019-12-20T00:00:00Z"}));
    CHECK(output_of(*engine.get(reference, uv_settings(), refresh())) == "two");
    CHECK(engine.get(reference)->version == second);
  }
  const std::string third = repository.commit_project(printing("three"));
  Engine engine(place.path());
  CHECK(engine.get(reference)->version == second);
  CHECK(engine.get(reference, always())->version == third);
  CHECK(engine.get(reference)->version == third);
}

TEST_CASE("Always runs the new commit, and what it replaces goes with its last user") {
  const Place place;
  PluginRepository repository(place / "repository", printing("one"));
  const std::string reference = repository.reference("main");
  Engine engine(place.path());
  auto old = engine.get(reference);
  const fs::path old_path = old->lease.path();
  repository.commit_project(printing("two"));
  const auto fresh = engine.get(reference, always());
  CHECK(output_of(*fresh) == "two");
  CHECK(output_of(*old) == "one");
  CHECK(fs::exists(old_path));
  old.reset();
  CHECK_FALSE(fs::exists(old_path));
  CHECK(generations_in(place.path()).size() == 1);
}

TEST_CASE("an environment that was asked for by its commit stays when a branch moves on") {
  const Place place;
  PluginRepository repository(place / "repository", printing("one"));
  Engine engine(place.path());
  engine.get(repository.reference(repository.first));
  CHECK_FALSE(engine.get(repository.reference("main"))->built_now);
  repository.commit_project(printing("two"));
  CHECK(engine.get(repository.reference("main"), always())->built_now);
  CHECK_FALSE(engine.get(repository.reference(repository.first))->built_now);
}

TEST_CASE("Always rebuilds what is pinned once per engine and reference") {
  const Place place;
  const PluginRepository repository(place / "repository");
  const std::string reference = repository.reference(repository.first);
  unsigned generation = 0;
  for (int process = 0; process < 2; ++process) {
    Engine engine(place.path());
    const auto first = engine.get(reference, always());
    CHECK(first->built_now);
    CHECK(first->lease.generation() == ++generation);
    CHECK_FALSE(engine.get(reference, always())->built_now);
    CHECK(engine.get(reference, always())->lease.generation() == generation);
    CHECK(engine.get(repository.reference("main"), always())->lease.generation() == ++generation);
  }
  CHECK(generations_in(place.path()).size() == 1);
}

TEST_CASE("Always without network fails and leaves the old environment usable") {
  const Place place;
  const PluginRepository repository(place / "repository");
  source::test::TestServer server(place.path(), place / "requests.log");
  const std::string reference = "test-plugin@git+" + server.url("plain", "repository/.git") + "@main";
  {
    Engine engine(place.path());
    engine.get(reference);
  }
  server.stop();
  Engine engine(place.path());
  const Error error = engine.error_of(reference, always());
  CHECK(error.code() == ErrorCode::network);
  CHECK(engine.error_of(reference, always()).code() == ErrorCode::network);  // not as if it had been done
  const auto ready = engine.get(reference);
  CHECK_FALSE(ready->built_now);
  CHECK(output_of(*ready) == "hello");
}

TEST_CASE("Always with an installation that fails leaves the old environment in force") {
  const Place place;
  PluginRepository repository(place / "repository", printing("one"));
  const std::string reference = repository.reference("main");
  Engine engine(place.path());
  engine.get(reference);
  PluginProject broken = printing("two");
  broken.while_building = "raise SystemExit('broken')";
  repository.commit_project(broken);
  CHECK(engine.error_of(reference, always()).code() == ErrorCode::install);
  CHECK(engine.get(reference)->version == repository.first);
  Engine later(place.path());
  CHECK(output_of(*later.get(reference)) == "one");
  CHECK(is_clean(place.path()));
}

TEST_CASE("a step that another process runs meanwhile finishes") {
  const Place place;
  const PluginRepository repository(place / "repository");
  const std::string reference = repository.reference(repository.first);
  Program other({VENVOY_ENVIRONMENT_HELPER, place.path().string(), "uv", "IfNotPresent", reference},
                test_environment());
  const std::string line = other.receive();
  REQUIRE(line.starts_with("built 1 "));
  const fs::path old = place / "old";
  Engine engine(place.path());
  const auto fresh = engine.get(reference, always());
  CHECK(fresh->lease.generation() == 2);
  const std::string python = line.substr(8, line.rfind(' ') - 8);
  CHECK(run({python, "-m", "test_plugin"}, "/") == "hello");
  CHECK(generations_in(place.path()).size() == 2);
  CHECK(other.finish() == 0);
  CHECK_FALSE(fs::exists(python));
  CHECK(generations_in(place.path()).size() == 1);
}

TEST_CASE("offline, Always is not followed, and a refresh is refused") {
  const Place place;
  PluginRepository repository(place / "repository", printing("one"));
  const std::string reference = repository.reference("main");
  Engine engine(place.path());
  engine.get(reference);
  repository.commit_project(printing("two"));
  auto settings = always();
  settings.offline = true;
  CHECK(engine.get(reference, settings)->version == repository.first);
  CHECK(engine.log->has({"warning:", "Always"}));
  CHECK(engine.error_of(reference, settings, refresh()).code() == ErrorCode::usage);
}

TEST_CASE("offline, what is not there is an error, and what is in the mirror can be built") {
  const Place place;
  PluginRepository repository(place / "repository", printing("one"));
  auto offline = uv_settings();
  offline.offline = true;
  {
    Engine engine(place.path());
    const Error error = engine.error_of(repository.reference("main"), offline);
    CHECK(error.code() == ErrorCode::unresolvable);
    CHECK(error.message().find("network") != std::string::npos);
    engine.get(repository.reference(repository.first));
  }
  Engine engine(place.path());
  cache::clear(engine.store, {});
  CHECK(engine.error_of(repository.reference(repository.first), offline).code() == ErrorCode::unresolvable);
}
