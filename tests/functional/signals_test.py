"""Interrupts end the run in order and leave nothing behind (spec/workflow.md 1.9, 6.6, 9-14, 9-15, 9-17)."""

import json
import os
import pathlib
import signal
import time

import harness
from harness import FunctionalTest, greeting, wait_until

# The two faces, each with the command line that runs workflow.yaml.
FACES = {
    "venvoy": ["-v", "--config", "config.yaml", "run", "workflow.yaml"],
    "arcaflow": ["-config", "config.yaml", "-workflow", "workflow.yaml"],
}

# An abort waits 5 s for an output, and 5 s for a step that has a cancel handler.
BOUND = 30


class SignalsTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.write_config()
        self.plugin = self.tiny()

    def start_waiting(self, face="venvoy", step="wait", output="success", **options):
        """A run whose step is under way. Returns it and the step's working directory."""
        for file in ("started", "release"):
            (self.folder / file).unlink(missing_ok=True)
        self.write_waiting_workflow(self.plugin.reference(self.plugin.head()), step=step, output=output, **options)
        running = self.start(*FACES[face], name=face)
        wait_until((self.folder / "started").exists, "the step to run")
        facts = json.loads((self.folder / "started").read_text())
        folder = pathlib.Path(facts["folder"])
        self.assertTrue((folder / "left-behind").exists())
        self.assertIn(self.store, folder.parents)
        return running, folder

    def require_nothing_left(self, folder):
        self.require_no_process()
        self.assertFalse(folder.exists(), "the plugin's working directory is left")
        self.require_clean_store()

    def test_a_normal_end_removes_the_working_directory(self):
        running, folder = self.start_waiting(children=True)
        (self.folder / "release").touch()
        self.require_message(running.finish(), "waited in the first commit")
        self.require_nothing_left(folder)

    def test_the_first_signal_ends_a_step_without_cancel_handler(self):
        for face in FACES:
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(face=face, signal=number.name):
                    running, folder = self.start_waiting(face, children=True)
                    # One that has just been forked does not show its environment yet.
                    wait_until(lambda: len(self.processes()) >= 6, "the processes of the plugin")
                    running.send(number)
                    result = running.finish(BOUND)
                    self.require_failure(result, 3, "Requesting graceful shutdown.")
                    self.require_nothing_left(folder)

    def test_the_first_signal_cancels_a_step_that_can_be(self):
        for face in FACES:
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(face=face, signal=number.name):
                    running, folder = self.start_waiting(face, "wait-for-cancel", "cancelled_early")
                    running.send(number)
                    result = running.finish(BOUND)
                    self.assertEqual(result.code, 0, result)
                    self.assertEqual(result.output["output_id"], "cancelled_early")
                    self.assertEqual(result.message, "cancelled early")
                    self.require_nothing_left(folder)

    def test_an_interrupt_at_the_terminal_reaches_only_the_engine(self):
        # The whole process group gets it. The plugin, with a group of its own, does not die of it and can be cancelled.
        running, folder = self.start_waiting("venvoy", "wait-for-cancel", "cancelled_early", children=True)
        os.killpg(running.process.pid, signal.SIGINT)
        result = running.finish(BOUND)
        self.assertEqual(result.code, 0, result)
        self.assertEqual(result.message, "cancelled early")
        self.require_nothing_left(folder)

    def test_a_step_that_does_not_answer_is_killed(self):
        self.plugin.change(stubborn=True)
        running, folder = self.start_waiting("venvoy", "wait-for-cancel", children=True)
        running.send(signal.SIGINT)
        self.require_failure(running.finish(BOUND), 3)
        self.require_nothing_left(folder)

    def test_further_signals(self):
        # The second interrupt warns, the third ends at once with code 1; so does the second SIGTERM.
        self.plugin.change(stubborn=True)
        for face in FACES:
            for number, count in ((signal.SIGINT, 3), (signal.SIGTERM, 2)):
                with self.subTest(face=face, signal=number.name):
                    running, folder = self.start_waiting(face, "wait-for-cancel", children=True)
                    for _ in range(count):
                        self.assertIsNone(running.process.poll())
                        running.send(number)
                        time.sleep(0.5)
                    result = running.finish(BOUND)
                    self.require_failure(result, 1, "Force exiting.")
                    if number == signal.SIGINT:
                        self.assertIn("again", result.err)
                    # Nobody is left; the folder is swept by the next run at the latest.
                    self.require_no_process()
                    (self.folder / "release").touch()
                    self.require_message(self.run_workflow(), "waited in the first commit")
                    self.require_nothing_left(folder)

    def test_two_interrupts_are_not_three(self):
        self.plugin.change(stubborn=True)
        running, folder = self.start_waiting("venvoy", "wait-for-cancel")
        running.send(signal.SIGINT)
        time.sleep(0.3)
        running.send(signal.SIGINT)
        time.sleep(0.3)
        self.assertIsNone(running.process.poll())
        self.require_failure(running.finish(BOUND), 3)
        self.require_nothing_left(folder)

    def test_while_the_plugin_is_built(self):
        self.plugin.change(build_seconds=60)
        for face in FACES:
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(face=face, signal=number.name):
                    self.plugin.take_marks()
                    self.write_workflow(self.plugin.reference(self.plugin.head()))
                    running = self.start(*FACES[face], name=face)
                    wait_until(lambda: self.plugin.marks.exists() and "build" in self.plugin.marks.read_text(), "a build")
                    running.send(number)
                    self.require_failure(running.finish(BOUND), 1)
                    self.require_no_process()
                    self.require_clean_store()
        self.plugin.change(build_seconds=0)
        self.write_workflow(self.plugin.reference(self.plugin.head()))
        self.require_message(self.run_workflow(), greeting(self.plugin))

    def test_while_the_schema_is_read(self):
        self.plugin.change(start_seconds=60)
        self.write_workflow(self.plugin.reference(self.plugin.head()))
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(signal=number.name):
                self.plugin.take_marks()
                running = self.start(*FACES["venvoy"])
                wait_until(lambda: self.plugin.marks.exists() and "module" in self.plugin.marks.read_text(), "the plugin")
                running.send(number)
                self.require_failure(running.finish(BOUND), 1)
                self.require_no_process()
                self.require_clean_store()

    def test_while_a_silent_server_is_asked(self):
        server = self.git_server()
        self.write_workflow(self.plugin.reference(url=server.url("silent", "plugin/.git")))
        running = self.start(*FACES["venvoy"])
        wait_until(server.requests, "the server to be asked")
        running.send(signal.SIGINT)
        self.require_failure(running.finish(BOUND), 1)
        self.require_clean_store()

    def test_death_by_another_signal(self):
        for number in (signal.SIGHUP, signal.SIGKILL, signal.SIGQUIT):
            with self.subTest(signal=number.name):
                running, folder = self.start_waiting(children=True)
                running.send(number)
                self.assertEqual(running.finish(BOUND).code, -number)
                self.require_no_process()
                (self.folder / "release").touch()
                self.require_message(self.run_workflow(), "waited in the first commit")
                self.require_nothing_left(folder)

    def test_a_time_limit(self):
        self.write_waiting_workflow(self.plugin.reference(), children=True)
        running = self.start("--config", "config.yaml", "run", "--timeout", "3s", "workflow.yaml")
        result = running.finish(BOUND)
        self.require_failure(result, 3)
        self.assertTrue((self.folder / "started").exists())
        folder = pathlib.Path(json.loads((self.folder / "started").read_text())["folder"])
        self.require_nothing_left(folder)

    def test_plugin_run(self):
        self.write("input.yaml", f"started: {self.folder}/started\nrelease: {self.folder}/release\nchildren: true\n")
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(signal=number.name):
                (self.folder / "started").unlink(missing_ok=True)
                running = self.start("plugin", "run", self.plugin.reference(), "wait", "-i", "input.yaml")
                wait_until((self.folder / "started").exists, "the step to run")
                folder = pathlib.Path(json.loads((self.folder / "started").read_text())["folder"])
                running.send(number)
                self.require_failure(running.finish(BOUND), 3)
                self.require_nothing_left(folder)


if __name__ == "__main__":
    harness.main()
