#include "contract/supported_version.hpp"

#include "contract/policy_contract.hpp"
#include "support/catch.hpp"

using venvoy::contract::host_verdict_from;
using venvoy::contract::HostVerdict;
using venvoy::contract::HostVersion;
using venvoy::contract::parse_host_version;

TEST_CASE("the major that a host compares") {
  const std::pair<const char*, const char*> rows[] = {
      {"41.5.1", "41"},
      {"release-41.5.1", "41"},
      {"41.0.0rc1", "41"},
      {"1.31.7", "1.31"},
      {"41", "41"},
      {"rucio/rucio-server:release-38.6.4", "38"},
      {"release-1.30.0", "1.30"},
      {" 35.8.0\n", "35"},
  };
  for (const auto& [text, major] : rows) {
    INFO(text);
    const auto host = parse_host_version(text);
    REQUIRE(host);
    CHECK(host->major == major);
  }
  for (const char* text : {"", "latest", "release-", "v", "41.5.1; rm", "-1", "41 5"}) {
    INFO(text);
    CHECK_FALSE(parse_host_version(text));
  }
}

TEST_CASE("what a line of hosts does") {
  const auto host = [](const char* text) { return *parse_host_version(text); };
  CHECK(host("35.8.0").rule == HostVersion::Rule::list);
  CHECK(host("1.31.7").rule == HostVersion::Rule::list);
  CHECK(host("36.0.0").rule == HostVersion::Rule::specifier);
  CHECK_FALSE(host("38.3.9").refuses_surl());
  CHECK(host("38.4.0").refuses_surl());
  CHECK(host("39.0.0").refuses_surl());
  CHECK_FALSE(host("37.7.1").has_default_algorithms());
  CHECK(host("38.0.0").has_default_algorithms());
  CHECK(host("38.0.5").needs_policy_section());
  CHECK_FALSE(host("38.1.0").needs_policy_section());
  CHECK(host("35.8.0").needs_schema());
  CHECK_FALSE(host("37.7.1").needs_schema());
}

TEST_CASE("verdicts come back from their texts") {
  for (const auto verdict : {HostVerdict::accepted, HostVerdict::mismatch, HostVerdict::unparsable, HostVerdict::none})
    CHECK(host_verdict_from(to_text(verdict)) == verdict);
  CHECK(host_verdict_from("anything") == HostVerdict::none);
}

TEST_CASE("every package may be in the store under the contract of policies") {
  const venvoy::contract::PolicyContract contract;
  CHECK(contract.judge_package({}).kept());
  CHECK(contract.judge_folder("/nowhere").kept());
  CHECK_FALSE(contract.is_run_as_module());
}
