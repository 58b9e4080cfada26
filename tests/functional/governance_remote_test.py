"""Remote evaluation and modes (spec/governance.md section 9, statements 38 to 45, 58)."""

import json
import socket
import threading
import time

import yaml

from governance_harness import INPUTS, Daemon, GovernanceTest, Server
from harness import main


class Remote(GovernanceTest):
    def remote(self, answer, **settings):
        """A daemon whose policies an executor decides."""
        self.executor = Server(self, answer)
        self.write_governance(mode="remote", remote={"host": self.executor.url, "executor_id": "executor 1/x",
                                                     "retries": 0, **settings})
        daemon = self.daemon()
        answer = daemon.update({"add_node": {"policyRuleURI": "far.away:1-stable", "parameters": {"max": 4}}})
        self.assertEqual(answer.status, 200, answer)
        return daemon

    def require_error(self, answer, *kinds):
        self.assertEqual(answer.status, 503, answer)
        self.assertIn(answer.json["error"]["kind"], kinds, answer)

    def test_38_exactly_the_documented_fields(self):
        for status in (200, 202):
            daemon = self.remote(lambda *request: (status, {"success": True, "data": {"allowed": True, "input_data": {"id": "x"}}}))
            answer = daemon.check("add_node")
            self.assertEqual((answer.status, answer.json["data"]["node_data"]), (200, {"id": "x"}), answer)
            method, path, headers, body = self.executor.requests[-1]
            self.assertEqual((method, path), ("POST", "/executor/executor%201%2Fx/execute_policy"))
            self.assertEqual(json.loads(body), {"policy_rule_uri": "far.away:1-stable", "input_data": INPUTS["add_node"],
                                                "parameters": {"max": 4}})
            self.assertEqual(self.cli_check("add_node").code, 0)
            daemon.stop()

    def test_39_a_nested_failure_is_no_denial(self):
        daemon = self.remote(lambda *request: (202, {"success": True, "data": {"success": False, "message": "m"}}))
        answer = daemon.check("add_node")
        self.require_error(answer, "policy_failed")
        self.assertEqual(answer.json["error"]["message"], "m")
        self.assertEqual(self.cli_check("add_node").code, 4)

    def test_39_all_kinds_of_bad_replies(self):
        reply = []
        daemon = self.remote(lambda *request: reply[0])
        deep = b'{"success":true,"data":' + b"[" * 300 + b"]" * 300 + b"}"
        for given, kind in (((200, b"no json"), "remote_bad_reply"), ((200, b"[]"), "remote_bad_reply"),
                            ((200, {"success": True}), "remote_bad_reply"), ((200, {"data": {}}), "remote_bad_reply"),
                            ((200, deep), "remote_bad_reply"), ((200, b" " * (2 << 20)), "remote_bad_reply"),
                            ((200, {"success": False, "message": "x"}), "policy_failed"),
                            ((200, {"success": True, "data": {"allowed": "yes"}}), "bad_output"),
                            ((404, {"success": False, "message": "Executor not found"}), "remote_http"),
                            ((500, b""), "remote_http"), ((302, b"", {"Location": self.executor.url}), "remote_http")):
            reply[:] = [given]
            answer = daemon.check("add_node")
            self.require_error(answer, kind)
        reply[:] = [(200, {"success": True, "data": {"allowed": False, "input_data": "no"}})]
        self.assertEqual((daemon.check("add_node").status, self.cli_check("add_node").code), (403, 3))

    def test_40_an_executor_that_never_answers(self):
        daemon = self.remote(lambda *request: None, timeout_ms=700, retries=1)
        begin = time.monotonic()
        self.require_error(daemon.check("add_node"), "timeout", "remote_unreachable")
        self.assertLess(time.monotonic() - begin, 2 * 0.7 + 5)
        # One that is not there, one that closes at once, and one that drips.
        closed = socket.socket()
        closed.bind(("127.0.0.1", 0))
        self.write_governance(mode="remote", remote={"host": f"http://127.0.0.1:{closed.getsockname()[1]}",
                                                     "executor_id": "e", "retries": 1, "timeout_ms": 2000})
        self.assertEqual(self.cli_check("add_node").code, 4)
        self.assertEqual(self.decisions()[-1]["error"]["kind"], "remote_unreachable")
        closed.close()
        dripping = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(dripping.close)

        def drip():
            connection, peer = dripping.accept()
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                for _ in range(600):
                    connection.sendall(b" ")
                    time.sleep(0.1)
            except OSError:
                pass
            connection.close()

        threading.Thread(target=drip, daemon=True).start()
        self.write_governance(mode="remote", remote={"host": f"http://127.0.0.1:{dripping.getsockname()[1]}",
                                                     "executor_id": "e", "retries": 0, "timeout_ms": 1000})
        self.assertEqual(self.cli_check("add_node").code, 4)
        self.assertIn(self.decisions()[-1]["error"]["kind"], ("timeout", "remote_bad_reply"))

    def test_41_what_is_repeated(self):
        replies = [(503, b""), (200, {"success": True, "data": {"allowed": True}})]
        daemon = self.remote(lambda *request: replies.pop(0), retries=2)
        self.assertEqual(daemon.check("add_node").status, 200)
        self.assertEqual((len(self.executor.requests), replies), (2, []))
        replies[:] = [(400, {"success": False, "message": "bad"}), (200, {"success": True, "data": {"allowed": True}})]
        self.require_error(daemon.check("add_node"), "remote_http")
        self.assertEqual(len(replies), 1)
        # The command does the same.
        replies[:] = [(503, b""), (200, {"success": True, "data": {"allowed": True}})]
        self.assertEqual((self.cli_check("add_node").code, replies), (0, []))
        replies[:] = [(400, {"success": False}), (200, {"success": True, "data": {"allowed": True}})]
        self.assertEqual((self.cli_check("add_node").code, len(replies)), (4, 1))

    def test_42_and_43_wrong_modes_stop_the_start(self):
        serve = ["--config", str(self.folder / "governance.yaml"), "--state-dir", str(self.state), "serve", "--listen",
                 "127.0.0.1:0"]
        for variables in ({"POLICY_EXECUTION_MODE": "Local"}, {"POLICY_EXECUTION_MODE": "Remote"},
                          {"POLICY_EXECUTION_MODE": "remote"},
                          {"POLICY_EXECUTION_MODE": "remote", "POLICY_SYSTEM_EXECUTOR_ID": ""},
                          {"POLICY_EXECUTION_MODE": "remote", "POLICY_SYSTEM_EXECUTOR_ID": "e"}):
            result = self.call(*serve, env=variables)
            self.assertEqual(result.code, 1, result)
            self.assertIn("mode", result.err)
            self.assertNotEqual(self.cli_check("add_node", env=variables).code, 0)
        self.assertIn("executor id", self.call(*serve, env={"POLICY_EXECUTION_MODE": "remote"}).err)
        for variables in ({"POLICY_EXECUTION_MODE": ""}, {"POLICY_EXECUTION_MODE": "local"},
                          {"POLICY_EXECUTION_MODE": "remote", "POLICY_SYSTEM_EXECUTOR_ID": "e",
                           "POLICY_EXECUTOR_HOST_URL": "http://127.0.0.1:1"}):
            daemon = self.daemon(env=variables)
            self.assertEqual(daemon.get("/v1/mode").json["mode"], variables["POLICY_EXECUTION_MODE"] or "local")
            self.assertEqual(daemon.stop(), 0)

    def test_44_switching_keeps_the_map_and_needs_no_restart(self):
        self.add_general()
        executor = Server(self, lambda *request: (200, {"success": True, "data": {"allowed": False, "message": "far"}}))
        self.write_governance(remote={"host": executor.url})
        daemon = self.daemon()
        daemon.update({"add_node": self.rule("deny", reason="near")})
        before = (self.state / "governance" / "rules.json").read_bytes()
        self.assertEqual(daemon.check("add_node").json["reason"], "near")
        switched = self.governance("mode", "remote", "--executor-id", "e7")
        self.assertEqual(switched.code, 0, switched)
        self.assertEqual(daemon.check("add_node").json["reason"], "far")
        self.assertEqual(json.loads(self.governance("mode").out)["decided_by"], "governance mode")
        self.assertEqual(executor.requests[-1][1], "/executor/e7/execute_policy")
        self.assertEqual(self.governance("mode", "local").code, 0)
        self.assertEqual(daemon.check("add_node").json["reason"], "near")
        # The same over HTTP.
        self.assertEqual(daemon.post("/v1/mode", {"mode": "remote", "executor_id": "e8"}).status, 200)
        self.assertEqual(daemon.check("add_node").json["reason"], "far")
        self.assertEqual(daemon.post("/v1/mode", {"mode": "Local"}).status, 400)
        self.assertEqual(daemon.post("/v1/mode", {"mode": "local"}).status, 200)
        self.assertEqual((self.state / "governance" / "rules.json").read_bytes(), before)
        warned = self.governance("mode", "remote", "--executor-id", "e7", env={"POLICY_EXECUTION_MODE": "local"})
        self.assertIn("POLICY_EXECUTION_MODE", warned.err)
        self.assertEqual(self.governance("mode", "Remote").code, 2)
        self.assertEqual(self.governance("mode", "remote").code, 2)

    def test_45_the_patch_keeps_the_other_variables(self):
        printed = self.governance("mode", "remote", "--executor-id", "executor-7", "--kubectl")
        self.assertEqual(printed.code, 0, printed)
        patch = json.loads(printed.out)
        env = [{"name": f"V{number}", "value": str(number)} for number in range(22)]
        env += [{"name": "POLICY_EXECUTION_MODE", "value": "local"}, {"name": "POLICY_SYSTEM_EXECUTOR_ID", "value": "executor-001"}]
        containers = [{"name": "cluster-controller-gateway", "image": "x", "env": env}]
        merged = strategic_merge(containers, patch["spec"]["template"]["spec"]["containers"])
        now = {each["name"]: each["value"] for each in merged[0]["env"]}
        self.assertEqual(len(now), 24)
        self.assertEqual((now.pop("POLICY_EXECUTION_MODE"), now.pop("POLICY_SYSTEM_EXECUTOR_ID")), ("remote", "executor-7"))
        self.assertEqual(now, {f"V{number}": str(number) for number in range(22)})
        self.assertEqual(merged[0]["image"], "x")
        line = self.governance("mode", "remote", "--executor-id", "executor-7", "--kubectl", output="yaml").out
        self.assertRegex(line, r"^kubectl patch deployment .*--type strategic -p '\{.*\}'\n$")
        back = json.loads(self.governance("mode", "local", "--kubectl").out)
        self.assertEqual(back["spec"]["template"]["spec"]["containers"][0]["env"][1]["value"], "")
        # Nothing is switched here.
        self.assertEqual(json.loads(self.governance("mode").out)["mode"], "local")

    def test_58_two_runners_as_gateway_and_executor(self):
        self.add_general()
        executor = Daemon(self, state=self.folder / "executor")
        token = str(self.folder / "executor" / "token")
        self.write_governance("gateway.yaml", registry=None, mode="remote", remote={
            "host": f"http://127.0.0.1:{executor.port}", "executor_id": "executor-001", "token_file": token})
        gateway = self.daemon(config="gateway.yaml")
        for do, status, expected in (("allow", 200, None), ("deny", 403, "the policy says no"), ("raise", 503, "policy_failed")):
            gateway.update({"add_node": self.rule(do)})
            answer = gateway.check("add_node", timeout=300)
            self.assertEqual(answer.status, status, answer)
            if status == 403:
                self.assertEqual(answer.json["reason"], expected)
            if status == 503:
                self.assertEqual(answer.json["error"]["kind"], expected)
                self.assertIn("confused", answer.json["error"]["message"])
        body = {"policy_rule_uri": "acme.rule:1-stable", "input_data": {}, "parameters": {"do": "sleep", "seconds": 100}}
        unknown = executor.post("/executor/x/execute_policy", {**body, "policy_rule_uri": "acme.none:1-stable"})
        self.assertEqual(unknown.status, 404, unknown)
        self.assertEqual(executor.post("/execute_policy", {**body, "parameters": {"do": "raise"}}).status, 422)
        self.assertEqual(executor.post("/execute_policy", {"policy_rule_uri": "x"}).status, 400)
        self.assertEqual(executor.post("/execute_policy", body, token=False).status, 401)
        self.assertEqual(executor.post("/execute_policy", body).status, 504)


def strategic_merge(containers, patch):
    """As Kubernetes merges lists whose items have names: containers and their env by `name`."""
    result = [dict(each) for each in containers]
    for change in patch:
        mine = next(each for each in result if each["name"] == change["name"])
        for key, value in change.items():
            if key != "env":
                mine[key] = value
                continue
            env = {each["name"]: each for each in mine.get("env", [])}
            env.update({each["name"]: each for each in value})
            mine["env"] = list(env.values())
    return result


if __name__ == "__main__":
    main()
