"""Limits of steps, told as such when they are met, and floods on standard error (spec/command.md section 4)."""

import itertools
import pathlib
import re

import harness
from harness import FunctionalTest

WORKFLOW = """\
version: v0.2.0
input:
  root: Input
  objects:
    Input: {id: Input, properties: {}}
steps:
  before:
    plugin: {deployment_type: python, src: "@REFERENCE@"}
    step: misbehave
    input: {how: "sleep", amount: 0}
  first:
    plugin: {deployment_type: python, src: "@REFERENCE@"}
    step: misbehave
    input: {how: "@HOW@", amount: @AMOUNT@}@DEPLOY@
outputs:
  success:
    message: !expr $.steps.first.outputs.success.message
"""

MEGABYTE = 1 << 20


class LimitsTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.plugin = self.tiny()
        self.write_config()

    # Forked from a server, which two steps of one plugin have, or with a Python of its own.
    LAUNCHERS = ("forkserver", "exec")

    def misbehave(self, how, amount, deploy="", launcher="exec", **limits):
        """A run of a step that does this, with these limits in the configuration."""
        self.write_config(limits=limits, launcher=launcher)
        text = WORKFLOW.replace("@REFERENCE@", self.plugin.reference()).replace("@DEPLOY@", deploy)
        self.write("workflow.yaml", text.replace("@HOW@", how).replace("@AMOUNT@", str(amount)))
        return self.call("-v", "run", "workflow.yaml")

    def logs(self):
        return sorted(self.folder.glob("state/stderr/*/*"))

    def test_memory(self):
        for how, launcher in itertools.product(("memory", "memory-in-a-child"), self.LAUNCHERS):
            with self.subTest(how=how, launcher=launcher):
                result = self.misbehave(how, 400, launcher=launcher, memory="200MiB")
                self.require_failure(result, 3, "was ended because it used more than its memory limit of 200 MiB")
                used = float(re.search(r"`limits: memory`\): ([0-9.]+) MiB, with all", result.err)[1])
                self.assertGreaterEqual(used, 200)
                self.assertNotIn("signal 9", result.err)
                self.require_no_process()
                self.require_clean_store()
        self.require_message(self.misbehave("flood", 0, memory="1GB"), "wrote 0 MB")

    def test_processor_time(self):
        for (limit, said), launcher in itertools.product((("500ms", "500 ms"), ("2s", "2 s")), self.LAUNCHERS):
            with self.subTest(limit=limit, launcher=launcher):
                result = self.misbehave("processor", 1000, launcher=launcher, cpuTime=limit)
                self.require_failure(result, 3, f"used more than its processor time limit of {said} (`limits: cpuTime`)")

    def test_wall_time(self):
        words = "was ended because it ran longer than its time limit of 1 s (`limits: wallTime`)"
        for launcher in self.LAUNCHERS:
            with self.subTest(launcher=launcher):
                result = self.misbehave("sleep", 1000, launcher=launcher, wallTime="1s")
                self.require_failure(result, 3, words)
                self.require_no_process()
                self.require_clean_store()

    def test_open_files(self):
        words = ("exit code 1", "Too many open files", "may have 64 files open (`limits: openFiles`)")
        for launcher in self.LAUNCHERS:
            with self.subTest(launcher=launcher):
                result = self.misbehave("files", 100, launcher=launcher, openFiles=64)
                self.require_failure(result, 3, *words)
                result = self.misbehave("files", 100, launcher=launcher, openFiles=200)
                self.require_message(result, "opened 100 files")

    def test_of_one_step_in_its_deploy(self):
        deploy = f"""
    deploy:
      deployer_name: python
      pythonPath: {harness.PYTHON}
      workdir: {self.store}
      limits: {{wallTime: 1s}}
"""
        result = self.misbehave("sleep", 1000, deploy)
        self.require_failure(result, 3, "ran longer than its time limit of 1 s")

    def test_a_limit_that_is_too_small_for_python(self):
        # Where memory is looked at now and then, the schema may be told before the first look: then it meets the step.
        result = self.misbehave("sleep", 1000, memory="2MB")
        self.assertIn(result.code, (1, 3), result)
        self.require_failure(result, result.code, "was ended because it used more than its memory limit of 2 MiB")

    def test_wrong_limits(self):
        for limits, words in (
            ({"memory": "lots"}, ("memory", "lots")),
            ({"memroy": "1GB"}, ("memroy", "memory")),
            ({"openFiles": 1}, ("openFiles",)),
            ({"wallTime": 0}, ("wallTime",)),
        ):
            with self.subTest(limits=limits):
                self.require_failure(self.misbehave("sleep", 0, **limits), 1, *words)

    # --- standard error ---

    def test_a_flood_blocks_nothing(self):
        self.require_message(self.misbehave("flood", 2), "wrote 2 MB")
        (log,) = self.logs()
        self.assertRegex(str(log.relative_to(self.folder)), r"^state/stderr/\d{8}T\d{6}Z-\d+/\d+-tiny_plugin\.log$")
        self.assertEqual(log.stat().st_size, 2 * 63 << 14)
        self.assertEqual((log.stat().st_mode & 0o777, log.parents[2].stat().st_mode & 0o777), (0o600, 0o700))

    def test_a_flood_is_kept_as_a_tail_and_a_log(self):
        result = self.misbehave("flood-and-crash", 20, stderrTail="1kB")
        self.require_failure(result, 3, "exit code 7", "these are the last words of the plugin")
        (name,) = set(re.findall(r"\(more in '([^']+)'\)", result.err))
        log = pathlib.Path(name)
        self.assertIn(log, self.logs())
        self.assertTrue(log.read_text().endswith("these are the last words of the plugin\n"))
        # Eight megabytes are kept, however much it is.
        sizes = [file.stat().st_size for file in self.logs()]
        self.assertEqual(len(sizes), 2)
        self.assertLessEqual(sum(sizes), 8 * MEGABYTE)
        self.assertGreaterEqual(sum(sizes), 4 * MEGABYTE)
        # The tail is short.
        self.assertLess(max(map(result.err.count, ("x" * 62,))), 100)

    def test_a_quiet_plugin_has_no_log(self):
        self.require_message(self.misbehave("sleep", 0), "did it")
        self.assertEqual(self.logs(), [])

    def test_the_state_folder(self):
        text = WORKFLOW.replace("@REFERENCE@", self.plugin.reference()).replace("@DEPLOY@", "")
        self.write("workflow.yaml", text.replace("@HOW@", "flood").replace("@AMOUNT@", "1"))
        self.require_message(self.call("--state-dir", "here", "run", "workflow.yaml"), "wrote 1 MB")
        self.assertEqual(len(list(self.folder.glob("here/stderr/*/*.log"))), 1)
        home = {"VENVOY_STATE_DIR": "", "XDG_STATE_HOME": str(self.folder / "xdg")}
        self.require_message(self.call("run", "workflow.yaml", env=home), "wrote 1 MB")
        self.assertEqual(len(list(self.folder.glob("xdg/venvoy/stderr/*/*.log"))), 1)
        # Where nothing can be written, nothing is kept; the run does not mind.
        self.write("file", "no folder\n")
        self.require_message(self.call("--state-dir", "file", "run", "workflow.yaml"), "wrote 1 MB")


if __name__ == "__main__":
    harness.main()
