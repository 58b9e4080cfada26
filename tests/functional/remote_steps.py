"""What holds for steps on other machines, whatever carries the bytes: ssh_launcher_test.py and slurm_*_test.py."""

import json
import os
import pathlib
import re
import signal
import threading
import time

import slurm_cluster
from conformance_plugin import ConformancePlugin
from forkserver_test import ENDS, ITEM, LOOP, SOIL
from harness import Repository, wait_until

MIB = 1 << 20


def watch_memory(peaks, done):
    """Notes the most that each process has had resident, in bytes."""
    while not done.wait(0.1):
        for pid in peaks:
            try:
                with open(f"/proc/{pid}/status") as status:
                    peaks[pid] = 1024 * int(re.search(r"VmHWM:\s*(\d+)", status.read())[1])
            except (OSError, TypeError):
                continue


BIG = """\
version: v0.2.0
input:
  root: Input
  objects:
    Input: {id: Input, properties: {}}
steps:
  big:
    plugin: {deployment_type: python, src: "@REFERENCE@"}
    step: big
    input: {characters: @CHARACTERS@, items: 3}
  echo:
    plugin: {deployment_type: python, src: "@REFERENCE@"}
    step: echo
    input:
      text: !expr $.steps.big.outputs.success.text
      numbers: !expr $.steps.big.outputs.success.numbers
outputs:
  success:
    text: !expr $.steps.echo.outputs.success.text
"""


class RemoteHarness:
    """Mixed into a FunctionalTest that sets `launcher` and `settings()`."""

    launcher = None
    # A time that nothing needs, for what is to end within ten seconds.
    SOON = 20

    def prepare_soil(self):
        self.plugin = Repository(self.folder / "soil", SOIL)
        self.plugin.write("soil_plugin/settings.py", "OWN_OPENING = False\n")
        self.plugin.commit()
        self.write_config(**self.settings())
        self.marks = self.folder / "marks"

    def settings(self, **more):
        raise NotImplementedError

    def environment(self, **variables):
        return super().environment(**{"SOIL_MARKS": str(self.folder / "marks"), **variables})

    def write_loop(self, items, parallelism=1):
        reference = f"soil-plugin@git+{self.plugin.url}@{self.plugin.head()}"
        self.write("item.yaml", ITEM.replace("@REFERENCE@", reference))
        text = LOOP.replace("@PARALLELISM@", str(parallelism))
        self.write("workflow.yaml", text.replace("@ITEMS@", json.dumps([{"do": do} for do in items])))

    def start_loop(self, items, launcher=None, parallelism=1, **options):
        self.write_loop(items, parallelism)
        return self.start("-v", "run", "workflow.yaml", "--launcher", launcher or self.launcher, **options)

    def loop(self, items, launcher=None, **options):
        return self.said(self.start_loop(items, launcher, **options).finish())

    def said(self, result):
        self.assertEqual(result.code, 0, result)
        self.last = result
        items = result.output["output_data"]["all"]
        return [item.get("said", item.get("crashed")) for item in items]

    def pilots(self):
        """The processes that hold the far end of the stream."""
        return [pid for pid, command in self.processes().items() if "--stdio" in command and self.is_pilot(command)]

    @staticmethod
    def is_pilot(command):
        return re.match(r"\S*venvoy-keeper --stdio", command) is not None

    def keeper_with_own_store(self, options):
        """Started so, a pilot and all that it starts find an empty disk where the store is: a machine that shares
        nothing of it."""
        real = pathlib.Path(os.path.realpath(self.program)).parent / "libexec" / "venvoy"
        folder = self.folder / "there"
        folder.mkdir()
        for script in real.glob("*.py"):
            (folder / script.name).symlink_to(script)
        mount = f"mount -t tmpfs -o {options} none {self.store} && exec {real}/venvoy-keeper \"$@\""
        keeper = folder / "venvoy-keeper"
        keeper.write_text(f"#!/bin/sh\nexec unshare --mount --map-root-user sh -c '{mount}' sh \"$@\"\n")
        keeper.chmod(0o755)
        return str(keeper)

    def require_nothing_there(self):
        """Of what the machines there keep account of."""


class SlurmHarness(RemoteHarness):
    """With a cluster for all tests of the class."""

    launcher = "slurm"
    SOON = 40
    cluster_options = {}

    @classmethod
    def setUpClass(cls):
        missing = slurm_cluster.missing()
        assert not missing, f"not there: {missing} (Debian: slurm-wlm, munge)"
        cls.cluster = slurm_cluster.Cluster(cls.class_folder() / "slurm", **cls.cluster_options)
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.stop)

    def setUp(self):
        super().setUp()
        self.prepare_soil()

    def tearDown(self):
        super().tearDown()
        self.require_nothing_there()

    def environment(self, **variables):
        return super().environment(**{**self.cluster.variables, **variables})

    def require_nothing_there(self):
        wait_until(lambda: not self.cluster.jobs(), f"the end of all jobs: {self.cluster.jobs()}", self.SOON)


class RemoteSteps(RemoteHarness):
    """What holds for one machine, `node`."""

    node = None

    @staticmethod
    def files_of(folder):
        """With their sizes; without what Python has compiled meanwhile."""
        files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
        return {str(path.relative_to(folder)): path.stat().st_size for path in files}

    def test_a_machine_with_a_store_of_its_own(self):
        self.write_config(**self.settings(keeper=self.keeper_with_own_store("mode=700"), ownStores=True))
        release = self.folder / "release"
        running = self.start_loop(["chances", "parent", f"wait for {release}", *["chances"] * 6], parallelism=1)
        wait_until(lambda: self.marks.exists() and len(self.marks.read_text().splitlines()) == 3, "the third step", 60)
        [pilot] = self.pilots()
        there = pathlib.Path(f"/proc/{pilot}/root{self.store}")
        self.assertFalse(os.path.samefile(there, self.store))
        self.assertEqual(self.files_of(there / self.environments()[0].relative_to(self.store)),
                         self.files_of(self.environments()[0]))
        self.assertEqual(len(list(there.glob("*/work-v1/*/*"))), 2, "of the fork server and of the step that runs")
        self.assertEqual(list(there.glob("*/git-v1/*")), [])
        release.touch()
        said = self.said(running.finish())
        self.assertIn("--serve", said[1])
        self.assertEqual(said[2], "waited")
        self.assertEqual({len(json.loads(text)) for text in said[3:]}, {6})

    def test_a_machine_without_room_for_the_environment(self):
        self.write_config(**self.settings(keeper=self.keeper_with_own_store("mode=700,size=1m"), ownStores=True))
        [said] = self.loop(["chances"])
        self.assertIn("the environment could not be brought to the node", said)
        self.assertIn("No space left on device", said)

    def test_a_step_finds_what_it_finds_here(self):
        here = json.loads(self.loop(["look", "look"], "exec")[1])
        there = json.loads(self.loop(["look", "look"])[1])
        for changed in self.differs_there():
            here.pop(changed), there.pop(changed)
        self.assertEqual(there, here)

    def differs_there(self):
        """What the machines are free to have otherwise."""
        return ["limits", "nice", "environment"]

    def test_steps_are_forked_there(self):
        said = [json.loads(text) for text in self.loop(["parent"] * 8, parallelism=4)]
        self.assertEqual(len({pid for pid, _, _ in said}), 8)
        self.assertTrue(all("--serve" in command for _, _, command in said), said)

    def test_ends_are_told_as_here_with_the_node(self):
        here = self.loop(ENDS, "forkserver")
        there = self.loop(ENDS)
        for index, how in enumerate(ENDS):
            with self.subTest(how):
                self.assertEqual(re.sub(r"(; )?on node '[^']*'", "", there[index]).replace("(; ", "("),
                                 here[index])
                if how not in ("exit-none",):
                    self.assertIn(f"on node '{self.node}'", there[index])

    def test_many_at_once(self):
        said = self.loop(["chances"] * 64, parallelism=64)
        self.assertEqual(len({json.loads(text)[3] for text in said}), 64)

    def test_many_write_at_once(self):
        self.write_config(**self.settings(places=64))
        words = [f"{index:02}" for index in range(64)]
        release = self.folder / "release"
        self.write_loop([f"say {word} {MIB // 2} {release}" for word in words], parallelism=64)
        running = self.start("-q", "run", "workflow.yaml", "--launcher", self.launcher, "--output", "json")
        wait_until(lambda: self.marks.exists() and len(self.marks.read_text().splitlines()) == 64, "64 steps", 120)
        ends = {pid for pid, command in self.processes().items() if self.is_pilot(command) or command.endswith("--link")}
        peaks = dict.fromkeys(ends, 0)
        done = threading.Event()
        watch = threading.Thread(target=watch_memory, args=(peaks, done))
        watch.start()
        try:
            release.touch()
            result = running.finish(patience=300)
        finally:
            done.set()
            watch.join()
        self.assertEqual(result.code, 0, result)
        said = [item["said"] for item in json.loads(result.out)["output_data"]["all"]]
        self.assertTrue(said == [word * (MIB // 2) for word in words], "something has changed on its way")
        # 64 MiB have passed; a window for each stream, and what waits to be written, may lie in each end.
        self.assertGreaterEqual(len(peaks), 2)
        self.assertLess(max(peaks.values()), 40 * MIB, peaks)

    def test_large_values(self):
        plugin = ConformancePlugin(self.folder / "plugin")
        characters = 32 * MIB
        text = BIG.replace("@REFERENCE@", plugin.reference()).replace("@CHARACTERS@", str(characters))
        self.write("workflow.yaml", text)
        result = self.call("-q", "run", "workflow.yaml", "--launcher", self.launcher, "--output", "json", patience=300)
        self.assertEqual(result.code, 0, result)
        told = json.loads(result.out)["output_data"]["text"]
        self.assertEqual(len(told), characters)
        here = self.call("-q", "run", "workflow.yaml", "--launcher", "exec", "--output", "json")
        self.assertTrue(json.loads(here.out)["output_data"]["text"] == told, "the text has changed on its way")

    def test_a_pilot_that_is_killed_fails_its_steps_alone(self):
        release = self.folder / "release"
        running = self.start_loop([f"wait for {release}", "chances", "chances"], parallelism=1)
        marks = self.folder / "marks"
        wait_until(lambda: marks.exists() and marks.read_text(), "the step")
        pilots = wait_until(self.pilots, "the pilot")
        for pid in pilots:
            os.kill(pid, signal.SIGKILL)
        result = running.finish()
        said = self.said(result)
        self.assertIn(f"node '{self.node}'", said[0])
        self.assertIn("was lost", said[0])
        for text in said[1:]:
            self.assertEqual(len(json.loads(text)), 6, "the others have gone on, with another pilot")

    def start_waiting(self):
        running = self.start_loop([f"wait for {self.folder}/never"] * 3, parallelism=3)
        marks = self.folder / "marks"
        wait_until(lambda: marks.exists() and len(marks.read_text().splitlines()) == 3, "three steps")
        self.assertTrue(self.pilots())
        return running

    def test_nothing_is_left_when_the_head_is_killed(self):
        running = self.start_waiting()
        running.process.kill()
        running.finish()
        self.require_no_process(seconds=self.SOON)
        self.require_nothing_there()

    def test_nothing_is_left_when_all_that_carries_bytes_here_is_stopped(self):
        # As a head that has lost its network: nothing is closed, nothing comes.
        running = self.start_waiting()
        links = [pid for pid, command in self.processes().items() if command.endswith("--link")]
        self.assertTrue(links)
        pilots = self.pilots()
        for pid in links:
            os.kill(pid, signal.SIGSTOP)
        begin = time.monotonic()
        wait_until(lambda: not set(pilots) & set(self.processes()), "the pilots' end", self.SOON)
        self.assertGreater(time.monotonic() - begin, 4, "not because of silence")
        wait_until(lambda: not [c for c in self.processes().values() if "--serve" in c], "the steps' end", self.SOON)
        running.process.kill()
        running.finish()
        self.require_no_process(seconds=self.SOON)
        self.require_nothing_there()

    def test_nothing_is_left_after_an_interrupt(self):
        running = self.start_waiting()
        running.send(signal.SIGINT)
        self.assertEqual(self.said(running.finish()), ["step forced closed after timeout without result"] * 3)
        self.require_no_process(seconds=self.SOON)
        self.require_nothing_there()
