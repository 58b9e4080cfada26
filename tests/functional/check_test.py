"""venvoy check: everything that can be known before a run, all at once, with places (spec/command.md sections 2 and 8)."""

import json

import harness
from harness import FunctionalTest

HEAD = """\
version: v0.2.0
input:
  root: Input
  objects:
    Input: {id: Input, properties: {name: {type: {type_id: string}}, count: {type: {type_id: integer}}}}
"""


class CheckTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.write_config()
        self.plugin = self.tiny()

    def check(self, *arguments):
        result = self.call("check", "workflow.yaml", "--output", "json", *arguments)
        return result, json.loads(result.out)["findings"] if result.out else None

    def step(self, name, value, reference=None, rest=""):
        source = reference or self.plugin.reference()
        return f"""\
  {name}:
    plugin: {{deployment_type: python, src: "{source}"}}
    step: hello
    input: {{name: {value}}}
{rest}"""

    def write_steps(self, *steps, output="!expr $.steps.a.outputs"):
        return self.write("workflow.yaml", HEAD + "steps:\n" + "".join(steps) + f"outputs:\n  success: {{x: {output}}}\n")

    def test_nothing_found(self):
        self.write_steps(self.step("a", "!expr $.input.name"))
        self.write("input.yaml", "name: World\ncount: 1\n")
        result, findings = self.check("-i", "input.yaml")
        self.assertEqual((result.code, findings), (0, []), result)
        self.assertIn("module", self.plugin.take_marks())
        # Nothing of the plugin is run to learn what is known.
        result, findings = self.check()
        self.assertEqual((result.code, findings), (0, []), result)
        self.assertEqual(self.plugin.take_marks(), [])

    def test_all_at_once(self):
        self.write_steps(
            self.step("a", "!expr $.input.nmae"),
            self.step("b", "x", reference="lost@git+file:///nowhere/at/all"),
            self.step("c", "!expr $.steps.b.outputs.success.message"),
            self.step("d", "x", rest="    enabled: perhaps\n"),
            output="!expr $.steps.q.outputs",
        )
        self.write("input.yaml", "name: World\ncuont: 1\n")
        result, findings = self.check("-i", "input.yaml")
        self.assertEqual(result.code, 1, result)
        expected = [
            ("workflow.yaml", "$.input.nmae", "did you mean 'name'"),
            ("workflow.yaml", "nowhere", "repository not found"),
            ("workflow.yaml", "enabled: perhaps", "'enabled'"),
            ("workflow.yaml", "$.steps.q", "\"q\""),
        ]
        self.assertEqual(len(findings), len(expected), result)
        for finding, (file, place, words) in zip(findings, expected):
            self.assertEqual((finding["file"], finding["line"]), (file, self.line_of(place, file)), finding)
            self.assertIn(words, finding["text"])

    def test_the_input(self):
        self.write_steps(self.step("a", "!expr $.input.name"))
        self.write("input.yaml", "name: World\ncount: many\n")
        result, findings = self.check("-i", "input.yaml")
        self.assertEqual(result.code, 1, result)
        self.assertEqual([(finding["file"], finding["line"]) for finding in findings], [("input.yaml", 2)], result)
        self.write("input.yaml", "name: [World\n")
        result, findings = self.check("-i", "input.yaml")
        self.assertEqual((result.code, len(findings)), (1, 1), result)

    def test_what_is_surprising_is_a_warning(self):
        self.write_steps(
            self.step("a", "!expr $.input.name"),
            self.step("b", "!wait-optional $.steps.a.outputs.success.message", rest="    enabled: !expr '!true && false'\n"),
        )
        result, findings = self.check()
        self.assertEqual(result.code, 1, result)
        self.assertEqual([finding["severity"] for finding in findings], ["warning", "warning"], result)
        self.assertIn("is required, but its value is !wait-optional", findings[0]["text"])
        self.assertIn("'!' applies to everything to its right", findings[1]["text"])

    def test_a_folder_is_meant_from_the_workflow(self):
        self.write_steps(self.step("a", "x", reference="./plugin"))
        (self.folder / "elsewhere").mkdir()
        for command in (("check",), ("run", "--set", "name=World", "--set", "count=1")):
            arguments = ("--context", str(self.folder), *command, "workflow.yaml")
            result = self.call(*arguments, folder=self.folder / "elsewhere")
            self.assertEqual(result.code, 0, result)

    def test_could_not_look(self):
        self.write_steps(self.step("a", "x"))
        self.write("workdir", "a file")
        result = self.call("check", "workflow.yaml", "--workdir", "workdir")
        self.assertEqual(result.code, 3, result)
        result = self.call("check", "nothing.yaml")
        self.assertEqual(result.code, 3, result)
        self.assertIn("nothing.yaml", result.err)

    def test_usage(self):
        self.assertEqual(self.call("check", "--nothing").code, 2)


if __name__ == "__main__":
    harness.main()
