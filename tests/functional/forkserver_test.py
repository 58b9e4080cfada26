"""The fork server (design D8): what a step finds, how it ends and what it leaves behind are the same as with a Python of
its own; one that cannot be had or dies is no misfortune; none outlives its run."""

import json
import os
import re
import shutil
import signal

import harness
from harness import HERE, FunctionalTest, Repository, wait_until

SOIL = HERE / "plugins" / "soil"

LOOP = """\
version: v0.2.0
input:
  root: Input
  objects:
    Input: {id: Input, properties: {}}
steps:
  loop:
    kind: foreach
    workflow: item.yaml
    parallelism: @PARALLELISM@
    items: @ITEMS@
outputs:
  success:
    all: !expr $.steps.loop.outputs.success.data
"""

ITEM = """\
version: v0.2.0
input:
  root: Item
  objects:
    Item: {id: Item, properties: {do: {type: {type_id: string}}}}
steps:
  act:
    plugin: {deployment_type: python, src: "@REFERENCE@"}
    step: act
    input: {do: !expr $.input.do}
outputs:
  success:
    said: !wait-optional $.steps.act.outputs.success.said
    crashed: !wait-optional $.steps.act.crashed.error.output
"""

SERVER = "--serve"

# With the names of the signals, and what is left to Python to say.
ENDS = ("exit-code", "exit-large", "exit-text", "exit-none", "at-once", "exception", "interrupt", "abort", "recursion",
        "print", "thread", "SIGKILL", "SIGSEGV", "SIGTERM", "SIGUSR1")  # fmt: skip


def parent_of(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


class SoilTest(FunctionalTest):
    """With a plugin that tells which processes have run it."""

    OWN_OPENING = False

    def setUp(self):
        super().setUp()
        self.plugin = Repository(self.folder / "soil", SOIL)
        self.plugin.write("soil_plugin/settings.py", f"OWN_OPENING = {self.OWN_OPENING}\n")
        self.plugin.commit()
        self.write_config()
        self.marks = self.folder / "marks"

    @property
    def reference(self):
        return f"soil-plugin@git+{self.plugin.url}@{self.plugin.head()}"

    def write_loop(self, items, parallelism=1):
        self.write("item.yaml", ITEM.replace("@REFERENCE@", self.reference))
        text = LOOP.replace("@PARALLELISM@", str(parallelism))
        self.write("workflow.yaml", text.replace("@ITEMS@", json.dumps([{"do": do} for do in items])))

    def environment(self, **variables):
        marks = {"SOIL_MARKS": str(self.marks), "SOIL_FILE": str(self.folder / "unwritten")}
        return super().environment(**marks, **variables)

    def start_loop(self, items, launcher, parallelism=1, env=None):
        self.write_loop(items, parallelism)
        self.marks.unlink(missing_ok=True)
        return self.start("-v", "run", "workflow.yaml", "--launcher", launcher, env=env)

    def loop(self, items, launcher, **options):
        """What each item has said, or how it has ended."""
        result = self.start_loop(items, launcher, **options).finish()
        return self.said(result)

    def said(self, result):
        self.assertEqual(result.code, 0, result)
        self.last = result
        items = result.output["output_data"]["all"]
        return [item.get("said", item.get("crashed")) for item in items]

    def processes_of_plugin(self):
        """(pid, parent) of each that has imported the plugin's module."""
        return [tuple(map(int, line.split())) for line in self.marks.read_text().splitlines()]

    def servers(self):
        """Not the steps, which look the same but are children of one."""
        pids = [pid for pid, command in self.processes().items() if SERVER in command]
        return [pid for pid in pids if parent_of(pid) not in pids]


class ForkServerTest(SoilTest):
    """Of a plugin whose opening the server runs for all (plugin_opening.py)."""

    # --- the same as a plain start ---

    def test_a_step_finds_what_it_finds_in_a_python_of_its_own(self):
        plain = json.loads(self.loop(["look", "look"], "exec")[1])
        forked = json.loads(self.loop(["look", "look"], "forkserver")[1])
        pids = self.processes_of_plugin()
        self.assertEqual(len({parent for _, parent in pids}), 1, "not forked by one server")
        self.assertEqual(forked, plain)

    def test_a_step_leaves_no_trace_in_the_next(self):
        self.loop(["look"], "exec")
        before, soiled, after = self.loop(["look", "soil", "look"], "forkserver")
        self.assertEqual(soiled, "soiled")
        self.assertEqual(json.loads(after), json.loads(before))
        self.assertEqual(len({pid for pid, _ in self.processes_of_plugin()}), 3)
        self.assertEqual(len({parent for _, parent in self.processes_of_plugin()}), 1)

    def test_chance_is_not_shared(self):
        said = [json.loads(text) for text in self.loop(["chances"] * 6, "forkserver", parallelism=3)]
        for place in zip(*said):
            self.assertEqual(len(set(place)), 6, place)

    def test_hashes_are_the_same_in_all_steps(self):
        # As with PYTHONHASHSEED, which is for the steps too.
        self.assertEqual(len(set(self.loop(["hash me"] * 3, "forkserver"))), 1)
        fixed = {"PYTHONHASHSEED": "7"}
        plain = self.loop(["hash me"] * 2, "exec", env=fixed)
        self.assertEqual(self.loop(["hash me"] * 2, "forkserver", env=fixed), plain)

    def test_ends_look_the_same(self):
        plain = self.loop(ENDS, "exec")
        forked = self.loop(ENDS, "forkserver")
        self.assertEqual(len({parent for _, parent in self.processes_of_plugin()}), 1, "not forked by one server")
        for index, how in enumerate(ENDS):
            with self.subTest(how):
                self.assertEqual(forked[index], plain[index])
        self.assertIn("exit code 3", plain[0])
        self.assertIn("the last words", plain[0])
        self.assertIn("SIGSEGV", plain[ENDS.index("SIGSEGV")])
        self.assertIn("Ending: outer", plain[ENDS.index("exception")])

    def test_what_is_left_to_the_interpreter_is_done(self):
        contents = {}
        for launcher in ("exec", "forkserver"):
            self.loop(["leave unwritten", "look"], launcher)
            files = [self.folder / name for name in ("unwritten", "unwritten.destructor")]
            contents[launcher] = [file.read_text() for file in files]
            for file in files:
                file.unlink()
        self.assertEqual(contents["exec"], ["unwritten, at exit, ", "destroyed"])
        self.assertEqual(contents["forkserver"], contents["exec"])

    # --- when it is used ---

    def test_a_plugin_that_is_used_once_has_no_server(self):
        self.write("workflow.yaml", ITEM.replace("@REFERENCE@", self.reference))
        self.call("run", "workflow.yaml", "--set", "do=look")  # installs
        self.marks.unlink()
        result = self.call("run", "workflow.yaml", "--set", "do=parent")
        self.assertEqual(result.code, 0, result)
        # One start in all: what the store knows is not asked again.
        self.assertEqual(len(self.processes_of_plugin()), 1)
        self.assertEqual(self.call("check", "workflow.yaml", "--set", "do=look").code, 2)  # it has no such option
        self.marks.unlink()
        self.assertEqual(self.call("check", "workflow.yaml").code, 0)
        self.assertFalse(self.marks.exists(), "a check of what is known has started the plugin")

    def test_a_loop_starts_only_its_steps(self):
        self.loop(["look"], "exec")
        self.loop(["look"] * 5, "forkserver", parallelism=2)
        self.assertEqual(len(self.processes_of_plugin()), 5)

    def test_the_variable_and_the_configuration_choose_too(self):
        self.loop(["look"], "exec")
        self.write_loop(["parent"] * 3)
        for settings, env, forks in (
            ({}, {}, True),
            ({"launcher": "exec"}, {}, False),
            ({"launcher": "exec"}, {"VENVOY_LAUNCHER": "forkserver"}, True),
            ({}, {"VENVOY_LAUNCHER": "exec"}, False),
        ):
            with self.subTest(settings=settings, env=env):
                self.write_config(**settings)
                result = self.call("-v", "run", "workflow.yaml", env=env)
                parents = {json.loads(said)[2] for said in self.said(result)}
                self.assertEqual([SERVER in parent for parent in parents], [forks], result)

    # --- misfortunes ---

    def test_a_server_that_dies_takes_only_its_running_steps(self):
        self.loop(["look"], "exec")
        items = ["parent", "kill parent", "parent", "parent"]
        said = self.loop(items, "forkserver")
        first, second = json.loads(said[0])[1], json.loads(said[2])[1]
        self.assertNotEqual(first, second, "not replaced")
        self.assertEqual(json.loads(said[3])[1], second)
        self.assertIn("fork server", said[1])
        self.assertIn("SIGKILL", said[1])

    def test_a_server_that_keeps_dying_is_given_up(self):
        self.loop(["look"], "exec")
        said = self.loop(["kill parent"] * 3 + ["parent"] * 2, "forkserver")
        self.assertEqual(len([text for text in said if "fork server" in text]), 3, said)
        self.assertIn("each step starts Python anew", self.last.err)
        self.assertNotEqual(json.loads(said[3])[0], json.loads(said[4])[0])

    def server_script(self):
        return os.path.join(os.path.dirname(self.program), "libexec", "venvoy")

    def test_a_server_that_cannot_start_is_no_misfortune(self):
        self.loop(["look"], "exec")
        tools = self.folder / "tools"
        shutil.copytree(self.server_script(), tools)
        (tools / "plugin_server.py").write_text("raise SystemExit('no server today')\n")
        said = self.loop(["parent"] * 3, "forkserver", env={"VENVOY_KEEPER": str(tools / "venvoy-keeper")})
        self.assertEqual(len(said), 3)
        self.assertEqual(self.last.code, 0, self.last)
        lines = [line for line in self.last.err.splitlines() if "each step starts Python anew" in line]
        self.assertEqual(len(lines), 1, self.last)
        self.assertIn("exit code 1", lines[0])

    def imports_record(self):
        (record,) = self.in_store("schema-v1/*.imports")
        return record

    def test_what_is_imported_beforehand_is_learned(self):
        self.loop(["look"] * 2, "forkserver")
        names = self.imports_record().read_text().splitlines()
        reason = "checked, without the opening: it reads variables of the environment"
        self.assertEqual(names[0], reason if self.OWN_OPENING else "checked, with the opening")
        self.assertIn("yaml", names)
        self.assertIn("cbor2", names)
        self.assertNotIn("soil_plugin", names)
        self.assertNotIn("soil_plugin.__main__", names)

    def test_modules_that_do_too_much_are_left_to_the_steps(self):
        harm = {
            "starts_thread": "import threading, time\nthreading.Thread(target=time.sleep, args=(1e6,), daemon=True).start()",
            "opens_file": "kept = open('/dev/null')",
            "sets_variable": "import os\nos.environ['HARM'] = 'yes'",
            "changes_folder": "import os\nos.chdir('/')",
            "handles_signal": "import signal\nsignal.signal(signal.SIGUSR1, lambda *_: None)",
            "starts_child": "import subprocess\nsubprocess.Popen(['sleep', '1000'])",
            "cannot_be_imported": "raise ImportError('not here')",
            "ends_python": "raise SystemExit(3)",
        }
        self.loop(["look"], "exec")
        folder = self.folder / "modules"
        for name, text in harm.items():
            self.write(f"modules/{name}.py", text + "\n")
        self.write("modules/harmless.py", "loaded = True\n")
        record = self.imports_record()
        learned = record.read_text().splitlines()[1:]
        names = [name for pair in zip(harm, ["harmless"] * len(harm)) for name in pair]
        record.write_text("\n".join(["unchecked", *names, *learned]))
        said = self.loop(["look", "look"], "forkserver", env={"PYTHONPATH": str(folder)})
        self.assertEqual(self.last.code, 0, self.last)
        self.assertNotIn("each step starts Python anew", self.last.err)
        kept = record.read_text().splitlines()
        self.assertEqual(kept[0].partition(",")[0], "checked")
        self.assertEqual(set(harm) & set(kept), set())
        self.assertIn("harmless", kept)
        self.assertIn("yaml", kept)
        self.assertEqual(json.loads(said[0])["threads"], ["MainThread"])

    # --- its end ---

    def test_no_server_outlives_the_engine(self):
        self.loop(["look"], "exec")
        release = self.folder / "release"
        running = self.start_loop([f"wait for {release}"] * 3, "forkserver", parallelism=3)
        wait_until(lambda: self.marks.exists() and len(self.processes_of_plugin()) == 3, "the steps")
        self.assertEqual(len(self.servers()), 1)
        running.send(signal.SIGKILL)
        running.finish()
        self.require_no_process()

    def test_an_interrupt_ends_forked_steps(self):
        self.loop(["look"], "exec")
        running = self.start_loop([f"wait for {self.folder / 'release'}"] * 3, "forkserver", parallelism=3)
        wait_until(lambda: self.marks.exists() and len(self.processes_of_plugin()) == 3, "the steps")
        running.send(signal.SIGINT)
        running.finish()
        self.require_no_process()

    def test_an_idle_server_ends(self):
        self.loop(["look"], "exec")
        # The second loop runs its steps by a server, and then the run goes on without it.
        release = self.folder / "release"
        plugin = Repository(self.folder / "other", SOIL)
        plugin.write("soil_plugin/settings.py", f"OWN_OPENING = {self.OWN_OPENING}\n")
        plugin.write("text", "another commit")
        plugin.commit()
        self.write("other.yaml", ITEM.replace("@REFERENCE@", f"soil-plugin@git+{plugin.url}@{plugin.head()}"))
        self.write_loop(["look"] * 2)
        text = (self.folder / "workflow.yaml").read_text()
        step = "  wait:\n    kind: foreach\n    workflow: other.yaml\n    parallelism: 1\n" \
               f"    wait_for: !expr $.steps.loop.outputs.success\n    items: [{{do: 'wait for {release}'}}]\n"
        text = text.replace("outputs:\n", step + "outputs:\n", 1)
        text = text.replace("    all: ", "    waited: !expr $.steps.wait.outputs.success.data\n    all: ")
        self.write("workflow.yaml", text)
        self.marks.unlink()
        running = self.start("-v", "-v", "run", "workflow.yaml")
        wait_until(lambda: len(self.servers()) == 2, "two servers", 60)
        wait_until(lambda: len(self.servers()) == 1, "the end of the idle one", 60)
        release.write_text("")
        result = running.finish()
        self.assertEqual(result.code, 0, result)
        self.assertTrue(re.search("fork server .* not needed any more", result.err), result)


class OwnOpeningTest(ForkServerTest):
    """The same, where the opening depends on the process, so that each fork runs its own."""

    OWN_OPENING = True

    def test_the_reason_is_told_each_time(self):
        self.write_loop(["look"] * 2)
        for _ in range(3):
            result = self.call("--log-level", "debug", "run", "workflow.yaml")
            self.assertEqual(result.code, 0, result)
            self.assertIn("runs the plugin's opening itself: it reads variables of the environment", result.err)

    def test_a_plugin_that_fails_when_it_is_imported(self):
        self.loop(["look"], "exec")
        failing = {"SOIL_START": "fail"}
        plain = self.loop(["look", "look"], "exec", env=failing)
        forked = self.loop(["look", "look"], "forkserver", env=failing)
        self.assertIn("the start of this plugin fails", forked[0])
        self.assertEqual(forked, plain)


ONE_STEP = """\
version: v0.2.0
input: {root: Input, objects: {Input: {id: Input, properties: {}}}}
steps:
  before:
    plugin: {deployment_type: python, src: "@TOOLBOX@"}
    step: measure
    input: {name: before, seconds: @SECONDS@}
  act:
    plugin: {deployment_type: python, src: "@REFERENCE@"}
    step: act
    enabled: @ENABLED@
    wait_for: !expr $.steps.before.outputs
    input: {do: parent}
outputs:
  success:
    said: !wait-optional $.steps.act.outputs.success.said
    disabled: !wait-optional $.steps.act.disabled.output.message
"""

# Says when the plugin has ended by itself; and ends the first process of all before its step comes, if that is wanted.
AT_THE_ENDS = """\
OWN_OPENING = True
import atexit, os, threading, time
marks = os.environ["SOIL_MARKS"]
def end():
    with open(marks + ".ends", "a") as file:
        file.write("ended\\n")
atexit.register(end)
if os.environ.get("SOIL_FIRST") == "dies" and not os.path.exists(marks):
    threading.Thread(target=lambda: (time.sleep(0.5), os._exit(3)), daemon=True).start()
"""


class FirstStartTest(SoilTest):
    """A plugin that had to be started for its schema runs the first step of the run in the same process."""

    def setUp(self):
        super().setUp()
        self.plugin.write("soil_plugin/settings.py", AT_THE_ENDS)
        self.plugin.commit()
        self.ends = self.folder / "marks.ends"

    def run_once(self, command="run", seconds=0, enabled="true", **env):
        text = ONE_STEP.replace("@REFERENCE@", self.reference).replace("@TOOLBOX@", str(harness.PROJECT / "samples/toolbox"))
        self.write("workflow.yaml", text.replace("@SECONDS@", str(seconds)).replace("@ENABLED@", enabled))
        result = self.call(command, "workflow.yaml", env=env)
        self.assertEqual(result.code, 0, result)
        return result

    def require_ended_by_itself(self, processes):
        self.assertEqual(len(self.processes_of_plugin()), processes)
        self.assertEqual(self.ends.read_text(), "ended\n" * processes)

    def test_one_process_for_schema_and_step(self):
        result = self.run_once()
        self.assertIn("said", result.output["output_data"])
        self.require_ended_by_itself(1)

    def test_a_check_lets_it_end(self):
        self.run_once("check")
        self.require_ended_by_itself(1)

    def test_what_is_not_needed_may_end_by_itself(self):
        self.assertIn("disabled", self.run_once(enabled="false").output["output_data"])
        self.require_ended_by_itself(1)

    def test_one_that_has_died_meanwhile_is_replaced(self):
        result = self.run_once(seconds=3, SOIL_FIRST="dies")
        self.assertIn("said", result.output["output_data"])
        self.assertEqual(len(self.processes_of_plugin()), 2)
        self.assertEqual(self.ends.read_text(), "ended\n")


if __name__ == "__main__":
    harness.main()
