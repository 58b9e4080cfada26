"""Which Python a plugin gets: the one that is named, or the first that suits what the plugin says it needs."""

import json
import os
import subprocess

import harness
from harness import PYTHON, FunctionalTest, greeting

# Answers what it is asked about itself, and nothing else: it must not be used.
STUB = """\
#!/bin/sh
case "$2" in
*interpreter_facts.py) exec cat "$0.facts" ;;
esac
echo "the wrong Python was used: $*" >&2
exit 1
"""


class InterpreterTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        self.version = subprocess.run(
            [PYTHON, "-c", "import platform; print(platform.python_version())"], capture_output=True, text=True, check=True
        ).stdout.strip()
        self.path = {"PATH": f"{self.bin}:{os.path.dirname(PYTHON)}:/bin"}

    def stub(self, name, version, program=None):
        path = self.bin / name
        path.write_text(STUB)
        path.chmod(0o755)
        facts = {
            "program": program or str(path),
            "real_path": os.path.realpath(program or path),
            "version": version,
            "implementation": "cpython",
            "abi": "none",
            "platform": "linux",
        }
        (self.bin / f"{name}.facts").write_text(json.dumps(facts))
        return path

    def plugin_that_needs(self, requirement, file="pyproject.toml"):
        plugin = self.tiny()
        if file == "setup.cfg":
            plugin.write(file, f"[options]\npython_requires = {requirement}\n")
        elif file == "poetry":
            text = (plugin.folder / "pyproject.toml").read_text()
            plugin.write("pyproject.toml", f'{text}\n[tool.poetry.dependencies]\npython = "{requirement}"\n')
        else:
            text = (plugin.folder / "pyproject.toml").read_text()
            text = text.replace('"requires-python"', "").replace("[project]", f'[project]\nrequires-python = "{requirement}"')
            plugin.write("pyproject.toml", text)
        plugin.commit()
        return plugin

    def run_plugin(self, plugin, **settings):
        self.write_config(**{"pythonPath": None, **settings})
        self.write_workflow(plugin.reference())
        return self.run_workflow(env=self.path)

    def test_the_first_that_suits(self):
        for file, requirement in (("pyproject.toml", ">=3.9"), ("setup.cfg", ">=3.9,<4"), ("poetry", "^3.9")):
            with self.subTest(file):
                self.setUp()
                self.stub("python3", "3.8.1")
                self.stub("python", "2.7.18")
                plugin = self.plugin_that_needs(requirement, file)
                result = self.run_plugin(plugin)
                self.require_message(result, greeting(plugin))
                place = "setup.cfg" if file == "setup.cfg" else "pyproject.toml"
                self.assertIn(f"since it needs Python {requirement} ({place})", result.err)
                self.assertIn(f"'{self.bin}/python3' is Python 3.8.1", result.err)
                self.assertIn(f"'{PYTHON}' is Python {self.version}, which", result.err)
                # On the warm store too.
                result = self.run_plugin(plugin)
                self.require_message(result, greeting(plugin))
                self.assertEqual(len(self.environments()), 1)

    def test_those_with_a_version_in_their_name(self):
        # It says that it is newer than the others, and leads to a real one.
        self.stub("python3.98", "3.98.0")
        self.stub("python3.99", "3.99.0", program=PYTHON)
        self.stub("python3.100", "3.100.0")
        plugin = self.plugin_that_needs(">=3.99,<3.100")
        result = self.run_plugin(plugin)
        self.require_message(result, greeting(plugin))
        self.assertIn(f"'{self.bin}/python3.99' is Python 3.99.0, which tiny-plugin", result.err)
        self.assertIn(f"'{self.bin}/python3.100' is Python 3.100.0", result.err)
        self.assertNotIn("python3.98", result.err)

    def test_none_suits(self):
        self.stub("python3.98", "3.98.0")
        plugin = self.plugin_that_needs(">=3.99")
        result = self.run_plugin(plugin)
        self.require_failure(
            result,
            1,
            "no Python here suits tiny-plugin",
            "which needs Python >=3.99 (pyproject.toml)",
            f"'{PYTHON}' is Python {self.version}",
            f"'{self.bin}/python3.98' is Python 3.98.0",
            "install one",
        )
        self.assertEqual(self.environments(), [])
        self.assertEqual(plugin.take_marks(), [], "code of the plugin has run")

    def test_the_one_that_is_named_and_no_other(self):
        plugin = self.plugin_that_needs(">=3.9")
        old = self.stub("python3.8", "3.8.1")
        result = self.run_plugin(plugin, pythonPath=str(old))
        self.require_failure(
            result, 1, f"'{old}' is Python 3.8.1, but tiny-plugin", "needs Python >=3.9 (pyproject.toml)", "`pythonPath`"
        )
        result = self.run_plugin(plugin, pythonPath=PYTHON, pythonSemver="3.8.1")
        self.require_message(result, greeting(plugin))
        self.assertIn(f"is Python {self.version}, but pythonSemver says 3.8.1", result.err)


if __name__ == "__main__":
    harness.main()
