// What an environment's making would do, without making it.
#include "engine.hpp"

using namespace venvoy;
using namespace venvoy::test;

namespace {

using Fate = venv::KnownEnv::Fate;
using Catch::ContainsSubstring;

struct Looked {
  bool ended = false;
  venv::KnownEnv known;
  std::exception_ptr failure;
};

Looked look_quietly(Engine& engine, const std::string& reference, const venv::Settings& settings) {
  Looked looked;
  venv::GetContext context;
  context.logger = Logger(engine.log);
  boost::asio::co_spawn(
      engine.io,
      engine.environments.look(source::parse_module_ref(reference), engine.contract, settings, std::move(context)),
      [&looked](std::exception_ptr failure, venv::KnownEnv known) {
        looked.failure = failure;
        looked.known = std::move(known);
        looked.ended = true;
      });
  engine.turn_until([&] { return looked.ended; });
  return looked;
}

venv::KnownEnv look(Engine& engine, const std::string& reference, const venv::Settings& settings = uv_settings()) {
  const Looked looked = look_quietly(engine, reference, settings);
  if (looked.failure) std::rethrow_exception(looked.failure);
  return looked.known;
}

}  // namespace

TEST_CASE("look: nothing is fetched or built for what the store does not know") {
  const Place place;
  const PluginRepository repository(place / "repository", {.mark = place / "mark"});
  Engine engine(place.path());
  const venv::KnownEnv pinned = look(engine, repository.reference(repository.first));
  CHECK(pinned.fate == Fate::build);
  CHECK(pinned.version == repository.first);
  CHECK(pinned.source_kind == "git");
  CHECK_THAT(pinned.why, ContainsSubstring("has to be fetched"));
  const venv::KnownEnv branch = look(engine, repository.reference("main"));
  CHECK(branch.fate == Fate::unknown);
  CHECK(branch.version.empty());
  const venv::KnownEnv package = look(engine, "test-plugin==1.0");
  CHECK(package.fate == Fate::unknown);
  CHECK(package.source_kind == "index");
  for (const venv::KnownEnv& known : {pinned, branch, package}) CHECK(known.generation == 0);
  CHECK(fs::is_empty(engine.store.bucket(cache::Bucket::git)));
  CHECK(generations_in(place.path()).empty());
  CHECK_FALSE(fs::exists(place / "mark"));
  CHECK(engine.events.events.empty());
}

TEST_CASE("look: an environment that is there is found as it is, and stays") {
  const Place place;
  PluginRepository repository(place / "repository");
  const std::string branch = repository.reference("main");
  Engine engine(place.path());
  const auto ready = engine.get(branch);
  const auto before = generations_in(place.path());
  repository.commit_project({.version = "2.0"});
  for (const std::string& reference : {branch, repository.reference(repository.first)}) {
    const venv::KnownEnv known = look(engine, reference);
    CHECK(known.fate == Fate::reuse);
    CHECK(known.version == repository.first);
    CHECK(known.key == ready->lease.key());
    CHECK(known.generation == ready->lease.generation());
    CHECK(known.path == ready->lease.path());
    CHECK(known.python_version == ready->python_version);
    CHECK_THAT(known.why, ContainsSubstring("in the store since"));
  }
  auto always = uv_settings();
  always.pull_policy = venv::PullPolicy::always;
  const venv::KnownEnv anew = look(engine, branch, always);
  CHECK(anew.fate == Fate::build);
  CHECK(anew.generation == ready->lease.generation());
  CHECK_THAT(anew.why, ContainsSubstring("modulePullPolicy is Always"));
  CHECK(generations_in(place.path()) == before);
}

TEST_CASE("look: a commit that lies in a mirror would be built, or is refused") {
  const Place place;
  PluginRepository repository(place / "repository");
  const std::string second = repository.commit_project({.version = "2.0"});
  Engine engine(place.path());
  engine.get(repository.reference(second));
  const venv::KnownEnv first = look(engine, repository.reference(repository.first));
  CHECK(first.fate == Fate::build);
  CHECK(first.version == repository.first);
  CHECK_THAT(first.why, ContainsSubstring("has no environment of this commit for Python"));
  CHECK(generations_in(place.path()).size() == 1);

  const PluginRepository closed(place / "closed", {.contract = false});
  auto settings = uv_settings();
  settings.override_compatibility = true;
  engine.get(closed.reference(), settings);
  const Looked refused = look_quietly(engine, closed.reference(), uv_settings());
  REQUIRE(refused.failure);
  try {
    std::rethrow_exception(refused.failure);
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::contract_missing);
  }
}

TEST_CASE("look: a folder") {
  const Place place;
  write_project(place / "project");
  const std::string reference = (place / "project").string();
  Engine engine(place.path());
  CHECK(look(engine, reference).fate == Fate::build);
  const auto ready = engine.get(reference);
  const venv::KnownEnv known = look(engine, reference);
  CHECK(known.fate == Fate::reuse);
  CHECK(known.version == ready->version);
  CHECK_THROWS_AS(look(engine, (place / "nowhere").string()), Error);
}
