"""venvoy graph: the dependency graph as a picture (spec/command.md section 2)."""

import re
import xml.etree.ElementTree as ElementTree

import harness
from harness import FunctionalTest

SVG = "{http://www.w3.org/2000/svg}"

HEAD = """\
version: v0.2.0
input:
  root: Input
  objects:
    Input: {id: Input, properties: {name: {type: {type_id: string}}}}
"""


class GraphTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.write_config()
        self.plugin = self.tiny()

    def step(self, name, value, rest=""):
        return f"""\
  {name}:
    plugin: {{deployment_type: python, src: "{self.plugin.reference()}"}}
    step: hello
    input: {{name: {value}}}
{rest}"""

    def write_steps(self, *steps, outputs, file="workflow.yaml"):
        self.write(file, HEAD + "steps:\n" + "".join(steps) + "outputs:\n" + outputs)

    def write_chain(self):
        self.write_steps(
            self.step("first", "!expr $.input.name"),
            self.step("second", "!expr $.steps.first.outputs.success.message"),
            outputs="  success: {m: !expr $.steps.second.outputs.success.message}\n"
            "  error: {r: !expr $.steps.second.outputs.error.reason}\n",
        )

    def graph(self, *arguments):
        result = self.call("graph", "workflow.yaml", *arguments)
        self.assertEqual(result.code, 0, result)
        return result.out

    def boxes(self, svg):
        """Upper edge of each node's box, by id, of a document that is well-formed."""
        root = ElementTree.fromstring(svg)
        self.assertEqual(root.tag, SVG + "svg")
        groups = [group for group in root.iter(SVG + "g") if group.get("id")]
        return {group.get("id"): float(group.find(SVG + "rect").get("y")) for group in groups}

    def test_svg(self):
        self.write_chain()
        svg = self.graph()
        boxes = self.boxes(svg)
        self.assertEqual(
            sorted(boxes), ["input", "outputs.error", "outputs.success", "steps.first", "steps.second"], svg
        )
        self.assertLess(boxes["input"], boxes["steps.first"])
        self.assertLess(boxes["steps.first"], boxes["steps.second"])
        self.assertLess(boxes["steps.second"], boxes["outputs.success"])
        self.assertEqual(boxes["outputs.error"], boxes["outputs.success"])
        labels = [text.text for text in ElementTree.fromstring(svg).iter(SVG + "text") if text.get("class") == "label"]
        self.assertEqual(labels, ["outputs.error"])
        # Nothing is loaded from anywhere, and it is the same each time.
        self.assertEqual(re.findall(r"https?://[^\"]*", svg), ["http://www.w3.org/2000/svg"])
        self.assertEqual(self.graph("--format", "svg"), svg)

    def test_dot(self):
        self.write_chain()
        lines = [line.strip() for line in self.graph("--format", "dot").splitlines()]
        self.assertEqual(lines[0], 'digraph "workflow.yaml" {')
        self.assertEqual(lines[-1], "}")
        for line in (
            '"input" -> "steps.first";',
            '"steps.first" -> "steps.second";',
            '"steps.second" -> "outputs.success";',
            '"steps.second" -> "outputs.error" [label="outputs.error"];',
        ):
            self.assertIn(line, lines)

    def test_mermaid_is_what_the_log_has(self):
        self.write_chain()
        chart = self.graph("--format", "mermaid")
        self.assertTrue(chart.startswith("flowchart LR\n"), chart)
        self.write("input.yaml", "name: World\n")
        log = self.call("-vv", "run", "workflow.yaml", "-i", "input.yaml")
        self.assertEqual(log.code, 0, log)
        logged = [line.strip() for line in log.err.splitlines() if "-->" in line or "-.->" in line]
        drawn = [line.strip() for line in chart.splitlines()[1:]]
        self.assertEqual([line for line in drawn if line not in logged], [], log)

    def test_a_loop_names_its_file(self):
        self.write_steps(
            self.step("inner", "!expr $.input.name"),
            outputs="  success: {m: !expr $.steps.inner.outputs.success.message}\n",
            file="sub<1>.yaml",
        )
        self.write_steps(
            "  loop: {kind: foreach, workflow: 'sub<1>.yaml', items: [{name: a}]}\n",
            outputs="  success: {all: !expr $.steps.loop.outputs.success.data}\n",
        )
        svg = self.graph()
        self.assertEqual(sorted(self.boxes(svg)), ["input", "outputs.success", "steps.loop"])
        texts = [text.text for text in ElementTree.fromstring(svg).iter(SVG + "text")]
        self.assertIn("sub<1>.yaml", texts)

    def test_many_steps(self):
        steps = [self.step("s0", "!expr $.input.name")]
        for number in range(1, 1000):
            steps.append(self.step(f"s{number}", f"!expr $.steps.s{number // 2}.outputs.success.message"))
        self.write_steps(*steps, outputs="  success: {m: !expr $.steps.s999.outputs.success.message}\n")
        self.assertEqual(len(self.boxes(self.graph())), 1002)

    def test_errors(self):
        self.write_steps(self.step("a", "!expr $.input.nmae"), outputs="  success: {m: !expr $.steps.b.outputs}\n")
        result = self.call("graph", "workflow.yaml")
        self.assertEqual((result.code, result.out), (1, ""), result)
        self.assertIn("nmae", result.err)
        self.assertIn(f"workflow.yaml:{self.line_of('$.steps.b')}:", result.err)


if __name__ == "__main__":
    harness.main()
