"""The versions of the Python SDK that plugins in use are built on, each in its own environment from the package index.

SDK 0.14.5 needs Python 3.12.4 or newer. Where the machine has none, that is printed as a gap; its hello is read in
tests/unit/atp/sdk_hello_test.cpp.
"""

import glob
import os
import shutil
import subprocess

import harness
import yaml
from conformance_plugin import SdkPlugin
from harness import PYTHON, FunctionalTest

# SDK, the day that its plugin was committed at, and what its author has pinned: 0.10 to 0.12 do not start with cbor2 5.5.
# The later releases of 0.10 want a PyYAML that today's Cython cannot build.
RELEASES = {
    "0.10.0": ("2023-06-30T12:00:00Z", ("cbor2<5.5",)),
    "0.11.0": ("2023-10-01T12:00:00Z", ("cbor2<5.5",)),
    "0.12.0": ("2023-11-01T12:00:00Z", ("cbor2<5.5",)),
    "0.13.0": ("2023-11-01T12:00:00Z", ()),
    "0.14.3": ("2024-12-01T12:00:00Z", ()),
    "0.14.5": ("2026-06-30T12:00:00Z", ()),
}

INPUT = {
    "name": "World",
    "percent": 50,
    "duration": 5,
    "color": "red",
    "numbers": [1, 2],
    "by_number": {1: "one"},
    "points": [{"x": 1, "y": 2.5}],
    "shape": {"shape": "circle", "radius": 1.5},
    "anything": {"a": ["x", "y"]},
    "flag": False,
}


def version_of(python):
    command = [python, "-c", "import sys; print(*sys.version_info[:3])"]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=30)
        return tuple(int(part) for part in run.stdout.split()) if run.returncode == 0 else ()
    except OSError:
        return ()


def newer_python():
    """A Python that SDK 0.14.5 can be imported by, from the places where people keep several."""
    found = [shutil.which(f"python3.{minor}") for minor in range(20, 11, -1)]
    for pattern in ("~/.pyenv/versions/*/bin/python3", "~/.local/share/uv/python/*/bin/python3"):
        found += glob.glob(os.path.expanduser(pattern))
    pythons = {python: version_of(python) for python in found if python}
    return max((python for python in pythons if pythons[python] >= (3, 12, 4)), key=pythons.get, default=None)


class SdkVersionsTest(FunctionalTest):
    def use(self, sdk, python=PYTHON):
        date, requires = RELEASES[sdk]
        self.write_config(pythonPath=python)
        return SdkPlugin(self.folder / f"plugin-{sdk}", sdk, date, requires)

    def run_step(self, plugin, **changes):
        self.write("input.yaml", yaml.safe_dump({**INPUT, **changes}))
        return self.call("plugin", "run", plugin.reference(), "echo", "-i", "input.yaml", patience=300)

    def require_works(self, sdk, python=PYTHON):
        plugin = self.use(sdk, python)
        result = self.run_step(plugin)
        self.assertEqual(result.code, 0, result)
        self.assertEqual(result.output["output_id"], "success", result)
        data = result.output["output_data"]
        self.assertEqual({key: data[key] for key in INPUT}, INPUT, result)
        # An output for errors is an output: the SDK marks none of them as an error.
        result = self.run_step(plugin, name="Error")
        self.assertEqual(result.output, {"output_id": "error", "output_data": {"error": "as asked"}}, result)
        installed = self.in_store("env-v1/*/*/*/venv/lib/python*/site-packages/arcaflow_plugin_sdk-*.dist-info")
        self.assertEqual([path.name for path in installed], [f"arcaflow_plugin_sdk-{sdk}.dist-info"])

    def test_0_10(self):
        self.require_works("0.10.0")

    def test_0_11_is_refused(self):
        result = self.run_step(self.use("0.11.0"))
        self.require_failure(result, 1, "unsupported atp version '2', supported versions: [1 3]", "0.12 or newer")

    def test_0_12(self):
        self.require_works("0.12.0")

    def test_0_13(self):
        self.require_works("0.13.0")

    def test_0_14_3(self):
        self.require_works("0.14.3")

    def test_0_14_5(self):
        python = newer_python()
        if not python:
            print("GAP: SDK 0.14.5 was not run: this machine has no Python 3.12.4 or newer", flush=True)
            return
        self.require_works("0.14.5", python)


if __name__ == "__main__":
    harness.main()
