"""Steps on the nodes of a job of Slurm: a cluster of our own on loopback (slurm_cluster.py)."""

import json
import subprocess
import time

import harness
from harness import PYTHON, FunctionalTest, wait_until
from remote_steps import RemoteSteps, SlurmHarness


OWN_JOB = """\
version: v0.2.0
input:
  root: Input
  objects:
    Input: {id: Input, properties: {}}
steps:
  first: {@STEP@}
  second: {@STEP@, deploy: @OWN@}
outputs:
  success:
    first: !expr $.steps.first.outputs.success.said
    second: !expr $.steps.second.outputs.success.said
"""


class SlurmLauncherTest(SlurmHarness, RemoteSteps, FunctionalTest):
    node = "loop1"
    cluster_options = {"cpus": 8}

    def settings(self, **more):
        return {"slurm": {"cpus": "4", **more}}

    def test_one_job_for_all_steps(self):
        before = self.cluster.next_job()
        self.loop(["chances"] * 20, parallelism=4)
        self.assertEqual(self.cluster.next_job(), before + 2, "one job for the run, and the one that asks here")
        self.assertIn("node 'loop1' is ready, with 4 places", self.last.err)

    def test_inside_of_a_job(self):
        self.write_loop(["chances"] * 4, parallelism=2)
        inside = ("salloc", "--quiet", "--nodes=1", "--cpus-per-task=2")
        result = self.call("-v", "run", "workflow.yaml", "--launcher", "slurm", wrapper=inside)
        self.said(result)
        self.assertNotIn("queue", result.err)
        self.assertIn("node 'loop1' is ready, with 2 places", result.err)

    def test_a_partition_that_is_not_there(self):
        self.write_config(**self.settings(partition="nowhere"))
        self.write_loop(["chances"])
        result = self.call("run", "workflow.yaml", "--launcher", "slurm")
        self.assertIn("Invalid partition", result.out + result.err)

    def test_a_job_that_must_wait_says_why(self):
        holder = subprocess.Popen(
            ["srun", "--quiet", "--exclusive", "sleep", "1000"], env=self.cluster.environment, stdin=subprocess.DEVNULL
        )
        try:
            wait_until(lambda: any("RUNNING" in job for job in self.cluster.jobs()), "the job that holds the node")
            running = self.start_loop(["chances"])
            wait_until(lambda: any("PENDING" in job for job in self.cluster.jobs()), "the job that waits")
            time.sleep(3)
        finally:
            holder.terminate()
            holder.wait()
        result = running.finish()
        self.said(result)
        self.assertRegex(result.err, r"waits in the queue of Slurm: PENDING \((Resources|Priority|None)\)")

    def test_a_job_whose_time_is_over(self):
        self.write_config(**self.settings(extraArguments=["--time=1"]))
        running = self.start_loop([f"wait for {self.folder}/never"])
        marks = self.folder / "marks"
        wait_until(lambda: marks.exists() and marks.read_text(), "the step")
        job = self.cluster.jobs()[0].split()[0]
        # A minute is the least that Slurm knows.
        result = running.finish(patience=240)
        said = self.said(result)[0]
        self.assertIn("was lost", said)
        self.assertIn("TIME LIMIT", said)
        # It is COMPLETING for a moment.
        wait_until(lambda: job not in [line.split()[0] for line in self.cluster.jobs()], "the end of the job", self.SOON)

    # --- one step asks for another job ---

    def test_a_step_with_a_job_of_its_own(self):
        reference = f"soil-plugin@git+{self.plugin.url}@{self.plugin.head()}"
        release = self.folder / "release"
        own = {"deployer_name": "python", "pythonPath": PYTHON, "workdir": str(self.store),
               "slurm": {"partition": "other", "cpus": "2"}}  # fmt: skip
        step = f'plugin: {{deployment_type: python, src: "{reference}"}}, step: act, input: {{do: wait for {release}}}'
        self.write("workflow.yaml", OWN_JOB.replace("@STEP@", step).replace("@OWN@", json.dumps(own)))
        running = self.start("run", "workflow.yaml", "--launcher", "slurm")
        wait_until(lambda: len(self.marks_made()) == 2, "both steps")
        jobs = sorted(self.cluster.ask("squeue", "-h", "-o", "%P %C").splitlines())
        release.touch()
        result = running.finish()
        self.assertEqual(result.code, 0, result)
        self.assertEqual(jobs, ["loop 4", "other 2"])

    def marks_made(self):
        return self.marks.read_text().splitlines() if self.marks.exists() else []

    # --- what is told ---

    def test_events_and_history_name_the_node(self):
        self.write_loop(["chances"])
        result = self.call("run", "workflow.yaml", "--launcher", "slurm", "--events", "events.jsonl", "--progress", "plain")
        self.said(result)
        events = [json.loads(line) for line in (self.folder / "events.jsonl").read_text().splitlines()]
        told = {event["type"]: event for event in events if not event.get("step") == "loop"}
        self.assertEqual(told["step_started"]["node"], "loop1")
        self.assertEqual(told["machines_awaited"]["text"], "a pilot starts on node 'loop1'")
        self.assertEqual(told["machines_ready"]["text"], "1 node with 4 places")
        for line in ("waiting for machines: Slurm is asked for a job", "machines: 1 node with 4 places"):
            self.assertIn(line, result.err)
        shown = self.call("runs", "show", "latest", "--output", "json").output
        nodes = {step["step"]: step.get("node") for step in shown["steps"]}
        self.assertEqual(nodes, {"loop": None, "act": "loop1"})

    # --- what fails ---

    def test_slurmd_is_killed(self):
        running = self.start_loop([f"wait for {self.folder}/never", "chances"])
        wait_until(self.marks_made, "the step")
        self.cluster.kill_slurmd()
        try:
            # Its controller notices after some time, and no node is left.
            wait_until(lambda: "PENDING" in "".join(self.cluster.jobs()), "another job that is asked for", 120)
            time.sleep(3)
        finally:
            self.cluster.start_slurmd()
        said = self.said(running.finish())
        self.assertIn("was lost: the pilot on node 'loop1' has ended: srun: error: Node failure on loop1", said[0])
        self.assertEqual(len(json.loads(said[1])), 6)
        self.assertRegex(self.last.err, r"waits in the queue of Slurm: PENDING \(.*DOWN")
        wait_until(lambda: not self.cluster.step_daemons(), "the end of what slurmd had left", 60)

    def test_munge_is_stopped_before_a_run(self):
        self.write_loop(["chances"])
        self.cluster.end_daemon("munged")
        try:
            result = self.call("run", "workflow.yaml", "--launcher", "slurm")
        finally:
            self.cluster.start_munge()
        self.assertIn("unge", self.said(result)[0])

    def test_munge_is_stopped_in_a_run(self):
        release = self.folder / "release"
        running = self.start_loop([f"wait for {release}", "chances"])
        wait_until(self.marks_made, "the step")
        job = self.cluster.jobs()[0].split()[0]
        self.cluster.end_daemon("munged")
        try:
            release.touch()
            # Nobody asks Slurm for the steps, so they end well; the job cannot be given back.
            self.assertEqual(len(self.said(running.finish())), 2)
            self.assertRegex(self.last.err, rf"job {job} of Slurm could not be given back \(.*\); `scancel {job}` does so")
            self.require_no_process(seconds=self.SOON)
        finally:
            self.cluster.start_munge()
            self.cluster.ask("scancel", job)

    # --- doctor ---

    def test_doctor(self):
        self.write_config(launcher="slurm", **self.settings())
        result = self.call("doctor", "--output", "json")
        rows = {row["check"]: row for row in result.output}
        self.assertEqual(rows["launcher"]["state"], "ok", result)
        self.assertIn("loop1", rows["launcher"]["text"])

    def test_doctor_without_munge(self):
        self.cluster.end_daemon("munged")
        try:
            self.write_config(launcher="slurm", **self.settings())
            result = self.call("doctor", "--output", "json")
        finally:
            self.cluster.start_munge()
        rows = {row["check"]: row for row in result.output}
        self.assertEqual(rows["launcher"]["state"], "missing", result)


if __name__ == "__main__":
    harness.main()
