// What answers mean: of policies, and of executors.
#include <string>

#include "governance/decision.hpp"
#include "governance/decision_log.hpp"
#include "governance/policy_code.hpp"
#include "governance/remote_evaluator.hpp"
#include "os/files.hpp"
#include "schema/json.hpp"
#include "support/catch.hpp"
#include "support/temporary_dir.hpp"

namespace venvoy::governance {
namespace {

using schema::read_json;
using schema::Value;

Verdict judged(const char* action, const char* input, const char* answer) {
  Evaluation evaluation;
  evaluation.answer = read_json(answer);
  return judge(require_action(action), read_json(input), evaluation);
}

TEST_CASE("answers of policies") {
  const char* const input = R"({"node_id": "n7", "cluster_metrics": {"nodes": 3}})";
  struct Row {
    const char* answer;
    Outcome outcome;
    const char* told;  // the new id, the reason or the kind of the error
  };
  for (const Row& row : {
           Row{R"({"allowed": true})", Outcome::allow, "n7"},
           Row{R"({"allowed": true, "input_data": "n8"})", Outcome::allow, "n8"},
           Row{R"({"allowed": true, "input_data": {"node_id": "n8"}})", Outcome::allow, "n8"},
           Row{R"({"allowed": true, "input_data": {"node_id": "n8", "cluster_metrics": 0}})", Outcome::allow, "n8"},
           Row{R"({"allowed": true, "input_data": {"id": "n8"}})", Outcome::error, "bad_output"},
           Row{R"({"allowed": true, "input_data": null})", Outcome::error, "bad_output"},
           Row{R"({"allowed": true, "input_data": {"node_id": 8}})", Outcome::error, "bad_output"},
           Row{R"({"allowed": false, "message": "m", "reason": "r"})", Outcome::deny, "m"},
           Row{R"({"allowed": false, "reason": "r", "input_data": "i"})", Outcome::deny, "r"},
           Row{R"({"allowed": false, "input_data": {"why": 1}})", Outcome::deny, R"({"why":1})"},
           Row{R"({"allowed": false})", Outcome::deny, "no reason was given"},
           Row{R"({"success": false, "message": "m"})", Outcome::error, "policy_failed"},
           Row{R"({"allowed": "true"})", Outcome::error, "bad_output"},
           Row{R"({"allowed": 1})", Outcome::error, "bad_output"},
           Row{R"({"success": true})", Outcome::error, "bad_output"},
           Row{"[true, {}]", Outcome::error, "bad_output"},
           Row{"null", Outcome::error, "bad_output"},
           Row{"true", Outcome::error, "bad_output"},
       }) {
    INFO(row.answer);
    const Verdict verdict = judged("remove_node", input, row.answer);
    CHECK(verdict.outcome == row.outcome);
    if (row.outcome == Outcome::allow) {
      CHECK(verdict.input.find("node_id")->as_text() == row.told);
      CHECK(*verdict.input.find("cluster_metrics") == read_json(R"({"nodes": 3})"));
      CHECK(verdict.modified.empty() == (std::string(row.told) == "n7"));
    }
    if (row.outcome == Outcome::deny) CHECK(verdict.reason_text() == row.told);
    if (row.outcome == Outcome::error) CHECK(verdict.error_kind == row.told);
  }
}

TEST_CASE("where nothing may be changed, nothing is") {
  const char* const input = R"({"reference": "a", "source": "git"})";
  const Verdict verdict =
      judged("engine.deploy_plugin", input, R"({"allowed": true, "input_data": {"reference": "b"}})");
  CHECK(verdict.outcome == Outcome::allow);
  CHECK(verdict.input == read_json(input));
}

TEST_CASE("the actions are those of the document, then the engine's") {
  std::string names;
  for (const Action& action : all_actions()) names += std::string(action.name) + " ";
  CHECK(names ==
        "add_node remove_node add_cluster remove_cluster add_block remove_block update_cluster scale_block block_mgmt "
        "cluster_mgmt engine.deploy_plugin engine.run_step engine.run_workflow engine.cancel engine.prune_cache "
        "engine.remove_plugin engine.write_config ");
  CHECK(find_action("create_cluster") == find_action("add_cluster"));
  CHECK(find_action("nothing") == nullptr);
}

TEST_CASE("replies of executors") {
  struct Row {
    long status;
    const char* body;
    const char* kind;  // empty: an answer
  };
  for (const Row& row :
       {Row{200, R"({"success": true, "data": {"allowed": true}})", ""},
        Row{202, R"({"success": true, "data": null})", ""}, Row{201, R"({"success": true, "data": {}})", "remote_http"},
        Row{200, R"({"success": false, "message": "m"})", "policy_failed"},
        Row{422, R"({"success": false, "message": "m"})", "policy_failed"},
        Row{404, R"({"success": false, "message": "m"})", "remote_http"}, Row{500, "", "remote_http"},
        Row{200, "", "remote_bad_reply"}, Row{200, "[]", "remote_bad_reply"},
        Row{200, R"({"success": true})", "remote_bad_reply"},
        Row{200, R"({"success": 1, "data": {}})", "remote_bad_reply"}}) {
    INFO(row.status << " " << row.body);
    const Evaluation evaluation = read_executor_reply(row.status, row.body);
    CHECK(evaluation.answer.has_value() == std::string(row.kind).empty());
    CHECK(evaluation.error_kind == row.kind);
  }
  // A nested failure is the policy's, not a denial.
  const Evaluation nested =
      read_executor_reply(200, R"({"success": true, "data": {"success": false, "message": "m"}})");
  const Verdict verdict = judge(require_action("add_node"), read_json(R"({"node_data": {}})"), nested);
  CHECK(verdict.outcome == Outcome::error);
  CHECK(verdict.error_kind == "policy_failed");
  CHECK(verdict.error == "m");
}

TEST_CASE("waits between attempts grow") {
  using namespace std::chrono_literals;
  CHECK(remote_delay(1, 0) == 200ms);
  CHECK(remote_delay(2, 0) == 400ms);
  CHECK(remote_delay(3, 1) == 1000ms);
  CHECK(remote_delay(100, 0) == 204800ms);
}

TEST_CASE("requirements without options") {
  CHECK(read_requirements("# all\n\na==1  # pinned\r\nb >= 2 ; python_version > '3'\nc \\\n  == 3\n") ==
        std::vector<std::string>{"a==1", "b >= 2 ; python_version > '3'", "c   == 3"});
  for (const char* text : {"-r other.txt", "--index-url http://x", "-e .", "a==1 --hash=sha256:0"})
    CHECK_THROWS_AS(read_requirements(text), PolicyError);
}

TEST_CASE("the log keeps its bounds, and a torn line takes no other with it") {
  const test::TemporaryDir dir;
  LogSettings settings;
  settings.file = dir.path() / "log" / "decisions.jsonl";
  settings.max_mb = 1;
  settings.keep = 2;
  std::filesystem::create_directory(dir.path() / "log");
  os::write_file_atomically(settings.file, "{\"n\": 0}\n{\"torn");
  DecisionLog log(settings);
  const std::string filling(100'000, 'x');
  for (int number = 1; number <= 60; ++number) log.write(schema::Map({{"n", number}, {"filling", filling}}));
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(dir.path() / "log")) ++files;
  CHECK(files == 4);  // the log, two before it, and the lock
  const auto all = log.read(1000, [](const Value&) { return true; });
  REQUIRE(all.size() >= 20);
  for (std::size_t index = 1; index < all.size(); ++index)
    CHECK(all[index].find("n")->as_integer() == all[index - 1].find("n")->as_integer() + 1);
  CHECK(all.back().find("n")->as_integer() == 60);
  CHECK(log.read(2, [](const Value& record) { return record.find("n")->as_integer() % 2 == 1; }).size() == 2);
}

TEST_CASE("secrets are masked in inputs and in what is said about them") {
  const test::TemporaryDir dir;
  LogSettings settings;
  settings.file = dir.path() / "decisions.jsonl";
  const DecisionLog log(settings, {"Pin"});
  const Value input = read_json(R"({"api_token": "abcdef", "deep": [{"KubeConfig": {"x": "ghijkl"}}], "pin": "mnopqr",
                                    "name": "open"})");
  CHECK(schema::write_json(log.masked(input), {.indent = 0}) ==
        R"({"api_token":"***","deep":[{"KubeConfig":"***"}],"pin":"***","name":"open"})");
  CHECK(log.without_secrets_of(input, "abcdef ghijkl mnopqr open") == "*** *** *** open");
}

}  // namespace
}  // namespace venvoy::governance
