#!/usr/bin/env python3
"""What a step costs through Slurm: N hello steps in a loop here, through `launcher: slurm`, and beside them one `srun`
and one task of `sbatch --array` for each, which do nothing but to start Python. On a cluster of one node on loopback.
The two loops are measured in turns, and the ratio is that of neighbours: other work on the machine falls on both.

    VENVOY=build/release/venvoy python3 bench/cluster.py [STEPS [ROUNDS [PARALLELISM]]]
"""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT / "tests" / "functional"))

import slurm_cluster  # noqa: E402
from harness import HELLO, PYTHON, Repository  # noqa: E402

WORKFLOW = """\
version: v0.2.0
input:
  root: Input
  objects:
    Input: {id: Input, properties: {}}
steps:
  loop:
    kind: foreach
    workflow: item.yaml
    parallelism: @PARALLELISM@
    items: @ITEMS@
outputs:
  success:
    all: !expr $.steps.loop.outputs.success.data
"""

ITEM = """\
version: v0.2.0
input:
  root: Item
  objects:
    Item: {id: Item, properties: {name: {type: {type_id: string}}}}
steps:
  hello:
    plugin: {deployment_type: python, src: "@REFERENCE@"}
    step: hello
    input: {name: !expr $.input.name}
outputs:
  success:
    message: !expr $.steps.hello.outputs.success.message
"""


def seconds_of(run):
    begin = time.monotonic()
    run()
    return time.monotonic() - begin


def row(what, steps, took, here):
    each = 1000 * took / steps
    print(f"| {what} | {steps} | {took:.2f} | {each:.1f} | {each / here:.2f} |", flush=True)


def main():
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    parallelism = int(sys.argv[3]) if len(sys.argv) > 3 else 2 * os.cpu_count()
    program = os.path.abspath(os.environ["VENVOY"])
    folder = pathlib.Path(tempfile.mkdtemp(prefix="venvoy-bench-"))
    try:
        plugin = Repository(folder / "plugin", HELLO)
        commit = plugin.commit()
        items = "[" + ", ".join(f'{{name: "N{index}"}}' for index in range(steps)) + "]"
        text = WORKFLOW.replace("@PARALLELISM@", str(parallelism)).replace("@ITEMS@", items)
        (folder / "workflow.yaml").write_text(text)
        (folder / "item.yaml").write_text(ITEM.replace("@REFERENCE@", f"venvoy-hello@git+{plugin.url}@{commit}"))
        (folder / "config.yaml").write_text(
            f"deployers: {{python: {{deployer_name: python, pythonPath: {PYTHON}, workdir: {folder}/store, "
            f"slurm: {{places: {parallelism}}}}}}}\n"
        )
        with slurm_cluster.Cluster(folder / "slurm", cpus=parallelism) as cluster:
            environment = dict(cluster.environment, VENVOY_STATE_DIR=str(folder / "state"))

            def run(launcher):
                command = [program, "-q", "run", "workflow.yaml", "--launcher", launcher, "--progress", "none"]
                subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)

            def ask(*command):
                subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

            run("forkserver")  # makes the environment
            pairs = [(seconds_of(lambda: run("forkserver")), seconds_of(lambda: run("slurm"))) for _ in range(rounds)]
            ratios = sorted(there / here for here, there in pairs)
            here, there = (statistics.median(side) for side in zip(*pairs))
            print("| how | steps | s | ms a step | of a step here |\n|---|---:|---:|---:|---:|")
            each = 1000 * here / steps
            row("here, `forkserver`", steps, here, each)
            row("`launcher: slurm`, its job included", steps, there, each)
            few = max(1, steps // 50)
            bare = [PYTHON, "-c", "pass"]
            row("one `srun` each, Python alone", few, seconds_of(lambda: [ask("srun", "-Q", *bare) for _ in range(few)]), each)
            array = ["sbatch", "--quiet", "--wait", f"--array=1-{few}", "--output=/dev/null", f"--wrap={PYTHON} -c pass"]
            row("one task of `sbatch --array` each, Python alone", few, seconds_of(lambda: ask(*array)), each)
            told = ", ".join(f"{ratio:.2f}" for ratio in ratios)
            print(f"\nSlurm to here, turn by turn: {told}; median {statistics.median(ratios):.2f}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
