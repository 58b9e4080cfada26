"""A plugin like the first one that people try: of 2023, on SDK 0.10 and protocol version 1, with a poetry.lock and
without a contract file. Today's dependencies break it; it must run with one key in the configuration and nothing else."""

import harness
from harness import MARKER, Repository, git
from package_indexes import INSTALLERS, IndexTest

DATE = "2023-05-04T14:40:26Z"

WORKFLOW = """\
version: v0.2.0
input:
  root: Input
  objects:
    Input: {id: Input, properties: {}}
steps:
  kill:
    plugin: {deployment_type: python, src: "@REFERENCE@"}
    step: kill-pods
    input:
      namespace_pattern: ^default$
      name_pattern: ^nginx-.*$
      kill: 1
      pods: [{namespace: default, name: other-1}, {namespace: default, name: nginx-1}, {namespace: kube, name: nginx-2}]
outputs:
  success:
    pods: !expr $.steps.kill.outputs.success.pods
  error:
    error: !expr $.steps.kill.outputs.error.error
"""
POD = {"namespace": "default", "name": "nginx-1"}


class OldPluginTest(IndexTest):
    def setUp(self):
        super().setUp()
        self.plugin = Repository(self.folder / "old-plugin", harness.HERE / "plugins" / "old")
        git("add", "-A", "-f", folder=self.plugin.folder)
        git("commit", "-q", "-m", "A plugin", folder=self.plugin.folder, date=DATE)
        self.reference = f"old-plugin@git+{self.plugin.url}@{self.plugin.head()}"

    def run_old(self, patience=600, **settings):
        self.write_config(installer=self.installer, **settings)
        self.write("workflow.yaml", WORKFLOW.replace("@REFERENCE@", self.reference))
        return self.call("-v", "run", "workflow.yaml", patience=patience)

    def require_killed(self, result):
        self.assertEqual(result.code, 0, result)
        self.assertEqual(result.output, {"output_id": "success", "output_data": {"pods": {0: POD}}}, result)

    def same(self):
        self.index.address = lambda: None  # both have used the real index
        return self.same_manifest(self.reference)

    def test_without_the_key_it_is_refused(self):
        result = self.run_old()
        self.require_failure(
            result,
            1,
            f"impossible to run module old-plugin, from repo {self.plugin.url}",
            f"no file {MARKER}",
            f"add an empty file {MARKER} to the root of the plugin",
            f"--allow-incompatible '{self.reference}'",
            "`overrideModuleCompatibility: true`",
        )
        self.require_nothing_made()

    def test_with_the_key_it_runs(self):
        for installer in INSTALLERS:
            with self.by(installer):
                result = self.run_old(overrideModuleCompatibility=True)
                self.require_killed(result)
                self.assertRegex(result.err, "warning: running incompatible module old-plugin")
        manifest = self.same()
        self.assertEqual(manifest["resolution"]["mode"], "locked")
        versions = self.versions(manifest)
        self.assertEqual(len(versions), 15)
        for name, version in {"arcaflow-plugin-sdk": "0.10.0", "cbor2": "5.4.6", "Twisted": "22.10.0"}.items():
            self.assertEqual(versions[name], version)

    def test_as_of_its_commit_it_runs_too(self):
        # Then PyYAML has no wheel for this Python, and its build breaks with what it would get today.
        for installer in INSTALLERS:
            with self.by(installer):
                self.require_killed(self.run_old(overrideModuleCompatibility=True, dependencyResolution="asOfCommit"))
        # What is built here has no hash of its own: uv keeps wheels that it has built for somebody else before.
        both = []
        for installer in INSTALLERS:
            self.store = self.folder / f"store-{installer}"
            self.write_config(installer=installer)
            manifest = self.manifest(self.reference)
            self.assertEqual(manifest["resolution"], {"mode": "asOfCommit", "input": DATE})
            both.append(self.versions(manifest))
        self.assertEqual(*both)
        self.assertEqual(both[0]["cbor2"], "5.4.6")

    def test_with_the_newest_it_does_not_run(self):
        result = self.run_old(overrideModuleCompatibility=True, dependencyResolution="newest")
        self.assertEqual(result.code, 1, result)
        self.assertIn("old-plugin", result.err)


if __name__ == "__main__":
    harness.main()
