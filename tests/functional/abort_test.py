"""However venvoy, its keeper or a plugin ends, nothing that a plugin has started survives (design D15).

The plugin's daemons have forked twice, have sessions of their own, take no notice of SIGTERM and hold the plugin's
pipes; one has an empty environment, one forks on and on, from pid to pid.
"""

import json
import os
import pathlib
import signal

import harness
from harness import FunctionalTest, command_of, is_zombie, wait_until

BOUND = 30


def start_time(pid):
    """Tells two processes of one number apart; nothing if there is none."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None


def group_lives(group):
    """Whether any process is in the process group but ended ones."""
    try:
        return any(not is_zombie(pid) for pid in pids_in(group))
    except ProcessLookupError:
        return False


def pids_in(group):
    """Who is in a process group; the group is stopped while we look, since its members come and go."""
    found = []
    os.killpg(group, signal.SIGSTOP)
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.getpgid(int(name)) == group:
                found.append(int(name))
        except ProcessLookupError:
            pass
    os.killpg(group, signal.SIGCONT)
    return found


def descendants(pid):
    """All below a process, by pid."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                parents[int(name)] = int(pathlib.Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                pass
    found = {pid}
    while True:
        more = {child for child, parent in parents.items() if parent in found} - found
        if not more:
            return sorted(found - {pid})
        found |= more


class AbortTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.write_config()
        self.plugin = self.tiny(unruly=True, stubborn=True)

    def start_unruly(self, step="wait"):
        """A run whose step and daemons are there. Returns it, its guard and keeper, and all that may not survive."""
        for file in ("started", "release"):
            (self.folder / file).unlink(missing_ok=True)
        self.write_waiting_workflow(self.plugin.reference(self.plugin.head()), step=step, children=True)
        running = self.start("-v", "run", "workflow.yaml")
        wait_until((self.folder / "started").exists, "the step to run")
        facts = json.loads((self.folder / "started").read_text())
        self.groups = facts["groups"]
        self.addCleanup(self.kill_groups, self.groups)
        wait_until(lambda: command_of(facts["children"][0]).startswith("sleep"), "the daemon without environment")
        everybody = {pid: start_time(pid) for pid in descendants(running.process.pid) + facts["children"]}
        guard = self.only(everybody, lambda command: command == "keeper-guard")
        keeper = self.only(everybody, lambda command: command.endswith("venvoy-keeper"))
        # Guard, keeper, plugin, three children and two daemons; who hops is hard to see.
        self.assertGreaterEqual(len([pid for pid in everybody if not is_zombie(pid)]), 8)
        for pid in facts["children"]:
            self.assertIn(pid, everybody)
            self.assertNotIn(os.getsid(pid), (os.getsid(facts["pid"]), os.getsid(running.process.pid)))
        return running, guard, keeper, everybody

    def kill_groups(self, groups):
        for group in groups:
            try:
                os.killpg(group, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def only(self, pids, condition):
        (found,) = [pid for pid in pids if condition(command_of(pid)) and not is_zombie(pid)]
        return found

    def require_nothing_left(self, everybody):
        def left():
            return [
                f"{pid} {command_of(pid)}"
                for pid, begin in everybody.items()
                if start_time(pid) == begin and not is_zombie(pid)
            ]

        wait_until(lambda: not left(), "everybody to be gone", 15)
        self.require_no_process()
        # And who hops: looking at one process after the other misses it, a signal to its group does not.
        wait_until(lambda: not any(map(group_lives, self.groups)), "the groups of the daemons to be gone", 15)

    def require_next_run_is_fine(self):
        """It works, and sweeps what a kill has left in the store."""
        (self.folder / "release").touch()
        self.require_message(self.run_workflow(), "waited in the first commit")
        self.require_clean_store()

    def test_an_ordered_end(self):
        running, _, _, everybody = self.start_unruly()
        (self.folder / "release").touch()
        self.require_message(running.finish(), "waited in the first commit")
        self.require_nothing_left(everybody)
        self.require_clean_store()

    def test_an_interrupt_of_a_step_without_cancel_handler(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(signal=number.name):
                running, _, _, everybody = self.start_unruly()
                running.send(number)
                self.require_failure(running.finish(BOUND), 3)
                self.require_nothing_left(everybody)
                self.require_clean_store()

    def test_an_interrupt_of_a_step_whose_cancel_handler_does_nothing(self):
        running, _, _, everybody = self.start_unruly("wait-for-cancel")
        running.send(signal.SIGINT)
        self.require_failure(running.finish(BOUND), 3)
        self.require_nothing_left(everybody)
        self.require_clean_store()

    def test_the_engine_is_killed(self):
        for step in ("wait", "wait-for-cancel"):
            with self.subTest(step=step):
                running, _, _, everybody = self.start_unruly(step)
                running.process.kill()
                running.process.wait()
                # Nobody may hold its output any more.
                self.assertEqual(running.finish(BOUND).code, -signal.SIGKILL)
                self.require_nothing_left(everybody)
                self.require_next_run_is_fine()

    def test_the_keeper_or_its_guard_is_killed(self):
        for which in ("keeper", "guard"):
            for step in ("wait", "wait-for-cancel"):
                with self.subTest(which=which, step=step):
                    running, guard, keeper, everybody = self.start_unruly(step)
                    os.kill({"keeper": keeper, "guard": guard}[which], signal.SIGKILL)
                    result = running.finish(BOUND)
                    self.require_failure(result, 3, "keeper of processes has ended")
                    self.require_nothing_left(everybody)
                    self.require_next_run_is_fine()

    def test_the_engine_and_its_keeper_or_guard_are_killed_at_once(self):
        for which in ("keeper", "guard"):
            with self.subTest(which=which):
                running, guard, keeper, everybody = self.start_unruly()
                victim = {"keeper": keeper, "guard": guard}[which]
                # Stopped first, so that none of them can do anything between the two kills.
                os.kill(victim, signal.SIGSTOP)
                running.process.kill()
                os.kill(victim, signal.SIGKILL)
                self.assertEqual(running.finish(BOUND).code, -signal.SIGKILL)
                self.require_nothing_left(everybody)
                self.require_next_run_is_fine()

    def test_the_plugin_is_killed(self):
        running, _, _, everybody = self.start_unruly()
        facts = json.loads((self.folder / "started").read_text())
        os.kill(facts["pid"], signal.SIGKILL)
        self.require_failure(running.finish(BOUND), 3, "signal 9 (SIGKILL)")
        self.require_nothing_left(everybody)
        self.require_clean_store()

    def test_all_three_are_killed_at_once(self):
        # Nobody of ours is left then. The kernel kills the plugin; its daemons are beyond reach, but a next run works.
        running, guard, keeper, everybody = self.start_unruly()
        facts = json.loads((self.folder / "started").read_text())
        for pid in (guard, keeper):
            os.kill(pid, signal.SIGSTOP)
        running.process.kill()
        for pid in (guard, keeper):
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: is_zombie(facts["pid"]), "the kernel to kill the plugin", 15)
        self.kill_groups(self.groups)
        self.end_processes()
        running.finish(BOUND)
        self.require_next_run_is_fine()


class ForkedAbortTest(AbortTest):
    """The same, with the step forked from a server of its plugin."""

    def write_waiting_workflow(self, reference, **options):
        path = super().write_waiting_workflow(reference, **options)
        # A plugin that is used once gets no server.
        other = f'  other:\n    plugin: {{deployment_type: python, src: "{reference}"}}\n    step: hello\n'
        path.write_text(path.read_text().replace("outputs:\n", other + "    input: {name: World}\noutputs:\n"))
        return path

    def start_unruly(self, step="wait"):
        started = super().start_unruly(step)
        self.assertTrue([pid for pid in started[-1] if " --serve " in command_of(pid)])
        return started


if __name__ == "__main__":
    harness.main()
