"""venvoy plan: what a run would do, and nothing is changed (spec/command.md section 2)."""

import json

import harness
from harness import FunctionalTest

HEAD = """\
version: v0.2.0
input:
  root: Input
  objects:
    Input: {id: Input, properties: {name: {type: {type_id: string}}}}
"""


class PlanTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.write_config()
        self.plugin = self.tiny()
        self.write("input.yaml", "name: World\n")

    def plan(self, *arguments, code=0):
        result = self.call("plan", "workflow.yaml", "--output", "json", *arguments)
        self.assertEqual(result.code, code, result)
        return json.loads(result.out)

    def step(self, name, value, reference=None, rest=""):
        source = reference or self.plugin.reference(self.plugin.head())
        return f"""\
  {name}:
    plugin: {{deployment_type: python, src: "{source}"}}
    step: hello
    input: {{name: {value}}}
{rest}"""

    def write_steps(self, *steps, output="!expr $.steps.a.outputs.success.message", file="workflow.yaml"):
        return self.write(file, HEAD + "steps:\n" + "".join(steps) + f"outputs:\n  success: {{x: {output}}}\n")

    def run_it(self):
        result = self.call("run", "workflow.yaml", "-i", "input.yaml")
        self.assertEqual(result.code, 0, result)

    def store_files(self):
        """What the store holds, but for what says when it was used last."""
        files = [path for pattern in ("env-v1/**/*", "wheel-v1/**/*", "tool-v1/**/*", "git-v1/**/*", "refs-v1/*", "verdict-v1/*",
                                      "schema-v1/*") for path in self.in_store(pattern)]
        return {str(path): path.stat().st_mtime_ns for path in files if path.is_file() and path.name != "lease"}

    def test_nothing_is_there_yet(self):
        self.write_steps(
            self.step("a", "!expr $.input.name"),
            self.step("b", "x", reference=self.plugin.reference("main")),
        )
        document = self.plan()
        self.assertEqual(document["findings"], [])
        pinned, branch = document["steps"]
        self.assertEqual((pinned["id"], pinned["kind"], pinned["step"]), ("a", "plugin", "hello"))
        self.assertEqual(pinned["plugin"], self.plugin.reference(self.plugin.head()))
        self.assertEqual((pinned["source"], pinned["commit"]), ("git", self.plugin.head()))
        self.assertEqual(pinned["environment"]["action"], "build")
        self.assertIn("has to be fetched", pinned["environment"]["why"])
        self.assertEqual(pinned["schema"], {"known": False})
        self.assertEqual(pinned["launcher"], "forkserver")
        self.assertEqual((branch["commit"], branch["environment"]["action"]), (None, "unknown"))
        # Nothing was fetched, built or run.
        self.assertEqual(self.store_files(), {})
        self.assertEqual(self.plugin.take_marks(), [])

    def test_what_is_there_is_reused(self):
        self.write_steps(self.step("a", "!expr $.input.name", reference=self.plugin.reference("main")))
        self.run_it()
        self.plugin.take_marks()
        first = self.plugin.head()
        before = self.store_files()
        self.plugin.change(text="the second commit")
        step = self.plan()["steps"][0]
        # A branch means what it meant when it was pulled.
        self.assertEqual(step["commit"], first)
        self.assertEqual(step["environment"]["action"], "reuse")
        self.assertIn(step["environment"]["path"], [str(path) for path in self.environments()])
        self.assertIn(step["environment"]["key"], step["environment"]["path"])
        self.assertRegex(step["environment"]["python"], r"^3\.\d+\.\d+$")
        self.assertEqual(step["schema"], {"known": True})
        self.assertEqual(self.store_files(), before)
        self.assertEqual(self.plugin.take_marks(), [])
        # Another commit is another environment.
        self.write_steps(self.step("a", "!expr $.input.name"))
        self.assertEqual(self.plan()["steps"][0]["environment"]["action"], "build")
        self.assertEqual(self.store_files(), before)

    def test_always_builds_anew(self):
        self.write_steps(self.step("a", "!expr $.input.name"))
        self.run_it()
        self.write_config(modulePullPolicy="Always")
        before = self.store_files()
        environment = self.plan()["steps"][0]["environment"]
        self.assertEqual(environment["action"], "build")
        self.assertIn("modulePullPolicy is Always", environment["why"])
        # Without the network the policy is not followed.
        self.assertEqual(self.plan("--offline")["steps"][0]["environment"]["action"], "reuse")
        self.assertEqual(self.store_files(), before)

    def test_order_and_sub_workflows(self):
        inner_output = "!expr $.steps.inner.outputs.success.message"
        self.write_steps(self.step("inner", "!expr $.input.name"), output=inner_output, file="sub.yaml")
        self.write_steps(
            self.step("d", "!expr $.steps.b.outputs.success.message", rest="    wait_for: !expr $.steps.c.outputs\n"),
            self.step("a", "!expr $.input.name"),
            self.step("b", "!expr $.steps.a.outputs.success.message"),
            self.step("c", "!wait-optional $.steps.a.outputs.error.reason"),
            "  loop: {kind: foreach, workflow: sub.yaml, items: [{name: x}], wait_for: !expr $.steps.d.outputs}\n",
            self.step("alone", "x"),
            output="!expr $.steps.loop.outputs.success.data",
        )
        document = self.plan()
        self.assertEqual(document["workflow"], "workflow.yaml")
        self.assertEqual([step["id"] for step in document["steps"]], ["d", "a", "b", "c", "loop", "alone"])
        needs = {step["id"]: step["depends_on"] for step in document["steps"]}
        self.assertEqual(
            needs, {"d": ["b", "c"], "a": [], "b": ["a"], "c": ["a"], "loop": ["d"], "alone": []}
        )
        self.assertEqual(document["stages"], [["a", "alone"], ["b", "c"], ["d"], ["loop"]])
        loop = document["steps"][4]
        self.assertEqual((loop["kind"], loop["workflow"]), ("foreach", "sub.yaml"))
        inner = document["sub_workflows"]["sub.yaml"]
        self.assertEqual(inner["stages"], [["inner"]])
        self.assertEqual(inner["steps"][0]["environment"]["action"], "build")

    def test_findings(self):
        self.write_steps(self.step("a", "!expr $.input.name"))
        self.run_it()
        # What can be seen without any plugin, and what needs one that is there.
        self.write_steps(self.step("a", "!expr $.input.nmae"))
        findings = self.plan(code=1)["findings"]
        self.assertEqual([(finding["file"], finding["line"]) for finding in findings],
                         [("workflow.yaml", self.line_of("nmae"))])
        self.write_steps(self.step("a", "x", reference="nonsense@@x"))
        document = self.plan(code=1)
        self.assertEqual((len(document["findings"]), "steps" in document), (1, False))
        self.write("workflow.yaml", "steps: [\n")
        self.assertNotEqual(self.plan(code=1)["findings"], [])

    def test_a_refused_plugin(self):
        closed = self.tiny("closed", contract=False)
        self.write_steps(self.step("a", "!expr $.input.name", reference=closed.reference(closed.head())))
        result = self.call("run", "workflow.yaml", "-i", "input.yaml")
        self.assertEqual(result.code, 1, result)
        # Now the verdict is known.
        findings = self.plan(code=1)["findings"]
        self.assertEqual(len(findings), 1)
        self.assertIn("impossible to run module", findings[0]["text"])

    def test_yaml(self):
        self.write_steps(self.step("a", "!expr $.input.name"))
        result = self.call("plan", "workflow.yaml")
        self.assertEqual((result.code, result.err), (0, ""), result)
        self.assertEqual(result.output["steps"][0]["id"], "a")


if __name__ == "__main__":
    harness.main()
