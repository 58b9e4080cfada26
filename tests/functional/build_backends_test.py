"""Plugins whose version comes from git, and plugins with submodules: they are built in a work tree with a real `.git`."""

import shutil

import harness
from harness import TINY, Repository, git, greeting
from package_indexes import INSTALLERS, IndexTest

PROJECT = """\
[build-system]
requires = ["setuptools>=64", "setuptools_scm>=8"]
build-backend = "setuptools.build_meta"

[project]
name = "tiny-plugin"
dynamic = ["version"]

[tool.setuptools]
packages = ["tiny_plugin"]

[tool.setuptools.package-data]
tiny_plugin = ["settings.json"]

[tool.setuptools_scm]
"""


class BuildBackendsTest(IndexTest):
    def run_tiny(self, reference):
        self.write_config(installer=self.installer)
        self.write_workflow(reference)
        return self.run_workflow(patience=600)

    def same_package(self, reference):
        self.index.address = lambda: None  # both have used the real index
        return self.same_manifest(reference)["package"]

    def test_version_from_git(self):
        plugin = self.tiny("plugin")
        (plugin.folder / "build_backend.py").unlink()
        plugin.write("pyproject.toml", PROJECT)
        shutil.copy(plugin.folder / "settings.json", plugin.folder / "tiny_plugin" / "settings.json")
        plugin.commit()
        git("tag", "v1.2.3", folder=plugin.folder)
        between = plugin.change(text="between tags")
        expected = {"v1.2.3": "1.2.3", between: f"1.2.4.dev1+g{between[:7]}"}
        for version, number in expected.items():
            for installer in INSTALLERS:
                with self.by(installer, version=number):
                    result = self.run_tiny(plugin.reference(version))
                    self.assertEqual(result.code, 0, result)
            package = self.same_package(plugin.reference(version))
            self.assertEqual(package["name"], "tiny-plugin")
            # How many digits of the commit there are is the back end's matter.
            self.assertTrue(package["version"].startswith(number), f"{package['version']}, not {number}")
            self.assertEqual("+" in package["version"], "+" in number)

    def test_submodules(self):
        module = Repository(self.folder / "module", TINY / "tiny_plugin")
        module.commit()
        plugin = self.tiny("plugin")
        git("rm", "-r", "-q", "tiny_plugin", folder=plugin.folder)
        shutil.rmtree(plugin.folder / "tiny_plugin", ignore_errors=True)
        allow = ("-c", "protocol.file.allow=always")
        git(*allow, "submodule", "add", "-q", "../module", "tiny_plugin", folder=plugin.folder)
        plugin.commit()
        server = self.git_server()
        for name, url in (("file", plugin.url), ("http", server.url("plain", "plugin/.git"))):
            if name == "http":
                # Relative to where the plugin is fetched from.
                shutil.copytree(module.folder / ".git", plugin.folder / "module")
            for installer in INSTALLERS:
                with self.by(installer, transport=name):
                    self.store = self.folder / f"{name}-{installer}"
                    self.require_message(self.run_tiny(plugin.reference(url=url)), greeting(plugin))


if __name__ == "__main__":
    harness.main()
