// The check before the installation.
#include "engine.hpp"

using namespace venvoy;
using namespace venvoy::test;

namespace {

venv::Settings overridden() {
  auto settings = uv_settings();
  settings.override_compatibility = true;
  return settings;
}

}  // namespace

TEST_CASE("TestRunIncompatiblePlugin: a plugin without the contract file is refused before any of its code ran") {
  const Place place;
  const PluginRepository repository(place / "repository", {.contract = false, .mark = place / "mark"});
  const std::string reference = repository.reference("main");
  Engine engine(place.path());
  const auto settings = GENERATE(uv_settings(), pip_settings());
  const Error error = engine.error_of(reference, settings);
  CHECK(error.code() == ErrorCode::contract_missing);
  CHECK(error.message().find("impossible to run module test-plugin, from repo " + repository.url() +
                             "@main marked as incompatible in package metadata") == 0);
  CHECK(error.hint().find(".python_deployer_compat") != std::string::npos);
  CHECK(error.hint().find("overrideModuleCompatibility: true") != std::string::npos);
  CHECK(error.hint().find("--allow-incompatible '" + reference + "'") != std::string::npos);
  CHECK_FALSE(fs::exists(place / "mark"));
  CHECK(generations_in(place.path()).empty());
  CHECK(is_clean(place.path()));
}

TEST_CASE(
    "TestRunIncompatiblePluginOverride: an override runs it with a warning, and without it the warm store refuses "
    "again") {
  const Place place;
  const PluginRepository repository(place / "repository", {.contract = false, .mark = place / "mark"});
  const std::string reference = repository.reference();
  {
    Engine engine(place.path());
    CHECK(output_of(*engine.get(reference, overridden())) == "hello");
    CHECK(engine.log->has({"warning:", "test-plugin", "overrideModuleCompatibility"}));
    CHECK(fs::exists(place / "mark"));
    CHECK(engine.error_of(reference).code() == ErrorCode::contract_missing);
  }
  Engine engine(place.path());
  CHECK(engine.error_of(reference).code() == ErrorCode::contract_missing);
  CHECK_FALSE(engine.get(reference, overridden())->built_now);
}

TEST_CASE("where the contract is advice the warning says which key makes it an error") {
  const Place place;
  const PluginRepository repository(place / "repository", {.contract = false});
  Engine engine(place.path());
  auto settings = uv_settings();
  settings.contract_is_advice = true;
  CHECK(output_of(*engine.get(repository.reference(), settings)) == "hello");
  CHECK(engine.log->has({"warning:", "test-plugin", "an error with overrideModuleCompatibility: false"}));
  CHECK(engine.error_of(repository.reference()).code() == ErrorCode::contract_missing);
}

TEST_CASE("single references can be excused") {
  const Place place;
  const PluginRepository repository(place / "repository", {.contract = false});
  const std::string reference = repository.reference("main");
  struct Row {
    std::string allowed;
    bool runs;
  };
  const Row rows[] = {
      {"test-plugin", true}, {reference, true}, {repository.reference(), false}, {repository.reference("mai"), false},
      {"test", false},       {"", false}};
  Engine engine(place.path());
  for (const Row& row : rows) {
    INFO(row.allowed);
    auto settings = uv_settings();
    settings.allow_incompatible = {"other", row.allowed};
    engine.log->clear();
    if (row.runs)
      CHECK(engine.get(reference, settings)->module == "test_plugin");
    else
      CHECK(engine.error_of(reference, settings).code() == ErrorCode::contract_missing);
    CHECK(engine.log->has({"warning: running incompatible module test-plugin"}) == row.runs);
  }
}

TEST_CASE("a contract file in a sub-folder does not count") {
  const Place place;
  PluginRepository repository(place / "repository", {.contract = false});
  repository.commit("files/.python_deployer_compat", "");
  Engine engine(place.path());
  CHECK(engine.error_of(repository.reference()).code() == ErrorCode::contract_missing);
}

TEST_CASE("an older commit without the contract is refused, and a newer one without it too") {
  const Place place;
  PluginRepository repository(place / "repository", {.contract = false});
  const std::string with = repository.commit(".python_deployer_compat", "");
  repository.git({"rm", "-q", ".python_deployer_compat"});
  const std::string newer = repository.commit_all("Remove it");
  for (int round = 0; round < 2; ++round) {
    Engine engine(place.path());
    CHECK(engine.error_of(repository.reference(repository.first)).code() == ErrorCode::contract_missing);
    CHECK(engine.get(repository.reference(with))->version == with);
    CHECK(engine.error_of(repository.reference(newer)).code() == ErrorCode::contract_missing);
    CHECK(engine.error_of(repository.reference("main")).code() == ErrorCode::contract_missing);
  }
}

TEST_CASE("an override hides no other trouble") {
  const Place place;
  Engine engine(place.path());
  const Error error = engine.error_of("p@git+file://" + (place / "absent").string(), overridden());
  CHECK(error.code() == ErrorCode::unresolvable);
}

TEST_CASE("verdicts are kept for each contract") {
  // Nothing keeps this one.
  struct Stricter final : contract::Contract {
    std::string_view name() const noexcept override { return "stricter"; }
    bool is_run_as_module() const noexcept override { return true; }
    contract::Verdict judge_commit(const source::GitMirror&, const source::CommitId&,
                                   const std::string&) const override {
      return {contract::Verdict::Kind::unreadable, "nonsense"};
    }
    contract::Verdict judge_folder(const fs::path&) const override { return {}; }
    contract::Verdict judge_package(const contract::PackageFacts&) const override { return {}; }
    Refusal refusal(const std::string& module, const std::string&, const std::string&,
                    const contract::Verdict& verdict) const override {
      return {module + ": " + verdict.evidence, "do something"};
    }
  };
  const Place place;
  const PluginRepository repository(place / "repository");
  Engine engine(place.path());
  engine.get(repository.reference());
  const Stricter stricter;
  std::optional<Error> refusal;
  boost::asio::co_spawn(
      engine.io, engine.environments.get(source::parse_module_ref(repository.reference()), stricter, uv_settings(), {}),
      [&](std::exception_ptr failure, venv::ReadyEnvPtr) {
        try {
          std::rethrow_exception(failure);
        } catch (const Error& error) {
          refusal = error;
        }
      });
  engine.turn_until([&] { return refusal.has_value(); });
  CHECK(refusal->code() == ErrorCode::contract_unreadable);
  CHECK(refusal->message() == "test-plugin: nonsense");
  CHECK(refusal->hint() == "do something");
}
