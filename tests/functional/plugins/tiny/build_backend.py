"""A build backend that needs nothing but Python, and leaves a mark when it is imported.

`settings.json` beside it says how the plugin behaves; its keys are described in harness.py.
"""

import base64
import glob
import hashlib
import json
import os
import pathlib
import sys
import time
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
SETTINGS = json.loads((HERE / "settings.json").read_text())
DIST_INFO = "tiny_plugin-1.0.dist-info"


def leave_mark(text):
    if SETTINGS["marks"]:
        with open(SETTINGS["marks"], "a") as marks:
            marks.write(text + "\n")


leave_mark("backend")


def metadata():
    lines = ["Metadata-Version: 2.1", "Name: tiny-plugin", "Version: 1.0"]
    if SETTINGS["requires_python"]:
        lines.append("Requires-Python: " + SETTINGS["requires_python"])
    lines += ["Requires-Dist: " + requirement for requirement in SETTINGS["requires"]]
    return "\n".join(lines) + "\n"


def wheel_files():
    files = {f"{DIST_INFO}/METADATA": metadata().encode()}
    files[f"{DIST_INFO}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    for path in sorted((HERE / "tiny_plugin").glob("*.py")):
        files[f"tiny_plugin/{path.name}"] = path.read_bytes()
    files["tiny_plugin/settings.json"] = json.dumps(SETTINGS).encode()
    for index in range(SETTINGS["megabytes"]):
        files[f"tiny_plugin/data_{index}.bin"] = bytes(1 << 20)
    return files


def wait_for(pattern, patience=100):
    end = time.monotonic() + patience
    while not glob.glob(pattern):
        if time.monotonic() > end:
            sys.exit(f"there is no {pattern}")
        time.sleep(0.02)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    leave_mark("build")
    if SETTINGS["build_seconds"]:
        time.sleep(SETTINGS["build_seconds"])
    if SETTINGS.get("build_waits_for"):
        wait_for(SETTINGS["build_waits_for"])
    if SETTINGS["build_failure"]:
        print(SETTINGS["build_failure"], file=sys.stderr)
        sys.exit(1)
    name = "tiny_plugin-1.0-py3-none-any.whl"
    files = wheel_files()
    record = ""
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(content)}\n"
    files[f"{DIST_INFO}/RECORD"] = (record + f"{DIST_INFO}/RECORD,,\n").encode()
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        for path, content in files.items():
            wheel.writestr(path, content)
    return name
