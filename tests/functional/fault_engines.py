"""The engines that fault_test.py tests: how each is called, and what may be said of its store from outside.

Both get plugins by the same references, `tiny-plugin@git+http://plugins.invalid/NAME@COMMIT`; where that really is, is
told to venvoy by `sourceRewrites` and to the Go engine's git by its environment.
"""

import fcntl
import hashlib
import json
import os
import stat
import urllib.parse
import uuid

import yaml

import harness

HOST = "http://plugins.invalid/"


class World:
    """A store, plugins, and the files by which an engine is called for them."""

    def __init__(self, test, name, sources, index=None, installer=None):
        """`sources` stands for HOST in references; `index` is a harness.PackageIndex."""
        self.test = test
        self.name = name
        self.folder = test.folder / f"world-{name}"
        self.folder.mkdir()
        self.store = self.folder / "store"
        self.seen = self.store  # where the test sees it
        self.sources = sources
        self.index = index
        self.installer = installer
        self.token = f"{test.token}-{name}"
        # The installers' caches are the world's own: kills must do no harm there either.
        self.environment = {
            harness.TOKEN: self.token,
            "UV_CACHE_DIR": str(self.folder / "uv"),
            "PIP_CACHE_DIR": str(self.folder / "pip"),
            "UV_HTTP_TIMEOUT": "3",
            "PIP_DEFAULT_TIMEOUT": "3",
            "PIP_RETRIES": "1",
        }

    def reference(self, plugin):
        return f"{plugin.module}@git+{HOST}{plugin.folder.name}@{plugin.head()}"

    def write_workflow(self, *plugins):
        """A workflow with a step for each plugin, all side by side."""
        head, _, _ = harness.WORKFLOW.partition("steps:")
        steps, outputs = "", ""
        for plugin in plugins:
            step = plugin.folder.name.replace("-", "_")
            steps += f'  {step}:\n    plugin: {{deployment_type: python, src: "{self.reference(plugin)}"}}\n'
            steps += "    step: hello\n    input: {name: World}\n"
            outputs += f"    {step}: !expr $.steps.{step}.outputs.success.message\n"
        name = "-".join(plugin.folder.name for plugin in plugins) + ".yaml"
        return self.write(name, f"{head}steps:\n{steps}outputs:\n  success:\n{outputs}")

    def write(self, name, text):
        """Others may be reading it, or writing the same."""
        path = self.folder / name
        if not path.exists() or path.read_text() != text:
            new = path.with_name(f".{name}-{uuid.uuid4().hex}")
            new.write_text(text)
            new.rename(path)
        return name

    def expected(self, *plugins):
        data = {plugin.folder.name.replace("-", "_"): harness.greeting(plugin) for plugin in plugins}
        return {"output_id": "success", "output_data": data}

    def start(self, operation, *plugins, wrapper=()):
        """`operation` is one of the engine's."""
        engine = self.test.engine
        arguments = engine.arguments(self, operation, plugins)
        environment = {**self.environment, **engine.environment(self)}
        return self.test.start(*arguments, env=environment, folder=self.folder, wrapper=wrapper, name=engine.name)

    def fault(self, result, *plugins):
        """What is wrong with a run; nothing if it has given what it must."""
        if result.code != 0:
            return f"exit code {result.code}: {last_lines(result.err)}"
        try:
            output = yaml.safe_load(result.out)
        except yaml.YAMLError:
            output = result.out
        return None if output == self.expected(*plugins) else f"wrong output: {output}"

    def run_fault(self, *plugins, wrapper=()):
        return self.fault(self.start("run", *plugins, wrapper=wrapper).finish(), *plugins)


def last_lines(text, count=3):
    return " | ".join(text.strip().splitlines()[-count:])[-600:]


class Venvoy:
    name = "venvoy"
    operations = ("run", "always", "pull", "prune")
    # How it is told that an index or a server does not answer, or a disk is full.
    failure_codes = (1,)
    not_to_be_tried = ()
    # When another process of it than itself is killed.
    hurt_codes = (0, 1, 3)

    def program(self):
        return harness.venvoy_program()

    def environment(self, world):
        return {}

    def arguments(self, world, operation, plugins):
        deployer = {"deployer_name": "python", "pythonPath": harness.PYTHON, "workdir": str(world.store)}
        deployer["sourceRewrites"] = [{"from": HOST, "to": world.sources}]
        if world.index:
            deployer["indexUrl"] = world.index.url
        if world.installer:
            deployer["installer"] = world.installer
        if operation == "always":
            deployer["modulePullPolicy"] = "Always"
        text = yaml.safe_dump({"log": {"level": "info"}, "deployers": {"python": deployer}})
        head = ["--config", world.write(f"config-{operation}.yaml", text)]
        if operation == "prune":
            return [*head, "cache", "prune", "--max-size", "1B"]
        if operation == "doctor":
            return [*head, "doctor"]
        if operation in ("sweep", "verify"):
            return [*head, "cache", {"sweep": "prune"}.get(operation, operation)]
        if operation == "pull":
            return [*head, "cache", "pull", *(world.reference(plugin) for plugin in plugins)]
        return [*head, "-v", "run", world.write_workflow(*plugins)]

    def is_keeper(self, command):
        return "venvoy-keeper" in command

    # --- the store ---

    def root(self, store):
        return store / f"venvoy-{os.geteuid()}"

    def locked_files(self, store):
        """Files of the store that somebody still has a lock on."""
        locked = []
        root = self.root(store)
        places = [*root.glob("lock-v1/*"), *root.glob("env-v1/*/*/*/lease"), *root.glob("wheel-v1/*/lease"), *root.glob("tool-v1/*/lease")]
        for path in [*places, *root.glob("work-v1/*/lease"), *(place.parent for place in places if place.name == "lease")]:
            try:
                file = os.open(path, os.O_RDONLY)
            except FileNotFoundError:
                continue
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                locked.append(str(path))
            finally:
                os.close(file)
        return locked

    def ready_faults(self, store):
        """What the ready environments and wheels have lost of what was published, byte for byte."""
        faults = []
        root = self.root(store)
        places = ("env-v1/*/*/*/ready.json", "wheel-v1/*/ready.json", "tool-v1/*/ready.json")
        for ready in [path for place in places for path in root.glob(place)]:
            try:
                faults += published_faults(ready)
            except (ValueError, KeyError, OSError) as error:
                faults.append(f"{ready}: {error!r}")
        return faults

    def half_made(self, store):
        """What is neither ready nor anybody's any more."""
        root = self.root(store)
        folders = [*root.glob("env-v1/*/*/*"), *root.glob("wheel-v1/*"), *root.glob("tool-v1/*")]
        left = [str(path) for path in folders if path.is_dir() and not (path / "ready.json").exists()]
        return left + [str(path) for path in root.glob("work-v1/*")]

    def environment_files(self, store):
        return files_of(ready.parent / "venv" for ready in self.root(store).glob("env-v1/*/*/*/ready.json"))

    def tool_files(self, store):
        """Of the pip that it keeps, if pip is the installer."""
        return sorted(path for path in self.root(store).glob("tool-v1/*/pip/**/*.py") if path.stat().st_size)


def files_of(environments):
    """Regular files, but for those of pip and its like, which no plugin uses."""
    tools = {"pip", "setuptools", "pkg_resources", "_distutils_hack"}
    return [
        path
        for environment in sorted(environments)
        for path in sorted(environment.rglob("*"))
        if stat.S_ISREG(path.lstat().st_mode) and not tools & {part.partition("-")[0] for part in path.parts}
    ]


def plain(text):
    return urllib.parse.unquote(text, errors="surrogateescape")


def published_faults(ready):
    """Compares a published folder with its ready.json and hashes.json, by code that is not the engine's."""
    folder = ready.parent
    manifest = json.loads(ready.read_text())
    hashes_text = (folder / "hashes.json").read_bytes()
    if hashlib.sha256(hashes_text).hexdigest() != manifest["hashes"]:
        return [f"{folder}: hashes.json is not the one that was published"]
    hashes = json.loads(hashes_text)
    faults = []
    for place, names in manifest["files"].items():
        for name, entry in names.items():
            listed = f"{place}/{name}" if place else name
            path = folder / plain(place) / plain(name)
            if isinstance(entry, str):
                if os.readlink(path) != plain(entry):
                    faults.append(f"{path}: another link")
                continue
            content = path.read_bytes()
            if len(content) != entry or hashlib.sha256(content).hexdigest() != hashes.get(listed):
                faults.append(f"{path}: not what was published")
    return faults


class Arcaflow:
    """The Go engine, the program `arcaflow` of the package `arcaflow`. Its store can only be judged by its runs."""

    name = "arcaflow"
    operations = ("run", "always")
    failure_codes = (1, 2, 3)
    # Its git, called by pip, answers a page with ever more copies of itself.
    not_to_be_tried = ("html",)
    hurt_codes = (0, 1, 2, 3)

    def __init__(self, path):
        self.path = path

    def program(self):
        return os.path.abspath(self.path)

    def environment(self, world):
        environment = {
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{world.sources}.insteadOf",
            "GIT_CONFIG_VALUE_0": HOST,
        }
        if world.index:
            environment["PIP_INDEX_URL"] = world.index.url
        return environment

    def arguments(self, world, operation, plugins):
        world.store.mkdir(exist_ok=True)
        policy = "Always" if operation == "always" else "IfNotPresent"
        deployer = {"deployer_name": "python", "pythonPath": harness.PYTHON, "workdir": str(world.store)}
        deployer["modulePullPolicy"] = policy
        text = yaml.safe_dump({"log": {"level": "info"}, "deployers": {"python": deployer}})
        return ["-config", world.write(f"config-{operation}.yaml", text), "-workflow", world.write_workflow(*plugins)]

    def is_keeper(self, command):
        return False

    def locked_files(self, store):
        return []

    def ready_faults(self, store):
        return []

    def half_made(self, store):
        return []

    def environment_files(self, store):
        return files_of(store.glob("connector_*/*/venv"))

    def tool_files(self, store):
        return []
