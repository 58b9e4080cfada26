"""The conformance cases of plugins, loops, cancelling and crashes, each as a job of Slurm: with the same results."""

import json
import os
import re
import subprocess

import harness
import slurm_cluster
from harness import PYTHON, FunctionalTest, venvoy_program

CONFORMANCE = harness.HERE.parent / "conformance"
CASES = ("step-*", "plugin-*", "deploy-*", "foreach-*", "steps-are-closed-*", "stop-if-*", "clos*", "interrupt-*",
         "terminate-*", "crash-*", "child-of-*", "stderr-*", "stdout-*")  # fmt: skip


class SlurmConformanceTest(FunctionalTest):
    def require_cases(self, folder):
        with slurm_cluster.Cluster(self.folder / "slurm", cpus=64) as cluster:
            command = [CONFORMANCE / "run-cases", "--engine", venvoy_program(), "--python", PYTHON, "--jobs", "2"]
            command += ["--launcher", "slurm", "--settings", json.dumps({"slurm": {"cpus": "4"}})]
            command += ["--cases", CONFORMANCE / folder, *(word for glob in CASES for word in ("--only", glob))]
            ended = subprocess.run(
                [PYTHON, *map(str, command)], env=dict(os.environ, **cluster.variables), capture_output=True, text=True
            )
            jobs = cluster.next_job() - 1
            cluster.wait_for("the end of all jobs", lambda: not cluster.jobs())
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        passed = int(re.search(r"^(\d+) passed, 0 failed$", ended.stdout, re.MULTILINE)[1])
        # Some cases end before any step.
        self.assertGreater(jobs, passed / 2, "they have not gone through Slurm")

    def test_cases_that_the_go_engine_gets_right(self):
        self.require_cases("workflows")

    def test_cases_that_we_get_right(self):
        self.require_cases("better")


if __name__ == "__main__":
    harness.main()
