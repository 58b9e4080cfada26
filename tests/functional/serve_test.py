"""The daemon (spec/governance.md section 9, statements 12, 59 to 61, 8.7, 8.13): access, limits, its end, runs over HTTP."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import jsonschema
import yaml

from governance_harness import ACTIONS, INPUTS, GovernanceTest
from harness import PROJECT, WAITING_WORKFLOW, WORKFLOW, greeting, main, wait_until


class Serve(GovernanceTest):
    def raw(self, daemon, data, seconds=20):
        """What the server says to these bytes until it closes."""
        with socket.create_connection(("127.0.0.1", daemon.port), seconds) as connection:
            connection.sendall(data)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
            return answer

    # --- access ---

    def test_12_the_default_is_a_socket_of_its_owner(self):
        self.add_general()
        daemon = self.daemon(listen=None)
        path = pathlib.Path(daemon.socket)
        self.assertEqual((path.parent, path.stat().st_mode & 0o777), (self.state, 0o600))
        self.assertEqual(daemon.get("/health").json, {"status": "ok"})
        self.assertEqual(daemon.update({"add_node": self.rule("deny")}).status, 200)
        self.assertEqual(daemon.check("add_node").status, 403)
        again = self.call("--config", str(self.folder / "governance.yaml"), "--state-dir", str(self.state), "serve")
        self.assertEqual(again.code, 1, again)
        self.assertIn("another server", again.err)
        daemon.kill()
        # The next one takes the socket over, and sweeps up at its first evaluation.
        daemon = self.daemon(listen=None)
        self.assertEqual(daemon.get("/health").status, 200)
        self.assertEqual(daemon.check("add_node").status, 403)

    def test_59_the_command_of_the_document(self):
        sample = self.folder / "sample"
        shutil.copytree(PROJECT / "samples" / "governance", sample, ignore=shutil.ignore_patterns("archives", "state"))
        subprocess.run([str(sample / "pack")], check=True)
        commands = re.findall(r"```sh\n(curl -X POST .*?)```", (sample / "README.md").read_text(), re.S)
        self.assertTrue(commands[0].startswith(
            'curl -X POST "http://127.0.0.1:8765/pre-check-policies/update" \\\n    -H "Content-Type: application/json" '))
        text = (sample / "venvoy.yaml").read_text()
        deployers = yaml.safe_dump({"deployers": {"python": {"deployer_name": "python", "workdir": str(self.store)}}})
        (sample / "venvoy.yaml").write_text(text + deployers)

        def run(daemon, command=commands[0]):
            return subprocess.run(["sh", "-c", command.replace("127.0.0.1:8765", f"127.0.0.1:{daemon.port}")],
                                  capture_output=True, text=True, timeout=120)

        trusting = self.daemon("--trust-loopback", config="sample/venvoy.yaml")
        answer = json.loads(run(trusting).stdout)
        self.assertEqual((answer["success"], set(answer["map"])), (True, {"add_node", "remove_node", "add_cluster"}))
        self.assertTrue([line for line in trusting.lines if "--trust-loopback" in line])
        # The two policies at work.
        check = commands[1]
        self.assertEqual(json.loads(run(trusting, check).stdout)["reason"], "the cluster has 3 nodes, and 3 are allowed")
        allowed = json.loads(run(trusting, check.replace('"nodes": 3', '"nodes": 2')).stdout)
        self.assertEqual(allowed["data"]["node_data"], {"id": "node-4", "label": "new"})
        self.assertEqual(trusting.check("remove_node", {"node_id": "my node"}).status, 403)
        self.assertEqual(trusting.check("remove_node", {"node_id": "node-7"}).status, 200)
        trusting.stop()
        daemon = self.daemon(config="sample/venvoy.yaml", state=self.folder / "other")
        answer = json.loads(run(daemon).stdout)
        self.assertEqual(answer["error"]["kind"], "unauthorized")
        self.assertEqual(daemon.get("/pre-check-policies/get").json["map"], {})

    def test_59_trust_is_for_loopback_only(self):
        result = self.call("--config", str(self.folder / "governance.yaml"), "--state-dir", str(self.state), "serve",
                           "--listen", "0.0.0.0:0", "--trust-loopback")
        self.require_failure(result, 2, "--trust-loopback")

    def test_60_foreign_hosts_origins_and_reads(self):
        daemon = self.daemon("--trust-loopback")
        port = daemon.port
        for headers in ({"Host": "evil.example"}, {"Host": f"evil.example:{port}"}, {"Host": "127.0.0.1:1"},
                        {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": f"https://127.0.0.1:{port}"},
                        {"Host": f"10.0.0.1:{port}"}):
            for path in ("/", "/pre-check-policies/get", "/health"):
                answer = daemon.get(path, headers=headers)
                self.assertEqual((answer.status, answer.json["error"]["kind"]), (403, "forbidden"), f"{headers} {answer}")
            self.assertEqual(daemon.update({}, headers=headers).status, 403)
        for headers in ({"Host": f"localhost:{port}"}, {"Origin": f"http://127.0.0.1:{port}"}):
            self.assertEqual(daemon.get("/pre-check-policies/get", headers=headers).status, 200)
        daemon.stop()
        daemon = self.daemon()
        for path in ("/", "/pre-check-policies/get", "/metrics", "/v1/runs", "/v1/decisions", "/page.js", "/nothing"):
            self.assertEqual(daemon.get(path, token=False).status, 401, path)
        self.assertEqual(daemon.get("/health", token=False).status, 200)
        # The address that the start prints gives a cookie.
        answer = daemon.get(f"/?token={daemon.token}", token=False)
        self.assertEqual((answer.status, answer.headers["Location"]), (303, "/"))
        cookie = answer.headers["Set-Cookie"]
        self.assertIn("HttpOnly; SameSite=Strict", cookie)
        self.assertEqual(daemon.get("/", token=False, headers={"Cookie": "a=b; " + cookie.split(";")[0]}).status, 200)
        self.assertEqual(daemon.get("/?token=wrong", token=False).status, 401)

    # --- limits and the end ---

    def test_limits_of_requests(self):
        daemon = self.daemon()
        self.assertIn(b" 413 ", self.raw(daemon, b"POST /pre-checks/add_node HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: "
                                         b"Bearer %s\r\nContent-Length: 99999999\r\n\r\n" % (daemon.port, daemon.token.encode())))
        self.assertIn(b" 431 ", self.raw(daemon, b"GET /health HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 20000 + b"\r\n\r\n"))
        self.assertIn(b" 400 ", self.raw(daemon, b"no http at all\r\n\r\n"))
        for target in (b"/%zz", b"/%00", b"/%ff", b"http"):
            answer = self.raw(daemon, b"GET " + target + b" HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n" % daemon.port)
            self.assertIn(b" 400 ", answer)
        self.assertEqual(daemon.call("DELETE", "/pre-check-policies/update").status, 404)
        # Whoever sends nothing does not keep others from being answered.
        idle = [socket.create_connection(("127.0.0.1", daemon.port)) for _ in range(200)]
        self.assertEqual(daemon.get("/health").status, 200)
        for connection in idle:
            connection.close()

    def test_sigterm_answers_what_is_under_way(self):
        self.add_general()
        daemon = self.daemon()
        daemon.update({"add_node": self.rule("sleep", seconds=2)})
        daemon.check("add_node")
        answers = []
        thread = threading.Thread(target=lambda: answers.append(daemon.check("add_node").status))
        thread.start()
        wait_until(self.policy_processes, "the policy")
        begin = time.monotonic()
        self.assertEqual(daemon.stop(), 0)
        self.assertLess(time.monotonic() - begin, 30)
        thread.join()
        self.assertEqual(answers, [200])

    def test_metrics(self):
        self.add_general()
        daemon = self.daemon()
        daemon.update({"add_node": self.rule("deny")})
        daemon.check("add_node")
        daemon.check("add_block")
        text = daemon.get("/metrics").text
        self.assertIn('venvoy_decisions_total{action="add_node",outcome="deny"} 1\n', text)
        self.assertIn('venvoy_decisions_total{action="add_block",outcome="no_rule"} 1\n', text)
        for line in text.splitlines():
            self.assertRegex(line, r"^(# (HELP|TYPE) .+|[a-z_]+(\{[^}]*\})? [0-9.]+)$")

    def test_the_document_about_the_routes(self):
        """Each route that is described is there; that every answer is as described each call of these tests looks at."""
        document = json.loads(self.call("schema", "http").out)
        self.assertEqual(document, json.loads((PROJECT / "docs" / "openapi.json").read_text()))
        references = re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document))
        self.assertEqual(set(references) - set(document["components"]["schemas"]), set())
        for schema in document["components"]["schemas"].values():
            jsonschema.Draft202012Validator.check_schema(schema)
        self.assertEqual([each["title"] for each in document["components"]["schemas"]["Input"]["anyOf"]][:10], ACTIONS)
        daemon = self.daemon()
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                answer = daemon.call(method.upper(), re.sub(r"\{\w+\}", "x", path), {} if "requestBody" in operation else None)
                self.assertNotIn("there is nothing at", answer.text, f"{method} {path}")
                if "security" not in operation:
                    self.assertEqual(daemon.call(method.upper(), re.sub(r"\{\w+\}", "x", path), token=False).status, 401)

    # --- runs ---

    def submit(self, daemon, text, value=None, status=201):
        answer = daemon.post("/v1/runs", {"workflow": text, "input": value or {}})
        self.assertEqual(answer.status, status, answer)
        return answer.json.get("run")

    def state_of(self, daemon, run):
        return daemon.get(f"/v1/runs/{run}").json["state"]

    def wait_for_state(self, daemon, run, *states):
        def look():
            body = daemon.get(f"/v1/runs/{run}").json
            return body if body["state"] in states else None

        return wait_until(look, f"{states} of {run}", 180)

    def events(self, daemon, run, last=None, until=None, patience=180):
        """(id, event) pairs of the stream, until its end or `until` says so."""
        connection = daemon.connection(patience)
        headers = {"Authorization": f"Bearer {daemon.token}"}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        connection.request("GET", f"/v1/runs/{run}/events", headers=headers)
        answer = connection.getresponse()
        found = []
        if answer.status == 204:
            connection.close()
            return None
        self.assertEqual((answer.status, answer.getheader("Content-Type")), (200, "text/event-stream"))
        number = None
        for line in answer:
            line = line.decode().rstrip("\n")
            if line.startswith("id: "):
                number = int(line[4:])
            elif line.startswith("data: "):
                found.append((number, json.loads(line[6:])))
                if until and until(found[-1][1]):
                    break
        connection.close()
        return found

    def test_61_a_run_from_submission_to_history(self):
        plugin = self.tiny()
        reference = plugin.reference(plugin.head())
        daemon = self.daemon()
        text = WAITING_WORKFLOW
        for word, value in (("@REFERENCE@", reference), ("@STEP@", "wait"), ("@FOLDER@", str(self.folder)),
                            ("@CHILDREN@", "false"), ("@OUTPUT@", "success")):
            text = text.replace(word, value)
        run = self.submit(daemon, text)
        listed = daemon.get("/v1/runs").json["runs"]
        self.assertEqual([each["run"] for each in listed], [run])
        self.assertIn(listed[0]["state"], ("queued", "running"))
        first = self.events(daemon, run, until=lambda event: event["type"] == "step_started")
        self.assertEqual([number for number, event in first], list(range(1, len(first) + 1)))
        wait_until((self.folder / "started").exists, "the step")
        self.assertEqual([step["state"] for step in daemon.get(f"/v1/runs/{run}").json["steps"]], ["running"])
        self.assertIn('class="step running" id="steps.wait"', daemon.get(f"/v1/runs/{run}/graph.svg").text)
        # The connection is gone; the next one goes on where it was.
        rest = []
        watcher = threading.Thread(target=lambda: rest.extend(self.events(daemon, run, last=first[-1][0])))
        watcher.start()
        self.assertEqual(daemon.post(f"/v1/runs/{run}/cancel").status, 202)
        body = self.wait_for_state(daemon, run, "cancelled")
        watcher.join(60)
        self.assertEqual([number for number, event in rest], list(range(first[-1][0] + 1, first[-1][0] + 1 + len(rest))))
        self.assertEqual(rest[-1][1]["type"], "run_finished")
        types = [event["type"] for number, event in first + rest]
        self.assertEqual(types.count("run_started"), 1)
        self.assertIsNone(self.events(daemon, run, last=rest[-1][0]))
        self.assertEqual([each["state"] for each in daemon.get("/v1/runs?state=cancelled").json["runs"]], ["cancelled"])
        self.assertTrue(body["ended"] and body["started"])
        self.assertEqual(daemon.get("/v1/runs/none").status, 404)
        self.assertEqual(daemon.post(f"/v1/runs/{run}/cancel").status, 409)

    def test_a_run_with_its_result(self):
        plugin = self.tiny()
        workflows = self.folder / "workflows"
        workflows.mkdir()
        text = WORKFLOW.replace("@REFERENCE@", plugin.reference(plugin.head())).replace("@NAME@", "World")
        (workflows / "greet.yaml").write_text(text)
        daemon = self.daemon("--workflows", str(workflows))
        for body in ({"workflow": text}, {"name": "greet.yaml"}):
            run = daemon.post("/v1/runs", body).json["run"]
            body = self.wait_for_state(daemon, run, "succeeded", "failed")
            self.assertEqual((body["state"], body["output_id"], body["output_data"]),
                             ("succeeded", "success", {"message": greeting(plugin)}), body)
            self.assertEqual(body["steps"][0]["state"], "succeeded")
        # What is wrong with submissions.
        for body, status in (({}, 400), ({"workflow": text, "name": "greet.yaml"}, 400), ({"workflow": 3}, 400),
                             ({"name": "../secret.yaml"}, 404), ({"name": "none.yaml"}, 404), ({"workflow": "["}, 422)):
            self.assertEqual(daemon.post("/v1/runs", body).status, status, body)
        for words in ('''!expr 'readFile("/etc/passwd")' ''', '''!expr 'getEnvVar("HOME", "")' '''):
            self.submit(daemon, text.replace('"World"', words), status=422)
        self.submit(daemon, text.replace(plugin.reference(plugin.head()), str(plugin.folder)), status=422)
        self.submit(daemon, text.replace(plugin.reference(plugin.head()), "./plugin"), status=422)
        self.assertEqual(len(daemon.get("/v1/runs").json["runs"]), 2)
        daemon.stop()
        daemon = self.daemon("--allow-local")
        run = self.submit(daemon, text.replace('"World"', '''!expr 'getEnvVar("HOME", "")' '''))
        self.assertEqual(self.wait_for_state(daemon, run, "succeeded", "failed")["state"], "succeeded")

    def test_denied_runs(self):
        self.add_general()
        plugin = self.tiny()
        text = WORKFLOW.replace("@REFERENCE@", plugin.reference(plugin.head())).replace("@NAME@", "World")
        daemon = self.daemon()
        daemon.update({"engine.run_workflow": self.rule("deny")})
        answer = daemon.post("/v1/runs", {"workflow": text})
        self.assertEqual((answer.status, answer.json["reason"]), (403, "the policy says no"), answer)
        daemon.update({"engine.run_workflow": "", "engine.deploy_plugin": self.rule("deny")})
        body = self.wait_for_state(daemon, self.submit(daemon, text), "denied", "failed", "succeeded")
        self.assertEqual(body["state"], "denied", body)
        self.assertIn("the policy says no", body["reason"])

    def test_51_bound_workflows_run_with_the_decided_input(self):
        plugin = self.tiny()
        self.add_general()
        workflow = self.write("add-node.yaml", WORKFLOW.replace("@REFERENCE@", plugin.reference(plugin.head())).replace(
            "{id: Input, properties: {}}", "{id: Input, properties: {node_data: {type: {type_id: ref, id: Node}}, "
            "cluster_data: {type: {type_id: any}}, cluster_metrics: {type: {type_id: any}}}}\n"
            "    Node: {id: Node, properties: {id: {type: {type_id: string}}}}").replace(
            '"@NAME@"', "!expr $.input.node_data.id"))
        self.write_governance(bindings={"add_node": str(workflow)})
        daemon = self.daemon()
        daemon.update({"add_node": self.rule("whole", change={"node_data": {"id": "decided"}, "cluster_metrics": {}})})
        answer = daemon.check("add_node")
        self.assertEqual((answer.status, answer.json["executed"]), (200, True), answer)
        body = self.wait_for_state(daemon, answer.json["run"], "succeeded", "failed", "denied")
        self.assertEqual(body["state"], "succeeded", body)
        self.assertIn("decided", body["output_data"]["message"])
        runs = len(daemon.get("/v1/runs").json["runs"])
        self.assertFalse(daemon.check("add_node", query="?dry_run=true").json["executed"])
        daemon.update({"add_node": self.rule("deny")})
        self.assertEqual(daemon.check("add_node").status, 403)
        self.assertEqual(len(daemon.get("/v1/runs").json["runs"]), runs)

    # --- under load ---

    def test_many_checks_from_32_connections(self):
        """10,000: none lost, none wrong, nothing left."""
        many = 10_000
        self.add_general()
        self.write_governance(local={"timeout_ms": 60000})
        daemon = self.daemon()
        daemon.update({"add_node": self.rule("allow"), "add_block": self.rule("deny"), "remove_node": self.rule(
            "answer", answer={"allowed": True, "input_data": "other"})})
        expected = {"add_node": 200, "add_block": 403, "remove_node": 200, "add_cluster": 200}
        for action in expected:
            self.assertEqual(daemon.check(action, timeout=300).status, expected[action])
        wrong = []

        def measures():
            with open(f"/proc/{daemon.pid}/statm") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE"), len(os.listdir(f"/proc/{daemon.pid}/fd"))

        def left():  # folders in use, and processes; unused folders wait for their next use, at most 64
            folders = [path for path in self.in_store("work-v1/*/*") if not path.name.startswith("spare-")]
            return sorted(folders), sorted(self.policy_processes(with_servers=True))

        def ask(number, count):
            connection = daemon.connection(300)
            for index in range(count):
                action = list(expected)[(number + index) % 4]
                value = {**INPUTS[action], "mark": number * 100000 + index}
                answer = daemon.check(action, value, connection=connection)
                good = answer.status == expected[action] and (
                    answer.status == 403 or (answer.json["data"]["mark"] == value["mark"] and
                                             (action != "remove_node" or answer.json["data"]["node_id"] == "other")))
                if not good:
                    wrong.append(str(answer))
            connection.close()

        def round_of(count):
            threads = [threading.Thread(target=ask, args=(number, count // 32 + (number < count % 32)))
                       for number in range(32)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        logged = len(self.decisions())
        round_of(640)
        before, left_before = measures(), left()
        round_of(many)
        self.assertEqual(wrong, [])
        wait_until(lambda: measures()[1] <= before[1], "closed descriptors")
        wait_until(lambda: left() == left_before, "an end of all that was started")
        self.assertLess(measures()[0] - before[0], 2 << 20)
        # A rule decides about three of the four actions.
        self.assertEqual(len(self.decisions()) - logged, (640 + many) * 3 // 4)


if __name__ == "__main__":
    main()
