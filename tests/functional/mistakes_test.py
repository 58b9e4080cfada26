"""Workflows with one mistake each: what `venvoy check` says of it, word for word.

mistakes/NNN-NAME has a workflow.yaml, what else is needed, and expected.txt: the text on standard error. A config.yaml
or input.yaml beside it is given to the command. `mistakes_test.py --renew` writes the expected texts anew; read each of
them as somebody who has made the mistake: what is wrong, where, and what to do?
"""

import json
import shutil
import subprocess
import sys

import harness
from harness import HERE, PYTHON, FunctionalTest

MISTAKES = HERE / "mistakes"
HOST = "https://plugins.example"
OUT_OF_REACH = ("loop-workflow-missing",)


class MistakesTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        # An interpreter that leaves a line whenever it is started, also when it is to take no notice of its environment.
        self.starts = self.folder / "python-starts"
        subprocess.run([PYTHON, "-m", "venv", "--without-pip", str(self.folder / "python")], check=True)
        (packages,) = (self.folder / "python" / "lib").glob("python*/site-packages")
        (packages / "count.pth").write_text(f"import sys; print(sys.argv, file=open({str(self.starts)!r}, 'a'))\n")
        self.tiny("tiny.git")
        self.plugin_marks = self.folder / "tiny.git.marks"
        self.tiny("closed.git", contract=False)
        self.write_config(
            "main.yaml", pythonPath=str(self.folder / "python" / "bin" / "python"), sourceRewrites=[{"from": HOST, "to": f"file://{self.folder}"}]
        )

    def case(self, name):
        return next(path for path in MISTAKES.iterdir() if path.name[4:] == name)

    def copy(self, case):
        folder = self.folder / "cases" / case.name
        shutil.copytree(case, folder, ignore=shutil.ignore_patterns("expected.txt"))
        return folder

    def check(self, case, *arguments):
        """`venvoy check` in a folder that is a copy of the case's."""
        folder = self.folder / "cases" / case.name
        if not folder.exists():
            self.copy(case)
        config = "config.yaml" if (folder / "config.yaml").exists() else str(self.folder / "main.yaml")
        given = ["-i", "input.yaml"] if (folder / "input.yaml").exists() else []
        return self.call("-q", "--config", config, *arguments, "check", "workflow.yaml", *given, folder=folder)

    def make_ready(self):
        """So that everything that can be known is known."""
        result = self.check(self.case("input-field-missing"))
        self.assertEqual(result.code, 1, result)
        for path in (self.starts, self.plugin_marks):
            path.unlink(missing_ok=True)

    def text_of(self, result):
        """Without what is another one each time."""
        return result.err.replace(str(self.folder), "@FOLDER@")

    def test_all(self):
        self.make_ready()
        cases = sorted(path for path in MISTAKES.iterdir() if path.is_dir())
        self.assertGreaterEqual(len(cases), 60)
        for case in cases:
            with self.subTest(case=case.name):
                result = self.check(case)
                # 3 where all that is wrong is that something cannot be reached.
                expected_code = 3 if case.name[4:] in OUT_OF_REACH else 1
                self.assertEqual(result.code, expected_code, result)
                text = self.text_of(result)
                expected = case / "expected.txt"
                if "--renew" in harness_arguments:
                    expected.write_text(text)
                self.assertEqual(text, expected.read_text())
        # All of it was known without any Python.
        self.assertFalse(self.starts.exists(), self.starts.exists() and self.starts.read_text())
        self.assertFalse(self.plugin_marks.exists())

    def test_as_data(self):
        self.make_ready()
        case = self.case("several-at-once")
        result = self.check(case, "--output", "json")
        findings = json.loads(result.out)["findings"]
        lines = [line for line in result.err.splitlines() if line.startswith("  --> ")]
        self.assertEqual(
            [f"  --> {finding['file']}:{finding['line']}:{finding['column']}" for finding in findings], lines
        )
        self.assertGreaterEqual(len(findings), 6)
        for finding in findings:
            self.assertIn(f"error: {finding['text']}", result.err)

    def test_the_correct_workflow(self):
        self.make_ready()
        case = self.case("input-field-missing")
        (self.folder / "cases" / case.name / "input.yaml").write_text("name: World\ncount: 3\ntags: [a]\n")
        result = self.check(case)
        self.assertEqual((result.code, result.err), (0, ""), result)

    def test_python_is_counted(self):
        case = self.case("input-field-missing")
        self.check(case)
        self.assertTrue(self.starts.exists())
        self.assertTrue(self.plugin_marks.exists())


harness_arguments = [argument for argument in sys.argv[1:] if argument == "--renew"]
sys.argv = [argument for argument in sys.argv if argument != "--renew"]

if __name__ == "__main__":
    harness.main()
