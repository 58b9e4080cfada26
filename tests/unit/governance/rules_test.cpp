// Rule ids, the rule map and its file.
#include <filesystem>
#include <string>

#include "governance/rule_map.hpp"
#include "governance/rule_store.hpp"
#include "os/files.hpp"
#include "schema/json.hpp"
#include "support/catch.hpp"
#include "support/temporary_dir.hpp"

namespace venvoy::governance {
namespace {

TEST_CASE("a rule id splits at the first colon and the first dash after it") {
  struct Row {
    const char* text;
    const char* name;
    const char* version;
    const char* tag;
  };
  for (const Row& row :
       {Row{"a:1-b", "a", "1", "b"}, Row{"acme.add-node:v0.0.12-stable", "acme.add-node", "v0.0.12", "stable"},
        Row{"A_b-c.d:1+2_3-rc-1.x", "A_b-c.d", "1+2_3", "rc-1.x"}, Row{"0:_-0", "0", "_", "0"}}) {
    const RuleId id = RuleId::parse(row.text);
    CHECK(id.name == row.name);
    CHECK(id.version == row.version);
    CHECK(id.release_tag == row.tag);
    CHECK(id.text() == row.text);
  }
}

TEST_CASE("what is no rule id is refused") {
  for (const char* text : {"", "a", "a:1", "a-1:b", ":1-b", "a:-b", "a:1-", "a:1-.b", "a:1-b c", "a b:1-c", "a/b:1-c",
                           "a..b:1-c", ".a:1-b", "-a:1-b", "a:1/2-b", "a::1-b", "a:1-b:c", "ä:1-b"})
    CHECK_THROWS_AS(RuleId::parse(text), Error);
  CHECK_NOTHROW(RuleId::parse(std::string(251, 'a') + ":1-b"));
  CHECK_THROWS_AS(RuleId::parse(std::string(252, 'a') + ":1-b"), Error);
}

Update update_of(const char* json) {
  return read_update(schema::read_json(json));
}

TEST_CASE("an update sets, removes and keeps") {
  RuleMap map;
  apply(map, {}, update_of(R"({"add_node": "a:1-b", "add_block": {"policyRuleURI": "c:1-d", "parameters": {"x": 1}}})"),
        "me", "now");
  CHECK(map.revision == 1);
  const Change change =
      apply(map, {}, update_of(R"({"create_cluster": "e:1-f", "add_node": "", "remove_node": {"policyRuleURI": ""}})"),
            "you", "then");
  CHECK(change.changed == std::vector<std::string>{"add_cluster"});
  CHECK(change.removed == std::vector<std::string>{"add_node"});
  CHECK(map.revision == 2);
  CHECK(map.network.size() == 2);
  CHECK(map.network.at("add_block").id.text() == "c:1-d");
  CHECK(map.network.at("add_cluster").changed_by == "you");
  apply(map, {}, {}, "me", "now");
  CHECK(map.revision == 2);
  // A cluster without rules is none.
  apply(map, "c1", update_of(R"({"add_node": "a:1-b"})"), "me", "now");
  CHECK(map.scope("c1").size() == 1);
  apply(map, "c1", update_of(R"({"add_node": ""})"), "me", "now");
  CHECK(map.clusters.empty());
  CHECK(map.scope("c2").empty());
}

TEST_CASE("a rules file is read as it was written") {
  RuleMap map;
  apply(map, {}, update_of(R"({"add_node": {"policyRuleURI": "a:1-b", "parameters": {"x": [1, null, "y"]}}})"), "me",
        "now");
  apply(map, "c1", update_of(R"({"engine.run_step": "a:1-b"})"), "me", "now");
  const RuleMap again = RuleMap::from_text(map.to_text(), "rules.json");
  CHECK(again.to_text() == map.to_text());
  CHECK(again.revision == 2);
  CHECK(again.clusters.at("c1").at("engine.run_step").changed_by == "me");
  for (const char* text : {"", "{}", "[]", R"({"version":2,"revision":0,"network":{},"clusters":{}})",
                           R"({"version":1,"revision":-1,"network":{},"clusters":{}})",
                           R"({"version":1,"revision":0,"network":{"x":"a:1-b"},"clusters":{}})",
                           R"({"version":1,"revision":0,"network":{},"clusters":{"../x":{}}})"})
    CHECK_THROWS_AS(RuleMap::from_text(text, "rules.json"), Error);
}

TEST_CASE("the store notices what others write, and refuses a stale revision") {
  const test::TemporaryDir dir;
  RuleStore one(dir.path() / "governance" / "rules.json");
  RuleStore other(dir.path() / "governance" / "rules.json");
  CHECK(one.read()->revision == 0);
  one.update({}, update_of(R"({"add_node": "a:1-b"})"), "me", 0, {});
  CHECK(other.read()->network.size() == 1);
  CHECK_THROWS_AS(other.update({}, update_of(R"({"add_node": ""})"), "me", 0, {}), StaleRevision);
  other.update({}, update_of(R"({"add_block": "a:1-b"})"), "me", 1, {});
  CHECK(one.read()->network.size() == 2);
  const RuleMap previous = RuleMap::from_text(os::read_file(one.file().string() + ".previous", 1 << 20), "previous");
  CHECK(previous.revision == 1);
  os::write_file_atomically(one.file(), "{");
  CHECK_THROWS_AS(one.read(), Error);
  CHECK_THROWS_AS(one.update({}, update_of("{}"), "me", {}, {}), Error);
}

}  // namespace
}  // namespace venvoy::governance
