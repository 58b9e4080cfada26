// From a reference to an environment, and again.
#include <algorithm>
#include <csignal>

#include <nlohmann/json.hpp>

#include "engine.hpp"
#include "os/files.hpp"

using namespace venvoy;
using namespace venvoy::test;

namespace {

const Progress& last_of(const Events& events, Progress::Kind kind) {
  const auto& all = events.events;
  const auto found = std::find_if(all.rbegin(), all.rend(), [&](const Progress& each) { return each.kind == kind; });
  REQUIRE(found != all.rend());
  return *found;
}

}  // namespace

TEST_CASE("TestPullImage: a git reference becomes an environment that can run the module") {
  const auto settings = GENERATE(uv_settings(), pip_settings());
  const Place place;
  const PluginRepository repository(place / "repository");
  Engine engine(place.path());
  const std::string reference = repository.reference(repository.first);
  const auto ready = engine.get(reference, settings);
  CHECK(ready->built_now);
  CHECK(ready->module == "test_plugin");
  CHECK(output_of(*ready) == "hello");
  CHECK(ready->python == ready->lease.path() / "venv/bin/python");
  CHECK(ready->reference == reference);
  CHECK(ready->source_kind == "git");
  CHECK(ready->version == repository.first);
  CHECK(ready->python_version ==
        run({"/usr/bin/python3", "-c", "import platform; print(platform.python_version())"}, "/"));
  CHECK(ready->installer == (settings.installer == venv::InstallerChoice::uv ? "uv" : "pip"));
  const bool has_plugin = std::any_of(ready->distributions.begin(), ready->distributions.end(), [](const auto& each) {
    return each.name == "test-plugin" && each.version == "1.0";
  });
  CHECK(has_plugin);
  CHECK(engine.events.text() ==
        "resolve_started resolve_finished(ok) build_started build_finished(ok) install_started install_finished(ok) "
        "environment_ready");
  const Progress& fetched = last_of(engine.events, Progress::Kind::fetch_progress);
  CHECK(fetched.done == fetched.total);
  CHECK(fetched.total > 0);
  CHECK(fetched.bytes > 0);
  CHECK(last_of(engine.events, Progress::Kind::resolve_finished).text == repository.first);
  CHECK(last_of(engine.events, Progress::Kind::build_finished).text == "test_plugin-1.0-py3-none-any.whl");
  CHECK(last_of(engine.events, Progress::Kind::install_finished).text == ready->installer);
  CHECK(is_clean(place.path()));
  // Nothing compiles anything when the plugin runs.
  CHECK(fs::exists(ready->lease.path() / "venv/lib/python3.11/site-packages/test_plugin/__pycache__"));
}

TEST_CASE("TestImageExists: an environment is built once, whoever installs") {
  const Place place;
  const PluginRepository repository(place / "repository");
  const std::string reference = repository.reference(repository.first);
  fs::path built;
  {
    Engine engine(place.path());
    built = engine.get(reference)->lease.path();
    const auto again = engine.get(reference);
    CHECK_FALSE(again->built_now);
    CHECK(again->lease.path() == built);
    CHECK(engine.store.statistics().builds == 2);  // the wheel and the environment
    CHECK(engine.store.statistics().hits == 1);
  }
  Engine later(place.path());
  const auto ready = later.get(reference, pip_settings());
  CHECK_FALSE(ready->built_now);
  CHECK(ready->lease.path() == built);
  CHECK(ready->installer == "uv");
  CHECK(ready->python_version != "");
  CHECK(ready->distributions.size() == 1);
  CHECK(later.store.statistics().builds == 0);
  CHECK(later.events.text() == "environment_ready");
  CHECK(later.events.events.back().text == "reused");
}

TEST_CASE("a warm start needs no mirror, no network and no child process") {
  const Place place;
  auto repository = std::make_unique<PluginRepository>(place / "repository");
  const std::string pinned = repository->reference(repository->first), movable = repository->reference("main");
  {
    Engine engine(place.path());
    engine.get(pinned);
    engine.get(movable);
  }
  const fs::path repository_path = repository->path();
  repository.reset();
  os::remove_tree(repository_path);
  Engine engine(place.path());
  for (const auto& entry : fs::directory_iterator(engine.store.bucket(cache::Bucket::git)))
    os::remove_tree(entry.path());
  ::kill(engine.keeper.pid(), SIGKILL);  // who starts anything now gets an error
  CHECK_FALSE(engine.get(pinned)->built_now);
  CHECK_FALSE(engine.get(movable)->built_now);
  CHECK(engine.log->has({"info: branch 'main' of file://", "means commit", "since", "modulePullPolicy Always"}));
  auto offline = uv_settings();
  offline.offline = true;
  CHECK_FALSE(engine.get(movable, offline)->built_now);
}

TEST_CASE("a run with everything cached opens no connection") {
  const Place place;
  const PluginRepository repository(place / "repository");
  source::test::TestServer server(place.path(), place / "requests.log");
  const std::string url = "test-plugin@git+" + server.url("plain", "repository/.git");
  for (const std::string& reference : {url, url + "@main", url + "@" + repository.first}) {
    Engine engine(place.path());
    CHECK(engine.get(reference)->version == repository.first);
  }
  const auto asked = server.requests().size();
  CHECK(asked > 0);
  for (const std::string& reference : {url, url + "@main", url + "@" + repository.first}) {
    Engine engine(place.path());
    CHECK_FALSE(engine.get(reference)->built_now);
  }
  CHECK(server.requests().size() == asked);
}

TEST_CASE("what is asked for at the same time is made once") {
  const Place place;
  const PluginRepository repository(place / "repository");
  Engine engine(place.path());
  Events other_events;
  venv::GetContext other;
  other.progress = &other_events;
  std::vector<std::shared_ptr<Engine::Call>> calls;
  for (int i = 0; i < 5; ++i) calls.push_back(engine.begin(repository.reference(repository.first)));
  calls.push_back(engine.begin(repository.reference(repository.first), uv_settings(), other));
  engine.turn_until([&] { return std::all_of(calls.begin(), calls.end(), [](auto& call) { return call->ended; }); });
  for (const auto& call : calls) {
    REQUIRE(call->result);
    CHECK(call->result == calls.front()->result);
  }
  CHECK(engine.store.statistics().builds == 2);
  CHECK(other_events.text().ends_with("environment_ready"));
}

TEST_CASE("different plugins are made side by side") {
  const Place place;
  Engine engine(place.path());
  std::vector<std::shared_ptr<Engine::Call>> calls;
  for (const char* name : {"one", "two", "three", "four", "five", "six"}) {
    const PluginRepository repository(place / name,
                                      {.files = {{"test_plugin.py", fmt::format("print('{}')\n", name)}}});
    calls.push_back(engine.begin(repository.reference()));
  }
  engine.turn_until([&] { return std::all_of(calls.begin(), calls.end(), [](auto& call) { return call->ended; }); });
  for (const auto& call : calls) REQUIRE(call->result);
  CHECK(output_of(*calls[3]->result) == "four");
}

TEST_CASE("a folder of the repository") {
  const Place place;
  TestRepository repository(place / "repository");
  write_project(repository.path() / "plugins/one", {});
  repository.commit_all("Plugin");
  Engine engine(place.path());
  const std::string reference = "test-plugin@git+" + repository.url();
  CHECK(output_of(*engine.get(reference + "#subdirectory=plugins/one")) == "hello");
  CHECK(engine.error_of(reference).code() == ErrorCode::contract_missing);
}

TEST_CASE("the wheel is built once for several environments, with the commit's date") {
  const Place place;
  const PluginRepository repository(
      place / "repository", {.mark = place / "mark",
                             .while_building = "open(os.path.join(HERE, 'files/test_plugin/__main__.py'), 'w').write("
                                               "'print(' + os.environ['SOURCE_DATE_EPOCH'] + ')')"});
  Engine engine(place.path());
  const std::string reference = repository.reference(repository.first);
  const std::string date = repository.git({"log", "-1", "--format=%ct"});
  const auto first = engine.get(reference);
  CHECK(output_of(*first) == date);
  CHECK(first->lease.details()["wheel"]["time"] == std::stoll(date));
  const std::string marks = read_file(place / "mark");
  auto refreshed = venv::GetContext{};
  refreshed.refresh = true;
  const auto second = engine.get(reference, uv_settings(), refreshed);
  CHECK(second->built_now);
  CHECK(second->lease.generation() == first->lease.generation() + 1);
  CHECK(read_file(place / "mark") == marks);
}

TEST_CASE("the manifest tells everything, and no secrets") {
  const Place place;
  const PluginRepository repository(place / "repository");
  source::test::TestServer server(place.path(), place / "requests.log");
  std::string url = server.url("auth", "repository/.git");
  url.insert(url.find("//") + 2, "user:s3cret@");
  Engine engine(place.path());
  const auto ready = engine.get("test-plugin@git+" + url + "@main");
  const std::string text = read_file(ready->lease.path() / "ready.json");
  const auto manifest = ready->lease.details();
  INFO(manifest.dump(1));
  CHECK(text.find("s3cret") == std::string::npos);
  CHECK(engine.log->all().find("s3cret") == std::string::npos);
  CHECK(ready->reference.find("s3cret") == std::string::npos);
  CHECK(manifest["origin"]["commit"] == repository.first);
  CHECK(manifest["package"]["name"] == "test-plugin");
  CHECK(manifest["resolution"]["mode"] == "asOfCommit");
  CHECK(manifest["installer"]["name"] == "uv");
  CHECK(manifest["installer"]["version"].get<std::string>().find('.') != std::string::npos);
  CHECK(manifest["distributions"][0]["hash"].get<std::string>().size() == 64);
  CHECK(manifest["python"]["path"] == fs::canonical("/usr/bin/python3").string());
  // A login that changes does not make another environment.
  CHECK_FALSE(
      engine.get("test-plugin@git+" + server.url("auth", "repository/.git") + "@" + repository.first)->built_now);
}

TEST_CASE("a plugin's own dependencies are installed") {
  const Place place;
  make_wheel(
      place / "wheels",
      {.name = "venvoy-test-helper", .version = "2.0", .files = {{"venvoy_test_helper.py", "word = 'helped'\n"}}});
  const PluginRepository repository(
      place / "repository", {.files = {{"test_plugin.py", "from venvoy_test_helper import word\nprint(word)\n"}},
                             .metadata = {"Requires-Dist: venvoy-test-helper >= 1"}});
  auto settings = GENERATE(uv_settings(), pip_settings());
  settings.find_links = {(place / "wheels").string()};
  settings.offline = true;
  Engine engine(place.path());
  settings.offline = false;
  engine.get(repository.reference(), settings);
  settings.offline = true;
  const auto ready = engine.get(repository.reference(), settings);
  CHECK(output_of(*ready) == "helped");
}

TEST_CASE("nothing of the engine's environment variables gets into an environment") {
  const Place place;
  make_wheel(
      place / "wheels",
      {.name = "venvoy-test-helper", .version = "2.0", .files = {{"venvoy_test_helper.py", "word = 'helped'\n"}}});
  // A helper that pip could take for installed.
  run({"/usr/bin/python3", "-m", "zipfile", "-e", (place / "wheels/venvoy_test_helper-2.0-py3-none-any.whl").string(),
       (place / "elsewhere").string()},
      "/");
  const PluginRepository repository(
      place / "repository", {.files = {{"test_plugin.py", "from venvoy_test_helper import word\nprint(word)\n"}},
                             .metadata = {"Requires-Dist: venvoy-test-helper"}});
  auto settings = GENERATE(uv_settings(), pip_settings());
  settings.find_links = {(place / "wheels").string()};
  auto environment = test_environment();
  os::set_variable(environment, "PYTHONPATH", (place / "elsewhere").string());
  os::set_variable(environment, "VIRTUAL_ENV", (place / "nowhere").string());
  os::set_variable(environment, "UV_SYSTEM_PYTHON", "1");
  os::set_variable(environment, "UV_LINK_MODE", "symlink");
  Engine engine(place.path(), environment);
  const auto ready = engine.get(repository.reference(), settings);
  CHECK(output_of(*ready) == "helped");
  CHECK_FALSE(fs::is_symlink(ready->lease.path() / "venv/lib/python3.11/site-packages/venvoy_test_helper.py"));
}

TEST_CASE("the default branch, an abbreviation and a tag") {
  const Place place;
  PluginRepository repository(place / "repository");
  repository.git({"tag", "v1"});
  const std::string second = repository.commit("more", "1");
  for (int round = 0; round < 2; ++round) {
    Engine engine(place.path());
    CHECK(engine.get(repository.reference())->version == second);
    CHECK(engine.get(repository.reference("v1"))->version == repository.first);
    CHECK(engine.get(repository.reference(second.substr(0, 9)))->version == second);
    INFO(engine.log->all());
    CHECK(engine.log->has({"warning: '" + second.substr(0, 9) + "'", "is short for " + second}));
    CHECK(engine.log->has({round == 0 ? "the default branch of file://" : "the default branch of file://",
                           round == 0 ? " is commit " : " means commit "}));
  }
}

TEST_CASE("giving back happens on the pool") {
  const Place place;
  const PluginRepository repository(place / "repository");
  Engine engine(place.path());
  auto ready = engine.get(repository.reference());
  std::weak_ptr<const venv::ReadyEnv> weak = ready;
  engine.environments.give_back(std::move(ready));
  engine.pool.join();
  CHECK(weak.expired());
}
