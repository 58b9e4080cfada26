"""The tiny plugin with steps that tell what they should keep to themselves.

Steps:
    spill    says its password on standard error, and whatever else it got; `how` is "ok", "error" or "crash"
    wait     writes the file `started`, waits until the file `release` is there
    count    gives its number back
"""

import os
import pathlib
import sys
import time

from tiny_plugin import cbor

WORK_START, WORK_DONE, CLIENT_DONE = 1, 2, 4


def scope(name, /, **properties):
    types = {
        key: {"type": {"type_id": type_id.rstrip("?")}, "required": not type_id.endswith("?"), "display": {}}
        for key, type_id in properties.items()
    }
    return {"root": name, "objects": {name: {"id": name, "properties": types}}}


def output(name, error=False, /, **properties):
    return {"schema": scope(name, **properties), "error": error}


def step(step_id, step_input, outputs):
    return {"id": step_id, "input": step_input, "outputs": outputs, "display": {"name": step_id}}


SCHEMA = {
    "steps": {
        "spill": step(
            "spill",
            scope("SpillInput", password="string", certificate="string?", cluster="string?", pin="string?", how="string"),
            {
                "success": output("SpillOutput", token="string", message="string", certificate="string?"),
                "error": output("SpillError", True, reason="string"),
            },
        ),
        "wait": step(
            "wait",
            scope("WaitInput", started="string", release="string"),
            {"success": output("WaitOutput", message="string")},
        ),
        "count": step("count", scope("CountInput", n="integer"), {"success": output("CountOutput", n="integer")}),
    }
}


def say(text):
    print(text, file=sys.stderr, flush=True)


def spill(params):
    password = params["password"]
    say(f"connecting with {password} as the password")
    for name in ("certificate", "cluster", "pin"):
        if name in params:
            say(params[name])
    if params["how"] == "crash":
        os.write(2, f"last words: {password}\n".encode())
        os._exit(7)
    if params["how"] == "error":
        return "error", {"reason": f"{password} was refused"}
    result = {"token": f"{password}-token", "message": f"welcome, {password}"}
    if "certificate" in params:
        result["certificate"] = params["certificate"]
    return "success", result


def wait(params):
    pathlib.Path(params["started"]).write_text(str(os.getpid()))
    while not pathlib.Path(params["release"]).exists():
        time.sleep(0.02)
    return "success", {"message": "waited"}


def main():
    stream = sys.stdin.buffer
    cbor.read(stream)
    sys.stdout.buffer.write(cbor.encode({"version": 3, "schema": SCHEMA}))
    sys.stdout.buffer.flush()
    while True:
        try:
            message = cbor.read(stream)
        except EOFError:
            return
        if message["id"] == CLIENT_DONE:
            return
        if message["id"] != WORK_START:
            continue
        params = message["data"]["config"]
        steps = {"spill": spill, "wait": wait, "count": lambda given: ("success", {"n": given["n"]})}
        output_id, data = steps[message["data"]["id"]](params)
        done = {"output_id": output_id, "output_data": data, "debug_logs": "a line of the step itself\n"}
        sys.stdout.buffer.write(cbor.encode({"id": WORK_DONE, "run_id": message["run_id"], "data": done}))
        sys.stdout.buffer.flush()


main()
