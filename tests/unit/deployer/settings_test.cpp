#include "base/error.hpp"
#include "deployer/image_deployers.hpp"
#include "deployer/python_settings.hpp"
#include "deployer/registry.hpp"
#include "schema/check.hpp"
#include "support/catch.hpp"

namespace venvoy::deployer {
namespace {

using namespace std::chrono_literals;
using schema::List;
using schema::Map;
using schema::Value;

PythonSettings settings_of(const Value& data) {
  return read_python_settings(schema::unserialize(*python_settings_type(), data));
}

std::string mismatch_of(const Value& data) {
  try {
    schema::unserialize(*python_settings_type(), data);
  } catch (const schema::MismatchError& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("settings without keys are the documented defaults") {
  const PythonSettings settings = settings_of(Map{});
  CHECK(settings.workdir == "/tmp");
  CHECK(settings.environment.pull_policy == venv::PullPolicy::if_not_present);
  CHECK(settings.environment.installer == venv::InstallerChoice::automatic);
  CHECK(settings.environment.dependency_resolution == venv::DependencyResolution::automatic);
  CHECK_FALSE(settings.environment.python_path);
  CHECK_FALSE(settings.override_compatibility);
  CHECK_FALSE(settings.environment.override_compatibility);
  CHECK(settings.max_concurrent_deployments == 4);
  CHECK_FALSE(settings.cache_max_bytes);
  CHECK(settings.cache_max_age == 60 * 24h);
  CHECK_FALSE(settings.shared_store);
  CHECK(settings.limits.stderr_tail == 64 * 1024);
  CHECK(settings.limits.hello_timeout == 60s);
  CHECK_FALSE(settings.limits.wall_time);
  CHECK_FALSE(settings.limits.process.any());
}

TEST_CASE("every key arrives where it belongs") {
  const PythonSettings settings =
      settings_of(Map{{"pythonPath", "/opt/python"},
                      {"pythonSemver", "3.11.2"},
                      {"workdir", "/srv/work"},
                      {"modulePullPolicy", "Always"},
                      {"overrideModuleCompatibility", false},
                      {"installer", "pip"},
                      {"dependencyResolution", "locked"},
                      {"indexUrl", "https://index.example.org/simple"},
                      {"extraIndexUrls", List{"https://a.example.org", "https://b.example.org"}},
                      {"findLinks", List{"/wheels"}},
                      {"sourceRewrites", List{Map{{"from", "https://github.com/"}, {"to", "https://mirror/"}}}},
                      {"maxConcurrentDeployments", 9},
                      {"cacheMaxSize", "20GB"},
                      {"cacheMaxAge", "30d"},
                      {"sharedStore", true},
                      {"limits", Map{{"stderrTail", "8kB"},
                                     {"helloTimeout", "2m"},
                                     {"memory", "256MiB"},
                                     {"cpuTime", "1h"},
                                     {"wallTime", "90s"},
                                     {"openFiles", 64}}}});
  CHECK(settings.environment.python_path == "/opt/python");
  CHECK(settings.environment.python_semver == "3.11.2");
  CHECK(settings.workdir == "/srv/work");
  CHECK(settings.environment.pull_policy == venv::PullPolicy::always);
  CHECK(settings.override_compatibility == false);
  CHECK(settings.environment.installer == venv::InstallerChoice::pip);
  CHECK(settings.environment.dependency_resolution == venv::DependencyResolution::locked);
  CHECK(settings.environment.index_url == "https://index.example.org/simple");
  CHECK(settings.environment.extra_index_urls.size() == 2);
  CHECK(settings.environment.find_links == std::vector<std::string>{"/wheels"});
  REQUIRE(settings.source_rewrites.size() == 1);
  CHECK(settings.source_rewrites[0].from == "https://github.com/");
  CHECK(settings.source_rewrites[0].to == "https://mirror/");
  CHECK(settings.max_concurrent_deployments == 9);
  CHECK(settings.cache_max_bytes == std::uint64_t{20} << 30);
  CHECK(settings.cache_max_age == 30 * 24h);
  CHECK(settings.shared_store);
  CHECK(settings.limits.stderr_tail == 8 * 1024);
  CHECK(settings.limits.hello_timeout == 2min);
  CHECK(settings.limits.process.memory == 256 * 1024 * 1024);
  CHECK(settings.limits.process.processor_time == 1h);
  CHECK(settings.limits.wall_time == 90s);
  CHECK(settings.limits.process.open_files == 64);
}

TEST_CASE("sizes and times are numbers, with units or without") {
  CHECK(settings_of(Map{{"limits", Map{{"stderrTail", 100}}}}).limits.stderr_tail == 100);
  CHECK(settings_of(Map{{"limits", Map{{"stderrTail", "1MB"}}}}).limits.stderr_tail == 1024 * 1024);
  CHECK(settings_of(Map{{"limits", Map{{"memory", "1 GB 512 MB"}}}}).limits.process.memory == 1536u * 1024 * 1024);
  CHECK(settings_of(Map{{"limits", Map{{"helloTimeout", "1500ms"}}}}).limits.hello_timeout == 1500ms);
  CHECK(settings_of(Map{{"limits", Map{{"helloTimeout", "1m 30s"}}}}).limits.hello_timeout == 90s);
}

TEST_CASE("launchers of other machines have settings of their own") {
  const PythonSettings here = settings_of(Map{});
  CHECK(remote_settings(here) == nullptr);

  const Map ssh{{"hosts", List{"a", "b"}},
                {"places", 3},
                {"ownStores", true},
                {"keeper", "/opt/v/venvoy-keeper"},
                {"extraArguments", List{"-p", "2222"}}};
  const PythonSettings by_ssh = settings_of(Map{{"launcher", "ssh"}, {"ssh", ssh}});
  REQUIRE(remote_settings(by_ssh) == &by_ssh.ssh);
  CHECK(by_ssh.ssh.hosts == std::vector<std::string>{"a", "b"});
  CHECK(by_ssh.ssh.places == 3);
  CHECK(by_ssh.ssh.own_stores);
  CHECK(by_ssh.ssh.extra_arguments == std::vector<std::string>{"-p", "2222"});
  CHECK(script_there(by_ssh.ssh, "/usr/libexec/venvoy/plugin_starter.py") == "/opt/v/plugin_starter.py");
  CHECK(script_there(here.ssh, "/usr/libexec/venvoy/plugin_starter.py") == "/usr/libexec/venvoy/plugin_starter.py");

  const Map slurm{{"partition", "long"}, {"cpus", "4"}, {"memory", "2G"}, {"nodes", 5}};
  const PythonSettings by_slurm = settings_of(Map{{"launcher", "slurm"}, {"slurm", slurm}});
  REQUIRE(remote_settings(by_slurm) == &by_slurm.slurm);
  CHECK(by_slurm.slurm.nodes == 5);
  const std::vector<std::pair<std::string, std::string>> options = {
      {"partition", "long"}, {"cpus-per-task", "4"}, {"mem", "2G"}};
  CHECK(by_slurm.slurm.options == options);
}

TEST_CASE("wrong settings are refused, with the key") {
  struct Row {
    Value data;
    std::vector<std::string> words;
  };
  const std::vector<Row> rows = {
      {Map{{"pythonpath", "/x"}}, {"pythonpath", "pythonPath"}},
      {Map{{"pythonSemver", "3.11"}}, {"pythonSemver"}},
      {Map{{"modulePullPolicy", "Never"}}, {"modulePullPolicy", "Never"}},
      {Map{{"installer", "conda"}}, {"installer", "conda"}},
      {Map{{"dependencyResolution", "asOfcommit"}}, {"dependencyResolution", "asOfcommit"}},
      {Map{{"overrideModuleCompatibility", "perhaps"}}, {"overrideModuleCompatibility"}},
      {Map{{"maxConcurrentDeployments", 0}}, {"maxConcurrentDeployments"}},
      {Map{{"sourceRewrites", List{Map{{"from", "x"}}}}}, {"sourceRewrites", "to"}},
      {Map{{"limits", Map{{"helloTimeout", "0s"}}}}, {"helloTimeout"}},
      {Map{{"limits", Map{{"memroy", "1GB"}}}}, {"memroy", "memory"}},
      {Map{{"limits", Map{{"memory", "1 bag"}}}}, {"memory"}},
      {Map{{"limits", Map{{"cpuTime", "0s"}}}}, {"cpuTime"}},
      {Map{{"limits", Map{{"openFiles", 3}}}}, {"openFiles"}},
      {Map{{"workdir", ""}}, {"workdir"}},
      {Map{{"cacheMaxSize", "much"}}, {"cacheMaxSize"}},
      {Map{{"cacheMaxAge", "0d"}}, {"cacheMaxAge"}},
      {Map{{"sharedStore", "perhaps"}}, {"sharedStore"}},
  };
  for (const Row& row : rows) {
    const std::string text = mismatch_of(row.data);
    INFO(schema::describe(row.data) << ": " << text);
    CHECK_FALSE(text.empty());
    for (const std::string& word : row.words) CHECK_THAT(text, Catch::ContainsSubstring(word));
  }
}

TEST_CASE("the scalars are what an environment variable can say") {
  const std::vector<std::string> names = scalar_python_settings();
  const auto has = [&](const char* name) { return std::find(names.begin(), names.end(), name) != names.end(); };
  CHECK((has("pythonPath") && has("modulePullPolicy") && has("maxConcurrentDeployments")));
  CHECK_FALSE(has("limits"));
  CHECK_FALSE(has("findLinks"));
}

// --- the registry ----------------------------------------------------------------------------------------------------

class TestKind final : public DeployerKind {
 public:
  explicit TestKind(std::string name) : name_(std::move(name)) {}
  std::string deployment_type() const override { return "python"; }
  std::string name() const override { return name_; }
  schema::TypePtr settings() const override { return python_settings_type(); }
  std::shared_ptr<Deployer> create(const Value& settings) override {
    seen = settings;
    return nullptr;
  }
  Value seen;

 private:
  std::string name_;
};

TEST_CASE("TestNew: the registry finds kinds by type and name, which nobody else may have") {
  Registry registry;
  const auto snake = std::make_shared<TestKind>("snake");
  registry.add(std::make_shared<TestKind>("python"));
  registry.add(snake);
  add_image_deployers(registry);
  CHECK(registry.types() == std::vector<std::string>{"image", "python"});
  CHECK(registry.has_type("image"));
  CHECK_FALSE(registry.has_type("ptyhon"));
  CHECK(registry.configuration_type("ptyhon") == nullptr);
  CHECK_THROWS_AS(registry.add(std::make_shared<TestKind>("snake")), std::invalid_argument);

  const Value configuration = Map{{"deployer_name", "snake"}, {"workdir", "/x"}};
  CHECK(registry.kind_of("python", configuration) == snake);
  registry.create("python", schema::unserialize(*registry.configuration_type("python"), configuration));
  CHECK(snake->seen == Value(Map{{"workdir", "/x"}}));  // without the name, which is the registry's
}

TEST_CASE("TestRegistry_Schema: a configuration names one of the deployers") {
  Registry registry;
  registry.add(std::make_shared<TestKind>("snake"));
  const schema::TypePtr type = registry.configuration_type("python");
  CHECK(schema::unserialize(*type, Map{{"deployer_name", "snake"}}).kind() == schema::Kind::map);
  for (const Value& wrong : {Value(Map{{"deployer_name", "non-existent"}}), Value(Map{}), Value()})
    CHECK_THROWS_AS(schema::unserialize(*type, wrong), schema::MismatchError);
}

TEST_CASE("TestRegistry_Create: no deployer without a configuration, nor of an unknown type") {
  Registry registry;
  const auto snake = std::make_shared<TestKind>("snake");
  registry.add(snake);
  for (const Value& wrong : {Value(Map{}), Value(), Value("snake")})
    CHECK_THROWS_AS(registry.create("python", wrong), Error);
  CHECK_THROWS_AS(registry.create("ptyhon", Map{{"deployer_name", "snake"}}), Error);
  CHECK(snake->seen.is_null());
  registry.create("python", Map{{"deployer_name", "snake"}});
  CHECK(snake->seen == Value(Map{}));
}

TEST_CASE("the registry says which names there are") {
  Registry registry;
  add_image_deployers(registry);
  const auto error_of = [&](const Value& configuration) -> std::string {
    try {
      registry.kind_of("image", configuration);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  for (const Value& configuration :
       {Value(Map{{"deployer_name", "padman"}}), Value(Map{}), Value(Map{{"deployer_name", 1}})})
    CHECK_THAT(error_of(configuration), Catch::ContainsSubstring("'podman'") && Catch::ContainsSubstring("'docker'"));
  CHECK_THAT(error_of(Map{{"deployer_name", "padman"}}), Catch::ContainsSubstring("padman"));
}

TEST_CASE("image deployers are understood and refused by name") {
  Registry registry;
  add_image_deployers(registry);
  for (const std::string name : {"podman", "docker", "kubernetes"}) {
    const Value configuration =
        schema::unserialize(*registry.configuration_type("image"), Value(Map{{"deployer_name", name}}));
    try {
      registry.create("image", configuration);
      FAIL("an image deployer was made");
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::environment);
      CHECK_THAT(error.what(), Catch::ContainsSubstring(name));
    }
  }
}

}  // namespace
}  // namespace venvoy::deployer
