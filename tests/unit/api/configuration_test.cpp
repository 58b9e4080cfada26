// The configuration file (spec/command.md section 4, spec/workflow.md section 2).
#include "api/configuration.hpp"

#include "api/runtime.hpp"
#include "deployer/python_settings.hpp"
#include "schema/json.hpp"
#include "support/catch.hpp"

namespace venvoy::api {
namespace {

ReadConfiguration read(const std::string& text, const os::Environment& environment = {}) {
  const auto registry = make_registry_for_reading();
  return read_configuration(text, "config.yaml", *registry, environment);
}

// Deployers as one line of JSON, or the issues as "line:column text".
std::string told(const ReadConfiguration& read) {
  std::string text;
  for (const Issue& issue : read.issues)
    text += std::to_string(issue.at.line) + ":" + std::to_string(issue.at.column) + " " + issue.text + "\n";
  if (!text.empty()) return text;
  schema::Map deployers;
  for (const auto& [type, settings] : read.configuration.deployers) deployers.insert(type, settings);
  return schema::write_json(deployers, {.indent = 0, .sort_keys = true});
}

TEST_CASE("both forms name the same Python deployer") {
  const std::string old_form =
      told(read("deployer:\n  type: python\n  pythonPath: /usr/bin/python3\n  workdir: /srv/w\n"
                "  modulePullPolicy: Always\n  overrideModuleCompatibility: true\n"));
  const std::string new_form = told(
      read("deployers:\n  python:\n    deployer_name: python\n    pythonPath: /usr/bin/python3\n    workdir: /srv/w\n"
           "    modulePullPolicy: Always\n    overrideModuleCompatibility: true\n"));
  CHECK(old_form == new_form);
  CHECK(old_form ==
        R"({"python":{"deployer_name":"python","modulePullPolicy":"Always","overrideModuleCompatibility":true,)"
        R"("pythonPath":"/usr/bin/python3","workdir":"/srv/w"}})");
}

TEST_CASE("TestConfigLoad: no deployers and no file mean the defaults") {
  const auto registry = make_registry_for_reading();
  const std::string defaults = told(default_configuration(*registry, {}));
  CHECK(defaults == R"({"image":{"deployer_name":"podman"},"python":{"deployer_name":"python"}})");
  for (const char* text : {"{}\n", "log: {level: debug}\n", "secretNames: [token]\n"}) {
    INFO(text);
    CHECK(told(read(text)) == defaults);
  }
}

TEST_CASE("TestConfigLoad: what stands outside of the deployers is read") {
  const ReadConfiguration result = read(
      "log: {level: warning, destination: stdout}\nlogged_outputs: {error: {level: error}, success: {}}\n"
      "secretNames: [token, key]\nplugins: [a]\n");
  CHECK(result.issues.empty());
  CHECK(result.configuration.log_level == LogLevel::warning);
  CHECK(result.configuration.logged_outputs ==
        std::map<std::string, LogLevel>{{"error", LogLevel::error}, {"success", LogLevel::info}});
  CHECK(result.configuration.secret_names == std::vector<std::string>{"token", "key"});
}

TEST_CASE("TestConfigLoad: the rows of the Go engine's test") {
  const ReadConfiguration empty = read("{}\n");
  CHECK(empty.issues.empty());
  CHECK_THAT(told(read("")), Catch::ContainsSubstring("Must be a map to convert to object"));
  CHECK(empty.configuration.log_level == LogLevel::info);
  CHECK(read("log:\n  level: debug\n").configuration.log_level == LogLevel::debug);
  const ReadConfiguration kubernetes = read("deployers:\n  image:\n    deployer_name: kubernetes\n");
  CHECK(kubernetes.issues.empty());
  CHECK(*kubernetes.configuration.deployers.at("image").find("deployer_name") == schema::Value("kubernetes"));
  const ReadConfiguration plugins = read("plugins:\n  - quay.io/arcalot/example-plugin:latest\n");
  CHECK(plugins.issues.empty());
  CHECK(told(plugins) == told(empty));
}

TEST_CASE("what is wrong in a configuration is told with its place") {
  struct Row {
    const char* what;
    std::string text;
    std::string place;               // of the first issue
    std::vector<std::string> words;  // in its text
  };
  const std::vector<Row> rows = {
      {"both forms", "deployer: {type: python}\ndeployers: {python: {deployer_name: python}}\n", "", {"deployer"}},
      {"an unknown key at the top", "deployer: {type: python}\nlogs: {}\n", "2:1", {"logs", "'log'"}},
      {"an unknown key of the deployer",
       "deployers:\n  python:\n    deployer_name: python\n    pythonpath: /x\n",
       "4:5",
       {"pythonpath", "'pythonPath'"}},
      {"the same in the old form", "deployer:\n  type: python\n  pullPolicy: Always\n", "3:3", {"pullPolicy"}},
      {"an unknown deployment type",
       "deployers:\n  pyhton:\n    deployer_name: python\n",
       "2:",
       {"pyhton", "'python'"}},
      {"an unknown deployer", "deployers:\n  python:\n    deployer_name: snake\n", "", {"snake"}},
      {"no type", "deployer:\n  workdir: /x\n", "", {"type"}},
      {"a type that is no text", "deployer:\n  type: [python]\n", "", {"type"}},
      {"a value that is none of the words",
       "deployer:\n  type: python\n  modulePullPolicy: Sometimes\n",
       "3:21",
       {"Sometimes"}},
      {"a value of another type", "deployer:\n  type: python\n  maxConcurrentDeployments: many\n", "3:29", {"many"}},
      {"a value below its limit",
       "deployer:\n  type: python\n  maxConcurrentDeployments: 0\n",
       "3:29",
       {"Must be at least 1"}},
      {"a log level", "log:\n  level: loud\n", "2:10", {"loud"}},
      {"no map", "just a text\n", "1:1", {}},
      {"a key twice", "log: {}\nlog: {}\n", "2:1", {"duplicate key 'log'"}},
      {"no YAML", "a: [1\n", "", {}},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    const ReadConfiguration result = read(row.text);
    CHECK(has_errors(result.issues));
    if (result.issues.empty()) continue;
    const std::string first = told(result);
    INFO(first);
    CHECK(first.substr(0, row.place.size()) == row.place);
    for (const std::string& word : row.words) CHECK_THAT(first, Catch::ContainsSubstring(word));
    for (const Issue& issue : result.issues) CHECK(issue.at.file == "config.yaml");
  }
}

TEST_CASE("variables of the environment go over the scalars of the Python deployer") {
  const std::string file = "deployer: {type: python, modulePullPolicy: IfNotPresent, workdir: /srv/w}\n";
  const os::Environment environment = {"VENVOY_MODULE_PULL_POLICY=Always", "VENVOY_MAX_CONCURRENT_DEPLOYMENTS=7",
                                       "VENVOY_OVERRIDE_MODULE_COMPATIBILITY=true", "VENVOY_SOMETHING_ELSE=x"};
  const ReadConfiguration result = read(file, environment);
  REQUIRE(result.issues.empty());
  const auto settings = deployer::read_python_settings(result.configuration.deployers.at("python"));
  CHECK(settings.environment.pull_policy == venv::PullPolicy::always);
  CHECK(settings.max_concurrent_deployments == 7);
  CHECK(settings.override_compatibility == true);
  CHECK(settings.workdir == "/srv/w");
  // Also where there is no file, and what is wrong in them is told.
  const auto registry = make_registry_for_reading();
  const auto defaults = default_configuration(*registry, {"VENVOY_INSTALLER=pip"});
  CHECK(deployer::read_python_settings(defaults.configuration.deployers.at("python")).environment.installer ==
        venv::InstallerChoice::pip);
  const std::string wrong = told(read(file, {"VENVOY_MODULE_PULL_POLICY=Never"}));
  CHECK_THAT(wrong, Catch::ContainsSubstring("Never"));
}

}  // namespace
}  // namespace venvoy::api
