"""What the tests of policies share: archives, registries, executors, and the daemon."""

import contextlib
import hashlib
import http.client
import http.server
import io
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import socketserver
import tarfile
import tempfile
import threading
import time
import urllib.parse

import jsonschema
import yaml

from harness import FunctionalTest, PROJECT, PYTHON, wait_until

ACTIONS = ["add_node", "remove_node", "add_cluster", "remove_cluster", "add_block", "remove_block", "update_cluster",
           "scale_block", "block_mgmt", "cluster_mgmt"]

# An input that each action takes.
INPUTS = {
    "add_node": {"node_data": {"id": "n7"}, "cluster_data": {"id": "c1"}, "cluster_metrics": {"nodes": 3}},
    "remove_node": {"node_id": "n7", "cluster_data": {"id": "c1"}, "cluster_metrics": {"nodes": 3}, "block_instances": []},
    "add_cluster": {"cluster_data": {"id": "c1"}},
    "remove_cluster": {"cluster_id": "c1", "cluster_metrics": {}, "cluster_blocks": []},
    "add_block": {"block_data": {"id": "b1"}, "cluster_data": {"id": "c1"}, "cluster_metrics": {}},
    "remove_block": {"block_data": {"id": "b1"}, "block_metrics": {}, "block_instance_nodes": []},
    "update_cluster": {"cluster_data": {"id": "c1", "label": "x"}},
    "scale_block": {"block_data": {"id": "b1"}, "input": {"instances": 3}},
    "block_mgmt": {"block_data": {"id": "b1"}, "input": {"command": "restart"}},
    "cluster_mgmt": {"cluster_data": {"id": "c1"}, "input": {"command": "drain"}},
}

HEAD = """\
class AIOSv1PolicyRule:
    def __init__(self, rule_id, settings, parameters):
        self.rule_id, self.settings, self.parameters = rule_id, settings, parameters

    def eval(self, parameters, input_data, context):
"""

# One policy that does what its parameters say, so that most tests share one environment.
GENERAL = "import json, os, socket, sys, time\n\n" + HEAD + """\
        do = parameters.get("do", "allow")
        if do == "allow":
            return {"allowed": True}
        if do == "deny":
            return {"allowed": False, "input_data": parameters.get("reason", "the policy says no")}
        if do == "raise":
            raise ValueError("the policy is confused")
        if do == "answer":
            return parameters["answer"]
        if do == "whole":
            return {"allowed": True, "input_data": {**input_data, **parameters.get("change", {})}}
        if do == "echo":
            return {"allowed": False, "input_data": {"rule_id": self.rule_id, "settings": self.settings,
                    "parameters": parameters, "input": input_data, "context": str(type(context)), "own": self.parameters}}
        if do == "loop":
            if parameters.get("child"):
                import subprocess
                subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            while True:
                pass
        if do == "sleep":
            time.sleep(parameters.get("seconds", 600))
        if do == "memory":
            hog = bytearray(2 << 30)
            for at in range(0, len(hog), 4096):
                hog[at] = 1
        if do == "exit":
            os._exit(0)
        if do == "print":
            for _ in range(10240):
                print("x" * 1023)
        if do == "long":
            return {"allowed": True, "input_data": {"node_data": {"x": "y" * (4 << 20)}}}
        if do == "connect":
            with socket.create_connection(("127.0.0.1", parameters["port"]), 5):
                return {"allowed": True}
        if do == "unix":
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(parameters["path"])
                return {"allowed": True}
        if do == "write":
            with open(parameters["path"], "w") as file:
                file.write("x")
        if do == "tell":
            print(json.dumps(input_data))
            return {"allowed": False, "message": "saw " + json.dumps(input_data)}
        return {"allowed": True}

    def management(self, action, data):
        return {"action": action, "data": data, "rule_id": self.rule_id}
"""


def archive(function, kind="gz", requirements=None, more=()):
    """Bytes of an archive; `more` are further (name, text) pairs, or TarInfo objects."""
    files = [("code/function.py", function), *more]
    if requirements is not None:
        files.append(("code/requirements.txt", requirements))
    out = io.BytesIO()
    if kind == "zip":
        import zipfile

        with zipfile.ZipFile(out, "w") as made:
            for name, text in files:
                made.writestr(name, text)
        return out.getvalue()
    with tarfile.open(fileobj=out, mode="w:" + ("" if kind == "tar" else kind)) as made:
        for each in files:
            if isinstance(each, tarfile.TarInfo):
                made.addfile(each)
                continue
            info = tarfile.TarInfo(each[0])
            data = each[1].encode()
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))
    return out.getvalue()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Description:
    """docs/openapi.json, against which every answer that a test gets is held."""

    def __init__(self):
        self.document = json.loads((PROJECT / "docs" / "openapi.json").read_text())
        self.routes = []
        for path, operations in self.document["paths"].items():
            pattern = re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)))
            self.routes += [(pattern, method.upper(), operation) for method, operation in operations.items()]

    def fault(self, method, target, status, content_type, text):
        """What the answer has that the document does not, or nothing."""
        path = target.partition("?")[0]
        operation = next((each for pattern, name, each in self.routes if name == method and pattern.fullmatch(path)), None)
        if not operation:
            return None if status in (400, 401, 403, 404) else f"{method} {path} is in no document, but answers {status}"
        answer = operation["responses"].get(str(status))
        if not answer:
            if status < 400:
                return f"{method} {path} answers {status}, of which the document does not know"
            answer = operation["responses"]["default"]
        elif "Refusal" not in str(answer) and status in (403, 404, 422, 503):
            # Each of these is also what the gate of the whole server says.
            if not self.faults_of(operation["responses"]["default"], content_type, text):
                return None
        return self.faults_of(answer, content_type, text)

    def faults_of(self, answer, content_type, text):
        if "content" not in answer:
            return None if not text else "an answer where none is documented"
        media = (content_type or "").partition(";")[0]
        if media not in answer["content"]:
            return f"the content type {media}"
        if media != "application/json":
            return None
        schema = {**answer["content"][media]["schema"], "components": self.document["components"]}
        faults = jsonschema.Draft202012Validator(schema).iter_errors(json.loads(text))
        return next((f"{list(fault.absolute_path)}: {fault.message[:300]}" for fault in faults), None)


DESCRIPTION = Description()


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text

    @property
    def json(self):
        return json.loads(self.text)

    def __str__(self):
        return f"status {self.status}\n{self.headers}\n{self.text[:4000]}"


class Daemon:
    """`venvoy serve`, until it listens."""

    def __init__(self, test, *options, config="governance.yaml", listen="127.0.0.1:0", env=None, state=None):
        self.test = test
        self.state = state or test.state
        test.daemons.append(self)
        arguments = ["--config", str(test.folder / config), "--state-dir", str(self.state), "serve"]
        if listen:
            arguments += ["--listen", listen]
        self.running = test.start(*arguments, *options, env=env)
        self.lines = []
        self.token = None
        self.port = None
        self.socket = None
        self.listening = threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        if not self.listening.wait(60):
            raise AssertionError("the daemon does not listen:\n" + "".join(self.lines))
        if self.socket is None and self.port is None:
            raise AssertionError("the daemon has ended:\n" + "".join(self.lines))

    @property
    def pid(self):
        return self.running.process.pid

    def read(self):
        for line in self.running.process.stderr:
            self.lines.append(line)
            if found := re.search(r"listening on unix:(\S+)", line):
                self.socket = found.group(1)
                self.listening.set()
            if found := re.search(r"^http://\S+:(\d+)/\?token=(\w+)", line):
                self.port, self.token = int(found.group(1)), found.group(2)
                self.listening.set()
        self.listening.set()

    def connection(self, timeout=60):
        if self.socket:
            return UnixConnection(self.socket, timeout)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def call(self, method, path, body=None, token=True, headers=(), connection=None, timeout=60):
        headers = dict(headers)
        if token is True and self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        elif isinstance(token, str):
            headers["Authorization"] = f"Bearer {token}"
        data = None
        if body is not None:
            data = body if isinstance(body, (bytes, str)) else json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        own = connection or self.connection(timeout)
        try:
            own.request(method, path, data, headers)
            answer = own.getresponse()
            text = answer.read().decode()
            if connection is None:  # not under load
                fault = DESCRIPTION.fault(method, path, answer.status, answer.getheader("Content-Type"), text)
                self.test.assertIsNone(fault, f"{method} {path}: docs/openapi.json does not know this answer: {text[:2000]}")
            return Answer(answer.status, answer.headers, text)
        finally:
            if connection is None:
                own.close()

    def get(self, path, **options):
        return self.call("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.call("POST", path, {} if body is None else body, **options)

    def update(self, rules, query="", **options):
        return self.post("/pre-check-policies/update" + query, rules, **options)

    def check(self, action, body=None, query="", **options):
        return self.post(f"/pre-checks/{action}{query}", {"input": INPUTS[action] if body is None else body}, **options)

    def kill(self):
        self.running.process.kill()
        self.stop()

    def stop(self):
        """Its exit code after a SIGTERM."""
        if self.running.process.poll() is None:
            self.running.send(signal.SIGTERM)
        code = self.running.process.wait(60)
        self.reader.join(10)
        if not self.running.process.stdout.closed:
            self.running.process.stdout.close()
            self.running.process.stderr.close()
        return code


class Server:
    """An HTTP server whose answers a function gives: (method, path, headers, body) -> (status, bytes or object) or None
    to say nothing for ever."""

    def __init__(self, test, answer):
        self.requests = []
        outer = self
        self.silent = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def handle_one(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                outer.requests.append((self.command, self.path, dict(self.headers), body))
                given = answer(self.command, self.path, self.headers, body)
                if given is None:
                    outer.silent.wait(120)
                    self.close_connection = True
                    return
                status, data, *more = given
                data = data if isinstance(data, bytes) else json.dumps(data).encode()
                self.send_response(status)
                for name, value in (more[0] if more else {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = handle_one

        class Threads(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *ignored):
                pass  # clients that give up

        self.server = Threads(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        test.addCleanup(self.stop)

    def stop(self):
        self.silent.set()
        self.server.shutdown()
        self.server.server_close()


class GovernanceTest(FunctionalTest):
    """Tests of one class share a store: its environments are made once."""

    @classmethod
    def setUpClass(cls):
        cls.shared = pathlib.Path(tempfile.mkdtemp(prefix="venvoy-governance-"))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.shared, ignore_errors=True)

    def setUp(self):
        super().setUp()
        self.store = self.shared / "store"
        self.store.mkdir(exist_ok=True)
        self.state = self.folder / "state"
        self.registry = self.folder / "registry"
        self.registry.mkdir()
        self.policies = []
        self.daemons = []
        self.write_governance()

    def policy_processes(self, with_servers=False):
        """Processes that evaluate policies of this test's store, with their children; pid -> command line."""
        found, parents = {}, {}
        for name in os.listdir("/proc"):
            with contextlib.suppress(OSError):
                environment = pathlib.Path(f"/proc/{name}/environ").read_bytes() if name.isdigit() else b""
                if f"TMPDIR={self.store}".encode() in environment:
                    found[int(name)] = pathlib.Path(f"/proc/{name}/cmdline").read_bytes()
                    stat = pathlib.Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
                    parents[int(name)] = int(stat[1])
                    if stat[0] == "Z":
                        del found[int(name)]
        if with_servers:
            return found
        # A fork server rests between evaluations; its forks have its command line.
        return {pid: line for pid, line in found.items() if b"--serve" not in line or parents[pid] in found}

    def tearDown(self):
        for daemon in self.daemons:
            daemon.stop()
        super().tearDown()
        wait_until(lambda: not self.policy_processes(with_servers=True), "the end of all policies", 15)
        self.assertEqual(self.in_store("work-v1/*/*"), [], "working folders are left")

    # --- what there is ---

    def write_governance(self, name="governance.yaml", deployer=None, **governance):
        settings = {"registry": {"file": str(self.registry / "policies.json")}, **governance}
        settings = {key: value for key, value in settings.items() if value is not None}
        python = {"deployer_name": "python", "pythonPath": PYTHON, "workdir": str(self.store), **(deployer or {})}
        return self.write(name, yaml.safe_dump({"deployers": {"python": python}, "governance": settings}))

    def write_registry(self):
        (self.registry / "policies.json").write_text(json.dumps({"policies": self.policies}))

    def add_policy(self, rule_id, function=GENERAL, kind="gz", requirements=None, parameters=None, settings=None, more=(),
                   pin=True, **fields):
        """Puts a policy into the registry's file; returns its archive's path."""
        name, rest = rule_id.split(":", 1)
        version, tag = rest.split("-", 1)
        data = archive(function, kind, requirements, more)
        file = f"{name}-{version}-{tag}.{kind}"
        (self.registry / file).write_bytes(data)
        entry = {"name": name, "version": version, "release_tag": tag, "code": file,
                 "policy_parameters": parameters or {}, "policy_settings": settings or {}, **fields}
        if pin:
            entry.setdefault("sha256", sha256(data))
        self.policies = [each for each in self.policies if (each["name"], each["version"], each["release_tag"]) !=
                         (name, version, tag)] + [entry]
        self.write_registry()
        return self.registry / file

    def add_general(self, *names):
        for name in names or ("acme.rule",):
            self.add_policy(f"{name}:1-stable")

    def daemon(self, *options, **more):
        return Daemon(self, *options, **more)

    def governance(self, *arguments, output="json", config="governance.yaml", **options):
        return self.call("--config", str(self.folder / config), "--state-dir", str(self.state), "--output", output,
                         "governance", *arguments, **options)

    def check_file(self, action, value=None):
        return str(self.write("input.json", json.dumps(INPUTS[action] if value is None else value)))

    def cli_check(self, action, value=None, **options):
        return self.governance("check", action, "-f", self.check_file(action, value), **options)

    def rules(self):
        return json.loads((self.state / "governance" / "rules.json").read_text())

    def decisions(self, state=None):
        file = (state or self.state) / "governance" / "decisions.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def rule(self, do, name="acme.rule", **parameters):
        return {"policyRuleURI": f"{name}:1-stable", "parameters": {"do": do, **parameters}}
