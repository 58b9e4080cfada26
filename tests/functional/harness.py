"""What the functional tests share: repositories of small plugins, git servers, and the program under test.

The program is $VENVOY. Each test has a folder of its own, with the store in `store/`; at its end no process that the
program has started may be left, whatever happened, and the folder is removed.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request
import uuid

import yaml

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
TINY = HERE / "plugins" / "tiny"
HELLO = PROJECT / "samples" / "hello" / "plugin"
PYTHON = "/usr/bin/python3"
MARKER = ".python_deployer_compat"
TOKEN = "FUNCTIONAL_TEST_TOKEN"

# No command may take longer, whatever the network does.
PATIENCE = 120

WORKFLOW = """\
version: v0.2.0
input:
  root: Input
  objects:
    Input: {id: Input, properties: {}}
steps:
  greet:
    plugin: {deployment_type: python, src: "@REFERENCE@"}
    step: hello
    input: {name: "@NAME@"}
outputs:
  success:
    message: !expr $.steps.greet.outputs.success.message
  error:
    reason: !expr $.steps.greet.outputs.error.reason
"""

WAITING_WORKFLOW = """\
version: v0.2.0
input:
  root: Input
  objects:
    Input: {id: Input, properties: {}}
steps:
  wait:
    plugin: {deployment_type: python, src: "@REFERENCE@"}
    step: @STEP@
    input: {started: "@FOLDER@/started", release: "@FOLDER@/release", children: @CHILDREN@}
outputs:
  @OUTPUT@:
    message: !expr $.steps.wait.outputs.@OUTPUT@.message
"""


def venvoy_program():
    program = os.environ.get("VENVOY")
    if not program or not os.access(program, os.X_OK):
        sys.exit("VENVOY must name the program to test")
    return os.path.abspath(program)


def git(*arguments, folder, date="2026-01-02T03:04:05Z"):
    environment = dict(
        os.environ,
        GIT_CONFIG_GLOBAL=os.devnull,
        GIT_CONFIG_SYSTEM=os.devnull,
        GIT_AUTHOR_NAME="Somebody",
        GIT_AUTHOR_EMAIL="somebody@example.org",
        GIT_COMMITTER_NAME="Somebody",
        GIT_COMMITTER_EMAIL="somebody@example.org",
        GIT_AUTHOR_DATE=date,
        GIT_COMMITTER_DATE=date,
    )
    command = ["git", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def wait_until(condition, what, seconds=30):
    """Returns what the condition gives as soon as that is true-like."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


class Repository:
    """A git repository with a work tree, on branch main."""

    def __init__(self, folder, source, ignore=()):
        self.folder = folder
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__", ".git", "*.egg-info", *ignore))
        git("init", "-q", "-b", "main", folder=folder)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def commit(self):
        git("add", "-A", "-f", folder=self.folder)
        git("commit", "-q", "--allow-empty", "-m", "A change", folder=self.folder)
        return self.head()

    def head(self):
        return git("rev-parse", "HEAD", folder=self.folder)

    def branch(self, name):
        git("checkout", "-q", "-B", name, folder=self.folder)

    @property
    def url(self):
        return f"file://{self.folder}"


class TinyPlugin(Repository):
    """plugins/tiny, committed. Its settings:

    text             which its greeting names, so that one can see which commit runs
    marks            file in which each of its parts leaves a line when it is run: "backend", "build", "module"
    requires         packages that it depends on, written in its pyproject.toml
    dynamic          whether these are told by its build backend alone
    imports          modules that it imports when it starts
    requires_python  for instance ">=3.9"
    build_seconds    how long its wheel takes
    build_waits_for  a pattern of paths, of which one must be there before its wheel is made
    build_failure    text that its build backend prints before it fails
    start_seconds    how long it takes until it says hello
    megabytes        how big it is
    stubborn         whether it takes no notice of the cancel signal
    unruly           whether its waiting steps leave daemons behind that want to stay
    """

    module = "tiny-plugin"

    def __init__(self, folder, marks=None, contract=True, **settings):
        super().__init__(folder, TINY, () if contract else (MARKER,))
        self.marks = marks
        self.settings = {
            "text": "the first commit",
            "marks": str(marks) if marks else None,
            "requires": [],
            "dynamic": False,
            "imports": [],
            "requires_python": None,
            "build_seconds": 0,
            "build_waits_for": None,
            "build_failure": None,
            "start_seconds": 0,
            "megabytes": 0,
            "stubborn": False,
            "unruly": False,
        }
        self.change(**settings)

    def change(self, **settings):
        """A new commit with these settings; returns its id."""
        self.settings.update(settings)
        self.write("settings.json", json.dumps(self.settings))
        if "requires" in settings and not self.settings["dynamic"]:
            project = (TINY / "pyproject.toml").read_text().replace('"dependencies", ', "")
            self.write("pyproject.toml", f"{project}dependencies = {json.dumps(settings['requires'])}\n")
        return self.commit()

    def reference(self, version=None, url=None):
        return f"{self.module}@git+{url or self.url}" + (f"@{version}" if version else "")

    def take_marks(self):
        """Which parts have run since the last call."""
        if not self.marks.exists():
            return []
        lines = self.marks.read_text().split()
        self.marks.unlink()
        return lines


class GitServer:
    """support/git_http_server.py: serves the repositories below a folder, in several bad manners."""

    def __init__(self, folder):
        self.folder = folder
        self.log = folder / "git-server.log"
        script = HERE.parent / "support" / "git_http_server.py"
        self.process = subprocess.Popen(
            [PYTHON, str(script), str(folder), str(self.log)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.port = int(self.process.stdout.readline())

    def url(self, manner, repository):
        return f"http://127.0.0.1:{self.port}/{manner}/{repository}"

    def requests(self):
        return self.log.read_text().splitlines() if self.log.exists() else []

    def behave(self, manner):
        """For the manner `as-told`."""
        (self.folder / "MANNER").write_text(manner)

    def stop(self):
        """From now on nothing listens on the port."""
        if self.process.stdin.closed:
            return
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class PackageIndex:
    """support/package_index.py: a small package index with these releases, in several bad manners."""

    def __init__(self, folder, releases):
        self.log = folder / "package-index.log"
        script = HERE.parent / "support" / "package_index.py"
        self.process = subprocess.Popen(
            [PYTHON, str(script), str(self.log)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.process.stdin.write(json.dumps(releases) + "\n")
        self.process.stdin.flush()
        self.port = int(self.process.stdout.readline())

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/simple/"

    def behave(self, manner=None):
        place = pathlib.Path(f"{self.log}.manner")
        if manner:
            place.write_text(manner)
        else:
            place.unlink(missing_ok=True)

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class KubernetesApi:
    """support/kubernetes_api.py: pods that can be listed, waited for and deleted."""

    def __init__(self, folder, pods, token=None):
        self.log = folder / "kubernetes-api.log"
        self.token = token
        script = HERE.parent / "support" / "kubernetes_api.py"
        command = [PYTHON, str(script), str(self.log), *([token] if token else [])]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdin.write(json.dumps(pods) + "\n")
        self.process.stdin.flush()
        self.port = int(self.process.stdout.readline())

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def kubeconfig(self):
        """The text of a configuration file for clients."""
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "test", "cluster": {"server": self.url}}],
                "users": [{"name": "somebody", "user": {"token": self.token} if self.token else {}}],
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": "somebody"}}],
                "current-context": "test",
            }
        )

    def call(self, method, path, body=None):
        """Status and JSON of one request."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def pods(self, namespace=None):
        """Names of those that are there and not being deleted."""
        place = f"/api/v1/namespaces/{namespace}/pods" if namespace else "/api/v1/pods"
        items = self.call("GET", place)[1]["items"]
        return [pod["metadata"]["name"] for pod in items if "deletionTimestamp" not in pod["metadata"]]

    def requests(self):
        return self.log.read_text().splitlines() if self.log.exists() else []

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Result:
    def __init__(self, command, code, out, err, seconds):
        self.command, self.code, self.out, self.err, self.seconds = command, code, out, err, seconds

    @property
    def output(self):
        return yaml.safe_load(self.out)

    @property
    def message(self):
        """Of the workflow's output `success`."""
        return self.output["output_data"]["message"]

    def __str__(self):
        tail = self.err[-4000:]
        return f"{' '.join(self.command)}\nexit code {self.code}\nstdout:\n{self.out[-2000:]}\nstderr:\n{tail}"


class Running:
    """A command that has been started."""

    def __init__(self, command, environment, folder, options):
        self.command = [str(part) for part in command]
        self.begin = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
            **options,
        )

    def send(self, number):
        self.process.send_signal(number)

    def finish(self, patience=PATIENCE):
        try:
            out, err = self.process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            raise AssertionError(f"no end within {patience} s: {' '.join(self.command)}\n{out}\n{err}") from None
        return Result(self.command, self.process.returncode, out, err, time.monotonic() - self.begin)


def environ_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def is_zombie(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def command_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


class FunctionalTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def class_folder(cls):
        """A folder that all tests of the class share; for setUpClass."""
        folder = pathlib.Path(tempfile.mkdtemp(prefix="venvoy-functional-"))
        cls.addClassCleanup(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def setUp(self):
        self.program = venvoy_program()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="venvoy-functional-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.token = uuid.uuid4().hex
        self.addCleanup(self.end_processes)
        self.store = self.folder / "store"

    def tearDown(self):
        self.require_no_process()

    # --- processes ---

    def processes(self, token=None):
        """Command lines of the processes that the program has started, directly or not, by pid."""
        mark = f"{TOKEN}={token or self.token}".encode()
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        return {pid: command_of(pid) for pid in pids if mark in environ_of(pid) and not is_zombie(pid)}

    def require_no_process(self, token=None, seconds=15):
        end = time.monotonic() + seconds
        left = self.processes(token)
        while left and time.monotonic() < end:
            time.sleep(0.02)
            left = self.processes(token)
        self.assertEqual(left, {}, "processes are left")

    def end_processes(self):
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    # --- files ---

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def write_config(self, name="config.yaml", **settings):
        """A configuration whose Python deployer has the test's own store."""
        deployer = {"deployer_name": "python", "pythonPath": PYTHON, "workdir": str(self.store)}
        # Tests that must hold for each installer are run for each.
        deployer["installer"] = os.environ.get("TEST_INSTALLER")
        deployer.update(settings)
        deployer = {key: value for key, value in deployer.items() if value is not None}
        return self.write(name, yaml.safe_dump({"log": {"level": "info"}, "deployers": {"python": deployer}}))

    def write_workflow(self, reference, name="World", file="workflow.yaml"):
        return self.write(file, WORKFLOW.replace("@REFERENCE@", reference).replace("@NAME@", name))

    def write_waiting_workflow(self, reference, step="wait", children=False, output="success", file="workflow.yaml"):
        text = WAITING_WORKFLOW
        for word, value in (
            ("@REFERENCE@", reference),
            ("@STEP@", step),
            ("@FOLDER@", str(self.folder)),
            ("@CHILDREN@", str(children).lower()),
            ("@OUTPUT@", output),
        ):
            text = text.replace(word, value)
        return self.write(file, text)

    def line_of(self, words, file="workflow.yaml"):
        """Number of the first line of a file that has these words."""
        for number, line in enumerate((self.folder / file).read_text().splitlines(), 1):
            if words in line:
                return number
        raise AssertionError(f"no line of {file} has {words!r}")

    def tiny(self, name="plugin", **options):
        return TinyPlugin(self.folder / name, marks=self.folder / f"{name}.marks", **options)

    def git_server(self):
        server = GitServer(self.folder)
        self.addCleanup(server.stop)
        return server

    # --- the store ---

    def in_store(self, pattern):
        return sorted(self.store.glob(f"venvoy-*/{pattern}"))

    def environments(self):
        """Folders of the environments that are ready."""
        return [path.parent for path in self.in_store("env-v1/*/*/*/ready.json")]

    def require_clean_store(self):
        """Nothing half-made: each environment, wheel and tool is ready, and nobody's working directory is there."""
        for pattern in ("env-v1/*/*/*", "wheel-v1/*", "tool-v1/*"):
            for path in self.in_store(pattern):
                if path.is_dir():
                    self.assertTrue((path / "ready.json").exists(), f"{path} is half-made: {list(path.iterdir())}")
        self.assertEqual(self.in_store("work-v1/*"), [], "working directories are left")

    # --- the program ---

    def environment(self, **variables):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("VENVOY")}
        return {**environment, TOKEN: self.token, "VENVOY_STATE_DIR": str(self.folder / "state"), **variables}

    def start(self, *arguments, name="venvoy", env=None, wrapper=(), folder=None, **options):
        """Starts the program; its argv[0] is `name`. `wrapper` is a command that runs it."""
        environment = self.environment(**(env or {}))
        if wrapper:
            command = [*wrapper, self.program, *arguments]
        else:
            command = [name, *arguments]
            options["executable"] = self.program
        running = Running(command, environment, folder or self.folder, options)
        self.addCleanup(lambda: running.process.poll() is None and running.process.kill())
        return running

    def call(self, *arguments, patience=PATIENCE, **options):
        return self.start(*arguments, **options).finish(patience)

    def run_workflow(self, *arguments, **options):
        """`venvoy run` of the test's workflow with its configuration."""
        return self.call("-v", "run", "workflow.yaml", *arguments, **options)

    def require_message(self, result, text):
        """It ended well and said this."""
        self.assertEqual(result.code, 0, result)
        self.assertEqual(result.output, {"output_id": "success", "output_data": {"message": text}}, result)

    def require_failure(self, result, code, *words):
        self.assertEqual(result.code, code, result)
        self.assertEqual(result.out, "", result)
        for word in words:
            self.assertIn(word, result.err, result)


def greeting(plugin):
    return f"Hello, World, from {plugin.settings['text']}!"


def main():
    venvoy_program()
    unittest.main(verbosity=2)
