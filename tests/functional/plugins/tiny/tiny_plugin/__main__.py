"""Run as `python -m tiny_plugin --atp` by an engine. Speaks version 3 of its protocol, one run in a process.

Steps:
    hello    greets; the name "error" gives the error output, "crash" ends the process with exit code 7, "flood" writes
             5000 lines to standard error before it greets
    shape    tells what it was given, in all kinds of types
    wait     writes what it is to the file `started`, waits until the file `release` is there; has no cancel handler
    wait-for-cancel   the same, and answers the cancel signal with the output `cancelled_early`
    misbehave         does what its input `how` says (see HOW), with the number `amount`
"""

import importlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

from tiny_plugin import cbor

SETTINGS = json.loads((pathlib.Path(__file__).parent / "settings.json").read_text())
WORK_START, WORK_DONE, SIGNAL, CLIENT_DONE = 1, 2, 3, 4

cancelled = threading.Event()
writing = threading.Lock()
answered = []  # threads that have nothing left to do but to end


def scope(name, /, **properties):
    types = {
        key: {"type": {"type_id": type_id.rstrip("?")}, "required": not type_id.endswith("?"), "display": {}}
        for key, type_id in properties.items()
    }
    return {"root": name, "objects": {name: {"id": name, "properties": types}}}


def output(name, error=False, /, **properties):
    return {"schema": scope(name, **properties), "error": error}


def step(step_id, step_input, outputs, **more):
    return {"id": step_id, "input": step_input, "outputs": outputs, "display": {"name": step_id}, **more}


CANCEL = {"cancel": {"id": "cancel", "data_schema": scope("cancelInput")}}
WAIT_INPUT = {"started": "string", "release": "string", "children": "bool?"}


def unit(short, long):
    names = {"name_short_singular": short, "name_short_plural": short}
    return {**names, "name_long_singular": long, "name_long_plural": long + "s"}


BYTES = {"base_unit": unit("B", "byte"), "multipliers": {1024: unit("kB", "kilobyte"), 1048576: unit("MB", "megabyte")}}
TARGET = {"host": {"type_id": "string", "pattern": "^[a-z.]+$"}, "port": {"type_id": "integer", "min": 1, "max": 65535}}
CIRCLE, SQUARE = {"radius": {"type_id": "integer"}}, {"side": {"type_id": "integer"}}
SHAPE = {
    "count": {"type_id": "integer", "min": 1, "max": 10},
    "size": {"type_id": "integer", "units": BYTES},
    "ratio": {"type_id": "float", "min": 0.0, "max": 1.0},
    "mode": {"type_id": "enum_string", "values": {"fast": {"name": "Fast"}, "slow": {"name": "Slow"}}},
    "level": {"type_id": "enum_integer", "values": {1: {"name": "Low"}, 2: {"name": "High"}}},
    "names": {"type_id": "list", "items": {"type_id": "string", "min": 2}, "min": 1, "max": 3},
    "labels": {"type_id": "map", "keys": {"type_id": "string"}, "values": {"type_id": "integer"}},
    "flag": {"type_id": "bool"},
    "matching": {"type_id": "pattern"},
    "target": {"type_id": "ref", "id": "Target"},
    "figure": {
        "type_id": "one_of_string",
        "discriminator_field_name": "kind",
        "discriminator_inlined": False,
        "types": {"circle": {"type_id": "ref", "id": "Circle"}, "square": {"type_id": "ref", "id": "Square"}},
    },
}


def typed_object(name, types, required):
    properties = {key: {"type": kind, "required": key in required, "display": {}} for key, kind in types.items()}
    return {"id": name, "properties": properties}


SHAPE_INPUT = {
    "root": "Shape",
    "objects": {
        "Shape": typed_object("Shape", SHAPE, ["count"]),
        "Target": typed_object("Target", TARGET, ["host"]),
        "Circle": typed_object("Circle", CIRCLE, ["radius"]),
        "Square": typed_object("Square", SQUARE, ["side"]),
    },
}
SCHEMA = {
    "steps": {
        "hello": step(
            "hello",
            scope("HelloInput", name="string"),
            {"success": output("HelloOutput", message="string"), "error": output("HelloError", True, reason="string")},
        ),
        "shape": step("shape", SHAPE_INPUT, {"success": output("ShapeOutput", message="string", count="integer")}),
        "wait": step("wait", scope("WaitInput", **WAIT_INPUT), {"success": output("WaitOutput", message="string")}),
        "wait-for-cancel": step(
            "wait-for-cancel",
            scope("WaitInput", **WAIT_INPUT),
            {
                "success": output("WaitOutput", message="string"),
                "cancelled_early": output("CancelledOutput", message="string"),
            },
            signal_handlers=CANCEL,
            signal_emitters={},
        ),
        "misbehave": step(
            "misbehave",
            scope("MisbehaveInput", how="string", amount="integer"),
            {"success": output("MisbehaveOutput", message="string")},
        ),
    }
}


def hello(params):
    if params["name"] == "crash":
        os.write(2, b"these are the last words of the plugin\n")
        os._exit(7)
    if params["name"] == "flood":
        for number in range(5000):
            print(f"line {number} of a flood, which is \x1b[31mcoloured\x1b[0m", file=sys.stderr)
    if params["name"] == "error":
        return "error", {"reason": "there is nobody of this name"}
    return "success", {"message": f"Hello, {params['name']}, from {SETTINGS['text']}!"}


def shape(params):
    return "success", {"message": json.dumps(params, sort_keys=True), "count": params["count"]}


def start_children():
    """Children as plugins have them: one in our process group, one with a session of its own, one without parent."""
    sleep = ["sleep", "1000"]
    subprocess.Popen(sleep)
    subprocess.Popen(sleep, start_new_session=True)
    subprocess.run(["sh", "-c", "setsid sleep 1000 & exit 0"])


def start_unruly_children():
    """Daemons as those have them who want to stay: forked twice, a session of their own, deaf to signals, with our
    pipes still open; one of them forks on and on. Returns their pids, as far as that means something, and their process groups."""
    pids, groups = [], []
    for command in (["env", "-i", "sleep", "1000"], None, "hop"):
        read_end, write_end = os.pipe()
        if os.fork() == 0:
            os.setsid()
            if os.fork() != 0:
                os._exit(0)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            os.write(write_end, f"{os.getpid()} {os.getpgid(0)}".encode())
            os.chdir("/")
            if command == "hop":
                signal.signal(signal.SIGCHLD, signal.SIG_IGN)
                while os.fork() == 0:
                    time.sleep(0.002)
                os._exit(0)
            if command:
                os.execvp(command[0], command)
            time.sleep(1000)
            os._exit(0)
        pid, group = map(int, os.read(read_end, 40).split())
        pids.append(pid)
        groups.append(group)
        os.close(read_end)
        os.close(write_end)
    return pids[:2], groups


def wait(params):
    pathlib.Path("left-behind").write_text("something in the working directory\n")
    if params.get("children"):
        start_children()
    pids, groups = start_unruly_children() if SETTINGS.get("unruly") else ([], [])
    started = pathlib.Path(params["started"])
    facts = {"pid": os.getpid(), "folder": os.getcwd(), "children": pids, "groups": groups}
    started.with_suffix(".new").write_text(json.dumps(facts))
    started.with_suffix(".new").rename(started)
    while not pathlib.Path(params["release"]).exists():
        if cancelled.wait(0.02) and not SETTINGS["stubborn"]:
            return "cancelled_early", {"message": "cancelled early"}
    return "success", {"message": f"waited in {SETTINGS['text']}"}


def use_memory(amount):
    blocks = []
    while True:
        blocks.append(bytearray(16 << 20))
        if len(blocks) * 16 >= amount:
            time.sleep(1000)


def use_memory_in_a_child(amount):
    subprocess.run([sys.executable, "-c", f"import time; block = bytearray({amount} << 20); time.sleep(1000)"])


def use_processor(amount):
    end = time.monotonic() + amount
    while time.monotonic() < end:
        pass


def open_files(amount):
    files = [open("/dev/null") for _ in range(amount)]
    return f"opened {len(files)} files"


def flood(amount):
    """Megabytes to standard error, in lines of 63 bytes."""
    block = (b"x" * 62 + b"\n") * (1 << 14)
    for number in range(amount):
        data = memoryview(b"%-15d " % number + block[16:])
        while data:
            data = data[os.write(2, data) :]
    return f"wrote {amount} MB"


def flood_and_crash(amount):
    flood(amount)
    os.write(2, b"these are the last words of the plugin\n")
    os._exit(7)


HOW = {
    "memory": use_memory,
    "memory-in-a-child": use_memory_in_a_child,
    "processor": use_processor,
    "files": open_files,
    "sleep": time.sleep,
    "flood": flood,
    "flood-and-crash": flood_and_crash,
}


def misbehave(params):
    return "success", {"message": HOW[params["how"]](params["amount"]) or "did it"}


def send(kind, run_id, data):
    with writing:
        sys.stdout.buffer.write(cbor.encode({"id": kind, "run_id": run_id, "data": data}))
        sys.stdout.buffer.flush()


def run(message):
    step_id, params = message["data"]["id"], message["data"]["config"]
    work = {"hello": hello, "shape": shape, "misbehave": misbehave}.get(step_id, wait)
    try:
        output_id, data = work(params)
    except OSError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)
    answered.append(threading.current_thread())
    send(WORK_DONE, message["run_id"], {"output_id": output_id, "output_data": data, "debug_logs": ""})


def main():
    if SETTINGS["marks"]:
        with open(SETTINGS["marks"], "a") as marks:
            marks.write("module\n")
    for module in SETTINGS.get("imports", ()):
        importlib.import_module(module)
    if SETTINGS["start_seconds"]:
        time.sleep(SETTINGS["start_seconds"])
    stream = sys.stdin.buffer
    cbor.read(stream)
    sys.stdout.buffer.write(cbor.encode({"version": 3, "schema": SCHEMA}))
    sys.stdout.buffer.flush()
    while True:
        try:
            message = cbor.read(stream)
        except EOFError:
            return
        if message["id"] == WORK_START:
            threading.Thread(target=run, args=[message], daemon=message["data"]["id"] in ("wait", "misbehave")).start()
        elif message["id"] == SIGNAL:
            cancelled.set()
        elif message["id"] == CLIENT_DONE:
            # A daemon that Python ends on its last step says so on standard error.
            for thread in answered:
                thread.join()
            return


main()
