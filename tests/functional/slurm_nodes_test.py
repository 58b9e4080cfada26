"""Steps on several nodes of one job of Slurm: a cluster of our own on loopback, with a slurmd for each node."""

import json
import os
import pathlib
import signal

import harness
from harness import FunctionalTest, wait_until
from remote_steps import SlurmHarness

LOST, LEFT = "loop2", "loop1"


class SlurmNodesTest(SlurmHarness, FunctionalTest):
    # KillWait as it is by default: the time that a pilot has to see whether it is the last.
    cluster_options = {"cpus": 4, "nodes": 2, "settings": {"KillWait": 30}}

    def settings(self, **more):
        return {"slurm": {"nodes": 2, "cpus": "2", **more}}

    def start_waiting(self, more=0):
        """Two steps on each node that wait, and others that wait for a place."""
        items = [f"wait for {self.folder}/release"] * 4 + ["chances"] * more
        self.write_loop(items, parallelism=4)
        running = self.start("-v", "run", "workflow.yaml", "--launcher", "slurm", "--events", "events.jsonl")
        wait_until(lambda: self.marks.exists() and len(self.marks.read_text().splitlines()) == 4, "four steps", 60)
        return running

    def finish(self, running):
        """What was said by the steps of each node, in the order of their start."""
        result = running.finish(patience=300)
        said = self.said(result)
        nodes = {}
        for event in self.events("step_started"):
            if "node" in event:
                nodes.setdefault(event["node"], []).append(said[int(event["item"])])
        return nodes

    def events(self, kind):
        lines = (self.folder / "events.jsonl").read_text().splitlines()
        return [event for event in map(json.loads, lines) if event["type"] == kind]

    def pilot_on(self, node):
        name = f"SLURMD_NODENAME={node}".encode()
        pilots = [pid for pid in self.pilots() if name in pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")]
        self.assertEqual(len(pilots), 1)
        return pilots[0]

    def test_all_nodes_of_a_job_have_steps(self):
        running = self.start_waiting()
        self.assertEqual(len(self.cluster.jobs()), 1)
        (self.folder / "release").touch()
        self.assertEqual(self.finish(running), {LEFT: ["waited"] * 2, LOST: ["waited"] * 2})
        self.assertIn("2 nodes with 4 places", self.last.err)

    def require_others_to_go_on(self, running, more):
        """The steps of one node are lost, and it is named; those of the other end well, and the rest begins."""
        job = self.cluster.jobs()[0].split()[0]
        wait_until(lambda: len(self.events("step_finished")) == 2, "the end of the lost steps", 120)
        (self.folder / "release").touch()
        nodes = self.finish(running)
        self.assertEqual(nodes[LEFT][:2], ["waited"] * 2)
        for said in nodes[LOST][:2]:
            self.assertIn(f"was lost: the pilot on node '{LOST}' has ended", said)
        others = nodes[LEFT][2:] + nodes[LOST][2:]
        self.assertEqual([len(json.loads(said)) for said in others], [6] * more)
        self.assertEqual(self.cluster.next_job(), int(job) + 1, "all was done in one job")

    def test_a_pilot_that_is_killed(self):
        running = self.start_waiting(6)
        os.kill(self.pilot_on(LOST), signal.SIGKILL)
        self.require_others_to_go_on(running, 6)

    def test_what_carries_the_bytes_of_one_node_is_killed(self):
        running = self.start_waiting(6)
        # srun has a helper with the same command, which ends with it.
        carriers = [pid for pid, command in self.processes().items() if f"--nodelist={LOST}" in command]
        os.kill(min(carriers), signal.SIGKILL)
        self.require_others_to_go_on(running, 6)

    def test_a_node_that_fails(self):
        running = self.start_waiting(6)
        self.cluster.kill_slurmd(LOST)
        try:
            self.require_others_to_go_on(running, 6)
        finally:
            self.cluster.start_slurmd(LOST)
            wait_until(lambda: self.cluster.idle_nodes() == [LEFT, LOST], "both nodes", 60)
            wait_until(lambda: not self.cluster.step_daemons(), "the end of what slurmd had left", 60)

    def test_nothing_is_left_when_the_head_is_killed(self):
        running = self.start_waiting()
        running.process.kill()
        running.finish()
        self.require_no_process(seconds=self.SOON)


if __name__ == "__main__":
    harness.main()
