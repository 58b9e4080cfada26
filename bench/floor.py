"""The least that steps in processes of their own can cost: Python that forks, without an engine.

    python bench/floor.py STEPS PARALLELISM JOURNAL       in the environment of bench/plugin

One process imports everything that the plugin imports but the plugin itself (a first step tells what that is), then
forks for each step; the fork runs `bench_plugin` as `__main__` in a working directory
of its own, which speaks the protocol over pipes: hello, work, answer. Its end is the quickest that there is. What the
answers say is not looked at but for their size.
"""

import atexit
import gc
import importlib
import os
import runpy
import select
import shutil
import sys
import tempfile
import threading

STEPS, PARALLELISM, JOURNAL = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
sys.argv[1:] = ["--atp"]  # the SDK looks at it when it is imported

import cbor2  # noqa: E402

CLIENT_DONE = cbor2.dumps({"id": 4, "run_id": "", "data": {}})


def work(name):
    start = {"id": "hello", "config": {"name": name, "journal": JOURNAL}}
    return cbor2.dumps(None) + cbor2.dumps({"id": 1, "run_id": name, "data": start}) + CLIENT_DONE


def run_step(folder, read_end, write_end, modules_end=None):
    os.setsid()  # as the processes of an engine: the scheduler is fair between sessions
    os.chdir(folder)
    os.dup2(read_end, 0)
    os.dup2(write_end, 1)
    os.closerange(3, write_end + 64)
    sys.modules["__main__"] = type(sys)("__main__")
    try:
        runpy._run_module_as_main("bench_plugin")
    except SystemExit as end:
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
        if modules_end is not None:
            os.write(modules_end, "\n".join(sys.modules).encode())
        os._exit(end.code or 0)


def start_step(number, root):
    folder = os.path.join(root, str(number))
    os.mkdir(folder)
    input_read, input_write = os.pipe()
    output_read, output_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        run_step(folder, input_read, output_write)
        os._exit(1)
    os.close(input_read)
    os.close(output_write)
    os.write(input_write, work(str(number)))
    os.close(input_write)
    return output_read, (pid, folder)


def import_everything():
    input_read, input_write = os.pipe()
    modules_read, modules_write = os.pipe()
    nothing = os.open(os.devnull, os.O_WRONLY)
    if os.fork() == 0:
        os.close(input_write)
        report = os.dup2(modules_write, 200)
        run_step("/", input_read, nothing, report)
    os.close(modules_write)
    os.write(input_write, cbor2.dumps(None) + CLIENT_DONE)
    os.close(input_write)
    with os.fdopen(modules_read) as file:
        names = file.read().split("\n")
    os.close(input_read)
    os.close(nothing)
    os.wait()
    for name in names:
        if name != "__main__" and not name.startswith("bench_plugin"):
            importlib.import_module(name)


def main():
    import_everything()
    gc.collect()
    gc.freeze()
    running, started, poll, sizes = {}, 0, select.poll(), {}
    root = tempfile.mkdtemp()  # not a TemporaryDirectory: each fork would remove it
    try:
        while started < STEPS or running:
            while started < STEPS and len(running) < PARALLELISM:
                descriptor, step = start_step(started, root)
                running[descriptor] = step
                poll.register(descriptor, select.POLLIN)
                started += 1
            for descriptor, _ in poll.poll():
                data = os.read(descriptor, 1 << 16)
                sizes[descriptor] = sizes.get(descriptor, 0) + len(data)
                if data:
                    continue
                poll.unregister(descriptor)
                os.close(descriptor)
                pid, folder = running.pop(descriptor)
                _, status = os.waitpid(pid, 0)
                os.rmdir(folder)
                if status != 0 or sizes.pop(descriptor) < 500:
                    sys.exit(f"a step has failed with status {status}")
    finally:
        shutil.rmtree(root)


main()
