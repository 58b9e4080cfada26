"""The plugin of the project's first example, the real one, kills a pod: by hand, since its repository is not ours.

    real_kill_pod.py MIRROR     a clone of it, as a URL or a folder

The reference is the one that people write; `sourceRewrites` leads to the mirror, its dependencies come from the package
index. The Kubernetes API server is ours. RUNS.md tells what was seen.
"""

import pathlib
import sys
import unittest

import harness
from harness import FunctionalTest, KubernetesApi

URL = "https://github.com/redhat-chaos/arcaflow-plugin-kill-pod.git"
REFERENCE = f"arcaflow-plugin-kill-pod@git+{URL}@a34551a4aa68d822ba54f338148ca6e6a28c493b"
PODS = [
    {"namespace": "default", "name": "nginx-1", "labels": {"app": "nginx"}},
    {"namespace": "default", "name": "web-1", "labels": {"app": "web"}},
    {"namespace": "kube-system", "name": "nginx-2", "labels": {"app": "nginx"}},
]
WORKFLOW = f"""\
version: v0.2.0
input:
  root: Input
  objects:
    Input:
      id: Input
      properties:
        kubeconfig: {{type: {{type_id: string}}}}
steps:
  kill:
    plugin: {{deployment_type: python, src: "{REFERENCE}"}}
    step: kill-pods
    input:
      namespace_pattern: ^default$
      name_pattern: ^nginx-.*$
      kill: 1
      timeout: 30
      kubeconfig: !expr $.input.kubeconfig
outputs:
  success:
    pods: !expr $.steps.kill.outputs.success.pods
  error:
    error: !expr $.steps.kill.outputs.error.error
"""
OPTIONS = {}


class RealKillPod(FunctionalTest):
    def setUp(self):
        super().setUp()
        # Without a login: the library that this version takes reads a token, but never sends it.
        self.api = KubernetesApi(self.folder, PODS)
        self.addCleanup(self.api.stop)
        self.write("workflow.yaml", WORKFLOW)
        indented = self.api.kubeconfig().replace("\n", "\n  ")
        self.write("input.yaml", f"kubeconfig: |\n  {indented}")

    def kill(self, **settings):
        self.write_config(sourceRewrites=[{"from": URL, "to": OPTIONS["mirror"]}], pythonPath=None, **settings)
        return self.call("-v", "run", "workflow.yaml", "-i", "input.yaml", patience=600)

    def test_with_one_key_it_kills_a_pod(self):
        for installer in ("uv", "pip"):
            with self.subTest(installer=installer):
                self.store = self.folder / f"store-{installer}"
                self.api.call("POST", "/api/v1/namespaces/default/pods", {"metadata": {"name": "nginx-1"}})
                result = self.kill(overrideModuleCompatibility=True, installer=installer)
                print(result, flush=True)
                self.assertEqual(result.code, 0)
                (pod,) = result.output["output_data"]["pods"].values()
                self.assertEqual(pod, {"namespace": "default", "name": "nginx-1"})
                self.assertEqual(self.api.pods("default"), ["web-1"])
                self.assertEqual(self.api.pods("kube-system"), ["nginx-2"])
                self.assertIn("DELETE /api/v1/namespaces/default/pods/nginx-1", self.api.requests())
                (ready,) = self.environments()
                print((ready / "ready.json").read_text()[:1500], flush=True)

    def test_without_the_key_it_is_refused(self):
        result = self.kill()
        print(result, flush=True)
        self.require_failure(result, 1, f"impossible to run module arcaflow-plugin-kill-pod, from repo {URL}",
                             f"no file {harness.MARKER}", "`overrideModuleCompatibility: true`", "--allow-incompatible")
        self.assertEqual(self.api.requests(), [])


if __name__ == "__main__":
    mirror = sys.argv.pop(1)
    OPTIONS["mirror"] = mirror if "://" in mirror else f"file://{pathlib.Path(mirror).resolve()}"
    harness.main()
