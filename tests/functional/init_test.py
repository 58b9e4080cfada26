"""venvoy init: what it writes runs as it is, and nothing is written over. Needs the package index for the SDK."""

import json

import harness
import yaml
from harness import MARKER, FunctionalTest


def files_below(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


class InitTest(FunctionalTest):
    def in_folder(self, folder, *arguments):
        """A command in a folder that was written, with the test's own store."""
        return self.call(*arguments, folder=folder, env={"VENVOY_WORKDIR": str(self.store)}, patience=300)

    def test_a_workflow(self):
        result = self.call("init", "first")
        self.assertEqual((result.code, result.out), (0, ""), result)
        folder = self.folder / "first"
        self.assertEqual(
            files_below(folder),
            {"workflow.yaml", "workflow.schema.json", "input.yaml", "config.yaml"}
            | {"plugin/pyproject.toml", f"plugin/{MARKER}"}
            | {"plugin/hello_plugin/__init__.py", "plugin/hello_plugin/__main__.py"},
        )
        for name in files_below(folder):
            self.assertIn(f"wrote first/{name}", result.err)
        self.assertIn("cd first\n", result.err)
        self.assertIn("venvoy run", result.err)
        # What the first line names for language servers is there.
        first_line = (folder / "workflow.yaml").read_text().splitlines()[0]
        marker, _, name = first_line.partition("$schema=")
        self.assertEqual(marker, "# yaml-language-server: ")
        schema = json.loads((folder / name).read_text())
        document = yaml.load((folder / "workflow.yaml").read_text(), TolerantLoader)
        self.assertEqual(set(document) - set(schema["properties"]), set())
        self.assertEqual(set(document["steps"]["greet"]) - set(schema["$defs"]["plugin_step"]["properties"]), set())
        # It runs as it is.
        self.require_message(self.in_folder(folder, "run"), "Hello, World!")
        self.write("first/input.yaml", "name: Everybody\n")
        self.require_message(self.in_folder(folder, "run", "-i", "input.yaml"), "Hello, Everybody!")
        check = self.in_folder(folder, "check", "-i", "input.yaml")
        self.assertEqual((check.code, check.output), (0, {"findings": []}), check)
        self.assertEqual(self.in_folder(folder, "plugin", "check", "./plugin").code, 0)
        self.assertEqual(self.in_folder(folder, "doctor").code, 0)
        # What has been run has left nothing beside it.
        self.assertEqual(len(files_below(folder)), 8)

    def test_here(self):
        result = self.call("init", folder=self.folder)
        self.assertEqual(result.code, 0, result)
        self.assertTrue((self.folder / "workflow.yaml").exists())
        self.assertNotIn("cd ", result.err)
        folder = self.folder / "elsewhere"
        folder.mkdir()
        self.assertEqual(self.call("--context", "elsewhere", "init", "a b").code, 0)
        self.assertTrue((folder / "a b" / "workflow.yaml").exists())

    def test_a_plugin(self):
        result = self.call("init", "--plugin", "Disk filler")
        self.assertEqual((result.code, result.out), (0, ""), result)
        folder = self.folder / "Disk filler"
        module = "disk_filler_plugin"
        self.assertEqual(
            files_below(folder),
            {MARKER, "pyproject.toml", "README.md", f"{module}/__init__.py", f"{module}/__main__.py"},
        )
        self.assertIn("cd 'Disk filler'\n", result.err)
        self.assertIn("venvoy plugin check .", result.err)
        for name in files_below(folder):
            text = (folder / name).read_text()
            self.assertNotIn("@NAME@", text, name)
            self.assertNotIn("@MODULE@", text, name)
        check = self.in_folder(folder, "plugin", "check", ".")
        self.assertEqual((check.code, check.output["contract"], check.output["steps"]), (0, "kept", ["hello"]), check)
        self.write("Disk filler/input.yaml", "name: World\n")
        self.require_message(self.in_folder(folder, "plugin", "run", ".", "hello", "-i", "input.yaml"), "Hello, World!")
        # As the README says, from a repository too.
        harness.git("init", "-q", folder=folder)
        harness.git("add", "-A", folder=folder)
        harness.git("commit", "-q", "-m", "First", folder=folder)
        harness.git("clone", "-q", str(folder), "repository", folder=self.folder)
        reference = f"disk-filler-plugin@git+file://{self.folder}/repository"
        shown = self.in_folder(self.folder, "plugin", "show", reference)
        self.assertEqual((shown.code, shown.output["contract"]), (0, "kept"), shown)

    def test_names_of_plugins(self):
        for folder, name in (
            ("json", "json-plugin"),
            ("arcaflow-plugin-kill-pod", "arcaflow-plugin-kill-pod"),
            ("7zip", "plugin-7zip"),
            ("--x.y__z", "x-y-z-plugin"),
            ("äöü", "my-plugin"),
        ):
            result = self.call("init", "--plugin", "--", folder)
            self.assertEqual(result.code, 0, result)
            self.assertIn(f'name = "{name}"\n', (self.folder / folder / "pyproject.toml").read_text())
            self.assertTrue((self.folder / folder / name.replace("-", "_") / "__main__.py").exists())

    def test_nothing_is_written_over(self):
        for arguments, name in (((), "plugin/pyproject.toml"), (("--plugin",), "README.md")):
            folder = self.folder / f"old{len(arguments)}"
            kept = self.write(f"{folder.name}/{name}", "mine")
            result = self.call("init", folder.name, *arguments)
            self.require_failure(result, 1, f"'{folder.name}/{name}'", "there already")
            self.assertEqual((files_below(folder), kept.read_text()), ({name}, "mine"))
        # A link that leads nowhere is there too.
        (self.folder / "linked").mkdir()
        (self.folder / "linked" / "input.yaml").symlink_to("nowhere")
        self.require_failure(self.call("init", "linked"), 1, "linked/input.yaml")
        # Twice is once too often.
        self.assertEqual(self.call("init", "new").code, 0)
        self.require_failure(self.call("init", "new"), 1, "there already")

    def test_where_nothing_can_be_written(self):
        self.write("file", "")
        self.require_failure(self.call("init", "file"), 1, "file")
        self.require_failure(self.call("init", "file/below"), 1, "file")

    def test_usage(self):
        self.assertEqual(self.call("init", "one", "two").code, 2)
        self.assertEqual(self.call("init", "--frobnicate").code, 2)


class TolerantLoader(yaml.SafeLoader):
    pass


TolerantLoader.add_multi_constructor("!", lambda loader, suffix, node: None)

if __name__ == "__main__":
    harness.main()
