"""Policies at work on this machine (spec/governance.md section 9, statements 15, 16, 18 to 37, 46, 47, 50 to 53)."""

import io
import json
import os
import socket
import stat
import tarfile
import threading
import time

from governance_harness import ACTIONS, GENERAL, HEAD, INPUTS, GovernanceTest, Server, archive, sha256
from harness import main, wait_until


class Policies(GovernanceTest):
    def setUp(self):
        super().setUp()
        self.add_general()

    def ruled(self, do, action="add_node", options=(), daemon=None, **parameters):
        daemon = daemon or self.daemon(*options)
        answer = daemon.update({action: self.rule(do, **parameters)})
        self.assertEqual(answer.status, 200, answer)
        return daemon

    def decided(self, daemon, action="add_node", value=None):
        """The input after an allow, which the command sees as the daemon does."""
        answer = daemon.check(action, value)
        self.assertEqual(answer.status, 200, answer)
        result = self.cli_check(action, value)
        self.assertEqual((result.code, json.loads(result.out)["data"]), (0, answer.json["data"]), result)
        return answer.json["data"]

    def require_error(self, answer, *kinds):
        """Of the daemon; and the command meets the same."""
        self.require_error_reply(answer.json, kinds)
        self.assertEqual(answer.status, 503, answer)
        result = self.cli_check(answer.json["action"])
        self.assertEqual(result.code, 4, result)
        self.require_error_reply(json.loads(result.out), kinds)
        return next(record for record in self.decisions() if record["decision_id"] == answer.json["decision_id"])

    def require_error_reply(self, reply, kinds):
        self.assertEqual((reply["success"], reply["allowed"]), (False, False))
        self.assertIn(reply["error"]["kind"], kinds, reply)
        found = [record for record in self.decisions() if record["decision_id"] == reply["decision_id"]]
        self.assertEqual([record["outcome"] for record in found], ["error"])

    def test_15_and_16_both_forms_and_a_denial_of_each_action(self):
        self.add_policy("acme.no:1-stable", parameters={"do": "deny", "reason": "not today"})
        daemon = self.daemon()
        for action in ACTIONS:
            for rule in ("acme.no:1-stable", {"policyRuleURI": "acme.no:1-stable"}):
                self.assertEqual(daemon.update({action: rule}).status, 200)
                answer = daemon.check(action)
                self.assertEqual(answer.status, 403, answer)
                body = answer.json
                self.assertEqual((body["success"], body["allowed"], body["action"], body["rule"], body["reason"]),
                                 (False, False, action, "acme.no:1-stable", "not today"))
            result = self.cli_check(action)
            self.assertEqual((result.code, json.loads(result.out)["reason"]), (3, "not today"), result)
            daemon.update({action: ""})

    def test_18_to_20_what_a_policy_may_change(self):
        daemon = self.ruled("whole")
        self.assertEqual(self.decided(daemon), INPUTS["add_node"])
        self.ruled("whole", "remove_node", daemon=daemon)
        self.assertEqual(self.decided(daemon, "remove_node"), INPUTS["remove_node"])
        # 19: only the id comes back.
        self.ruled("answer", "remove_node", daemon=daemon, answer={"allowed": True, "input_data": "n8"})
        self.assertEqual(self.decided(daemon, "remove_node"), {**INPUTS["remove_node"], "node_id": "n8"})
        self.ruled("answer", daemon=daemon, answer={"allowed": True, "input_data": {"id": "n9"}})
        self.assertEqual(self.decided(daemon)["node_data"], {"id": "n9"})
        # 20: what is not the subject stays.
        change = {"cluster_metrics": {"nodes": 0}, "node_data": {"id": "n1"}, "more": 1}
        self.ruled("whole", daemon=daemon, change=change)
        self.assertEqual(self.decided(daemon), {**INPUTS["add_node"], "node_data": {"id": "n1"}})
        self.assertEqual([record["modified"] for record in self.decisions()[-2:]], [["node_data"]] * 2)
        # What does not fit is no answer.
        self.ruled("answer", daemon=daemon, answer={"allowed": True, "input_data": "n9"})
        self.require_error(daemon.check("add_node"), "bad_output")

    def test_21_a_policy_that_raises(self):
        daemon = self.ruled("raise")
        answer = daemon.check("add_node")
        record = self.require_error(answer, "policy_failed")
        self.assertIn("ValueError: the policy is confused", answer.json["error"]["message"])
        self.assertIn("ValueError: the policy is confused", record["error"]["message"])
        self.assertIn("Traceback", record["output"])

    def test_22_an_endless_loop_is_stopped(self):
        self.write_governance(local={"timeout_ms": 1000, "cpu_s": 60})
        daemon = self.ruled("loop", child=True)
        daemon.check("add_block")
        daemon.check("add_node")  # the installation is in it
        begin = time.monotonic()
        answer = daemon.check("add_node")
        self.assertLess(time.monotonic() - begin, 1 + 3 + 5)
        self.assertEqual(self.policy_processes(), {})
        self.require_error(answer, "timeout")
        self.assertEqual(self.policy_processes(), {})

    def test_22_cpu_time_is_limited_too(self):
        self.write_governance(local={"timeout_ms": 60000, "cpu_s": 1})
        daemon = self.ruled("loop")
        answer = daemon.check("add_node")
        self.require_error(answer, "timeout")
        self.assertIn("CPU", answer.json["error"]["message"])

    def test_23_memory_is_limited(self):
        daemon = self.ruled("memory")
        daemon.check("add_node")
        before = resident(daemon.pid)
        for _ in range(3):
            self.require_error(daemon.check("add_node"), "limit", "crash")
        self.assertLess(resident(daemon.pid) - before, 32 << 20)

    def test_24_a_policy_that_ends_its_process(self):
        daemon = self.ruled("exit")
        self.require_error(daemon.check("add_node"), "crash")
        self.ruled("allow", daemon=daemon)
        self.assertEqual(daemon.check("add_node").status, 200)

    def test_25_a_policy_that_prints_10_mib(self):
        daemon = self.ruled("print")
        self.decided(daemon)
        for record in self.decisions()[-2:]:
            self.assertTrue(0 < len(record["output"]) <= 64 << 10, len(record["output"]))

    def test_26_answers_that_make_no_sense(self):
        daemon = self.daemon()
        for wrong in ({"allowed": "yes"}, {"allowed": 1}, [True, {}], None, {"input_data": {}}, "yes", True):
            self.ruled("answer", daemon=daemon, answer=wrong)
            self.require_error(daemon.check("add_node"), "bad_output")
        self.ruled("answer", daemon=daemon, answer={"success": False, "message": "the database is away"})
        answer = daemon.check("add_node")
        self.require_error(answer, "policy_failed")
        self.assertEqual(answer.json["error"]["message"], "the database is away")
        self.ruled("long", daemon=daemon)
        self.require_error(daemon.check("add_node"), "limit")

    def test_27_on_error_for_one_action(self):
        self.write_governance(on_error={"default": "deny", "remove_node": "allow"})
        daemon = self.ruled("raise")
        self.ruled("raise", "remove_node", daemon=daemon)
        self.require_error(daemon.check("add_node"), "policy_failed")
        answer = daemon.check("remove_node")
        self.assertEqual((answer.status, answer.json["allowed"], answer.json["allowed_on_error"]), (200, True, True), answer)
        self.assertEqual(self.decisions()[-1]["outcome"], "allowed_on_error")
        result = self.cli_check("remove_node")
        self.assertEqual((result.code, json.loads(result.out)["allowed_on_error"]), (0, True), result)
        self.assertEqual(self.decisions()[-1]["outcome"], "allowed_on_error")
        # A denial is no error.
        self.ruled("deny", "remove_node", daemon=daemon)
        self.assertEqual(daemon.check("remove_node").status, 403)
        self.assertEqual(self.cli_check("remove_node").code, 3)

    def test_28_two_versions_of_one_library_at_the_same_time(self):
        version = HEAD.replace("class", "import iniconfig\nfrom importlib.metadata import version\n\nclass") + """\
        return {"allowed": False, "message": version("iniconfig")}
"""
        self.add_policy("acme.old:1-stable", version, requirements="# the old one\niniconfig==1.1.1  # pinned\n")
        self.add_policy("acme.new:1-stable", version, requirements="iniconfig==2.0.0\n")
        daemon = self.daemon()
        daemon.update({"add_node": "acme.old:1-stable", "add_block": "acme.new:1-stable"})
        answers = in_parallel([lambda: daemon.check("add_node", timeout=300), lambda: daemon.check("add_block", timeout=300)] * 3)
        self.assertEqual([answer.json.get("reason") for answer in answers], ["1.1.1", "2.0.0"] * 3,
                         [str(answer) for answer in answers])

    def test_29_and_30_one_installation_for_all(self):
        served = Server(self, lambda method, path, headers, body: (200, data))
        data = archive(GENERAL.replace("the policy says no", "29"))
        self.policies.append({"name": "acme.web", "version": "1", "release_tag": "stable", "code": served.url + "/a.tar.gz",
                              "sha256": sha256(data)})
        self.write_registry()
        before = len(self.environments())
        daemon = self.daemon()
        daemon.update({"add_node": "acme.web:1-stable"})
        answers = in_parallel([lambda: daemon.check("add_node", timeout=300)] * 8)
        self.assertEqual([answer.status for answer in answers], [200] * 8)
        self.assertEqual(len(self.environments()), before + 1)
        self.assertLessEqual(len(served.requests), 8)
        # 29: neither this process nor another fetches or builds again.
        fetched = len(served.requests)
        made = self.environments()
        self.assertEqual(daemon.check("add_node").status, 200)
        self.assertEqual(self.cli_check("add_node").code, 0)
        self.assertEqual(len(served.requests), fetched)
        self.assertEqual(self.environments(), made)

    def test_31_nothing_is_left_after_100_evaluations(self):
        self.write_governance(local={"timeout_ms": 700})
        daemon = self.ruled("allow")
        daemon.update({"add_block": self.rule("sleep"), "add_cluster": self.rule("raise"), "remove_node": self.rule("exit")})
        for action in ("add_node", "add_block", "add_cluster", "remove_node"):
            daemon.check(action)
        wait_until(lambda: not self.policy_processes(), "the end of all policies")

        def folders():  # those of the fork server; empty ones wait for their next use, at most 64
            return [path for path in self.in_store("work-v1/*/*") if not path.name.startswith("spare-")]

        before = folders()
        descriptors, children = len(os.listdir(f"/proc/{daemon.pid}/fd")), children_of(daemon.pid)
        actions = ["add_node"] * 60 + ["add_block"] * 10 + ["add_cluster"] * 15 + ["remove_node"] * 15
        statuses = []
        for begin in range(0, 100, 4):
            statuses += [answer.status for answer in in_parallel(
                [lambda action=action: daemon.check(action) for action in actions[begin:begin + 4]])]
        self.assertEqual(statuses, [200] * 60 + [503] * 40)
        wait_until(lambda: not self.policy_processes(), "the end of all policies")
        wait_until(lambda: len(os.listdir(f"/proc/{daemon.pid}/fd")) <= descriptors, "closed descriptors")
        self.assertEqual(children_of(daemon.pid), children)
        self.assertEqual(folders(), before)

    def test_32_a_changed_archive_does_not_run(self):
        for pin in (True, False):
            path = self.add_policy("acme.changed:1-stable", pin=pin)
            daemon = self.daemon()
            daemon.update({"add_node": "acme.changed:1-stable"})
            self.assertEqual(daemon.check("add_node").status, 200)
            other = GENERAL.replace("the policy says no", f"changed {pin}")
            path.write_bytes(archive(other))
            answer = daemon.check("add_node")
            self.require_error(answer, "integrity")
            accepted = self.governance("accept", "acme.changed:1-stable")
            if pin:
                self.assertEqual(accepted.code, 2, accepted)
                continue
            self.assertEqual(accepted.code, 0, accepted)
            self.assertEqual(daemon.check("add_node").status, 200)
            digests = json.loads((self.state / "governance" / "digests.json").read_text())
            self.assertEqual(digests["acme.changed:1-stable"], sha256(path.read_bytes()))

    def test_33_archives_that_are_refused_write_nothing_outside(self):
        def special(name, kind, link=""):
            info = tarfile.TarInfo(name)
            info.type = kind
            info.linkname = link
            return info

        outside = self.folder / "outside"
        bad = {
            "up": [("code/../../../../outside", "x")],
            "absolute": [(str(outside), "x")],
            "link-up": [special("code/link", tarfile.SYMTYPE, "../../../outside")],
            "link-absolute": [special("code/link", tarfile.SYMTYPE, "/etc/passwd")],
            "hard-link": [special("code/link", tarfile.LNKTYPE, "../../outside")],
            "through-link": [special("code/dir", tarfile.SYMTYPE, "/tmp"), ("code/dir/venvoy-outside", "x")],
            "device": [special("code/null", tarfile.CHRTYPE)],
            "fifo": [special("code/fifo", tarfile.FIFOTYPE)],
            "many": [(f"code/{number}", "") for number in range(20_001)],
        }
        daemon = self.daemon()
        for number, (name, more) in enumerate(bad.items()):
            with self.subTest(name):
                self.add_policy(f"acme.{name}:1-stable", more=more)
                daemon.update({"add_node": f"acme.{name}:1-stable"})
                answer = daemon.check("add_node")
                self.require_error(answer, "install")
        # A bomb, and an archive without a policy.
        bomb = io.BytesIO()
        with tarfile.open(fileobj=bomb, mode="w:xz") as made:
            info = tarfile.TarInfo("code/function.py")
            info.size = 100 << 20
            made.addfile(info, Zeros())
        self.add_policy("acme.bomb:1-stable", pin=False).write_bytes(bomb.getvalue())
        self.add_policy("acme.empty:1-stable", pin=False).write_bytes(b"no archive at all")
        for name in ("bomb", "empty"):
            daemon.update({"add_node": f"acme.{name}:1-stable"})
            self.require_error(daemon.check("add_node"), "install")
        self.assertFalse(outside.exists())
        self.assertFalse(os.path.exists("/tmp/venvoy-outside"))
        left = [path.name for path in (self.state / "governance" / "code-v1").iterdir()]
        self.assertEqual(left, [])
        # A link within the archive is its file.
        self.add_policy("acme.linked:1-stable", more=[special("code/other.py", tarfile.SYMTYPE, "function.py")])
        daemon.update({"add_node": "acme.linked:1-stable"})
        self.assertEqual(daemon.check("add_node").status, 200)

    def test_33_all_kinds_of_archives(self):
        daemon = self.daemon()
        for kind in ("tar", "gz", "bz2", "xz", "zip"):
            self.add_policy(f"acme.{kind}:1-stable", kind=kind)
            daemon.update({"add_node": f"acme.{kind}:1-stable"})
            answer = daemon.check("add_node")
            self.assertEqual(answer.status, 200, answer)

    def test_34_code_outside_of_the_registry_is_refused(self):
        (self.folder / "stolen.tar.gz").write_bytes(archive(GENERAL))
        (self.registry / "link.tar.gz").symlink_to(self.folder / "stolen.tar.gz")
        daemon = self.daemon()
        for number, code in enumerate(("../stolen.tar.gz", str(self.folder / "stolen.tar.gz"), "link.tar.gz",
                                       "file://" + str(self.folder / "stolen.tar.gz"))):
            self.policies.append({"name": f"acme.out{number}", "version": "1", "release_tag": "stable", "code": code})
            self.write_registry()
            daemon.update({"add_node": f"acme.out{number}:1-stable"}, "?verify=false")
            answer = daemon.check("add_node")
            self.require_error(answer, "config")
            self.assertIn("code", answer.json["error"]["message"])
        # The other policies are as they were.
        self.ruled("allow", daemon=daemon)
        self.assertEqual(daemon.check("add_node").status, 200)

    def test_35_no_network_unless_it_is_allowed(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        port = listener.getsockname()[1]
        daemon = self.ruled("connect", port=port)
        self.require_error(daemon.check("add_node"), "policy_failed")
        isolation = self.decisions()[-1]["isolation"]
        self.assertIn(isolation, ("process", "process+netns", "process+netns+landlock"))
        # Neither by a socket in the file system: the daemon's own is one.
        path = self.folder / "socket"
        local = socket.socket(socket.AF_UNIX)
        self.addCleanup(local.close)
        local.bind(str(path))
        local.listen()
        self.ruled("unix", daemon=daemon, path=str(path))
        self.require_error(daemon.check("add_node"), "policy_failed")
        if "landlock" in isolation:
            self.ruled("write", daemon=daemon, path=str(self.folder / "written"))
            self.require_error(daemon.check("add_node"), "policy_failed")
            self.assertFalse((self.folder / "written").exists())
        daemon.stop()
        self.write_governance(local={"network": True})
        daemon = self.ruled("connect", port=port)
        self.decided(daemon)

    def test_36_and_37_what_the_policy_gets(self):
        stored = {"do": "echo", "max": 20, "kept": 1}
        self.add_policy("acme.echo:1-stable", parameters=stored, settings={"region": "eu"})
        daemon = self.daemon()
        daemon.update({"add_node": {"policyRuleURI": "acme.echo:1-stable", "parameters": {"max": 4, "more": [1]}}})
        reason = daemon.check("add_node").json["reason"]
        self.assertEqual(json.loads(self.cli_check("add_node").out)["reason"], reason)
        merged = {"do": "echo", "max": 4, "kept": 1, "more": [1]}
        self.assertEqual(reason, {"rule_id": "acme.echo:1-stable", "settings": {"region": "eu"}, "parameters": merged,
                                  "own": merged, "input": INPUTS["add_node"], "context": "<class 'dict'>"})
        kept = json.loads((self.registry / "policies.json").read_text())["policies"][-1]
        self.assertEqual(kept["policy_parameters"], stored)
        managed = self.governance("manage", "acme.echo:1-stable", "status", "-f",
                                  str(self.write("data.json", '{"a": 1}')))
        self.assertEqual(managed.code, 0, managed)
        self.assertEqual(json.loads(managed.out), {
            "success": True, "data": {"action": "status", "data": {"a": 1}, "rule_id": "acme.echo:1-stable"},
            "stateful": False})

    def test_schemas_are_enforced(self):
        number = {"max": {"type": "integer"}}
        self.add_policy("acme.typed:1-stable", policy_parameters_schema=number, parameters={"max": 3})
        daemon = self.daemon()
        daemon.update({"add_node": "acme.typed:1-stable"})
        self.assertEqual(daemon.check("add_node").status, 200)
        daemon.update({"add_node": {"policyRuleURI": "acme.typed:1-stable", "parameters": {"max": "many"}}})
        self.require_error(daemon.check("add_node"), "config")

    def test_46_denials_and_errors_are_in_the_log_once(self):
        daemon = self.ruled("deny")
        self.ruled("raise", "add_block", daemon=daemon)
        replies = [daemon.check(action).json for action in ("add_node", "add_block") * 5]
        replies += [json.loads(self.cli_check(action).out) for action in ("add_node", "add_block")]
        logged = [record["decision_id"] for record in self.decisions()]
        for reply in replies:
            self.assertEqual(logged.count(reply["decision_id"]), 1)
        record = self.decisions()[0]
        for key in ("ts", "request_id", "actor", "scope", "action", "rule", "code_sha256", "map_revision", "mode",
                    "isolation", "outcome", "reason", "error", "ms", "input_sha256", "modified", "dry_run"):
            self.assertIn(key, record)
        self.assertEqual((record["scope"], record["rule"], record["map_revision"], record["actor"]),
                         ("network", "acme.rule:1-stable", 2, "http:token"))
        self.assertEqual(self.decisions()[-1]["actor"].split(":")[0], "cli")
        shown = self.governance("log", "-n", "1", "--outcome", "deny")
        self.assertEqual([each["outcome"] for each in json.loads(shown.out)], ["deny"], shown)

    def test_47_secrets_are_masked(self):
        self.write_governance(log={"include_input": True})
        daemon = self.ruled("tell")
        secret = {"api_token": "s3cr3t-token", "Password": "s3cr3t-word", "deep": [{"kubeconfig": "s3cr3t-config"}]}
        value = {"node_data": {"id": "n7", **secret}}
        daemon.check("add_node", value)
        self.assertEqual(self.cli_check("add_node", value).code, 3)
        text = (self.state / "governance" / "decisions.jsonl").read_text()
        self.assertNotIn("s3cr3t", text)
        self.assertEqual(self.decisions()[-1]["input"]["node_data"]["api_token"], "***")
        self.assertEqual(self.decisions()[-1]["input"]["node_data"]["id"], "n7")

    def test_51_a_dry_run_is_marked(self):
        daemon = self.ruled("allow")
        answer = daemon.check("add_node", query="?dry_run=true")
        self.assertEqual((answer.status, answer.json["executed"]), (200, False))
        self.assertTrue(self.decisions()[-1]["dry_run"])
        answer = daemon.post("/pre-check-policies/add_node/dry_run", {"input": INPUTS["add_node"]})
        self.assertEqual(answer.status, 200, answer)
        self.assertTrue(self.decisions()[-1]["dry_run"])
        self.cli_check("add_node")
        self.assertTrue(self.decisions()[-1]["dry_run"])
        daemon.check("add_node")
        self.assertFalse(self.decisions()[-1]["dry_run"])

    def test_52_network_and_cluster(self):
        daemon = self.ruled("whole", change={"node_data": {"id": "changed"}})
        daemon.update({"add_node": self.rule("echo")}, "?cluster_id=c1")
        body = {"cluster_id": "c1", "input": INPUTS["add_node"]}
        answer = daemon.post("/pre-checks/add_node", body)
        self.assertEqual((answer.status, answer.json["reason"]["input"]["node_data"]), (403, {"id": "changed"}), answer)
        self.assertEqual(self.decisions()[-1]["scope"], "cluster:c1")
        self.assertEqual(daemon.check("add_node").status, 200)
        daemon.update({"add_node": self.rule("allow")}, "?cluster_id=c1")
        self.assertEqual(daemon.post("/pre-checks/add_node", body).json["data"]["node_data"], {"id": "changed"})
        self.ruled("deny", daemon=daemon)
        self.assertEqual(daemon.post("/pre-checks/add_node", body).status, 403)
        self.assertEqual(self.cli_check("add_node").code, 3)
        self.assertEqual(self.governance("check", "add_node", "--cluster", "c1", "-f", self.check_file("add_node")).code, 3)

    def test_53_the_form_for_old_clients(self):
        daemon = self.ruled("deny", reason="not today")
        answer = daemon.check("add_node", headers={"X-Governance-Compat": "aios"})
        body = answer.json
        self.assertEqual((answer.status, body["success"], body["allowed"], body["reason"]), (200, True, False, "not today"))
        self.ruled("raise", daemon=daemon)
        self.assertEqual(daemon.check("add_node", headers={"X-Governance-Compat": "aios"}).status, 503)

    def test_wrong_inputs_are_400_and_unknown_actions_404(self):
        daemon = self.ruled("deny")
        for value in ({}, {"node_data": "n7"}, {"node_data": {}, "cluster_data": 3}):
            self.assertEqual(daemon.check("add_node", value).status, 400)
        self.assertEqual(daemon.post("/pre-checks/add_node", {"data": {}}).status, 400)
        self.assertEqual(daemon.check("add_nodes", {"x": 1}).status, 404)
        self.assertEqual(daemon.get("/nothing").status, 404)
        self.assertEqual(self.decisions(), [])
        self.assertEqual(self.cli_check("add_node", {"x": 1}).code, 2)
        self.assertEqual(self.governance("check", "add_nodes", "-f", self.check_file("add_node")).code, 2)

    def test_a_required_log_that_cannot_be_written(self):
        log = self.folder / "log"
        log.mkdir()
        self.write_governance(log={"file": str(log), "required": True})
        daemon = self.ruled("allow")
        answer = daemon.check("add_node")
        self.assertEqual((answer.status, answer.json["error"]["kind"]), (503, "config"), answer)

    def test_a_policy_that_is_a_plugin(self):
        plugin = self.folder / "policy"
        package = plugin / "acme_governance"
        package.mkdir(parents=True)
        (plugin / "pyproject.toml").write_text(
            '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
            '[project]\nname = "acme-governance"\nversion = "1"\n[tool.setuptools]\npackages = ["acme_governance"]\n')
        (package / "__init__.py").write_text("")
        (package / "rule.py").write_text(GENERAL)
        (plugin / ".python_deployer_compat").write_text("")
        from harness import git

        git("init", "-q", "-b", "main", folder=plugin)
        git("add", "-A", folder=plugin)
        git("commit", "-q", "-m", "A policy", folder=plugin)
        commit = git("rev-parse", "HEAD", folder=plugin)
        self.policies.append({"name": "acme.plugin", "version": "1", "release_tag": "stable", "module": "acme_governance.rule",
                              "reference": f"acme-governance@git+file://{plugin}@{commit}"})
        self.write_registry()
        daemon = self.daemon()
        daemon.update({"add_node": {"policyRuleURI": "acme.plugin:1-stable", "parameters": {"do": "deny"}}})
        answer = daemon.check("add_node", timeout=300)
        self.assertEqual(answer.status, 403, answer)
        self.assertEqual(self.decisions()[-1]["code_sha256"], commit)

    def test_policies_are_added_by_command(self):
        source = self.write("new.tar.gz", "")
        source.write_bytes(archive(GENERAL))
        added = self.governance("add", "acme.added:2-beta", "--code", str(source), "--parameters",
                                str(self.write("parameters.json", '{"do": "deny"}')))
        self.assertEqual(added.code, 0, added)
        self.assertEqual(self.governance("add", "acme.added:2-beta", "--code", str(source)).code, 2)
        self.assertEqual(self.governance("set", "add_node=acme.added:2-beta").code, 0)
        self.assertEqual(self.cli_check("add_node").code, 3)
        source.write_bytes(b"no archive")
        self.assertEqual(self.governance("add", "acme.bad:2-beta", "--code", str(source)).code, 2)


class Zeros:
    def read(self, size):
        return bytes(size)


def resident(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def children_of(pid):
    found = set()
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/stat") as file:
                if name.isdigit() and int(file.read().rpartition(")")[2].split()[1]) == pid:
                    found.add(int(name))
        except OSError:
            pass
    return found


def in_parallel(calls):
    results = [None] * len(calls)

    def work(number):
        results[number] = calls[number]()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


if __name__ == "__main__":
    main()
