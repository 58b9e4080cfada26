"""Large values pass through a plugin unchanged, and the engine's memory stays within a bound that their size gives."""

import os
import subprocess

import harness
import yaml
from conformance_plugin import ConformancePlugin
from harness import FunctionalTest

MIB = 1 << 20
TEXT_BYTES = 10 * MIB
ITEMS = 1_000_000

WORKFLOW = """\
version: v0.2.0
input:
  root: Input
  objects:
    Input: {id: Input, properties: {}}
steps:
  big:
    plugin: {deployment_type: python, src: "@REFERENCE@"}
    step: big
    input: {characters: @CHARACTERS@, items: @ITEMS@}
  echo:
    plugin: {deployment_type: python, src: "@REFERENCE@"}
    step: echo
    input:
      text: !expr $.steps.big.outputs.success.text
      numbers: !expr $.steps.big.outputs.success.numbers
outputs:
  success:
    text: !expr $.steps.echo.outputs.success.text
    numbers: !expr $.steps.echo.outputs.success.numbers
"""


def peak_memory(pid):
    """Of this process alone, in bytes."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


class LargeValuesTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.write_config()
        self.plugin = ConformancePlugin(self.folder / "plugin")
        warm_up = self.call("plugin", "schema", self.plugin.reference())
        self.assertEqual(warm_up.code, 0, warm_up)

    def measure(self, *arguments):
        """The standard output of the engine, and the peak of the memory that its own process had in use, in bytes.

        The usage that wait4 gives would count the plugins too. The engine writes its result into a pipe that we do not
        empty before we have looked: by then all values are there, and the whole result as text.
        """
        with (self.folder / "err.txt").open("wb") as errors:
            command = [self.program, *(str(argument) for argument in arguments)]
            process = subprocess.Popen(
                command, env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors
            )
            out = process.stdout.read(1)
            peak = peak_memory(process.pid) if out else 0
            out += process.stdout.read()
            code = process.wait()
            process.stdout.close()
        self.assertEqual(code, 0, (self.folder / "err.txt").read_text())
        self.assertGreater(peak, 0)
        return out, peak

    def run_big(self, characters, items):
        text = WORKFLOW.replace("@REFERENCE@", self.plugin.reference())
        self.write("workflow.yaml", text.replace("@CHARACTERS@", str(characters)).replace("@ITEMS@", str(items)))
        return self.measure("--context", self.folder, "run", "workflow.yaml")

    def require_peak(self, peak, limit, what):
        print(f"{what}: peak {peak / MIB:.1f} MiB of {limit / MIB:.1f} MiB", flush=True)
        # A sanitizer keeps a shadow of all memory, and what was freed.
        if not os.environ.get("VENVOY_SANITIZED"):
            self.assertLess(peak, limit, what)

    def test_text(self):
        out, peak = self.run_big(TEXT_BYTES, 0)
        expected = b"output_data:\n    numbers: []\n    text: " + b"x" * TEXT_BYTES + b"\noutput_id: success\n"
        # Not assertEqual: nobody reads the difference of two such texts.
        self.assertTrue(out == expected, f"{len(out)} bytes of {len(expected)}, from {out[:60]} to {out[-60:]}")
        self.require_peak(peak, 48 * MIB + 4 * TEXT_BYTES, "a text of 10 MiB")

    def test_list(self):
        out, peak = self.run_big(0, ITEMS)
        numbers = b"".join(b"        - %d\n" % number for number in range(ITEMS))
        expected = b"output_data:\n    numbers:\n" + numbers + b'    text: ""\noutput_id: success\n'
        self.assertTrue(out == expected, f"{len(out)} bytes of {len(expected)}, from {out[:90]} to {out[-60:]}")
        self.require_peak(peak, 48 * MIB + 100 * ITEMS, "a list of 1,000,000 integers")

    def test_map_with_integer_keys(self):
        by_number = {number: f"value {number}" for number in range(-500, 500)}
        self.write("input.yaml", yaml.safe_dump({"text": "", "by_number": by_number, "anything": {1: {2: "x"}}}))
        command = ("plugin", "run", self.plugin.reference(), "echo", "-i", "input.yaml")
        out, _ = self.measure("--context", self.folder, *command)
        data = yaml.safe_load(out)["output_data"]
        self.assertEqual(data["by_number"], by_number)


if __name__ == "__main__":
    harness.main()
