"""Which of the two faces answers, and what configurations they read (spec/command.md sections 1 and 4)."""

import yaml

import harness
from harness import PYTHON, FunctionalTest, greeting

# Marks of who has answered.
GO_USAGE = "The Arcaflow Engine will read the current directory"
GO_VERSION = "Arcaflow Engine\n===============\n"

OLD_WORKFLOW = """\
version: v0.2.0
input: {root: Input, objects: {Input: {id: Input, properties: {}}}}
steps:
  greet:
    plugin: "@REFERENCE@"
    step: hello
    input: {name: World}
outputs:
  success:
    message: !expr $.steps.greet.outputs.success.message
"""

# argv[0], the arguments, who answers, the exit code. The folder has a workflow.yaml that runs, and a config.yaml; the
# Go engine gives a position that a run has failed at no tabs, and ours no labels.
ROWS = [
    # By name: always the Go engine.
    ("arcaflow", [], "go", 0),
    ("arcaflow", ["-h"], "go usage", 0),
    ("arcaflow", ["-help"], "go usage", 0),
    ("arcaflow", ["--help"], "go usage", 0),
    ("arcaflow", ["-version"], "go version", 0),
    ("arcaflow", ["--version"], "go version", 0),
    ("arcaflow", ["-version=false"], "go", 0),
    ("arcaflow", ["run"], "go", 0),
    ("arcaflow", ["run", "missing.yaml"], "go", 0),
    ("arcaflow", ["-workflow", "workflow.yaml", "missing.yaml"], "go", 0),
    ("arcaflow", ["--", "-workflow", "missing.yaml"], "go", 0),
    ("arcaflow", ["-workflow", "missing.yaml"], "go", 1),
    ("arcaflow", ["-quiet"], "go usage", 2),
    ("arcaflow", ["--offline"], "go usage", 2),
    ("arcaflow", ["-config"], "go usage", 2),
    ("arcaflow", ["-debug=perhaps"], "go usage", 2),
    ("/somewhere/else/arcaflow", ["-version"], "go version", 0),
    ("arcaflow-engine", ["--version"], "ours", 0),
    # By flags: the Go engine where all are its own, and nothing else is there.
    ("venvoy", ["-workflow", "workflow.yaml"], "go", 0),
    ("venvoy", ["--workflow=workflow.yaml", "--config", "config.yaml"], "go", 0),
    ("venvoy", ["-config", "config.yaml"], "go", 0),
    ("venvoy", ["--context", "."], "go", 0),
    ("venvoy", ["-context", "nowhere"], "go", 1),
    ("venvoy", ["-workflow", "missing.yaml"], "go", 1),
    ("venvoy", ["-version"], "go version", 0),
    ("venvoy", ["-get-namespaces"], "go", 0),
    ("venvoy", ["-debug", "-help"], "go usage", 0),
    # Just help and version, and everything with a command, are ours.
    ("venvoy", ["-h"], "ours", 0),
    ("venvoy", ["--help"], "ours", 0),
    ("venvoy", ["--version"], "ours", 0),
    ("venvoy", ["run", "workflow.yaml"], "ours", 0),
    ("venvoy", ["run"], "ours", 0),
    ("venvoy", ["--config", "config.yaml", "run"], "ours", 0),
    ("venvoy", ["--context", ".", "run", "workflow.yaml"], "ours", 0),
    ("venvoy", ["--offline", "run"], "ours", 0),
    ("venvoy", ["run", "--help"], "ours", 0),
    ("venvoy", ["run", "missing.yaml"], "ours", 1),
    # Neither the one nor the other.
    ("venvoy", [], "ours", 2),
    ("venvoy", ["-q"], "ours", 2),
    ("venvoy", ["--offline"], "ours", 2),
    ("venvoy", ["workflow.yaml"], "ours", 2),
    ("venvoy", ["frobnicate"], "ours", 2),
    ("venvoy", ["--frobnicate"], "ours", 2),
    ("venvoy", ["-config", "config.yaml", "-quiet"], "ours", 2),
    ("venvoy", ["-workflow", "workflow.yaml", "run"], "ours", 2),
    ("venvoy", ["-debug", "run", "workflow.yaml"], "ours", 2),
    ("venvoy", ["run", "-workflow", "workflow.yaml"], "ours", 2),
]


def who_answered(result):
    if GO_VERSION in result.out:
        return "go version"
    if GO_USAGE in result.err and result.code != 1:
        return "go usage"
    lines = result.err.splitlines()
    if any("\tsource=" in line or "\t\t" in line for line in lines) or GO_USAGE in result.err:
        return "go"
    return "ours"


class FaceTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.write_config()
        self.plugin = self.tiny()
        self.write_workflow(self.plugin.reference())
        # For runs of the Go face without -config, which read no file.
        self.variables = {"VENVOY_WORKDIR": str(self.store), "VENVOY_PYTHON_PATH": PYTHON}

    def test_rows(self):
        self.assertGreaterEqual(len(ROWS), 20)
        self.require_message(self.run_workflow(), greeting(self.plugin))
        for name, arguments, who, code in ROWS:
            with self.subTest(name=name, arguments=arguments):
                result = self.call(*arguments, name=name, env=self.variables)
                self.assertEqual((who_answered(result), result.code), (who, code), result)
                if who == "go" and code == 0 and "-get-namespaces" not in arguments:
                    self.require_message(result, greeting(self.plugin))

    def test_help_and_version(self):
        for arguments in (["-h"], ["--help"]):
            result = self.call(*arguments)
            self.assertIn("Subcommands:", result.out)
            self.assertIn("Example: venvoy ", result.out)
            self.assertEqual(result.err, "")
        version = self.call("--version")
        self.assertRegex(version.out, r"\d+\.\d+")
        self.assertNotIn("Arcaflow", version.out)
        go = self.call("-version", name="arcaflow")
        self.assertTrue(go.out.startswith(GO_VERSION), go)
        self.assertTrue(go.out.endswith("Apache 2.0 license\nCopyright (c) Arcalot Contributors\n"), go)

    def test_a_positional_after_flags_of_the_go_engine(self):
        for arguments in (
            ["-workflow", "workflow.yaml", "other.yaml"],
            ["-input", "workflow.yaml", "other.yaml"],
            ["-debug", "other.yaml"],
        ):
            with self.subTest(arguments=arguments):
                result = self.call(*arguments)
                self.require_failure(result, 2, "did you mean 'venvoy run other.yaml'?")

    def test_the_name_beside_the_program(self):
        # The link that the build makes, as users call it.
        link = harness.pathlib.Path(self.program).with_name("arcaflow")
        result = harness.subprocess.run([link, "-version"], capture_output=True, text=True)
        self.assertTrue(result.stdout.startswith(GO_VERSION), result)

    def test_stdout_is_the_result_alone(self):
        expected = f"output_data:\n    message: {greeting(self.plugin)}\noutput_id: success\n"
        for face, arguments in (("arcaflow", ["-config", "config.yaml"]), ("venvoy", ["run"])):
            self.assertEqual(self.call(*arguments, name=face).out, expected)
        self.assertEqual(self.call("-q", "run").err, "")

    # --- configurations ---

    def write_old_config(self, **more):
        deployer = {"type": "python", "pythonPath": PYTHON, "workdir": str(self.store), **more}
        self.write("config.yaml", yaml.safe_dump({"deployer": deployer}))

    def both_faces(self):
        yield "venvoy", ["--config", "config.yaml", "run", "workflow.yaml"]
        yield "arcaflow", ["-config", "config.yaml", "-workflow", "workflow.yaml"]

    def test_both_forms_in_both_faces(self):
        new_workflow = (self.folder / "workflow.yaml").read_text()
        old_workflow = OLD_WORKFLOW.replace("@REFERENCE@", self.plugin.reference())
        for write_config in (self.write_config, self.write_old_config):
            for workflow in (new_workflow, old_workflow):
                write_config()
                self.write("workflow.yaml", workflow)
                for name, arguments in self.both_faces():
                    with self.subTest(config=write_config.__name__, old=workflow == old_workflow, face=name):
                        self.require_message(self.call(*arguments, name=name), greeting(self.plugin))
        self.assertTrue(self.environments(), "the store is where the configuration says")

    def test_the_old_form_has_all_keys(self):
        plugin = self.tiny("incompatible", contract=False)
        self.write_workflow(plugin.reference())
        self.write_old_config(overrideModuleCompatibility=True, modulePullPolicy="Always")
        for name, arguments in self.both_faces():
            plugin.change(text=f"the commit for {name}")
            self.require_message(self.call(*arguments, name=name), greeting(plugin))
        self.write_old_config(overrideModuleCompatibility=False)
        for name, arguments in self.both_faces():
            self.require_failure(self.call(*arguments, name=name), 1, "marked as incompatible")

    def test_wrong_configurations(self):
        python = {"deployer_name": "python", "workdir": str(self.store)}
        old = {"type": "python", "workdir": str(self.store)}
        for config, words in (
            ({"deployer": old, "deployers": {"python": python}}, ["'deployer'", "'deployers'"]),
            ({"deployers": {"python": {**python, "modulPullPolicy": "Always"}}}, ["modulPullPolicy", "modulePullPolicy"]),
            ({"deployers": {"python": {**python, "modulePullPolicy": "Sometimes"}}}, ["Sometimes", "IfNotPresent"]),
            ({"deployer": {**old, "pythonpath": PYTHON}}, ["pythonpath", "pythonPath"]),
            ({"deployers": {"python": {**python, "overrideModuleCompatibility": "perhaps"}}}, ["perhaps"]),
            ({"deployerz": {"python": python}}, ["deployerz", "deployers"]),
            ({"deployers": {"snake": python}}, ["snake"]),
            ({"log": {"level": "loud"}, "deployers": {"python": python}}, ["loud"]),
            ([], []),
        ):
            self.write("config.yaml", yaml.safe_dump(config))
            for name, arguments in self.both_faces():
                with self.subTest(config=config, face=name):
                    self.require_failure(self.call(*arguments, name=name), 1, "config.yaml", *words)
        self.assertEqual(self.plugin.take_marks(), [])

    def test_the_configuration_beside_the_workflow(self):
        # Ours reads it, the Go face reads none unless it is told to.
        self.write("config.yaml", "nonsense: true\n")
        self.require_failure(self.call("run", "workflow.yaml"), 1, "nonsense")
        go = self.call("-workflow", "workflow.yaml", env=self.variables)
        self.require_message(go, greeting(self.plugin))
        self.write_config("venvoy.yaml")
        self.require_message(self.call("run", "workflow.yaml"), greeting(self.plugin))

    def test_options_over_the_configuration(self):
        self.write_config(workdir=str(self.folder / "elsewhere"), pythonPath="/nowhere/python3")
        options = ["--workdir", str(self.store), "--python", PYTHON]
        self.require_message(self.call(*options, "run", "workflow.yaml"), greeting(self.plugin))
        self.assertFalse((self.folder / "elsewhere").exists())
        self.assertTrue(self.environments())

    def test_the_variable_for_the_pull_policy(self):
        always = {"VENVOY_MODULE_PULL_POLICY": "Always"}
        present = {"VENVOY_MODULE_PULL_POLICY": "IfNotPresent"}
        for number, (name, arguments) in enumerate(self.both_faces()):
            with self.subTest(face=name):
                self.write_config(modulePullPolicy="IfNotPresent")
                self.plugin.change(text=f"commit {number}.1")
                self.require_message(self.call(*arguments, name=name, env=always), greeting(self.plugin))
                self.plugin.change(text=f"commit {number}.2")
                before = f"Hello, World, from commit {number}.1!"
                self.require_message(self.call(*arguments, name=name), before)
                self.write_config(modulePullPolicy="Always")
                self.require_message(self.call(*arguments, name=name, env=present), before)
                self.require_message(self.call(*arguments, name=name), greeting(self.plugin))
                wrong = self.call(*arguments, name=name, env={"VENVOY_MODULE_PULL_POLICY": "Sometimes"})
                self.require_failure(wrong, 1, "Sometimes", "VENVOY_MODULE_PULL_POLICY")


if __name__ == "__main__":
    harness.main()
