"""support/kubernetes_api.py itself: what plugins for pods ask of it is answered as a Kubernetes API server does."""

import pathlib
import shutil
import tempfile
import unittest

from harness import KubernetesApi, wait_until

PODS = [
    {"namespace": "default", "name": "web-1", "labels": {"app": "web", "tier": "front"}, "comes_back": True},
    {"namespace": "default", "name": "web-2", "labels": {"app": "web"}},
    {"namespace": "kube-system", "name": "dns", "labels": {"app": "dns"}},
]


class KubernetesApiTest(unittest.TestCase):
    def api(self, token=None):
        folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        api = KubernetesApi(folder, PODS, token)
        self.addCleanup(api.stop)
        return api

    def names(self, api, query):
        code, answer = api.call("GET", "/api/v1/pods" + query)
        self.assertEqual(code, 200)
        return [pod["metadata"]["name"] for pod in answer["items"]]

    def test_lists(self):
        api = self.api()
        self.assertEqual(self.names(api, ""), ["web-1", "web-2", "dns"])
        for selector, expected in (
            ("app=web", ["web-1", "web-2"]),
            ("app==web,tier=front", ["web-1"]),
            ("app!=web", ["dns"]),
            ("tier", ["web-1"]),
            ("!tier", ["web-2", "dns"]),
            ("app=nobody", []),
        ):
            self.assertEqual(self.names(api, "?labelSelector=" + selector.replace("=", "%3D")), expected, selector)
        self.assertEqual(self.names(api, "?fieldSelector=metadata.name%3Ddns"), ["dns"])
        self.assertEqual(api.pods("kube-system"), ["dns"])
        _, namespaces = api.call("GET", "/api/v1/namespaces")
        self.assertEqual([item["metadata"]["name"] for item in namespaces["items"]], ["default", "kube-system"])

    def test_pages(self):
        api = self.api()
        _, first = api.call("GET", "/api/v1/pods?limit=2")
        self.assertEqual(len(first["items"]), 2)
        _, rest = api.call("GET", f"/api/v1/pods?limit=2&continue={first['metadata']['continue']}")
        self.assertEqual([pod["metadata"]["name"] for pod in rest["items"]], ["dns"])
        self.assertNotIn("continue", rest["metadata"])

    def test_deleting(self):
        api = self.api()
        code, pod = api.call("DELETE", "/api/v1/namespaces/default/pods/web-2")
        self.assertEqual((code, pod["kind"]), (200, "Pod"))
        wait_until(lambda: api.call("GET", "/api/v1/namespaces/default/pods/web-2")[0] == 404, "the pod to go")
        self.assertEqual(api.pods("default"), ["web-1"])
        api.call("DELETE", "/api/v1/namespaces/default/pods/web-1")
        (successor,) = wait_until(lambda: [name for name in api.pods("default") if name != "web-1"], "a successor")
        self.assertRegex(successor, "^web-1-[0-9a-f]{5}$")
        code, status = api.call("DELETE", "/api/v1/namespaces/default/pods/web-1")
        self.assertEqual((code, status["kind"], status["reason"]), (404, "Status", "NotFound"))

    def test_making(self):
        api = self.api()
        pod = {"metadata": {"name": "new", "labels": {"app": "new"}}}
        self.assertEqual(api.call("POST", "/api/v1/namespaces/default/pods", pod)[0], 201)
        self.assertEqual(api.call("POST", "/api/v1/namespaces/default/pods", pod)[0], 409)
        self.assertEqual(self.names(api, "?labelSelector=app%3Dnew"), ["new"])

    def test_tokens(self):
        api = self.api("secret")
        self.assertEqual(len(api.pods()), 3)
        self.assertIn("token: secret", api.kubeconfig())
        api.token = "another"
        self.assertEqual(api.call("GET", "/version")[0], 401)


if __name__ == "__main__":
    unittest.main(verbosity=2)
