#!/usr/bin/env python3
"""What a step costs through Slurm: N hello steps in a loop here, through `launcher: slurm`, and beside them one `srun`
and one task of `sbatch --array` for each, which do nothing but to start Python. On a cluster of one node on loopback.

    VENVOY=build/release/venvoy python3 bench/cluster.py [STEPS [PARALLELISM]]
"""

import os
import pathlib
import shutil
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
    input: {name: !expr $.input.name}
outputs:
  success:
    message: !expr $.steps.hello.outputs.success.message
"""


def timed(what, steps, run):
    begin = time.monotonic()
    run()
    took = time.monotonic() - begin
    print(f"| {what} | {steps} | {took:.2f} | {1000 * took / steps:.1f} |", flush=True)


def main():
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    parallelism = int(sys.argv[2]) if len(sys.argv) > 2 else 2 * os.cpu_count()
    program = os.path.abspath(os.environ["VENVOY"])
    folder = pathlib.Path(tempfile.mkdtemp(prefix="venvoy-bench-"))
    try:
        plugin = Repository(folder / "plugin", HELLO)
        commit = plugin.commit()
        items = "[" + ", ".join(f'{{name: "N{index}"}}' for index in range(steps)) + "]"
        text = WORKFLOW.replace("@PARALLELISM@", str(parallelism)).replace("@ITEMS@", items)
        (folder / "workflow.yaml").write_text(text)
        module = "venvoy-hello" if len(sys.argv) < 4 else sys.argv[3]
        (folder / "item.yaml").write_text(ITEM.replace("@REFERENCE@", f"{module}@git+{plugin.url}@{commit}"))
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
            print("| how | steps | s | ms a step |\n|---|---:|---:|---:|")
            timed("here, `forkserver`", steps, lambda: run("forkserver"))
            timed("`launcher: slurm`, its job included", steps, lambda: run("slurm"))
            few = max(1, steps // 50)
            bare = [PYTHON, "-c", "pass"]
            timed("one `srun` for each, Python alone", few, lambda: [ask("srun", "--quiet", *bare) for _ in range(few)])
            array = ["sbatch", "--quiet", "--wait", f"--array=1-{few}", "--output=/dev/null", f"--wrap={PYTHON} -c pass"]
            timed("`sbatch --array`, Python alone", few, lambda: ask(*array))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
