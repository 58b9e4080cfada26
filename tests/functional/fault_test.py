"""The store under faults: kills, full disks, servers that lie, files that go (issue 5, design D4; README.md).

    fault_test.py [--engine venvoy|arcaflow] [--program PATH] [--kills N] [--seconds N] [--seed N] [--installer uv|pip]
                  [TEST…]

Each test goes on after a fault of the engine and tells all of them at its end. The same seed gives the same kills, as
far as the machine is as quick.
"""

import argparse
import collections
import concurrent.futures
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import unittest
import unittest.mock

import fault_engines
import harness
from fault_engines import World
from harness import FunctionalTest, GitServer, PackageIndex

OPTIONS = argparse.Namespace()

# A plugin's dependencies, on an index of our own.
RELEASES = [
    {"name": "fault-lib", "version": "1.0", "uploaded": "2025-01-01T00:00:00Z", "requires": ["fault-base>=2"]},
    {"name": "fault-base", "version": "2.0", "uploaded": "2025-01-01T00:00:00Z"},
]
NEEDS = {"requires": ["fault-lib"], "imports": ["fault_lib", "fault_base"]}
WORKERS = 2


class FaultTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.engine = OPTIONS.make_engine()
        self.findings = []
        self.counts = collections.Counter()
        self.note_lock = threading.Lock()

    def tearDown(self):
        super().tearDown()
        counts = ", ".join(f"{name}: {count}" for name, count in sorted(self.counts.items()))
        print(f"    seed {OPTIONS.seed}; {counts}; findings: {len(self.findings)}", flush=True)
        if self.findings:
            self.fail(f"{len(self.findings)} findings\n" + "\n".join(self.findings[:20]))

    # --- what is wrong ---

    def find(self, where, fault):
        """Notes a fault; nothing or an empty list is none. True if it is one."""
        if not fault:
            return False
        with self.note_lock:
            self.findings.append(f"{where}: {fault}")
            print(f"    FOUND {self.findings[-1]}", flush=True)
        return True

    def count(self, name, number=1):
        with self.note_lock:
            self.counts[name] += number

    def left_processes(self, world, seconds=15):
        """After an end; ends them too, so that they disturb only one round."""
        end = time.monotonic() + seconds
        left = self.processes(world.token)
        while left and time.monotonic() < end:
            time.sleep(0.02)
            left = self.processes(world.token)
        for pid in left:
            kill_one(pid, world.token)
        return [command[:120] for command in left.values()]

    def look_after(self, where, world):
        """What must hold whenever no engine runs."""
        found = self.find(where, self.left_processes(world))
        found |= self.find(where, [f"locked: {path}" for path in self.engine.locked_files(world.seen)])
        return self.find(where, self.engine.ready_faults(world.seen)) or found

    def next_run(self, where, world, *plugins, wrapper=()):
        """It must give the right result and leave nothing half-made."""
        found = self.find(f"{where}, the next run", world.run_fault(*plugins, wrapper=wrapper))
        found |= self.look_after(f"{where}, after the next run", world)
        found |= self.find(f"{where}, after the next run", self.rubbish(world, wrapper))
        self.count("rounds")
        if found:
            # So that each finding stands for itself.
            empty(world.seen)
        return not found

    def refuse(self, where, world, plugin):
        """A run that cannot work says so, in time."""
        try:
            result = world.start("run", plugin).finish(harness.PATIENCE * 2)
        except AssertionError as error:
            self.find(where, str(error)[:400])
        else:
            self.find(where, result.code not in self.engine.failure_codes and result)
            self.find(where, result.out)
        self.look_after(where, world)

    def rubbish(self, world, wrapper=()):
        """What is half-made and stays. The next builder of the same environment sweeps, or else `cache prune`."""
        if self.engine.half_made(world.seen):
            self.count("sweeps")
            world.start("sweep", wrapper=wrapper).finish()
        return [f"half-made: {path}" for path in self.engine.half_made(world.seen)]

    # --- places ---

    def index(self):
        index = PackageIndex(self.folder, RELEASES)
        self.addCleanup(index.stop)
        return index

    def world(self, name="one", sources=None, **options):
        options.setdefault("installer", OPTIONS.installer)
        return World(self, name, sources or f"file://{self.folder}/", **options)

    def plugin(self, name, **settings):
        plugin = self.tiny(name, **settings)
        plugin.marks.touch()
        return plugin


def start_time(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[19]


def kill_one(pid, token):
    """`kill -9` of a process of ours; false if there is none of that id any more."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        # It cannot become another process from here on.
        if f"{harness.TOKEN}={token}".encode() not in harness.environ_of(pid) or harness.is_zombie(pid):
            return False
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)


def empty(folder):
    """Removes what is in it; it may be the root of a file system."""
    for path in folder.iterdir() if folder.exists() else ():
        shutil.rmtree(path, ignore_errors=True)


class Killer:
    """Kills in one store, one after the other."""

    def __init__(self, test, number, index, kills):
        self.test = test
        self.number = number
        self.kills = kills
        self.random = random.Random(f"{OPTIONS.seed}-{number}")
        self.world = test.world(str(number), index=index)
        self.plugin = test.plugin(f"plugin-{number}", megabytes=1, **NEEDS)
        self.usual = {}  # seconds that an operation takes

    def start(self, operation):
        self.begun = time.monotonic()
        return self.world.start(operation, *([] if operation == "prune" else [self.plugin]))

    def fresh(self, number):
        """What comes is a first installation: of a commit that the store does not know, now and then in no store."""
        if number % 6 == 5:
            shutil.rmtree(self.world.seen, ignore_errors=True)
        self.plugin.change(text=f"the commit of round {number}")

    def measure(self):
        for operation in self.test.engine.operations:
            if operation == "run":
                self.fresh(0)
            result = self.start(operation).finish()
            self.usual[operation] = result.seconds
            self.test.find(f"store {self.number}, {operation} without a fault", result.code and result)
        self.test.find(f"store {self.number}, before", self.world.run_fault(self.plugin))

    def choose(self, number):
        operations = [name for name in self.test.engine.operations if name != "run"]
        # Every second time a first installation.
        operation = "run" if number % 2 == 0 else operations[number // 2 % len(operations)]
        target = self.random.choices(["engine", "keeper", "child"], [60, 15, 25])[0]
        # Half of the moments at random, half swept.
        share = self.random.random() if number % 4 < 2 else (number // 4 % 25 + 0.5) / 25
        return operation, target, share

    def victim(self, running, target):
        """The process to kill, waited for a little."""
        if target == "engine":
            return running.process.pid
        end = time.monotonic() + 0.3
        while time.monotonic() < end and running.process.poll() is None:
            others = {pid: command for pid, command in self.test.processes(self.world.token).items()
                      if pid != running.process.pid}
            keepers = [pid for pid, command in others.items() if self.test.engine.is_keeper(command)]
            found = keepers if target == "keeper" else sorted(set(others) - set(keepers))
            if found:
                return self.random.choice(found)
            time.sleep(0.005)
        return running.process.pid

    def round(self, number):
        operation, target, share = self.choose(number)
        if operation == "run":
            self.fresh(number)
        running = self.start(operation)
        # Later most of them have ended.
        time.sleep(0.85 * share * self.usual[operation])
        pid = self.victim(running, target)
        killed = kill_one(pid, self.world.token)
        moment = time.monotonic() - self.begun
        target = "engine" if pid == running.process.pid else target
        where = f"store {self.number}, round {number}, {operation}, {target} killed after {moment:.3f} s"
        try:
            result = running.finish()
        except AssertionError as error:
            self.test.find(where, str(error)[-800:])
        else:
            self.judge(where, operation, target, result)
        if killed:
            self.test.count(f"kills of {target}")
            self.test.count("kills")
        self.test.look_after(where, self.world)
        self.test.next_run(where, self.world, self.plugin)
        return killed

    def judge(self, where, operation, target, result):
        """The end of the one that was hit."""
        if target == "engine":
            if result.code not in (0, -signal.SIGKILL):
                self.test.find(where, result)
        elif result.code not in self.test.engine.hurt_codes:
            self.test.find(where, result)
        if operation in ("run", "always"):
            if result.code == 0:
                self.test.find(where, self.world.fault(result, self.plugin))
            elif result.out and target != "engine":
                self.test.find(where, f"a result and exit code {result.code}: {result.out}")

    def work(self):
        self.measure()
        killed = number = 0
        while killed < self.kills and number < 3 * self.kills:
            killed += self.round(number)
            number += 1
        return killed


class KillTest(FaultTest):
    def test_kills_at_random_and_swept_moments(self):
        index = self.index()
        killers = [Killer(self, number, index, -(-OPTIONS.kills // WORKERS)) for number in range(WORKERS)]
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            killed = sum(pool.map(Killer.work, killers))
        self.assertGreaterEqual(killed, OPTIONS.kills, "the rest had ended before")
        if "prune" in self.engine.operations:
            for killer in killers:
                result = killer.world.start("verify").finish()
                self.find("cache verify at the end", result.code and result)


class SmallDisk:
    """A tmpfs at a path, in a mount namespace of its own, for as long as this lives."""

    def __init__(self, test, path, options):
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        root = [] if os.geteuid() == 0 else ["--map-current-user"]
        script = 'mount -t tmpfs -o "$1" tmpfs "$0" && echo mounted && read end'
        self.holder = subprocess.Popen(
            ["unshare", "--mount", *root, "sh", "-c", script, str(path), f"mode=0700,{options}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        test.addCleanup(self.remove)
        if self.holder.stdout.readline() != "mounted\n":
            raise AssertionError("a small file system cannot be mounted here")
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        enter = ["nsenter", "--target", str(self.holder.pid), "--mount", *user]
        self.enter = enter
        self.wrapper = [*enter, "sh", "-c", 'cd "$0" && exec "$@"', str(test.folder / "world-one")]
        # The same files, seen from here.
        self.seen = pathlib.Path(f"/proc/{self.holder.pid}/root{path}")

    def resize(self, options):
        subprocess.run([*self.enter, "mount", "-o", f"remount,{options}", str(self.path)], check=True)

    def clear(self):
        empty(self.seen)

    def remove(self):
        if self.holder.stdin.closed:
            return
        self.holder.stdin.close()
        self.holder.wait()
        self.holder.stdout.close()


def fill(path):
    """Writes a file until the disk is full."""
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


FULL = re.compile(r"No space left on device|ENOSPC|os error 28|Disk quota")
PLENTY = "size=512m,nr_inodes=100k"


def stage_of(text):
    """In which stage of an installation a disk was full, by what venvoy says."""
    if re.search(r"(hashes|ready)\.json", text):
        return "publish"
    for words, stage in (("installing failed", "install"), ("building a wheel failed", "build"),
                         ("resolving failed", "fetch")):
        if words in text:
            return stage
    return "before or after"


class FullDiskTest(FaultTest):
    def setUp(self):
        super().setUp()
        self.one = self.world("one", index=self.index())
        self.disk = SmallDisk(self, self.one.store, PLENTY)
        # One megabyte in git, three in the wheel and in the environment.
        self.one_plugin = self.plugin("plugin", megabytes=3, **NEEDS)
        (self.one_plugin.folder / "noise").write_bytes(random.Random(1).randbytes(1 << 20))
        self.one_plugin.commit()
        self.stages = collections.Counter()

    def attempt(self, options):
        """A run in an empty store on a disk of that size; true if it ends well. Then one on a larger disk."""
        self.disk.clear()
        self.disk.resize(options)
        result = self.one.start("run", self.one_plugin, wrapper=self.disk.wrapper).finish()
        where = f"a disk with {options}"
        worked = result.code == 0
        if worked:
            self.find(where, self.one.fault(result, self.one_plugin))
        else:
            self.stages[stage_of(result.err)] += 1
            self.count("full disks")
            self.find(where, result.code not in self.engine.failure_codes and result)
            self.find(where, not FULL.search(result.err) and f"no word of a full disk: {result}")
            self.find(where, result.out)
        self.look_after(where, self.one)
        self.disk.resize(PLENTY)
        self.next_run(f"{where}, then a larger one", self.one, self.one_plugin, wrapper=self.disk.wrapper)
        return worked

    def test_too_few_bytes(self):
        # pip takes its time: sizes that are further apart.
        page = (256 << 10) if OPTIONS.installer == "pip" else 4096
        enough, too_little = 64 << 20, 0
        self.assertTrue(self.attempt(f"size={enough}"))
        # Each half shows another stage; the last ones end around the smallest size that is enough.
        while enough - too_little > page:
            middle = (enough + too_little) // 2 // page * page
            if self.attempt(f"size={middle}"):
                enough = middle
            else:
                too_little = middle
        for size in [*range(512 << 10, enough, max(page, enough // 8)), *range(enough - 8 * page, enough, 2 * page)]:
            self.attempt(f"size={size}")
        print(f"    stages: {dict(self.stages)}; enough: {enough}", flush=True)
        if isinstance(self.engine, fault_engines.Venvoy):
            # pip needs most room while it builds: where that is enough, so it is for the rest.
            later = () if OPTIONS.installer == "pip" else ("install", "publish")
            for stage in ("fetch", "build", *later):
                self.assertGreater(self.stages[stage], 0, f"no disk was full at the stage {stage!r}: {self.stages}")

    def test_a_disk_that_others_have_filled(self):
        """What is there may be run or not, but room can be made."""
        self.disk.resize("size=32m")
        self.assertIsNone(self.one.run_fault(self.one_plugin, wrapper=self.disk.wrapper))
        fill(self.disk.seen / "filler")
        where = "a full disk"
        result = self.one.start("run", self.one_plugin, wrapper=self.disk.wrapper).finish()
        if result.code:
            self.find(where, result.code not in self.engine.failure_codes and result)
            self.find(where, not FULL.search(result.err) and f"no word of a full disk: {result}")
        else:
            self.find(where, self.one.fault(result, self.one_plugin))
        self.look_after(where, self.one)
        if "prune" in self.engine.operations:
            result = self.one.start("doctor", wrapper=self.disk.wrapper).finish()
            self.find(where, (result.code != 1 or not re.search("missing +space", result.err)) and result)
            result = self.one.start("prune", wrapper=self.disk.wrapper).finish()
            self.find(f"{where}, prune", result.code and result)
            left = list(self.engine.root(self.one.seen).glob("env-v1/*/*/*")) + list(
                self.engine.root(self.one.seen).glob("git-v1/*.git"))
            self.find(f"{where}, after prune", left)
        (self.disk.seen / "filler").unlink()
        self.next_run(f"{where}, then room", self.one, self.one_plugin, wrapper=self.disk.wrapper)

    def test_too_few_files(self):
        for files in (5, 20, 40, 60, 80, 100, 120):
            self.attempt(f"size=64m,nr_inodes={files}")
        print(f"    stages: {dict(self.stages)}", flush=True)
        self.assertGreater(self.counts["full disks"], 3)


class GitServerTest(FaultTest):
    """A git server that does not do what it should: no installation, but what is there goes on working."""

    def hurt(self, manner):
        folder = self.folder / f"root-{manner}"
        folder.mkdir()
        server = GitServer(folder)
        self.addCleanup(server.stop)
        world = self.world(manner, sources=server.url("as-told", ""))
        plugin = harness.TinyPlugin(folder / "plugin", marks=None)
        server.behave(manner)
        self.refuse(f"git server '{manner}', first fetch", world, plugin)
        server.behave("any-id")
        self.next_run(f"git server '{manner}', first fetch", world, plugin)
        old = plugin.head()
        plugin.change(text="the second commit")
        server.behave(manner)
        self.refuse(f"git server '{manner}', second fetch", world, plugin)
        self.still_there(f"git server '{manner}'", world, plugin, old)
        server.behave("any-id")
        self.next_run(f"git server '{manner}', second fetch", world, plugin)

    def still_there(self, where, world, plugin, commit):
        """What was installed from an older commit runs, whatever the server does."""
        newer = dict(plugin.settings)
        with unittest.mock.patch.object(plugin, "head", lambda: commit):
            plugin.settings["text"] = "the first commit"
            self.find(f"{where}, what is there", world.run_fault(plugin))
        plugin.settings = newer

    def test_faults_of_the_server(self):
        manners = ["silent", "stall", "error", "html", "garbage", "cut", "cut-quietly", "corrupt", "lie", "lie-part",
                   "forbidden"]
        # The first two wait for time-outs.
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            list(pool.map(self.hurt, [manner for manner in manners if manner not in self.engine.not_to_be_tried]))


class IndexTest(FaultTest):
    def hurt(self, manner):
        folder = self.folder / f"root-{manner}"
        folder.mkdir()
        index = PackageIndex(folder, RELEASES)
        self.addCleanup(index.stop)
        world = self.world(manner, sources=f"file://{folder}/", index=index)
        plugin = harness.TinyPlugin(folder / "plugin", **NEEDS)
        index.behave(manner)
        where = f"index '{manner}'"
        self.refuse(where, world, plugin)
        index.behave()
        self.next_run(where, world, plugin)
        # What is there needs no index.
        index.behave(manner)
        self.next_run(f"{where}, what is there", world, plugin)

    def test_faults_of_the_index(self):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(self.hurt, ["stall", "error", "cut", "lie"]))


class DamageTest(FaultTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(f"{OPTIONS.seed}-damage")
        self.one = self.world("one", index=self.index())
        self.plugins = [self.plugin(f"plugin-{number}", **NEEDS) for number in range(4)]
        self.find("before", self.one.run_fault(*self.plugins))

    def test_a_hundred_files_are_deleted(self):
        deleted = 0
        while deleted < 100:
            files = self.engine.environment_files(self.one.seen)
            if not files:
                # After a finding.
                self.one.run_fault(*self.plugins)
                continue
            victims = self.random.sample(files, min(10, len(files)))
            tools = self.engine.tool_files(self.one.seen)
            victims += self.random.sample(tools, min(1, len(tools)))
            for victim in victims:
                victim.unlink()
            deleted += len(victims)
            self.count("files deleted", len(victims))
            names = ", ".join(sorted({victim.name for victim in victims}))
            self.next_run(f"without {names}", self.one, *self.plugins)

    def test_changed_bytes_are_found(self):
        if "prune" not in self.engine.operations:
            self.skipTest("an engine without `cache verify`")
        for number in range(5):
            root = self.engine.root(self.one.seen)
            files = self.engine.environment_files(self.one.seen)
            wheels = sorted(root.glob("wheel-v1/*/*.whl"))
            packs = sorted(root.glob("git-v1/*/objects/pack/*.pack"))
            self.assertTrue(files and wheels and packs)
            victims = [*self.random.sample([file for file in files if file.stat().st_size], 4)]
            tools = self.engine.tool_files(self.one.seen)
            victims += self.random.sample(tools, min(1, len(tools)))
            victims += [self.random.choice(wheels), self.random.choice(packs)]
            for victim in victims:
                change_byte(victim, self.random)
            self.count("bytes changed", len(victims))
            result = self.one.start("verify").finish()
            where = f"round {number}"
            self.find(where, result.code != 1 and result)
            told = {os.path.join(entry["path"], place) for entry in result.output["damaged"] for place in entry["damaged"]}
            for victim in victims[:-1]:
                self.find(where, str(victim) not in told and f"cache verify does not find {victim}: {told}")
            mirrors = {entry["path"] for entry in result.output["damaged"] if entry["bucket"] == "git"}
            self.find(where, str(victims[-1].parents[2]) not in mirrors and f"cache verify does not find {victims[-1]}")
            self.next_run(where, self.one, *self.plugins)
            result = self.one.start("verify").finish()
            self.find(f"{where}, afterwards", result.code and result)


def change_byte(path, chance):
    content = bytearray(path.read_bytes())
    place = chance.randrange(len(content))
    content[place] ^= 1 << chance.randrange(8)
    # Not in place: uv makes the same file appear in its cache and in several environments.
    mode = path.stat().st_mode
    path.unlink()
    path.write_bytes(content)
    path.chmod(mode)


class CrowdTest(FaultTest):
    """Eight processes, four plugins; runs, `Always`, `cache pull` and `cache prune` at the same time."""

    def test_everything_at_once(self):
        one = self.world("one", index=self.index())
        plugins = [self.plugin(f"plugin-{number}", **NEEDS) for number in range(4)]
        end = time.monotonic() + OPTIONS.seconds

        def person(number):
            chance = random.Random(f"{OPTIONS.seed}-person-{number}")
            while time.monotonic() < end and len(self.findings) < 10:
                operation = chance.choices(self.engine.operations, [6, 2, 1, 2][: len(self.engine.operations)])[0]
                used = chance.sample(plugins, chance.choice([1, 1, 2]))
                result = one.start(operation, *([] if operation == "prune" else used)).finish(harness.PATIENCE * 3)
                self.count(operation)
                if operation in ("run", "always"):
                    self.find(f"{operation} of person {number}", one.fault(result, *used) and result)
                else:
                    self.find(f"{operation} of person {number}", result.code and result)

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(person, range(8)))
        self.look_after("at the end", one)
        self.next_run("at the end", one, *plugins)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", choices=["venvoy", "arcaflow"], default="venvoy")
    parser.add_argument("--program", help="the engine's program; without it $VENVOY, or arcaflow in PATH")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30, help="of the test with eight processes")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--installer", choices=["uv", "pip"], default=os.environ.get("TEST_INSTALLER"))
    _, rest = parser.parse_known_args(namespace=OPTIONS)
    if OPTIONS.engine == "arcaflow":
        OPTIONS.program = OPTIONS.program or shutil.which("arcaflow")
        OPTIONS.make_engine = lambda: fault_engines.Arcaflow(OPTIONS.program)
    else:
        OPTIONS.make_engine = fault_engines.Venvoy
    if OPTIONS.program:
        os.environ["VENVOY"] = OPTIONS.program
    print(f"seed {OPTIONS.seed}", flush=True)
    harness.venvoy_program()
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)


if __name__ == "__main__":
    main()
