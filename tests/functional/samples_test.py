"""Every sample runs as its README says."""

import shutil

import yaml

import harness
from harness import HELLO, PROJECT, FunctionalTest, Repository

SAMPLES = PROJECT / "samples"
# What has no workflow of its own, or needs a cluster; `host` has a test with the library, `governance` that of the daemon, `policy-package` those of packages.
OTHERS = {"governance", "host", "kill-pod", "policy-package", "toolbox"}


class SamplesTest(FunctionalTest):
    """In one test with one store: the plugin is installed once."""

    def setUp(self):
        super().setUp()
        self.samples = self.folder / "samples"
        shutil.copytree(SAMPLES, self.samples, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build"))
        self.config = self.write_config()

    def run_sample(self, name, *arguments):
        folder = self.samples / name
        given = ["-i", "input.yaml"] if (folder / "input.yaml").exists() else []
        common = ["--config", str(self.config), "--context", str(folder)]
        checked = self.call(*common, "check", *given)
        self.assertEqual((checked.code, yaml.safe_load(checked.out)), (0, {"findings": []}), checked)
        result = self.call(*common, "run", *given, *arguments)
        self.assertEqual(result.code, 0, result)
        return result.output["output_id"], result.output["output_data"]

    def test_all(self):
        tested = {name[len("sample_") :] for name in dir(self) if name.startswith("sample_")}
        folders = {path.name for path in SAMPLES.iterdir() if path.is_dir()}
        self.assertEqual(tested | OTHERS, folders)
        table = (SAMPLES / "README.md").read_text()
        for name in sorted(folders):
            self.assertIn(f"| `{name}` |", table)
        for name in sorted(tested):
            with self.subTest(sample=name):
                self.assertTrue((SAMPLES / name / "README.md").exists())
                getattr(self, f"sample_{name}")()

    def sample_hello(self):
        repository = Repository(self.folder / "venvoy-hello", HELLO)
        repository.commit()
        workflow = self.samples / "hello" / "workflow.yaml"
        reference = f"venvoy-hello@git+{repository.url}@{repository.head()}"
        workflow.write_text(workflow.read_text().replace("@REFERENCE@", reference))
        output, data = self.run_sample("hello")
        self.assertEqual((output, data["greeting"], len(data["cheers"])), ("success", "Hello, World!", 3))

    def sample_parallel(self):
        output, data = self.run_sample("parallel", "--set", "seconds=2")
        self.assertEqual(output, "success")
        one, two = data["one"], data["two"]
        self.assertLess(max(one["started"], two["started"]), min(one["ended"], two["ended"]), "not at the same time")

    def sample_foreach(self):
        output, data = self.run_sample("foreach")
        names = [measurement["name"] for measurement in data["measurements"]]
        self.assertEqual((output, names), ("success", ["alpha", "beta", "gamma"]))

    def sample_errors(self):
        output, data = self.run_sample("errors")
        self.assertEqual((output, data["share"], data["cleaned_by"]), ("success", 0.25, "clean-up"))
        self.assertIn("exit code 3", data["crash"])
        output, data = self.run_sample("errors", "--set", "people=0")
        self.assertEqual((output, data), ("nobody", {"reason": "nothing can be divided by zero"}))
        folder = str(self.samples / "errors")
        drawn = self.call("--config", str(self.config), "--context", folder, "graph").out.replace(folder + "/", "")
        self.assertEqual(drawn, (PROJECT / "docs" / "graph.svg").read_text(), "docs/graph.svg is an old one")

    def sample_cancellation(self):
        output, data = self.run_sample("cancellation")
        self.assertEqual((output, data["measured"]), ("success", "under load"))
        self.assertLess(data["load_ran_for"], 60)

    def sample_optional(self):
        output, data = self.run_sample("optional")
        self.assertEqual(output, "success")
        self.assertNotIn("extra_name", data)
        self.assertEqual(data["extra"]["result"], "disabled")
        output, data = self.run_sample("optional", "--set", "extra=true")
        self.assertEqual((data["extra_name"], data["extra"]["result"]), ("extra", "enabled"))

    def sample_subworkflows(self):
        self.assertEqual(self.run_sample("subworkflows"), ("success", {"child": 0.5, "adult": 1.5}))


if __name__ == "__main__":
    harness.main()
