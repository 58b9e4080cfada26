"""Every code block of the documents is run, in the order of the document, in a new folder with an empty home.

What a block is says the text behind its fence:

    sh             commands; they must end well (`sh exit=2`: with that code)
    sh project     the same in the folder of this project
    sh ci          commands that take too long here; each must be a part of `.ci/run` or of the scripts that it calls
    output         what the `sh` block before has said: standard error and standard output together. A line `...` stands for
                   any lines, `…` for any text in a line
    yaml FILE      the content of a file (also python, toml, cpp)
    text           a picture in letters, no code
    cpp, python    without a file: programs of README.md, which have tests of their own (ELSEWHERE)

Everything else makes the test fail: no block is left out.
"""

import os
import pathlib
import re
import shutil
import subprocess

import harness
from harness import HELLO, PROJECT, PYTHON, FunctionalTest

DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "samples/*.md", "samples/*/*.md")
    for path in PROJECT.glob(pattern)
)
FENCE = re.compile(r"^( *)```(.*)$")
# Who runs what needs more than the program: blocks of README.md by their kind.
ELSEWHERE = {"cpp": "install_test.py", "python": "python_test.py"}
FILES = ("yaml", "python", "toml", "cpp", "json")


class Block:
    def __init__(self, line, info, text):
        self.line, self.info, self.text = line, info.split(), text


def blocks_of(text):
    lines = iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        fence = FENCE.match(line)
        if not fence:
            continue
        content = []
        for _, inner in lines:
            if inner.strip() == "```":
                break
            content.append(inner[len(fence[1]) :])
        else:
            raise AssertionError(f"line {number}: the block does not end")
        yield Block(number, fence[2], "\n".join(content) + "\n")


def pattern_of(text):
    parts = []
    for line in text.splitlines():
        if line.strip() == "...":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*".join(re.escape(part) for part in line.rstrip().split("…")) + r"[ ]*\n")
    return "".join(parts)


class DocsTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        # The plugin that documents name by a place on example.org, with the commit that scripts/demo makes.
        hello = self.folder / "example" / "venvoy-hello.git"
        shutil.copytree(HELLO, hello, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        by = ["-c", "user.name=venvoy", "-c", "user.email=venvoy@example.org"]
        date = "2026-01-01T00:00:00Z"
        people = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in (("NAME", "venvoy"), ("EMAIL", "venvoy@example.org"), ("DATE", date))}
        for command in (["init", "-q", "-b", "main"], ["add", "-A", "-f"], [*by, "commit", "-q", "-m", "A plugin that greets"]):
            subprocess.run(["git", *command], cwd=hello, env={**os.environ, **people}, check=True)
        home = self.folder / "home"
        self.write(
            "home/.config/venvoy/config.yaml",
            "deployers:\n  python:\n    deployer_name: python\n"
            f"    sourceRewrites: [{{from: 'https://example.org/', to: 'file://{self.folder}/example/'}}]\n",
        )
        path = f"{pathlib.Path(self.program).parent}:{os.environ['PATH']}"
        self.variables = self.environment(
            HOME=str(home), PATH=path, VENVOY_WORKDIR=str(self.store), VENVOY_SOURCES=str(PROJECT), LC_ALL="C.UTF-8"
        )
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
            self.variables.pop(name, None)

    def run_commands(self, text, folder):
        """Runs them with bash; the folder in which they end is that of the next ones."""
        script = f"set -euo pipefail\ntrap 'pwd > {self.folder}/here' EXIT\n{text}"
        run = subprocess.run(
            ["bash", "-c", script],
            cwd=folder,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
        )
        return run.returncode, run.stdout, pathlib.Path((self.folder / "here").read_text().strip())

    def run_document(self, name, text):
        folder = self.folder / "documents" / name.replace("/", "-")
        folder.mkdir(parents=True)
        said = None
        for block in blocks_of(text):
            where = f"{name}:{block.line}"
            kind, rest = (block.info or [""])[0], block.info[1:]
            if kind == "sh" and rest == ["ci"]:
                self.require_in_ci(block.text, where)
                said = None
            elif kind == "sh":
                project = "project" in rest
                expected = next((int(word[5:]) for word in rest if word.startswith("exit=")), 0)
                self.assertTrue(all(word == "project" or word.startswith("exit=") for word in rest), where)
                code, said, here = self.run_commands(block.text, PROJECT if project else folder)
                self.assertEqual(code, expected, f"{where}\n{said}")
                folder = folder if project else here
            elif kind == "output":
                self.assertIsNotNone(said, f"{where}: no commands before it")
                self.assertRegex(said, re.compile("^" + pattern_of(block.text) + "$", re.MULTILINE), where)
            elif name == "README.md" and kind in ELSEWHERE and not rest:
                test = (PROJECT / "tests" / "functional" / ELSEWHERE[kind]).read_text()
                self.assertIn('"README.md"', test, where)
                self.assertIn(f"```{kind}", test, where)
            elif kind in FILES and len(rest) == 1:
                file = folder / rest[0]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(block.text)
                self.require_correct(file, kind, where)
            else:
                self.assertEqual(kind, "text", f"{where}: what is this block?")

    def require_in_ci(self, text, where):
        known = "".join((PROJECT / name).read_text() for name in (".ci/run", "scripts/test", "scripts/demo", "scripts/setup"))
        for line in text.splitlines():
            command = line.partition("#")[0].strip()
            if command and command != ".ci/run":
                words = command.replace("build/dev", "build/").replace("build/release", "build/")
                first = " ".join(words.split()[:1])
                self.assertIn(first, known, f"{where}: {command}")
                self.assertTrue((PROJECT / first).exists() or first in ("ctest", "cmake"), f"{where}: {command}")

    def require_correct(self, file, kind, where):
        """Files that no later command may use are looked at here."""
        if kind == "yaml" and file.name.startswith("config"):
            self.assertEqual(self.check_configuration(file), "", where)
        elif kind == "python":
            compile(file.read_text(), str(file), "exec")

    def check_configuration(self, file):
        """What is wrong with it."""
        workflow = file.parent / "empty-workflow.yaml"
        workflow.write_text("")
        result = self.call("--config", str(file), "-q", "check", str(workflow))
        workflow.unlink()
        return "" if result.err.startswith("error: empty workflow file") else result.err

    def test_all(self):
        self.assertGreater(len(DOCUMENTS), 10)
        for path in DOCUMENTS:
            name = str(path.relative_to(PROJECT))
            with self.subTest(document=name):
                self.run_document(name, path.read_text())

    def test_generated(self):
        run = subprocess.run(
            [PYTHON, str(PROJECT / "docs" / "generate"), "--check", self.program], capture_output=True, text=True
        )
        self.assertEqual((run.returncode, run.stderr), (0, ""))

    def test_links(self):
        for path in DOCUMENTS:
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text()):
                self.assertTrue((path.parent / target).exists(), f"{path}: {target}")

    def test_a_block_that_is_wrong_is_found(self):
        for number, text in enumerate((
            "```\nls\n```\n",
            "```sh maybe\nls\n```\n",
            "```sh\nfalse\n```\n",
            "```sh exit=2\ntrue\n```\n",
            "```output\nx\n```\n",
            "```sh\necho a\n```\n```output\nb\n```\n",
            "```sh\necho a; echo b; echo c\n```\n```output\na\nc\n```\n",
            "```sh ci\nscripts/frobnicate\n```\n",
            "```yaml config.yaml\nfrobnicate: 1\n```\n",
            "```ruby x.rb\n```\n",
        )):
            with self.assertRaises(AssertionError, msg=text):
                self.run_document(f"wrong-{number}", text)


if __name__ == "__main__":
    harness.main()
