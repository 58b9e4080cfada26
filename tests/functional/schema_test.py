"""venvoy schema: what it says of all workflows and configurations that are right, and of typical mistakes."""

import json
import pathlib
import shutil

import jsonschema
import yaml

import harness
from harness import HERE, PROJECT, FunctionalTest

CASES = PROJECT / "tests" / "conformance"
MISTAKES = HERE / "mistakes"
SAMPLES = PROJECT / "samples"

# Mistakes of form: they need no plugin to be seen.
FORM = """version-missing version-malformed input-section-missing steps-section-missing outputs-section-missing
section-misspelled step-key-misspelled step-key-of-a-loop plugin-key-misspelled plugin-missing step-kind-misspelled
step-id-with-a-space a-list-instead-of-a-map property-without-type type-misspelled type-written-as-a-text output-and-outputs
""".split()
# And those that need the plugins of the workflow.
FILLED_IN = """plugin-step-misspelled plugin-step-missing step-input-missing required-field-missing unknown-field
field-misspelled text-for-an-integer integer-above-maximum wrong-unit float-out-of-range enum-value-misspelled
enum-integer-unknown list-too-long list-item-too-short scalar-for-a-list list-for-a-map wrong-value-in-a-map not-a-boolean
text-does-not-match-pattern nested-key-misspelled discriminator-missing discriminator-misspelled field-of-the-other-variant
""".split()
CONFIGURATION = """configuration-key-misspelled configuration-value-misspelled configuration-section-misspelled
configuration-with-both-forms configuration-wrong-unit""".split()


class Loader(yaml.SafeLoader):
    """Reads tagged values as a YAML language server does: `!expr TEXT` is TEXT."""


def tagged(loader, _, node):
    if isinstance(node, yaml.ScalarNode):
        return node.value
    return loader.construct_mapping(node, True) if isinstance(node, yaml.MappingNode) else loader.construct_sequence(node, True)


Loader.add_multi_constructor("!", tagged)


def read(path):
    return yaml.load(path.read_text(), Loader)


class SchemaTest(FunctionalTest):
    def judge(self, *arguments, **options):
        result = self.call("schema", *arguments, **options)
        self.assertEqual(result.code, 0, result)
        schema = json.loads(result.out)
        jsonschema.Draft202012Validator.check_schema(schema)
        return jsonschema.Draft202012Validator(schema)

    def require_valid(self, judge, path, name=None):
        found = [f"{list(error.absolute_path)}: {error.message[:300]}" for error in judge.iter_errors(read(path))]
        self.assertEqual(found, [], name or str(path))

    def mistakes(self, names):
        for name in names:
            (folder,) = MISTAKES.glob(f"[0-9][0-9][0-9]-{name}")
            yield name, folder

    def test_workflows(self):
        judge = self.judge("workflow")
        good = 0
        for case in sorted([*CASES.glob("workflows/*"), *CASES.glob("better/*")]):
            expected = json.loads((case / "expect.json").read_text())
            # What can be prepared is a right workflow, whatever becomes of it.
            if expected.get("exit_code") not in (0, 2, 3) or not (case / "workflow.yaml").exists():
                continue
            good += 1
            with self.subTest(case=case.name):
                self.require_valid(judge, case / "workflow.yaml")
        self.assertGreater(good, 150)
        for workflow in SAMPLES.glob("*/*.yaml"):
            if "steps" in (read(workflow) or {}):
                self.require_valid(judge, workflow)
        for name, folder in self.mistakes(FORM):
            with self.subTest(mistake=name):
                self.assertFalse(judge.is_valid(read(folder / "workflow.yaml")))

    def test_with_the_inputs_of_plugins(self):
        self.write_config(sourceRewrites=[{"from": "https://plugins.example", "to": f"file://{self.folder}"}])
        self.tiny("tiny.git")
        (right,) = MISTAKES.glob("*-input-field-missing")
        shutil.copy(right / "workflow.yaml", self.folder)
        judge = self.judge("workflow", "workflow.yaml")
        self.require_valid(judge, right / "workflow.yaml")
        for name, folder in self.mistakes(FILLED_IN):
            with self.subTest(mistake=name):
                self.assertFalse(judge.is_valid(read(folder / "workflow.yaml")))
                # It is the plugin's schema that sees it.
                self.require_valid(self.form, folder / "workflow.yaml")
        text = (right / "workflow.yaml").read_text()
        for line, valid in (
            ("mode: fast", True),
            ("mode: !expr $.input.name", True),
            ("size: 5MB", True),
            ("size: 5", True),
            ("names: [one, !expr $.input.name]", True),
            ("labels: {one: 1}", True),
            ("figure: {kind: circle, radius: 3}", True),
            ("target: {host: example.org, port: !expr $.input.count}", True),
            ("target: !oneof {discriminator: x, one_of: {a: !expr $.input.name}}", True),
            ("target: {host: example.org, port: eighty}", False),
        ):
            path = self.write("line.yaml", text.replace("$.input.count\n", f"$.input.count\n      {line}\n"))
            self.assertEqual(judge.is_valid(read(path)), valid, line)

    @property
    def form(self):
        return self.judge("workflow")

    def test_a_plugin_that_is_not_there(self):
        self.write_config()
        self.write_workflow("lost@git+file:///nowhere/at/all")
        result = self.call("schema", "workflow", "workflow.yaml")
        self.assertEqual(result.code, 1, result)
        self.assertIn("repository not found", result.err)
        self.assertIn("$defs", json.loads(result.out))
        self.require_failure(self.call("schema", "workflow", "missing.yaml"), 1, "missing.yaml")

    def test_configurations(self):
        judge = self.judge("config")
        good = 0
        for path in sorted([*CASES.glob("*/*/config.yaml"), *SAMPLES.glob("*/config.yaml"), *pathlib.Path(PROJECT).glob("docs/*.yaml")]):
            expected = json.loads((path.parent / "expect.json").read_text()) if (path.parent / "expect.json").exists() else {}
            if expected.get("exit_code", 0) == 0 and read(path) is not None:
                good += 1
                self.require_valid(judge, path)
        self.assertGreater(good, 1)
        for text, valid in (
            ("deployer: {type: python, pythonPath: /usr/bin/python3, workdir: /tmp}", True),
            ("deployers: {image: {deployer_name: podman}}", True),
            ("deployers: {python: {deployer_name: python, limits: {helloTimeout: 5s}}}", True),
            ("log: {level: debug}\nlogged_outputs: {error: {level: error}}\nsecretNames: [apiKey]", True),
            ("deployer: {type: pyhton}", False),
            ("deployers: {ptyhon: {deployer_name: python}}", False),
            ("log: {level: loud}", False),
        ):
            self.assertEqual(judge.is_valid(yaml.safe_load(text)), valid, text)
        for name, folder in self.mistakes(CONFIGURATION):
            with self.subTest(mistake=name):
                self.assertFalse(judge.is_valid(read(folder / "config.yaml")))

    def test_usage(self):
        for arguments in ((), ("frobnicate",), ("config", "surplus"), ("workflow", "a.yaml", "b.yaml")):
            self.assertEqual(self.call("schema", *arguments).code, 2, arguments)


if __name__ == "__main__":
    harness.main()
