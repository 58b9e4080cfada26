"""venvoy plugin schema REF --format …: of a plugin on the real SDK."""

import json
import subprocess

import harness
import yaml
from conformance_plugin import ConformancePlugin
from harness import PYTHON, FunctionalTest

# Inputs of the step `echo` as its author may write them, and what is no input.
RIGHT = [
    {"text": ""},
    {"text": "a", "short_text": "abc", "number": -5, "percent": 100, "ratio": 1.5, "flag": True},
    {"text": "a", "flag": "yes", "duration": "5m30s", "size": 4096, "color": "red", "level": 2},
    {"text": "a", "numbers": [1, 2], "few": ["x"], "by_name": {"a": 1}, "by_number": {"1": "one"}},
    {"text": "a", "place": {"label": "here", "point": {"x": 1, "y": 2}, "tags": ["t"]}},
    {"text": "a", "shape": {"shape": "circle", "radius": 1}, "selector": {"kind": 2, "name": "n"}},
    {"text": "a", "anything": {"a": [1, 2], "b": {"c": None}}},
]
WRONG = [
    {},
    {"text": 5},
    {"text": "a", "unknown": 1},
    {"text": "a", "short_text": "a"},
    {"text": "a", "word": "A"},
    {"text": "a", "percent": 101},
    {"text": "a", "number": 1.5},
    {"text": "a", "duration": "5 parsecs"},
    {"text": "a", "color": "pink"},
    {"text": "a", "level": 9},
    {"text": "a", "few": []},
    {"text": "a", "by_number": {"one": "one"}},
    {"text": "a", "place": {"label": "here"}},
    {"text": "a", "shape": {"shape": "circle", "side": 1}},
    {"text": "a", "shape": {"radius": 1}},
    {"text": "a", "selector": {"kind": 3, "name": "n"}},
]


class PluginSchemaTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.write_config()
        self.plugin = ConformancePlugin(self.folder / "plugin")

    def schema(self, *arguments):
        result = self.call("plugin", "schema", self.plugin.reference(), *arguments)
        self.assertEqual(result.code, 0, result)
        return result.out

    def install_validator(self):
        """jsonschema, an independent judge, in an environment of the test's own."""
        subprocess.run([PYTHON, "-m", "venv", self.folder / "judge"], check=True)
        python = self.folder / "judge" / "bin" / "python"
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "jsonschema>=4.18"]
        subprocess.run(command, check=True)
        return python

    def verdicts(self, schema, inputs):
        script = (
            "import json, sys, jsonschema\n"
            "schema, inputs = json.load(sys.stdin)\n"
            "jsonschema.Draft202012Validator.check_schema(schema)\n"
            "judge = jsonschema.Draft202012Validator(schema)\n"
            "print(json.dumps([judge.is_valid(one) for one in inputs]))\n"
        )
        text = json.dumps([schema, inputs])
        run = subprocess.run([self.judge, "-c", script], input=text, capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr)
        return json.loads(run.stdout)

    def test_all_formats(self):
        wire = yaml.safe_load(self.schema("--format", "yaml"))
        self.assertEqual(wire, yaml.safe_load(self.schema()), "yaml is the default")
        self.assertEqual(json.loads(self.schema("--format", "json")).keys(), wire.keys())
        self.assertEqual(json.loads(self.schema("--output", "json")), json.loads(self.schema("--format", "json")))
        self.assertIn("echo", wire["steps"])
        self.assertEqual(wire["steps"]["hello"]["input"]["root"], "HelloInput")

        text = self.schema("--format", "markdown")
        for words in ("# Plugin conformance-plugin", "## Step `echo`", "Returns its input unchanged.", "`short\\_text`"):
            self.assertIn(words.replace("\\_", "_"), text)

        schema = json.loads(self.schema("--format", "jsonschema"))
        self.assertEqual(schema["$schema"], "https://json-schema.org/draft/2020-12/schema")
        self.judge = self.install_validator()
        self.assertEqual(self.verdicts(schema, [{"echo": one} for one in RIGHT]), [True] * len(RIGHT))
        self.assertEqual(self.verdicts(schema, [{"echo": one} for one in WRONG]), [False] * len(WRONG))
        self.assertEqual(self.verdicts(schema, [{}, {"hello": {"name": "x"}}, {"nosuch": {}}]), [True, True, False])
        # The schema of each step can be taken out and used alone.
        for step, alone in schema["$defs"].items():
            self.assertEqual(alone["$id"], step)
            self.verdicts(alone, [])
        self.assertEqual(self.verdicts(schema["$defs"]["echo"], RIGHT + WRONG), [True] * len(RIGHT) + [False] * len(WRONG))
        # What the schema says is what the engine does.
        for index, one in enumerate(RIGHT + WRONG):
            self.write("input.yaml", yaml.safe_dump(one))
            result = self.call("plugin", "run", self.plugin.reference(), "echo", "-i", "input.yaml")
            if index < len(RIGHT):
                self.assertEqual(result.code, 0, result)
            elif one not in ({"text": 5}, {"text": "a", "number": 1.5}):
                # A number is a text, and the texts of a YAML file are what they are read as.
                self.assertNotEqual(result.code, 0, result)

    def test_a_format_that_there_is_not(self):
        result = self.call("plugin", "schema", self.plugin.reference(), "--format", "xml")
        self.assertEqual(result.code, 2, result)
        self.assertIn("xml", result.err)


if __name__ == "__main__":
    harness.main()
