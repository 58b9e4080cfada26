"""venvoy run --events, --progress json and --junit (spec/command.md section 8, "events" and "JUnit")."""

import json
import os
import signal
import xml.etree.ElementTree as ElementTree

import harness
import jsonschema
from harness import PROJECT, FunctionalTest, wait_until
from spilling import HEAD, SpillPlugin, workflow

SCHEMA = json.loads((PROJECT / "docs" / "events.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

LOOP = HEAD.replace("list:", "items:") + """\
steps:
  each:
    kind: foreach
    items: !expr $.input.items
    workflow: item.yaml
    parallelism: 2
outputs:
  success: {all: !expr $.steps.each.outputs.success.data}
"""

ITEM = """\
version: v0.2.0
input:
  root: Item
  objects:
    Item: {id: Item, properties: {n: {type: {type_id: integer}}}}
steps:
  count:
    plugin: {deployment_type: python, src: "@REFERENCE@"}
    step: @STEP@
    input: @INPUT@
outputs:
  success: {n: !expr $.input.n, out: !expr $.steps.count.outputs.success}
"""

STARTS = {
    "run_started": "run_finished",
    "resolve_started": "resolve_finished",
    "build_started": "build_finished",
    "install_started": "install_finished",
    "step_started": "step_finished",
    "item_started": "item_finished",
}


def key_of(event, kind):
    """What a started has in common with its finished."""
    members = {"run": ["run"], "step": ["loop", "item", "step"], "item": ["loop", "item", "step", "index"]}
    return (kind, *(event.get(name) for name in members.get(kind, ["reference"])))


class EventsTest(FunctionalTest):
    def setUp(self):
        super().setUp()
        self.write_config()
        self.plugin = SpillPlugin(self.folder / "plugin")

    def events_of(self, text):
        events = [json.loads(line) for line in text.splitlines()]
        self.assertNotEqual(events, [])
        for event in events:
            errors = [error.message for error in VALIDATOR.iter_errors(event)]
            self.assertEqual(errors, [], event)
            known = {"v", "type", "time", "run", *SCHEMA["$defs"][event["type"]]["properties"]}
            self.assertLessEqual(set(event), known, f"members that the schema does not tell of: {event}")
        self.require_pairs(events)
        runs = {event["run"] for event in events}
        self.assertEqual(len(runs), 1, runs)
        self.assertEqual([event["time"] for event in events], sorted(event["time"] for event in events))
        return events

    def require_pairs(self, events):
        open_ones = []
        for event in events:
            kind, _, phase = event["type"].rpartition("_")
            if event["type"] in STARTS:
                open_ones.append(key_of(event, kind))
            elif event["type"] in STARTS.values():
                self.assertIn("outcome", event)
                if key_of(event, kind) in open_ones:
                    open_ones.remove(key_of(event, kind))
                else:
                    # A step that never began has an end alone.
                    self.assertEqual(event["type"], "step_finished", event)
        self.assertEqual(open_ones, [], "begun and not ended")

    def run_events(self, *arguments, code=0):
        result = self.call("run", "workflow.yaml", "--events", "events.jsonl", *arguments)
        self.assertEqual(result.code, code, result)
        return self.events_of((self.folder / "events.jsonl").read_text())

    def of_type(self, events, name, **members):
        return [
            event
            for event in events
            if event["type"] == name and all(event.get(key) == value for key, value in members.items())
        ]

    def write_one(self, how, more="", password="planted"):
        self.write(
            "workflow.yaml",
            workflow(
                self.plugin.step("one", "spill", f"{{password: {password}, how: {how}}}", more),
                outputs="  success: {m: !expr $.steps.one.outputs.success.message}\n"
                "  error: {r: !expr $.steps.one.outputs.error.reason}\n",
            ),
        )

    def test_a_run(self):
        self.write_one("ok")
        events = self.run_events()
        types = [event["type"] for event in events]
        for name in ("resolve_started", "build_finished", "install_finished", "environment_ready", "step_deployed"):
            self.assertIn(name, types)
        [started] = self.of_type(events, "step_started", step="one")
        self.assertEqual(started["plugin_step"], "spill")
        [finished] = self.of_type(events, "step_finished", step="one")
        self.assertEqual((finished["outcome"], finished["stage"], finished["output"]), ("succeeded", "outputs", "success"))
        [deployed] = self.of_type(events, "step_deployed", step="one")
        self.assertEqual(deployed["version"], self.plugin.head())
        logs = [(event["level"], event["text"]) for event in self.of_type(events, "step_log", step="one")]
        self.assertIn(("info", "connecting with [masked] as the password"), logs)
        self.assertIn(("debug", "a line of the step itself"), logs)
        self.assertEqual(types.count("run_started"), 1)
        [ended] = self.of_type(events, "run_finished")
        self.assertEqual((ended["outcome"], ended["output"]), ("succeeded", "success"))

    def test_an_error_output_a_crash_and_a_step_that_is_disabled(self):
        self.write_one("error")
        events = self.run_events(code=2)
        self.assertEqual(self.of_type(events, "step_finished")[0]["outcome"], "failed")
        self.write_one("crash")
        events = self.run_events(code=3)
        [finished] = self.of_type(events, "step_finished")
        self.assertEqual((finished["outcome"], finished["stage"]), ("failed", "crashed"))
        self.assertIn("exit code 7", finished["error"])
        self.assertIn("last words: [masked]", finished["error"])
        self.assertEqual(self.of_type(events, "run_finished")[0]["outcome"], "failed")
        self.write_one("ok", more="    enabled: false\n")
        events = self.run_events(code=3)
        self.assertEqual(self.of_type(events, "step_finished")[0]["outcome"], "disabled")

    def test_a_workflow_that_cannot_be_prepared(self):
        self.write_one("ok")
        text = (self.folder / "workflow.yaml").read_text()
        self.write("workflow.yaml", text.replace("step: spill", "step: spil"))
        events = self.run_events(code=1)
        [ended] = self.of_type(events, "run_finished")
        self.assertEqual(ended["outcome"], "failed")
        self.assertIn("spil", ended["error"])
        self.write("workflow.yaml", text.replace(self.plugin.head()[:12], "0" * 12).replace("plugin.git", "nowhere"))
        self.write("workflow.yaml", text.replace(self.plugin.reference(), self.plugin.reference("0" * 40)))
        events = self.run_events(code=1)
        self.assertIn("failed", [event["outcome"] for event in self.of_type(events, "resolve_finished")])

    def test_a_wrong_input(self):
        self.write_one("ok")
        events = self.run_events("--set", "nonsense=1", code=3)
        [ended] = self.of_type(events, "run_finished")
        self.assertIn("nonsense", ended["error"])

    def test_a_loop(self):
        self.write("workflow.yaml", LOOP)
        item = ITEM.replace("@REFERENCE@", self.plugin.reference()).replace("@STEP@", "count")
        self.write("item.yaml", item.replace("@INPUT@", "{n: !expr $.input.n}"))
        self.write("input.yaml", "items: [{n: 1}, {n: 2}, {n: 3}]\n")
        events = self.run_events("-i", "input.yaml")
        self.assertEqual([event["count"] for event in self.of_type(events, "item_started", step="each")], [3, 3, 3])
        items = {event["item"] for event in self.of_type(events, "step_finished", step="count", loop="each")}
        self.assertEqual(items, {"0", "1", "2"})

    def test_an_abort(self):
        started, release = self.folder / "started", self.folder / "release"
        self.write(
            "workflow.yaml",
            workflow(
                self.plugin.step("wait", "wait", f'{{started: "{started}", release: "{release}"}}'),
                outputs="  success: {m: !expr $.steps.wait.outputs.success.message}\n",
            ),
        )
        running = self.start("run", "workflow.yaml", "--events", "events.jsonl")
        wait_until(started.exists, "the step", 120)
        running.send(signal.SIGINT)
        result = running.finish()
        self.assertEqual(result.code, 3, result)
        events = self.events_of((self.folder / "events.jsonl").read_text())
        self.assertEqual(self.of_type(events, "run_finished")[0]["outcome"], "cancelled")

    def test_on_standard_error(self):
        self.write_one("ok")
        result = self.call("run", "workflow.yaml", "--progress", "json")
        self.assertEqual(result.code, 0, result)
        events = self.events_of(result.err)
        self.assertEqual(events[-1]["type"] if events[-1]["type"] != "step_log" else "run_finished", "run_finished")
        self.assertEqual(result.output["output_id"], "success")

    def test_a_file_that_cannot_be_written(self):
        self.write_one("ok")
        for option in ("--events", "--report", "--junit"):
            with self.subTest(option=option):
                result = self.call("run", "workflow.yaml", option, "nowhere/file")
                self.require_failure(result, 1, "nowhere")
        self.assertEqual(self.environments(), [])

    def test_events_into_a_full_device(self):
        self.write_one("ok")
        result = self.call("run", "workflow.yaml", "--events", "/dev/full")
        self.assertEqual(result.code, 0, result)
        self.assertIn("no more events are written to /dev/full", result.err)

    def test_the_modes_of_files_are_those_of_the_umask(self):
        self.write_one("ok")
        old = os.umask(0o027)
        try:
            arguments = ["--events", "e", "--report", "r.html", "--junit", "j.xml"]
            self.assertEqual(self.call("run", "workflow.yaml", *arguments).code, 0)
        finally:
            os.umask(old)
        for name in ("e", "r.html", "j.xml"):
            self.assertEqual(oct((self.folder / name).stat().st_mode & 0o777), oct(0o640), name)

    # --- JUnit ---

    def junit(self, code, *arguments):
        result = self.call("run", "workflow.yaml", "--junit", "junit.xml", *arguments)
        self.assertEqual(result.code, code, result)
        root = ElementTree.parse(self.folder / "junit.xml").getroot()
        self.assertEqual(root.tag, "testsuites")
        for suite in root:
            for name, tag in (("tests", "testcase"), ("failures", "testcase/failure"), ("errors", "testcase/error")):
                self.assertEqual(int(suite.get(name)), len(suite.findall(tag)), name)
            self.assertEqual(int(suite.get("skipped")), len(suite.findall("testcase/skipped")))
        return root

    def test_junit(self):
        self.write(
            "workflow.yaml",
            workflow(
                self.plugin.step("good", "spill", "{password: planted, how: ok}"),
                self.plugin.step("failing", "spill", "{password: planted, how: error}"),
                self.plugin.step("crashing", "spill", "{password: planted, how: crash}"),
                self.plugin.step("off", "spill", "{password: planted, how: ok}", "    enabled: false\n"),
                outputs="""\
  success:
    good: !expr $.steps.good.outputs.success.message
    failing: !expr $.steps.failing.outputs.error.reason
    crashing: !expr $.steps.crashing.crashed.error.output
    off: !expr $.steps.off.disabled.output.message
""",
            ),
        )
        [suite] = self.junit(0)
        self.assertEqual(suite.get("name"), "workflow.yaml")
        children = {case.get("name"): [child.tag for child in case] for case in suite}
        self.assertEqual(set(children), {"good", "failing", "crashing", "off"})
        self.assertEqual([tag for tag in children["good"] if tag != "system-err"], [])
        self.assertIn("failure", children["failing"])
        self.assertIn("error", children["crashing"])
        self.assertEqual(children["off"], ["skipped"])
        self.assertNotIn("planted", (self.folder / "junit.xml").read_text())

    def test_junit_of_a_loop(self):
        self.write("workflow.yaml", LOOP)
        item = ITEM.replace("@REFERENCE@", self.plugin.reference()).replace("@STEP@", "count")
        self.write("item.yaml", item.replace("@INPUT@", "{n: !expr $.input.n}"))
        self.write("input.yaml", "items: [{n: 1}, {n: 2}]\n")
        main, items = self.junit(0, "-i", "input.yaml")
        self.assertEqual([case.get("name") for case in main], ["each"])
        self.assertEqual(sorted(case.get("name") for case in items), ["each[0].count", "each[1].count"])

    def test_junit_of_a_run_that_could_not_be_prepared(self):
        self.write("workflow.yaml", "nonsense: true\n")
        [suite] = self.junit(1)
        self.assertEqual(len(suite.findall("testcase/error")), 1)


if __name__ == "__main__":
    harness.main()
