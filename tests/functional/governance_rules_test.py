"""Rules: the map, its updates and its file (spec/governance.md section 9, statements 1 to 14, 17, 44)."""

import json
import os
import signal
import subprocess
import threading
import unittest

from governance_harness import ACTIONS, INPUTS, GovernanceTest
from harness import main, wait_until

EXAMPLE = {
    "add_node": "aiosv1.policies.cluster-controller-gateway.add-node:v0.0.12-stable",
    "remove_node": "aiosv1.policies.cluster-controller-gateway.remove-node:v0.0.1-stable",
    "add_cluster": "aiosv1.policies.cluster-controller-gateway.add-cluster:v0.0.2-stable",
    "remove_cluster": "",
    "add_block": "",
}
ENGINE_ACTIONS = {
    "engine.deploy_plugin": {"reference": "a"},
    "engine.run_step": {"plugin": "a", "step": "b", "input": {}},
    "engine.run_workflow": {"workflow": {}, "input": {}},
    "engine.cancel": {"run_id": "r"},
    "engine.prune_cache": {},
    "engine.remove_plugin": {},
    "engine.write_config": {"path": "config.yaml"},
}


class Rules(GovernanceTest):
    def add_example(self):
        for rule in EXAMPLE.values():
            if rule:
                self.add_policy(rule)

    def test_01_an_empty_rule_map_allows_everything(self):
        daemon = self.daemon()
        self.assertEqual(len(ACTIONS), 10)
        for action, value in {**INPUTS, **ENGINE_ACTIONS}.items():
            answer = daemon.check(action, value)
            self.assertEqual((answer.status, answer.json["allowed"]), (200, True), answer)
            self.assertEqual(answer.json["data"], value)
            self.assertFalse(answer.json["executed"])
        for action, value in {**INPUTS, **ENGINE_ACTIONS}.items():
            self.assertEqual(self.cli_check(action, value).code, 0)
        # The table of the code is that of the document.
        self.assertEqual(daemon.get("/v1/rules").json["actions"], [*ACTIONS, *ENGINE_ACTIONS])

    def test_02_a_fresh_state_folder_has_an_empty_map_of_revision_0(self):
        self.assertEqual(self.daemon().get("/pre-check-policies/get").json, {"success": True, "map": {}, "revision": 0})
        result = self.governance("get")
        self.assertEqual((result.code, json.loads(result.out)), (0, {"success": True, "map": {}, "revision": 0}), result)

    def test_03_and_04_the_example_of_the_document(self):
        self.add_example()
        self.add_policy("acme.scale:1-stable")
        self.add_policy("acme.no:1-stable", parameters={"do": "deny"})
        for by_command in (False, True):
            self.state = self.folder / f"state-{by_command}"
            daemon = None if by_command else self.daemon()

            def update(rules):
                if daemon:
                    answer = daemon.update(rules)
                    self.assertEqual(answer.status, 200, answer)
                    return answer.json
                result = self.governance("update", "-f", str(self.write("map.json", json.dumps(rules))))
                self.assertEqual(result.code, 0, result)
                return json.loads(result.out)

            update({"scale_block": "acme.scale:1-stable", "remove_cluster": "acme.no:1-stable",
                    "add_block": "acme.no:1-stable"})
            answer = update(EXAMPLE)
            self.assertEqual(set(answer["map"]), {"add_node", "remove_node", "add_cluster", "scale_block"})
            self.assertEqual(answer["map"]["add_node"], {"policyRuleURI": EXAMPLE["add_node"], "parameters": {}})
            self.assertEqual(answer["changed"], ["add_cluster", "add_node", "remove_node"])
            self.assertEqual(answer["removed"], ["add_block", "remove_cluster"])
            self.assertEqual(answer["revision"], 2)
            # Statement 4: what was removed is really gone.
            for action in ("remove_cluster", "add_block"):
                if daemon:
                    self.assertEqual(daemon.check(action).status, 200)
                else:
                    self.assertEqual(self.cli_check(action).code, 0)

    def test_05_two_posts_keep_both_keys(self):
        self.add_general()
        daemon = self.daemon()
        daemon.update({"add_node": "acme.rule:1-stable"})
        daemon.update({"add_block": "acme.rule:1-stable"})
        self.assertEqual(set(daemon.get("/pre-check-policies/get").json["map"]), {"add_node", "add_block"})
        self.assertEqual(self.governance("set", "add_cluster=acme.rule:1-stable").code, 0)
        # The daemon notices what another process has written.
        self.assertEqual(set(daemon.get("/pre-check-policies/get").json["map"]), {"add_node", "add_block", "add_cluster"})

    def test_06_the_map_survives_sigkill_right_after_the_reply(self):
        self.add_general()
        for number in range(5):
            daemon = self.daemon()
            answer = daemon.update({ACTIONS[number]: "acme.rule:1-stable"})
            daemon.kill()
            self.assertEqual(answer.json["revision"], number + 1)
            result = json.loads(self.governance("get").out)
            self.assertEqual((result["revision"], set(result["map"])), (number + 1, set(ACTIONS[: number + 1])))

    def test_07_a_killed_writer_leaves_the_old_or_the_new_map(self):
        """The writer is killed at each of its system calls that touches the rules file or its folder."""
        self.add_general()
        self.governance("set", "add_node=acme.rule:1-stable")
        before = self.rules()
        seen = set()
        for when in range(1, 40):
            file = self.state / "governance" / "rules.json"
            saved = file.read_bytes()
            log = self.folder / "kill.log"
            result = self.call(
                "--config", str(self.folder / "governance.yaml"), "--state-dir", str(self.state), "governance", "set",
                "add_block=acme.rule:1-stable",
                wrapper=[os.environ.get("STRACE", "strace"), "-f", "-qq", "-o", str(log), "-P",
                         str(self.state / "governance"), "-P", str(file), "-e",
                         f"inject=openat,rename,renameat,renameat2,fsync,fdatasync:signal=SIGKILL:when={when}"])
            now = self.rules()
            self.assertIn(now["revision"], (before["revision"], before["revision"] + 1))
            self.assertEqual("add_block" in now["network"], now["revision"] > before["revision"])
            self.assertEqual(now["network"]["add_node"], before["network"]["add_node"])
            seen.add((result.code == 0, now["revision"] > before["revision"]))
            file.write_bytes(saved)
            if result.code == 0:
                break
        else:
            self.fail("the writer never came to its end")
        # Killed before the map was there, and after.
        self.assertIn((False, False), seen)
        self.assertIn((True, True), seen)

    def test_08_fifty_parallel_updates_of_fifty_scopes(self):
        self.add_general()
        daemon = self.daemon()
        answers = []

        def update(number):
            if number % 5:
                answers.append(daemon.update({"add_node": "acme.rule:1-stable"}, f"?cluster_id=c{number}").status)
            else:
                answers.append(200 if self.governance("set", "--cluster", f"c{number}", "add_node=acme.rule:1-stable").code
                               == 0 else 500)

        threads = [threading.Thread(target=update, args=(number,)) for number in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers, [200] * 50)
        rules = self.rules()
        self.assertEqual((rules["revision"], set(rules["clusters"])), (50, {f"c{number}" for number in range(50)}))

    def test_09_wrong_updates_change_nothing(self):
        self.add_general()
        daemon = self.daemon()
        daemon.update({"add_node": "acme.rule:1-stable"})
        good = {"add_block": "acme.rule:1-stable"}
        for wrong in ({"add_nod": "acme.rule:1-stable"}, {"remove_node": None}, {"remove_node": 7}, {"remove_node": []},
                      {"remove_node": "acme.rule"}, {"remove_node": "acme.rule:1stable"}, {"remove_node": "a/b:1-s"},
                      {"remove_node": "a..b:1-s"}, {"remove_node": "-a:1-s"}, {"remove_node": ":1-s"},
                      {"remove_node": "a:-s"}, {"remove_node": "a:1-"}, {"remove_node": "a" * 255 + ":1-s"},
                      {"remove_node": {"policyRuleURI": 3}}, {"remove_node": {}},
                      {"remove_node": {"policyRuleURI": "acme.rule:1-stable", "parameters": []}},
                      {"remove_node": {"policyRuleURI": "acme.rule:1-stable", "parameter": {}}}):
            answer = daemon.update({**good, **wrong})
            self.assertEqual((answer.status, answer.json["error"]["kind"]), (400, "bad_request"), f"{wrong}: {answer}")
            result = self.governance("update", "-f", str(self.write("map.json", json.dumps({**good, **wrong}))))
            self.assertEqual(result.code, 2, result)
        for body in ("null", "[]", "7", "", "{", '{"add_node": "acme.rule:1-stable", "add_node": ""}', "[" * 5000):
            self.assertEqual(daemon.update(body).status, 400, body[:40])
        self.assertEqual(daemon.get("/pre-check-policies/get").json["revision"], 1)
        empty = daemon.update({})
        self.assertEqual((empty.status, empty.json["revision"], empty.json["changed"]), (200, 1, []))

    def test_10_an_unknown_id_is_422_unless_it_is_not_verified(self):
        self.add_general()
        daemon = self.daemon()
        answer = daemon.update({"add_node": "acme.other:1-stable", "add_block": "acme.rule:1-stable"})
        self.assertEqual((answer.status, answer.json["error"]["kind"]), (422, "unknown_rule"), answer)
        self.assertEqual(daemon.get("/pre-check-policies/get").json["map"], {})
        self.assertEqual(self.governance("set", "add_node=acme.other:1-stable").code, 2)
        answer = daemon.update({"add_node": "acme.other:1-stable"}, "?verify=false")
        self.assertEqual((answer.status, set(answer.json["map"])), (200, {"add_node"}))
        self.assertEqual(self.governance("set", "--no-verify", "add_block=acme.other:1-stable").code, 0)

    def test_11_a_stale_revision_is_412(self):
        self.add_general()
        daemon = self.daemon()
        self.assertEqual(daemon.update({"add_node": "acme.rule:1-stable"}, headers={"If-Match": '"0"'}).status, 200)
        answer = daemon.update({"add_node": ""}, headers={"If-Match": '"0"'})
        self.assertEqual((answer.status, answer.json["error"]["kind"]), (412, "stale"), answer)
        self.assertEqual(self.governance("set", "--if-revision", "0", "add_node=").code, 2)
        self.assertEqual(set(self.rules()["network"]), {"add_node"})
        self.assertEqual(self.governance("set", "--if-revision", "1", "add_node=").code, 0)

    def test_12_an_update_without_the_token_is_401(self):
        self.add_general()
        daemon = self.daemon()
        for token in (False, "wrong", daemon.token[:-1], daemon.token + "0"):
            answer = daemon.update({"add_node": "acme.rule:1-stable"}, token=token)
            self.assertEqual((answer.status, answer.json["error"]["kind"]), (401, "unauthorized"), answer)
        self.assertFalse((self.state / "governance" / "rules.json").exists())
        self.assertEqual((self.state / "token").stat().st_mode & 0o777, 0o600)
        self.assertEqual((self.state / "token").read_text().strip(), daemon.token)

    def test_13_a_damaged_rules_file_stops_the_start(self):
        self.add_general()
        self.governance("set", "add_node=acme.rule:1-stable")
        self.governance("set", "add_block=acme.rule:1-stable")
        file = self.state / "governance" / "rules.json"
        whole = file.read_text()
        for damaged in (whole[:-30], "", "{}", "null", whole.replace('"version": 1', '"version": 2'),
                        whole.replace("acme.rule:1-stable", "acme.rule")):
            self.assertNotEqual(damaged, whole)
            file.write_text(damaged)
            result = self.call("--config", str(self.folder / "governance.yaml"), "--state-dir", str(self.state), "serve",
                               "--listen", "127.0.0.1:0")
            self.assertEqual(result.code, 1, result)
            self.assertIn(str(file), result.err)
            self.assertEqual(self.cli_check("add_node").code, 4)
        # The revision before is kept beside it.
        previous = json.loads((self.state / "governance" / "rules.json.previous").read_text())
        self.assertEqual((previous["revision"], set(previous["network"])), (1, {"add_node"}))

    def test_14_the_variable_seeds_a_missing_rules_file(self):
        self.add_general()
        name = "CLUSTER_CONTROLLER_GATEWAY_ACTIONS_MAP"
        seed = {name: json.dumps({"add_node": {"policyRuleURI": "acme.rule:1-stable", "parameters": {"do": "deny"}}})}
        daemon = self.daemon(env=seed)
        self.assertEqual(set(daemon.get("/pre-check-policies/get").json["map"]), {"add_node"})
        self.assertEqual(daemon.check("add_node").status, 403)
        daemon.update({"add_node": ""})
        daemon.stop()
        again = self.daemon(env=seed)
        self.assertEqual(again.get("/pre-check-policies/get").json["map"], {})
        self.state = self.folder / "fresh"
        result = self.governance("get", env={name: "{"})
        self.assertEqual(result.code, 1, result)
        self.assertIn(name, result.err)

    def test_17_create_cluster_is_add_cluster(self):
        self.add_general()
        daemon = self.daemon()
        rule = self.rule("deny")
        both = {"create_cluster": rule, "add_cluster": rule}
        self.assertEqual(daemon.update(both).status, 400)
        self.assertEqual(self.governance("update", "-f", str(self.write("both.json", json.dumps(both)))).code, 2)
        self.assertEqual(set(daemon.update({"create_cluster": rule}).json["map"]), {"add_cluster"})
        self.assertEqual(daemon.check("add_cluster").status, 403)
        self.assertEqual(daemon.check("create_cluster", INPUTS["add_cluster"]).status, 403)
        self.assertEqual(self.cli_check("add_cluster").code, 3)

    def test_kill_at_any_moment_under_updates(self):
        """The map is a revision that was acknowledged, or the one that was being written."""
        self.add_general()
        for round_number in range(6):
            daemon = self.daemon()
            acknowledged = [json.loads(self.governance("get").out)["revision"]]
            stop = threading.Event()

            def write(number):
                value = 0
                while not stop.is_set():
                    value += 1
                    try:
                        answer = daemon.update({"add_node": self.rule("allow", n=value)}, f"?cluster_id=c{number}", timeout=5)
                        acknowledged.append(answer.json["revision"])
                    except Exception:
                        return

            threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
            for thread in threads:
                thread.start()
            wait_until(lambda: len(acknowledged) > 5 + 7 * round_number, "some updates")
            daemon.kill()
            stop.set()
            for thread in threads:
                thread.join()
            revision = json.loads(self.governance("get").out)["revision"]
            # What was acknowledged is there; of what was not, at most what was under way.
            self.assertGreaterEqual(revision, max(acknowledged))
            self.assertLessEqual(revision, max(acknowledged) + 4)


if __name__ == "__main__":
    main()
