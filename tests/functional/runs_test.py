"""venvoy runs: the history (spec/command.md sections 2 and 8)."""

import json
import os
import signal
import sqlite3
import subprocess

import harness
from harness import FunctionalTest, wait_until
from spilling import HEAD, SpillPlugin, workflow


class RunsTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.write_config()
        self.plugin = SpillPlugin(self.folder / "plugin")
        self.state = self.folder / "state"

    def write_chain(self, how="ok"):
        self.write(
            "workflow.yaml",
            workflow(
                self.plugin.step("first", "spill", f"{{password: planted, how: {how}}}"),
                self.plugin.step("second", "spill", "{password: !expr $.steps.first.outputs.success.message, how: ok}"),
                self.plugin.step("off", "spill", "{password: planted, how: ok}", "    enabled: !expr '1 == 2'\n"),
                outputs="  success: {m: !expr $.steps.second.outputs.success.message, off: !expr $.steps.off.disabled.output}\n"
                "  error: {r: !expr $.steps.first.outputs.error.reason}\n",
            ),
        )

    def write_wait(self):
        self.started, self.release = self.folder / "started", self.folder / "release"
        self.write(
            "workflow.yaml",
            workflow(
                self.plugin.step("wait", "wait", f'{{started: "{self.started}", release: "{self.release}"}}'),
                outputs="  success: {m: !expr $.steps.wait.outputs.success.message}\n",
            ),
        )

    def run_it(self, *arguments, code=0, **options):
        result = self.call("run", "workflow.yaml", *arguments, **options)
        self.assertEqual(result.code, code, result)
        return result

    def runs(self, *arguments, code=0, **options):
        result = self.call("--output", "json", "runs", *arguments, **options)
        self.assertEqual(result.code, code, result)
        return json.loads(result.out) if code == 0 else result

    def why(self, step, run="latest"):
        result = self.call("runs", "why", run, step)
        self.assertEqual(result.code, 0, result)
        return result.out

    def test_what_ran_is_listed_and_shown(self):
        self.assertEqual(self.runs("ls"), [])
        self.write_chain()
        self.run_it()
        [row] = self.runs("ls")
        self.assertEqual((row["workflow"], row["state"], row["output"]), ("workflow.yaml", "succeeded", "success"))
        self.assertEqual(row["context"], str(self.folder))
        shown = self.runs("show", row["run"])
        self.assertEqual(shown["output_data"]["m"], "welcome, [masked]")
        steps = {step["step"]: step for step in shown["steps"]}
        self.assertEqual({name: step["state"] for name, step in steps.items()},
                         {"first": "succeeded", "second": "succeeded", "off": "disabled"})  # fmt: skip
        self.assertEqual(steps["first"]["version"], self.plugin.head())
        self.assertTrue(steps["first"]["environment"].startswith(str(self.store)))
        self.assertEqual(steps["first"]["input"], {"password": "[masked]", "how": "ok"})
        self.assertGreater(steps["first"]["seconds"], 0)
        # By the beginning of its id, and as YAML.
        result = self.call("runs", "show", row["run"][:-3])
        self.assertEqual(result.output["run"], row["run"])

    def test_logs(self):
        self.write_chain()
        self.run_it()
        log = self.runs("log", "latest")
        self.assertIn({"step": "first", "level": "info", "text": "connecting with [masked] as the password"},
                      [{key: line[key] for key in ("step", "level", "text")} for line in log])  # fmt: skip
        only = self.call("runs", "log", "latest", "second")
        self.assertIn("second: connecting with", only.out)
        self.assertNotIn("first:", only.out)
        self.require_failure(self.call("runs", "log", "latest", "secnd"), 1, "did you mean 'second'?")

    def test_why(self):
        self.write_chain()
        self.run_it()
        self.assertIn("it waited for steps.first.outputs.success, which came after", self.why("second"))
        self.assertIn("it had to wait for no other step", self.why("first"))
        self.assertIn("it was disabled: its `enabled` (1 == 2) was not true", self.why("off"))
        self.assertIn("workflow.yaml:", self.why("first"))
        self.assertIn(self.plugin.reference(), self.why("first"))
        reason = self.runs("why", "latest", "second")
        [need] = [need for need in reason["needs"] if need["name"] == "steps.first.outputs.success"]
        self.assertTrue(need["came"])
        self.write_chain("error")
        self.run_it(code=2)
        self.assertIn("it failed after", self.why("first"))
        never = self.why("second")
        self.assertIn("it never began: steps.first.outputs.success did not come, since it ended with outputs.error", never)
        self.write_chain("crash")
        self.run_it(code=3)
        self.assertIn("it crashed after", self.why("first"))
        self.assertIn("last words: [masked]", self.why("first"))

    def test_steps_of_loop_items(self):
        self.write("workflow.yaml", HEAD + """\
steps:
  each:
    kind: foreach
    items: [{n: 5}, {n: 6}]
    workflow: item.yaml
outputs:
  success: {all: !expr $.steps.each.outputs.success.data}
""")  # fmt: skip
        self.write("item.yaml", """\
version: v0.2.0
input:
  root: Item
  objects:
    Item: {id: Item, properties: {n: {type: {type_id: integer}}}}
steps:
""" + self.plugin.step("count", "count", "{n: !expr $.input.n}")
            + "outputs:\n  success: {n: !expr $.steps.count.outputs.success.n}\n")  # fmt: skip
        self.run_it()
        shown = self.runs("show", "latest")
        outputs = {step["item"]: step["output"] for step in shown["steps"] if step["step"] == "count"}
        self.assertEqual(outputs, {"0": {"n": 5}, "1": {"n": 6}})
        [loop] = [step for step in shown["steps"] if step["step"] == "each"]
        self.assertEqual(loop["items"]["succeeded"], 2)
        self.assertIn("it ran for", self.why("each[1].count"))

    def test_workflows_that_could_not_be_prepared_are_there(self):
        self.write("workflow.yaml", "nonsense: true\n")
        self.run_it(code=1)
        [row] = self.runs("ls")
        self.assertEqual(row["state"], "failed")
        self.assertIn("nonsense", row["error"])

    def test_a_killed_run_has_died(self):
        self.write_wait()
        running = self.start("run", "workflow.yaml")
        wait_until(self.started.exists, "the step", 120)

        def step_state():
            rows = self.runs("ls")
            steps = self.runs("show", "latest")["steps"] if rows else []
            return [step["state"] for step in steps] == ["running"] and rows[0]["state"] == "running"

        wait_until(step_state, "the running step in the history")
        refused = self.call("runs", "rm", "latest")
        self.require_failure(refused, 1, "is running")
        running.send(signal.SIGKILL)
        running.finish()
        [row] = self.runs("ls")
        self.assertEqual(row["state"], "died")
        self.assertEqual([step["state"] for step in self.runs("show", "latest")["steps"]], ["died"])
        self.assertIn("it was running when venvoy died", self.why("wait"))
        with sqlite3.connect(self.state / "runs.sqlite") as database:
            self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        database.close()
        self.release.write_text("")
        self.run_it()
        self.assertEqual([row["state"] for row in self.runs("ls")], ["succeeded", "died"])

    def test_several_at_once(self):
        self.write_chain()
        self.run_it()
        running = [self.start("run", "workflow.yaml") for _ in range(5)]
        for each in running:
            result = each.finish(400)
            self.assertEqual(result.code, 0, result)
            self.assertNotIn("history", result.err)
        rows = self.runs("ls")
        self.assertEqual([row["state"] for row in rows], ["succeeded"] * 6)
        self.assertEqual(len({row["run"] for row in rows}), 6)

    def test_removing(self):
        self.write("workflow.yaml", "nonsense: true\n")
        for _ in range(3):
            self.run_it(code=1)
        rows = self.runs("ls")
        self.assertEqual(self.runs("ls", "-n", "2"), rows[:2])
        self.assertEqual(self.runs("rm", rows[1]["run"]), {"removed": [rows[1]["run"]]})
        self.assertEqual(self.runs("ls"), [rows[0], rows[2]])
        self.assertEqual(self.runs("rm", "--older-than", "1d"), {"removed": []})
        self.assertEqual(len(self.runs("rm", "--all")["removed"]), 2)
        self.assertEqual(self.runs("ls"), [])

    def test_where_the_history_is(self):
        self.write("workflow.yaml", "nonsense: true\n")

        def folders():
            return sorted(str(path.parent.relative_to(self.folder)) for path in self.folder.rglob("runs.sqlite"))

        self.run_it("--no-history", code=1)
        self.assertEqual(folders(), [])
        self.call("--state-dir", "by-option", "run", "workflow.yaml")
        self.assertEqual(folders(), ["by-option"])
        self.run_it(code=1, env={"VENVOY_STATE_DIR": str(self.folder / "by-variable")})
        self.assertEqual(folders(), ["by-option", "by-variable"])
        self.run_it(code=1, env={"VENVOY_STATE_DIR": "", "XDG_STATE_HOME": str(self.folder / "xdg")})
        self.assertEqual(folders(), ["by-option", "by-variable", "xdg/venvoy"])
        old = os.umask(0)
        try:
            self.call("--state-dir", "modes/state", "run", "workflow.yaml")
        finally:
            os.umask(old)
        modes = {path.name: oct(path.stat().st_mode & 0o777) for path in (self.folder / "modes" / "state").iterdir()}
        self.assertEqual(set(modes.values()), {oct(0o600)}, modes)
        self.assertEqual(oct((self.folder / "modes" / "state").stat().st_mode & 0o777), oct(0o700))

    def test_the_home_of_somebody_who_is_not_root(self):
        self.write("workflow.yaml", "nonsense: true\n")
        home = self.folder / "home"
        home.mkdir()
        self.folder.chmod(0o755)
        home.chmod(0o777)
        wrapper = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
        env = {"VENVOY_STATE_DIR": "", "XDG_STATE_HOME": "", "HOME": str(home)}
        self.call("--workdir", str(home / "work"), "run", "workflow.yaml", wrapper=wrapper, env=env)
        self.assertTrue((home / ".local/state/venvoy/runs.sqlite").exists())

    def test_a_run_does_not_need_its_history(self):
        self.write_chain()
        self.write("a-file", "")
        result = self.call("--state-dir", "a-file", "run", "workflow.yaml")
        self.assertEqual(result.code, 0, result)
        self.assertIn("not in the history", result.err)
        # A full disk; root only, as mounting is.
        full = self.folder / "full"
        full.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k,mode=700", "tmpfs", str(full)], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(full)], check=True)
        result = self.call("--state-dir", "full", "run", "workflow.yaml")
        self.assertEqual(result.code, 0, result)
        self.assertIn("full", result.err)
        self.assertEqual(result.err.count("not in the history"), 1, result)

    def test_wrong_names(self):
        self.require_failure(self.call("runs", "show", "latest"), 1, "no history")
        self.write("workflow.yaml", "nonsense: true\n")
        self.run_it(code=1)
        self.run_it(code=1)
        self.require_failure(self.call("runs", "show", "nothing"), 1, "no run 'nothing'", "runs ls")
        self.require_failure(self.call("runs", "show", "2"), 1, "several runs begin with '2'")


if __name__ == "__main__":
    harness.main()
