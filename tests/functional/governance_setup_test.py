"""The set-up of a management cluster against a kubectl of ours (spec/governance.md section 9, statements 54 to 57)."""

import json
import os
import stat

from governance_harness import GovernanceTest
from harness import main

KUBECTL = """#!/usr/bin/python3
import json, os, sys
folder = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(folder, "calls.jsonl"), "a") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
failing = os.path.join(folder, "failing")
if os.path.exists(failing) and open(failing).read() in sys.argv:
    print("the server is away", file=sys.stderr)
    sys.exit(1)
deployment = os.path.join(folder, "deployment.json")
if "patch" in sys.argv:
    patch = json.loads(sys.argv[sys.argv.index("-p") + 1])
    with open(deployment) as file:
        now = json.load(file)
    env = {each["name"]: each for each in now["spec"]["template"]["spec"]["containers"][0]["env"]}
    env.update({each["name"]: each for each in patch["spec"]["template"]["spec"]["containers"][0]["env"]})
    now["spec"]["template"]["spec"]["containers"][0]["env"] = list(env.values())
    with open(deployment, "w") as file:
        json.dump(now, file)
elif "get" in sys.argv and "deployment" in sys.argv:
    print(open(deployment).read())
"""

GROUPS = ["registry-db", "registry-services", "utilities", "metrics-db", "metrics-services", "core"]
APPLIES = ["db.registry.apply", "services.registry.apply", "utilities.apply", "db.metrics.apply", "services.metrics.apply",
           "core.apply"]


class Setup(GovernanceTest):
    def setUp(self):
        super().setUp()
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        (self.bin / "kubectl").write_text(KUBECTL)
        (self.bin / "kubectl").chmod(0o755)
        self.manifests = self.folder / "manifests"
        for group in GROUPS:
            (self.manifests / group).mkdir(parents=True)
            (self.manifests / group / "a.yaml").write_text(
                f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {group}, namespace: services}}\n"
                "spec: {template: {spec: {containers: [{name: x, image: some/image:1}]}}}\n")
        (self.manifests / "registry-db" / "b.yaml").write_text(
            "apiVersion: v1\nkind: Service\nmetadata: {name: registry-${REPLICA}}\n---\n"
            "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data-${REPLICA}}\n"
            "spec: {resources: {requests: {storage: '${REGISTRY_SIZE}'}}}\n---\n"
            "apiVersion: batch/v1\nkind: Job\nmetadata: {name: initiate}\n")

    def setup_command(self, *arguments, output="json", path=None):
        return self.governance("setup", *arguments, output=output, env={"PATH": path or f"{self.bin}:{os.environ['PATH']}"})

    def calls(self):
        file = self.bin / "calls.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    nodes = ("--registry-node", "n1", "--metrics-node", "n2")

    def test_54_the_plan_needs_no_kubectl(self):
        result = self.setup_command("--plan", "--offline", *self.nodes, path="/nowhere")
        self.assertEqual(result.code, 0, result)
        plan = json.loads(result.out)
        steps = {step["id"]: step for step in plan["plan"]}
        self.assertEqual(steps["label.registry.n1"]["argv"],
                         ["kubectl", "label", "node", "n1", "registry=yes", "--overwrite"])
        labels = [word for step in plan["plan"] for word in step["argv"] if word.endswith("=yes")]
        for label in ("registry=yes", "metrics=yes", "metrics-db=yes"):
            self.assertIn(label, labels)
        self.assertEqual([step["id"] for step in plan["plan"] if step["id"].endswith(".apply")], APPLIES)
        self.assertEqual(plan["parameters"], {"REGISTRY_REPLICAS": 3, "REGISTRY_SIZE": "10Gi", "METRICS_REPLICAS": 3,
                                              "METRICS_SIZE": "10Gi"})
        self.assertIn("only 1 nodes are labelled", result.err)
        self.assertIn("REGISTRY_REPLICAS is 4", self.setup_command("--offline", *self.nodes, "REGISTRY_REPLICAS=4").err)
        with_manifests = self.setup_command("--plan", "--offline", *self.nodes, "--manifests", str(self.manifests))
        steps = {step["id"]: step for step in json.loads(with_manifests.out)["plan"]}
        self.assertEqual((steps["db.registry.apply"]["manifest"], steps["db.registry.apply"]["objects"]),
                         ("rendered/registry-db.yaml", 1 + 3 + 3 + 1))
        # Without --offline the cluster is asked, but nothing is changed.
        self.assertEqual(self.setup_command("--plan", *self.nodes).code, 0)
        self.assertTrue(self.calls())
        self.assertFalse([call for call in self.calls() if "label" in call or "apply" in call])

    def test_55_wrong_parameters_are_refused_before_any_command(self):
        for wrong in ("REGISTRY_REPLICAS=0", "REGISTRY_REPLICAS=-1", "REGISTRY_REPLICAS=x", "REGISTRY_SIZE=10Gib",
                      "REGISTRY_SIZE=0Gi", "REGISTRY_SIZE=", "METRICS_SIZE=-1Gi", "REGISTRY_NODES=3", "METRICS_REPLICAS=1e3"):
            for form in ([wrong], ["--set", wrong]):
                result = self.setup_command("--apply", *self.nodes, "--manifests", str(self.manifests), *form)
                self.assertEqual(result.code, 2, result)
        self.assertEqual(self.calls(), [])
        (self.manifests / "core" / "a.yaml").write_text("kind: Deployment\nmetadata: {name: gateway}\nspec:\n  image:\n")
        result = self.setup_command("--apply", *self.nodes, "--manifests", str(self.manifests))
        self.assertEqual(result.code, 2, result)
        self.assertIn("core/a.yaml:4:", result.err)
        self.assertEqual(self.calls(), [])

    def test_56_apply_runs_the_plan_and_resumes(self):
        arguments = (*self.nodes, "--manifests", str(self.manifests))
        plan = [step for step in json.loads(self.setup_command("--plan", *arguments).out)["plan"]]
        (self.bin / "calls.jsonl").unlink()
        self.assertEqual(self.setup_command("--apply", *arguments).code, 0)
        self.assertEqual(self.calls(), [step["argv"][1:] for step in plan])
        rendered = self.state / "governance" / "setup" / "rendered"
        self.assertIn("data-2", (rendered / "registry-db.yaml").read_text())
        self.assertIn("10Gi", (rendered / "registry-db.yaml").read_text())
        # It stops at the first failure, and goes on there.
        (self.bin / "calls.jsonl").unlink()
        (self.bin / "failing").write_text(str(rendered / "metrics-db.yaml"))
        failed = self.setup_command("--apply", *arguments)
        self.assertEqual(failed.code, 4, failed)
        self.assertIn("db.metrics.apply", failed.err)
        done = [step["argv"][1:] for step in plan]
        stopped = next(index for index, step in enumerate(plan) if step["id"] == "db.metrics.apply")
        self.assertEqual(self.calls(), done[: stopped + 1])
        (self.bin / "failing").unlink()
        (self.bin / "calls.jsonl").unlink()
        self.assertEqual(self.setup_command("--apply", "--from", "db.metrics.apply", *arguments).code, 0)
        self.assertEqual(self.calls(), done[stopped:])
        self.assertEqual(self.setup_command("--apply", "--from", "no.step", *arguments).code, 2)

    def test_56_a_policy_may_deny_the_set_up(self):
        self.add_general()
        self.governance("update", "-f", str(self.write("map.json", json.dumps({"cluster_mgmt": self.rule("echo")}))))
        result = self.setup_command("--apply", *self.nodes, "--manifests", str(self.manifests), "--kube-context", "prod")
        self.assertEqual(result.code, 3, result)
        self.assertEqual(self.calls(), [])
        seen = json.loads(result.out)["reason"]["input"]
        self.assertEqual(seen["cluster_data"], {"id": "prod"})
        self.assertIn("plan", seen["input"])

    def test_57_a_nasty_name_is_one_argument(self):
        name = "n1; rm -rf x"
        (self.folder / "x").mkdir()
        result = self.setup_command("--apply", "--registry-node", name, "--metrics-node", "$(reboot)", "--manifests",
                                    str(self.manifests))
        self.assertEqual(result.code, 0, result)
        self.assertIn(["label", "node", name, "registry=yes", "--overwrite"], self.calls())
        self.assertIn(["label", "node", "$(reboot)", "metrics=yes", "--overwrite"], self.calls())
        self.assertTrue((self.folder / "x").exists())
        self.assertEqual(self.setup_command("--apply", "--registry-node=--all", "--metrics-node", "n2").code, 2)

    def test_45_the_gateway_is_patched_and_read_back(self):
        env = [{"name": f"V{number}", "value": str(number)} for number in range(22)]
        deployment = {"spec": {"template": {"spec": {"containers": [{"name": "cluster-controller-gateway", "env": env}]}}}}
        (self.bin / "deployment.json").write_text(json.dumps(deployment))
        result = self.governance("mode", "remote", "--executor-id", "e7", "--kubectl", "--apply",
                                 env={"PATH": f"{self.bin}:{os.environ['PATH']}"})
        self.assertEqual(result.code, 0, result)
        self.assertEqual(json.loads(result.out)["variables"], 24)
        self.assertEqual([call[2] for call in self.calls()], ["get", "patch", "get"])


if __name__ == "__main__":
    main()
