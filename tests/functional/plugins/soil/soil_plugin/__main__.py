"""Run as `python -m soil_plugin --atp` by an engine. Has one step, `act`, which does what its input `do` names, in the
main thread, and answers with a text. Marks in the file $SOIL_MARKS tell which process has run a step, or has imported
this module if that depends on the process (settings.py).
"""

import atexit
import faulthandler
import gc
import io
import json
import locale
import logging
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings

import cbor2
import yaml

from soil_plugin.settings import OWN_OPENING

WORK_START, WORK_DONE, CLIENT_DONE = 1, 2, 4


def mark():
    if "SOIL_MARKS" in os.environ:
        with open(os.environ["SOIL_MARKS"], "a") as marks:
            marks.write(f"{os.getpid()} {os.getppid()}\n")


if OWN_OPENING:
    mark()
    if os.environ.get("SOIL_START") == "fail":
        raise RuntimeError("the start of this plugin fails")


def scope(name, **properties):
    types = {key: {"type": {"type_id": type_id}, "required": True, "display": {}} for key, type_id in properties.items()}
    return {"root": name, "objects": {name: {"id": name, "properties": types}}}


SCHEMA = {
    "steps": {
        "act": {
            "id": "act",
            "input": scope("ActInput", do="string"),
            "outputs": {"success": {"schema": scope("ActOutput", said="string"), "error": False}},
            "display": {"name": "act"},
        }
    }
}


def signal_masks():
    with open("/proc/self/status") as file:
        return [line.strip() for line in file if line.startswith(("SigB", "SigI", "SigC", "Umask", "Threads"))]


def look():
    """Everything that another step could have changed."""
    import __main__

    return {
        "argv": sys.argv,
        "path": [part.replace(os.getcwd(), "HERE") for part in sys.path],
        "flags": list(sys.flags),
        "main": sorted(vars(__main__)),
        "main is this": vars(__main__) is globals(),
        "name": [__name__, __file__, str(__spec__ and __spec__.name), str(__package__)],
        "folder": [os.path.basename(os.path.dirname(os.path.dirname(os.getcwd()))), os.listdir(".")],
        "environment": {key: value for key, value in os.environ.items() if not key.startswith("_")},
        "handlers": {int(n): str(signal.getsignal(n)) for n in (1, 2, 3, 10, 12, 13, 14, 15, 17)},
        "alarm": signal.getitimer(signal.ITIMER_REAL),
        "masks": signal_masks(),
        "limits": [resource.getrlimit(n) for n in (resource.RLIMIT_NOFILE, resource.RLIMIT_CORE, resource.RLIMIT_STACK)],
        "nice": os.nice(0),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "leader": [os.getpid() == os.getpgrp(), os.getpid() == os.getsid(0)],
        "threads": [thread.name for thread in threading.enumerate()],
        "logging": [logging.root.level, len(logging.root.handlers), sorted(logging.root.manager.loggerDict)],
        "warnings": len(warnings.filters),
        "dependency": [hasattr(yaml, "soiled"), hasattr(cbor2, "soiled"), hasattr(os, "soiled")],
        "locale": locale.setlocale(locale.LC_ALL),
        "recursion": [sys.getrecursionlimit(), sys.getswitchinterval(), gc.isenabled(), gc.get_threshold()],
        "hooks": [sys.excepthook is sys.__excepthook__, sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__],
        "streams": [[stream.encoding, stream.errors, stream.line_buffering, stream.seekable(), stream.fileno()]
                    for stream in (sys.stdin, sys.stdout, sys.stderr)],
        "kinds": [os.readlink(f"/proc/self/fd/{number}").split(":")[0] for number in (0, 1, 2)],
        "temporary": tempfile.gettempdir(),
        "children": children(),
        "faults": faulthandler.is_enabled(),
    }


def children():
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return file.read().split()


def soil():
    """Changes all of that, and leaves it so."""
    sys.argv.append("soiled")
    sys.path.insert(0, "/soiled")
    os.environ["SOILED"] = "yes"
    os.environ.pop("HOME", None)
    os.putenv("ALSO_SOILED", "yes")
    with open("soiled", "w") as file:
        file.write("yes")
    os.chdir("/")
    for number in (1, 2, 3, 10, 12, 15, 17):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    os.umask(0o777)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(1)
    global kept
    kept = [open(os.devnull) for _ in range(20)]
    os.pipe()
    threading.Thread(target=time.sleep, args=(1000,), daemon=True, name="soiled").start()
    subprocess.Popen(["sleep", "1000"])
    subprocess.Popen(["sleep", "1000"], start_new_session=True)
    logging.basicConfig(level=5)
    logging.getLogger("soiled")
    warnings.simplefilter("ignore")
    yaml.soiled = cbor2.soiled = os.soiled = True
    random.seed(0)
    sys.setrecursionlimit(5000)
    sys.setswitchinterval(0.5)
    gc.disable()
    gc.set_threshold(1)
    sys.excepthook = print
    tempfile.tempdir = "/soiled"
    faulthandler.enable()
    sys.stdout = sys.stderr = io.StringIO()
    return "soiled"


def chances():
    """What two steps must not have in common."""
    return [random.random(), random.Random().random(), tempfile.mktemp(), os.getpid(), os.getcwd(), logging._startTime]


def leave_unwritten():
    """A file that is written only because the interpreter cleans up after itself."""
    global unwritten
    unwritten = open(os.environ["SOIL_FILE"], "w")
    unwritten.write("unwritten, ")
    atexit.register(lambda: unwritten.write("at exit, "))
    global last

    class Last:
        def __del__(self):
            unwritten_by_destructor.write("destroyed")
            unwritten_by_destructor.close()

    unwritten_by_destructor = open(os.environ["SOIL_FILE"] + ".destructor", "w")
    last = Last()
    return "left"


class Ending(Exception):
    pass


def end(how):
    os.write(2, b"the last words\n")
    if how == "exit-code":
        sys.exit(3)
    if how == "exit-large":
        sys.exit(259)
    if how == "exit-text":
        sys.exit("a text instead of a code")
    if how == "exit-none":
        sys.exit()
    if how == "at-once":
        os._exit(7)
    if how == "exception":
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise Ending("outer") from error
    if how == "interrupt":
        raise KeyboardInterrupt
    if how == "abort":
        os.abort()
    if how == "recursion":
        end(how)
    if how == "print":
        os.write(1, b"this is no answer")
        sys.exit(5)
    if how == "thread":
        threading.Thread(target=lambda: (time.sleep(0.3), os.write(2, b"from the thread\n"))).start()
        sys.exit(4)
    os.kill(os.getpid(), getattr(signal, how))
    time.sleep(1000)


def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.01)


def act(do):
    if not OWN_OPENING:
        mark()
    if do == "look":
        return json.dumps(look(), sort_keys=True)
    if do == "soil":
        return soil()
    if do == "chances":
        return json.dumps(chances())
    if do == "leave unwritten":
        return leave_unwritten()
    if do == "parent":
        with open(f"/proc/{os.getppid()}/cmdline") as file:
            return json.dumps([os.getpid(), os.getppid(), file.read()])
    if do == "kill parent":
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(1000)
    if do.startswith("wait for "):
        wait_for(do.removeprefix("wait for "))
        return "waited"
    if do.startswith("say "):
        _, word, count, path = do.split(" ", 3)
        wait_for(path)
        return word * int(count)
    if do.startswith("hash "):
        return str(hash(do))
    return end(do)


def send(message):
    sys.__stdout__.buffer.write(cbor2.dumps(message))
    sys.__stdout__.buffer.flush()


def main():
    messages = cbor2.CBORDecoder(sys.stdin.buffer)
    messages.decode()
    send({"version": 3, "schema": SCHEMA})
    while True:
        try:
            message = messages.decode()
        except cbor2.CBORDecodeEOF:
            return
        if message["id"] == CLIENT_DONE:
            return
        said = act(message["data"]["config"]["do"])
        data = {"output_id": "success", "output_data": {"said": said}, "debug_logs": ""}
        send({"id": WORK_DONE, "run_id": message["run_id"], "data": data})


if __name__ == "__main__":
    main()
