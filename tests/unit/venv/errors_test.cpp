// Bad input: one sentence, what to do, nothing half-made, and the next run works.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine.hpp"
#include "os/files.hpp"

using namespace venvoy;
using namespace venvoy::test;

namespace {

struct Expected {
  ErrorCode code;
  std::vector<std::string> message;  // parts of it
  std::string hint;                  // part of it
};

void check(const Error& error, const Expected& expected) {
  INFO(error.message() << "\nhint: " << error.hint());
  CHECK(error.code() == expected.code);
  for (const std::string& part : expected.message) CHECK(error.message().find(part) != std::string::npos);
  CHECK(error.hint().find(expected.hint) != std::string::npos);
  CHECK_FALSE(error.hint().empty());
}

bool is_root() {
  return geteuid() == 0;
}

}  // namespace

TEST_CASE("a wrong host, repository or commit") {
  const Place place;
  const PluginRepository repository(place / "repository");
  const std::string nobody(40, 'd');
  struct Row {
    std::string reference;
    ErrorCode code;
    std::string part;
  };
  const Row rows[] = {
      {"p@git+http://host.invalid/p.git", ErrorCode::network, "host.invalid"},
      {"p@git+file://" + (place / "absent").string(), ErrorCode::unresolvable, "absent"},
      {repository.reference(nobody), ErrorCode::unresolvable, nobody},
      {repository.reference("no-such-branch"), ErrorCode::unresolvable, "no-such-branch"},
      {(place / "absent").string(), ErrorCode::unresolvable, "absent"},
  };
  Engine engine(place.path());
  for (const Row& row : rows) {
    const Error error = engine.error_of(row.reference);
    INFO(row.reference << ": " << error.message());
    CHECK(error.code() == row.code);
    CHECK(error.message().find(row.part) != std::string::npos);
    CHECK(is_clean(place.path()));
  }
  CHECK(engine.events.text().find("resolve_started resolve_finished(failed)") != std::string::npos);
  CHECK(output_of(*engine.get(repository.reference(repository.first))) == "hello");
}

TEST_CASE("no such Python") {
  const Place place;
  const PluginRepository repository(place / "repository");
  Engine engine(place.path());
  for (const char* path : {"/absent/python", "python-of-nowhere"}) {
    auto settings = uv_settings();
    settings.python_path = path;
    check(engine.error_of(repository.reference(), settings),
          {ErrorCode::environment,
           {"python binary check failed with error: ", "pythons binary not found", path},
           "pythonPath"});
  }
  CHECK(output_of(*engine.get(repository.reference())) == "hello");
}

TEST_CASE("another version of Python than expected is a warning") {
  const Place place;
  const PluginRepository repository(place / "repository");
  Engine engine(place.path());
  auto settings = uv_settings();
  settings.python_semver = "2.7.18";
  engine.get(repository.reference(), settings);
  CHECK(engine.log->has({"warning:", "/usr/bin/python3", "pythonSemver", "2.7.18"}));
}

TEST_CASE("a build that fails shows the tail of its output, and a later commit works") {
  const Place place;
  const auto settings = GENERATE(uv_settings(), pip_settings());
  const std::string installer = settings.installer == venv::InstallerChoice::uv ? "uv" : "pip";
  PluginRepository repository(place / "repository",
                              {.while_building = "print('these were my words'); raise SystemExit(5)"});
  const std::string reference = repository.reference(repository.first);
  Engine engine(place.path());
  const Error error = engine.error_of(reference, settings);
  INFO(error.message());
  CHECK(error.code() == ErrorCode::install);
  CHECK(error.message().find("error in pip installing " + reference + " (exit code ") == 0);
  CHECK(error.message().find(", " + installer + " says:\n") != std::string::npos);
  CHECK(error.message().find("these were my words") != std::string::npos);
  CHECK(engine.events.text() == "resolve_started resolve_finished(ok) build_started build_finished(failed)");
  CHECK(engine.events.events.back().text.find("error in pip installing " + reference) == 0);
  CHECK(is_clean(place.path()));
  CHECK(generations_in(place.path()).empty());
  repository.commit_project({});
  CHECK(output_of(*engine.get(repository.reference(), settings)) == "hello");
}

TEST_CASE("what is missing is said by the installer, and what to do by us") {
  const auto settings = GENERATE(uv_settings(), pip_settings());
  const Place place;
  Engine engine(place.path());
  struct Row {
    PluginProject project;
    std::string part, hint;
  };
  const std::string nowhere = "venvoy-no-such-package";
  PluginProject no_backend;
  no_backend.while_building = "pass";
  const Row rows[] = {
      {{.metadata = {"Requires-Dist: " + nowhere}}, nowhere, "not on the index"},
      {{.metadata = {"Requires-Python: >=99"}}, "99", "pythonPath"},
      {{.build_requires = "'" + nowhere + "'"}, nowhere, "not on the index"},
  };
  auto offline = settings;
  offline.find_links = {place.path().string()};
  int number = 0;
  for (const Row& row : rows) {
    const PluginRepository repository(place / std::to_string(++number), row.project);
    const auto without_contract_check = engine.error_of(repository.reference(), settings);
    check(without_contract_check, {ErrorCode::install, {"error in pip installing", row.part}, row.hint});
    CHECK(is_clean(place.path()));
  }
  PluginRepository repository(place / "backend");
  repository.commit("pyproject.toml",
                    "[build-system]\nrequires = []\nbuild-backend = 'no_backend'\n[project]\nname='a'\n");
  check(engine.error_of(repository.reference(), settings),
        {ErrorCode::install, {"error in pip installing", "no_backend"}, "[build-system] requires"});
}

TEST_CASE("a repository without a project says so") {
  const Place place;
  TestRepository repository(place / "repository");
  write_project(repository.path() / "sub", {});
  repository.commit(".python_deployer_compat", "");
  Engine engine(place.path());
  check(engine.error_of("test-plugin@git+" + repository.url()),
        {ErrorCode::install, {"error in pip installing", "neither pyproject.toml nor setup.py"}, "#subdirectory="});
}

TEST_CASE("no such module in the package") {
  const Place place;
  struct Row {
    std::string name;
    std::vector<std::pair<std::string, std::string>> files;
    std::string part;  // of the message; "" if it can be run
  };
  const Row rows[] = {
      {"test-plugin",
       {{"other/__init__.py", ""}, {"third.py", ""}},
       "no module 'test_plugin' that `python -m test_plugin` could run; it has 'other', 'third'"},
      {"test-plugin", {{"test_plugin/__init__.py", "raise SystemExit('code was run')"}}, "no __main__.py"},
      {"test-plugin", {{"test_plugin/__main__.py", "print('hello')"}}, ""},
      {"test-plugin", {{"test_plugin.py", "print('hello')"}}, ""},
      {"dotted.plugin", {{"dotted/plugin.py", "print('hello')"}}, ""},
      {"dotted.plugin", {{"test_plugin.py", "print('hello')"}}, "no module 'dotted.plugin'"},
  };
  Engine engine(place.path());
  int number = 0;
  for (const Row& row : rows) {
    PluginRepository repository(place / std::to_string(++number), {.files = row.files});
    repository.name = row.name;
    INFO(number);
    if (row.part.empty()) {
      CHECK(output_of(*engine.get(repository.reference())) == "hello");
    } else {
      check(engine.error_of(repository.reference()), {ErrorCode::install, {row.part}, "before '@'"});
      CHECK(is_clean(place.path()));
    }
  }
  CHECK(generations_in(place.path()).size() == 3);
}

TEST_CASE("a wrong name for code that is there already") {
  const Place place;
  PluginRepository repository(place / "repository");
  Engine engine(place.path());
  engine.get(repository.reference());
  repository.name = "test-plugni";
  check(engine.error_of(repository.reference()), {ErrorCode::install, {"no module 'test_plugni'"}, "before '@'"});
  repository.name = "test_plugin";
  CHECK_FALSE(engine.get(repository.reference())->built_now);
}

TEST_CASE("a full disk") {
  REQUIRE(is_root());  // mounts
  const auto settings = GENERATE(uv_settings(), pip_settings());
  const Place place;
  const fs::path disk = place / "disk";
  fs::create_directory(disk);
  const auto mount_with = [&](const char* options) { return ::mount("tmpfs", disk.c_str(), "tmpfs", 0, options); };
  REQUIRE(mount_with("size=1m") == 0);
  struct Unmount {
    fs::path path;
    ~Unmount() { ::umount2(path.c_str(), MNT_DETACH); }
  } const unmount{disk};
  PluginRepository repository(place / "repository",
                              {.files = {{"test_plugin.py", "print('hello')\n"}, {"big", std::string(3 << 20, 'x')}}});
  const std::string reference = repository.reference(repository.first);
  const fs::path elsewhere = place / "elsewhere";
  fs::create_directory(elsewhere);
  {
    Engine engine(disk);
    const Error error = engine.error_of(reference, settings);
    INFO(error.message() << "\nhint: " << error.hint());
    CHECK(error.message().find("No space left on device") != std::string::npos);
    CHECK(error.hint().find("workdir") != std::string::npos);
    CHECK(is_clean(disk));
    REQUIRE(::mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, "size=300m") == 0);
    CHECK(output_of(*engine.get(reference, settings)) == "hello");
    CHECK(is_clean(disk));
  }
}

TEST_CASE("a disk that fills up at any stage leaves nothing, and the next run works") {
  REQUIRE(is_root());
  const Place place;
  const fs::path disk = place / "disk";
  fs::create_directory(disk);
  REQUIRE(::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=200m") == 0);
  struct Unmount {
    fs::path path;
    ~Unmount() { ::umount2(path.c_str(), MNT_DETACH); }
  } const unmount{disk};
  const PluginRepository repository(
      place / "repository", {.files = {{"test_plugin.py", "print('hello')\n"}, {"big", std::string(200'000, 'x')}}});
  const std::string reference = repository.reference(repository.first);
  int failures = 0;
  for (int kilobytes = 100; kilobytes < 1800; kilobytes += 100) {
    os::remove_tree(disk / fmt::format("venvoy-{}", geteuid()));
    Engine engine(disk);
    REQUIRE(::mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, fmt::format("size={}k", kilobytes).c_str()) == 0);
    const auto call = engine.begin(reference);
    engine.turn_until([&] { return call->ended; });
    REQUIRE(::mount("tmpfs", disk.c_str(), "tmpfs", MS_REMOUNT, "size=200m") == 0);
    INFO(kilobytes << " kB: " << (call->error ? call->error->what() : "fits"));
    failures += call->error ? 1 : 0;
    CHECK(is_clean(disk));
    CHECK(output_of(*engine.get(reference)) == "hello");
  }
  CHECK(failures > 2);
}

TEST_CASE("a work directory that is not writable, or somebody else's, is refused when the store is opened") {
  REQUIRE(is_root());
  const Place place;
  ::chmod(place.path().c_str(), 0755);
  const auto open = [&](uid_t uid) -> std::optional<Error> {
    try {
      cache::Store::open({.workdir = place.path(), .uid = uid});
      return std::nullopt;
    } catch (const Error& error) {
      return error;
    }
  };
  fs::create_directory(place / "venvoy-4711");
  const auto error = open(4711);
  REQUIRE(error);
  CHECK(error->code() == ErrorCode::environment);
  CHECK_FALSE(error->hint().empty());
}
