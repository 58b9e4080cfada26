"""Secrets are found in nothing that a run with report, events, logs and history has written."""

import json
import os

import harness
from harness import FunctionalTest
from spilling import HEAD, SpillPlugin, workflow

PASSWORD = "planted-password-4711"
LINES = ["MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7PLANTED", "VJTUt9Us8cKjMzEfYyjiWA4R4PLANTEDbS1GB4t7NXp98C3S"]
CERTIFICATE = "-----BEGIN PRIVATE KEY-----\n" + "\n".join(LINES) + "\n-----END PRIVATE KEY-----\n"
TOKEN = "planted-cluster-token-0815"
KUBECONFIG = f"""\
apiVersion: v1
kind: Config
clusters:
- name: here
  cluster: {{server: "https://cluster.example.org"}}
users:
- name: admin
  user:
    token: {TOKEN}
contexts: []
"""
PIN = "planted-pin-2468"
SECRETS = [PASSWORD, *LINES, TOKEN, PIN]

OUTPUTS = """\
  success:
    one: !expr $.steps.one.outputs.success
    token: !expr $.steps.one.outputs.success.token
  error:
    reason: !expr $.steps.one.outputs.error.reason
"""


class MaskingTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.write_config()
        config = (self.folder / "config.yaml").read_text()
        self.write(
            "config.yaml", "secretNames: [pin]\nlogged_outputs: {success: {level: info}, error: {level: info}}\n" + config
        )
        self.plugin = SpillPlugin(self.folder / "plugin")
        self.left = self.folder / "left"
        self.left.mkdir()

    def write_one(self, how, given=None):
        given = given or {"password": PASSWORD, "certificate": CERTIFICATE, "cluster": KUBECONFIG, "pin": PIN}
        step = self.plugin.step("one", "spill", json.dumps({**given, "how": how}))
        self.write("workflow.yaml", workflow(step, outputs=OUTPUTS))

    def run_all(self, *arguments, progress="plain"):
        return self.call(
            "-vv", "--state-dir", "left/state", "run", "workflow.yaml", "--events", "left/events", "--report",
            "left/report.html", "--junit", "left/junit.xml", "--progress", progress, *arguments,
        )  # fmt: skip

    def written(self):
        """Bytes of all files that the run has left, by name."""
        files = {path: path.read_bytes() for path in self.left.rglob("*") if path.is_file()}
        for name in ("events", "report.html", "junit.xml", "state/runs.sqlite"):
            self.assertIn(self.left / name, files)
        return files

    def require_masked(self, result):
        self.assertIn("[masked]", result.err, result)
        for secret in SECRETS:
            self.assertNotIn(secret, result.err, result)
            for path, data in self.written().items():
                self.assertNotIn(secret.encode(), data, path)

    def test_a_planted_secret_is_found_nowhere(self):
        for progress in ("plain", "json"):
            for how, code in (("ok", 0), ("error", 2), ("crash", 3)):
                with self.subTest(how=how, progress=progress):
                    self.write_one(how)
                    result = self.run_all(progress=progress)
                    self.assertEqual(result.code, code, result)
                    self.require_masked(result)
                    # The result is data, and stays what it is.
                    if how == "ok":
                        one = result.output["output_data"]["one"]
                        self.assertEqual(one["message"], f"welcome, {PASSWORD}")
                        self.assertEqual(one["certificate"], CERTIFICATE)
        shown = self.call("--state-dir", "left/state", "runs", "show", "latest")
        self.assertEqual(shown.code, 0, shown)
        for secret in SECRETS:
            self.assertNotIn(secret, shown.out)

    def test_secrets_of_an_input_and_of_a_wrong_one(self):
        step = self.plugin.step("one", "spill", "{password: !expr $.input.password, how: ok}")
        self.write("workflow.yaml", workflow(step, outputs=OUTPUTS))
        self.write("input.yaml", f"password: {PASSWORD}\n")
        result = self.run_all("-i", "input.yaml")
        self.assertEqual(result.code, 0, result)
        self.require_masked(result)
        # The message shows the line of the file.
        self.write("input.yaml", f"password: [{PASSWORD}]\n")
        result = self.run_all("-i", "input.yaml")
        self.assertEqual(result.code, 3, result)
        self.require_masked(result)

    def test_secrets_of_a_workflow_that_cannot_be_prepared(self):
        self.write_one("ok")
        text = (self.folder / "workflow.yaml").read_text()
        self.write("workflow.yaml", text.replace('"how"', '"hwo"'))
        result = self.run_all()
        self.assertEqual(result.code, 1, result)
        self.require_masked(result)

    def test_the_owner_may_see_them(self):
        self.write_one("crash")
        result = self.run_all("--no-mask")
        self.assertIn(f"last words: {PASSWORD}", result.err)
        files = self.written()
        for name in ("events", "report.html", "junit.xml", "state/runs.sqlite"):
            self.assertIn(PASSWORD.encode(), files[self.left / name], name)

    def test_the_go_face_masks_its_log(self):
        self.write_one("crash")
        result = self.call("-config", "config.yaml", "-debug", name="arcaflow")
        self.assertEqual(result.code, 3, result)
        self.assertIn("last words: [masked]", result.err)
        for secret in SECRETS:
            self.assertNotIn(secret, result.err)

    def test_items_of_a_loop(self):
        self.write(
            "workflow.yaml",
            HEAD
            + """\
steps:
  each:
    kind: foreach
    items: [{password: planted-in-item-1}, {password: planted-in-item-2}]
    workflow: item.yaml
outputs:
  success: {all: !expr $.steps.each.outputs.success.data}
""",
        )
        self.write(
            "item.yaml",
            """\
version: v0.2.0
input:
  root: Item
  objects:
    Item: {id: Item, properties: {password: {type: {type_id: string}}}}
steps:
"""
            + self.plugin.step("one", "spill", "{password: !expr $.input.password, how: ok}")
            + "outputs:\n  success: {m: !expr $.steps.one.outputs.success.message}\n",
        )
        result = self.run_all()
        self.assertEqual(result.code, 0, result)
        self.assertIn("planted-in-item-2", result.out)
        for data in [result.err.encode(), *self.written().values()]:
            self.assertNotIn(b"planted-in-item", data)


if __name__ == "__main__":
    harness.main()
