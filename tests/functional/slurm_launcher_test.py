"""Steps on the nodes of a job of Slurm: a cluster of our own on loopback (slurm_cluster.py)."""

import subprocess
import time

import harness
import slurm_cluster
from harness import FunctionalTest, wait_until
from remote_steps import RemoteSteps


class SlurmLauncherTest(RemoteSteps, FunctionalTest):
    launcher = "slurm"
    node = "loop1"
    SOON = 40

    @classmethod
    def setUpClass(cls):
        missing = slurm_cluster.missing()
        assert not missing, f"not there: {missing} (Debian: slurm-wlm, munge)"
        cls.cluster = slurm_cluster.Cluster(cls.class_folder() / "slurm")
        cls.cluster.__enter__()
        cls.addClassCleanup(cls.cluster.stop)

    def setUp(self):
        super().setUp()
        self.prepare_soil()

    def tearDown(self):
        super().tearDown()
        self.require_nothing_there()

    def environment(self, **variables):
        names = {"SLURM_CONF": self.cluster.environment["SLURM_CONF"]}
        return super().environment(**{**names, **variables})

    def settings(self, **more):
        return {"slurm": {"cpus": "4", **more}}

    def require_nothing_there(self):
        wait_until(lambda: not self.cluster.jobs(), f"the end of all jobs: {self.cluster.jobs()}", self.SOON)

    def test_one_job_for_all_steps(self):
        before = self.next_job()
        self.loop(["chances"] * 20, parallelism=4)
        self.assertEqual(self.next_job(), before + 2, "one job for the run, and the one that asks here")
        self.assertIn("node 'loop1' is ready, with 4 places", self.last.err)

    def next_job(self):
        """Runs a job, and says which number it has."""
        out = subprocess.run(
            ["srun", "--quiet", "sh", "-c", "echo $SLURM_JOB_ID"], env=self.cluster.environment, check=True,
            capture_output=True, text=True,
        ).stdout
        return int(out)

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
        self.assertNotIn(job, [line.split()[0] for line in self.cluster.jobs()])

    def test_doctor(self):
        self.write_config(launcher="slurm", **self.settings())
        result = self.call("doctor")
        rows = {row["check"]: row for row in result.output}
        self.assertEqual(rows["launcher"]["health"], "ok", result)
        self.assertIn("loop1", rows["launcher"]["text"])

    def test_doctor_without_munge(self):
        self.cluster.end_daemon("munged")
        try:
            self.write_config(launcher="slurm", **self.settings())
            result = self.call("doctor")
        finally:
            self.cluster.start_munge()
        rows = {row["check"]: row for row in result.output}
        self.assertEqual(rows["launcher"]["health"], "missing", result)


if __name__ == "__main__":
    harness.main()
