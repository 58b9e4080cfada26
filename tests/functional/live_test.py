"""The live display, on a real terminal (tmux) of several sizes."""

import os
import pty
import re
import select
import shutil
import subprocess
import time

import harness
from harness import FunctionalTest, wait_until
from terminal import Terminal

HEAD = """\
version: v0.2.0
input:
  root: Input
  objects:
    Input: {id: Input, properties: {}}
"""
EACH = """\
version: v0.2.0
input:
  root: Item
  objects:
    Item: {id: Item, properties: {number: {type: {type_id: string}}}}
steps:
  part:
    plugin: {deployment_type: python, src: "@REFERENCE@"}
    step: wait
    input:
      started: !expr '"@FOLDER@/started-" + $.input.number'
      release: !expr '"@FOLDER@/item-" + $.input.number'
outputs:
  success: {message: !expr $.steps.part.outputs.success.message}
"""
LIVE_LINE = re.compile(r"^(running|installing|building|resolving|fetching|preparing|starting) .*\d s$")


class LiveTest(FunctionalTest):
    terminal = None

    def setUp(self):
        super().setUp()
        self.write_config()
        self.plugin = self.tiny()
        self.call("cache", "pull", self.plugin.reference())

    def tearDown(self):
        if self.terminal:
            self.terminal.close()
        super().tearDown()

    def open(self, columns=80, rows=24, **variables):
        if self.terminal:
            self.terminal.close()
        environment = self.environment(LANG="C.UTF-8", HOME=str(self.folder))
        for name in ("LC_ALL", "LC_CTYPE", "NO_COLOR", "TMUX"):
            environment.pop(name, None)
        environment.update(variables)
        self.terminal = Terminal(self.folder, environment, columns, rows)
        return self.terminal

    # --- workflows ---

    def waiting(self, name, plugin=None, step="wait"):
        return f"""\
  {name}:
    plugin: {{deployment_type: python, src: "{(plugin or self.plugin).reference()}"}}
    step: {step}
    input: {{started: "{self.folder}/{name}-started", release: "{self.folder}/{name}-release"}}
"""

    def greeting(self, name, value, rest=""):
        return f"""\
  {name}:
    plugin: {{deployment_type: python, src: "{self.plugin.reference()}"}}
    step: hello
    input: {{name: {value}}}
{rest}"""

    def loop(self, name, count, parallelism):
        text = EACH.replace("@REFERENCE@", self.plugin.reference()).replace("@FOLDER@", str(self.folder))
        self.write("each.yaml", text)
        items = ", ".join(f"{{number: {index}}}" for index in range(count))
        return f"  {name}:\n    kind: foreach\n    workflow: each.yaml\n    parallelism: {parallelism}\n    items: [{items}]\n"

    def write_steps(self, *steps, outputs=("a",)):
        success = "outputs:\n  success:\n" + "".join(f"    {name}: !expr $.steps.{name}.outputs\n" for name in outputs)
        self.write("workflow.yaml", HEAD + "steps:\n" + "".join(steps) + success)

    def release(self, *names):
        for name in names:
            self.write(name, "")

    def live_lines(self):
        return [line for line in self.terminal.screen() if LIVE_LINE.match(line)]

    def require_ended(self, code, resized=False):
        """Nothing of the live lines is left, and the cursor stands below what was said."""
        self.assertEqual(self.terminal.finish(), code, self.terminal.screen())
        everything = self.terminal.everything()
        # What a terminal has put into its history when it was made smaller stays there.
        lines = self.terminal.screen() if resized else everything
        self.assertEqual([line for line in lines if LIVE_LINE.match(line) or "steps done" in line], [])
        column, _, visible = self.terminal.cursor()
        self.assertEqual((column, visible), (len("ready> "), True))
        return everything

    # --- tests ---

    def test_steps_and_loops(self):
        for columns in (80, 40):
            with self.subTest(columns=columns):
                self.write_steps(self.waiting("a"), self.waiting("b"), self.loop("all", 3, 2), outputs=("a", "b", "all"))
                terminal = self.open(columns)
                terminal.run(self.program, "run")
                self.release("item-0")
                self.terminal.wait_until(lambda: any("1 of 3" in line or "1/3" in line for line in self.live_lines()), "one item")
                # All five at once, each on one line.
                lines = self.terminal.wait_until(lambda: len(self.live_lines()) == 5 and self.live_lines(), "the steps")
                names = sorted(line.split()[1] for line in lines)
                self.assertEqual(names, ["a", "all", "b", "part[1]", "part[2]"], lines)
                for line in terminal.screen():
                    self.assertLess(len(line), columns)
                for line in lines:
                    self.assertRegex(line, r"\d s$")
                self.assertEqual(any("━" in line for line in lines), columns == 80)
                footer = next(line for line in terminal.screen() if "steps done" in line)
                self.assertRegex(footer, r"^[\d.]+ s · 0 of 3 steps done · 5 running")
                self.release("a-release", "b-release", "item-1", "item-2")
                everything = self.require_ended(0)
                summary = [line for line in everything if line.startswith("run finished in")]
                self.assertEqual(len(summary), 1, everything)
                self.assertRegex(summary[0], r"output 'success'; steps: 3 succeeded$")
                self.assertIn("output_id: success", everything)
                terminal.close()
                for name in ("a-release", "b-release", "item-0", "item-1", "item-2"):
                    (self.folder / name).unlink()

    def test_a_terminal_that_is_resized(self):
        self.write_steps(self.waiting("a"), self.waiting("b" * 50), outputs=("a", "b" * 50))
        terminal = self.open(95, 30)
        terminal.run(self.program, "run")
        self.terminal.wait_until(lambda: len(self.live_lines()) == 2, "both steps")
        for columns, rows in ((40, 30), (100, 30), (40, 10), (79, 24)):
            terminal.resize(columns, rows)
            # A line that was drawn for this width ends, but for the last column, at its end.
            self.terminal.wait_until(lambda: [len(line) for line in self.live_lines()] == [columns - 1] * 2, f"{columns} columns")
            self.assertEqual(len(self.live_lines()), 2, terminal.screen())
        self.release("a-release", "b" * 50 + "-release")
        self.require_ended(0, resized=True)

    def test_more_steps_than_lines(self):
        self.write_steps(self.loop("a", 20, 20))
        terminal = self.open(80, 10)
        terminal.run(self.program, "run")
        screen = terminal.wait_for("… and 14 more")
        self.assertEqual(len(self.live_lines()), 7, screen)
        self.release(*(f"item-{index}" for index in range(20)))
        self.require_ended(0)

    def test_a_step_that_fails(self):
        self.write_steps(self.waiting("a"), self.greeting("bad", "crash"))
        terminal = self.open(40)
        terminal.run(self.program, "run")
        screen = terminal.wait_for("1 failed")
        self.assertEqual(len(self.live_lines()), 1, screen)
        self.assertTrue(any(line.startswith("step bad: failed after") for line in screen), screen)
        self.release("a-release")
        everything = self.require_ended(0)
        self.assertEqual(len([line for line in everything if line.startswith("step bad: failed")]), 1)

    def stubborn(self):
        plugin = self.tiny("stubborn", stubborn=True)
        return self.waiting("a", plugin, "wait-for-cancel") + "    closure_wait_timeout: 3000\n"

    def test_interrupt(self):
        self.write_steps(self.stubborn())
        terminal = self.open(80)
        terminal.run(self.program, "run")
        terminal.wait_for("running    a")
        terminal.interrupt()
        terminal.wait_for("· stopping ·")
        everything = self.require_ended(3)
        self.assertEqual(len([line for line in everything if line.startswith("run finished in")]), 1, everything)

    def test_the_third_interrupt(self):
        self.write_steps(self.stubborn())
        terminal = self.open(80)
        terminal.run(self.program, "run")
        terminal.wait_for("running    a")
        terminal.interrupt()
        terminal.wait_for("· stopping ·")
        terminal.interrupt()
        terminal.wait_for("Hit CTRL-C again")
        terminal.interrupt()
        self.assertEqual(terminal.finish(), 1, terminal.screen())
        self.assertTrue(any("Force exiting" in line for line in terminal.everything()))
        self.assertEqual(terminal.cursor()[2], True)

    def test_a_flood_of_log_lines(self):
        self.write_steps(self.greeting("a", "flood"), self.waiting("b"), outputs=("a", "b"))
        terminal = self.open(120)
        terminal.run(self.program, "-v", "-v", "run")
        flood = re.compile(r"line (\d+) of a flood")

        def numbers():
            found = (flood.search(line) for line in terminal.everything())
            return [int(match[1]) for match in found if match]

        self.terminal.wait_until(lambda: numbers() and numbers()[-1] == 4999, "the flood")
        self.assertEqual(numbers(), list(range(5000)))
        terminal.wait_for("running    b")
        self.assertEqual(len([line for line in terminal.everything() if LIVE_LINE.match(line)]), 1)
        self.release("b-release")
        self.require_ended(0)
        self.assertEqual(numbers(), list(range(5000)))

    def test_the_time_left_by_earlier_runs(self):
        self.write_steps(self.waiting("a"))
        state = ("--state-dir", str(self.folder / "state"))
        terminal = self.open(80)
        # The first run takes three seconds; the second is told from it.
        terminal.run(self.program, *state, "run")
        screen = terminal.wait_for("running    a")
        self.assertFalse(any("left" in line for line in screen), screen)
        time.sleep(3)
        self.release("a-release")
        self.require_ended(0)
        (self.folder / "a-release").unlink()
        terminal.run(self.program, *state, "run")
        terminal.wait_for("s left")
        self.release("a-release")
        self.require_ended(0)

    def test_colours(self):
        self.write_steps(self.waiting("a"))
        for arguments, variables, colored in (
            ((), {}, True),
            ((), {"NO_COLOR": "1"}, False),
            (("--color", "never"), {}, False),
            (("--color", "always"), {"NO_COLOR": "1"}, True),
        ):
            with self.subTest(arguments=arguments, variables=variables):
                terminal = self.open(80, **variables)
                terminal.run(self.program, *arguments, "run")
                terminal.wait_for("running ")
                line = next(line for line in terminal.screen(colors=True) if "(wait)" in line)
                self.assertEqual("\x1b[" in line, colored, repr(line))
                self.release("a-release")
                self.require_ended(0)
                terminal.close()
                (self.folder / "a-release").unlink()

    def test_a_terminal_that_knows_only_ascii(self):
        self.write_steps(self.waiting("a"), self.loop("all", 3, 1), outputs=("a", "all"))
        terminal = self.open(80, LC_ALL="C")
        self.release("item-0")
        terminal.run(self.program, "run")
        terminal.wait_for("====-------- 1 of 3 items")
        self.assertEqual([line for line in terminal.screen() if not line.isascii()], [])
        self.release("a-release", "item-1", "item-2")
        self.require_ended(0)

    def test_what_is_installed(self):
        shutil.rmtree(self.store)
        self.plugin.change(build_seconds=2)
        self.write_steps(self.greeting("a", "World"))
        terminal = self.open(80)
        terminal.run(self.program, "check")
        terminal.wait_for("building   tiny-plugin")
        terminal.wait_for("preparing 1")
        everything = self.require_ended(0)
        self.assertTrue(any(re.match(r"tiny-plugin.*: ready in \d", line) for line in everything), everything)

    def test_where_it_is_shown(self):
        self.write_steps(self.waiting("a"))
        terminal = self.open(80)
        for command, live in (
            ("run >out.yaml", True),
            ("run --progress live", True),
            ("run --progress plain", False),
            ("run --progress none", False),
            ("-q run", False),
            ("run --progress live 2>&1 | cat", False),
            ("run 2>err.txt", False),
        ):
            with self.subTest(command=command):
                terminal.type(f"rm -f a-started; {self.program} {command}")
                wait_until(lambda: (self.folder / "a-started").exists(), "the step")
                if live:
                    terminal.wait_for("running    a")
                else:
                    time.sleep(0.5)
                    self.assertEqual(self.live_lines(), [], terminal.screen())
                self.release("a-release")
                self.require_ended(0)
                (self.folder / "a-release").unlink()
        self.assertIn("output_id: success", (self.folder / "out.yaml").read_text())
        self.assertIn("step a: started (wait)", (self.folder / "err.txt").read_text())

    def test_a_dumb_terminal(self):
        self.write_steps(self.greeting("a", "World"))
        terminal = self.open(80)
        terminal.run("env", "TERM=dumb", self.program, "run", "--progress", "live")
        self.assertEqual(terminal.finish(), 0)
        self.assertTrue(any(line.startswith("step a: started") for line in terminal.everything()))

    def test_ten_drawings_a_second_at_most(self):
        self.write_steps(self.waiting("a"), self.loop("all", 30, 1), outputs=("a", "all"))
        self.release(*(f"item-{index}" for index in range(30)))
        leader, follower = pty.openpty()
        begin = time.monotonic()
        environment = self.environment(TERM="xterm", LC_ALL="C.UTF-8")
        process = subprocess.Popen(
            [self.program, "run"], cwd=self.folder, env=environment, stdout=subprocess.DEVNULL, stderr=follower
        )
        os.close(follower)
        shown = b""
        while process.poll() is None or select.select([leader], [], [], 0)[0]:
            if select.select([leader], [], [], 0.05)[0]:
                try:
                    shown += os.read(leader, 65536)
                except OSError:
                    break
            if b"1 of 2 steps done" in shown:
                self.release("a-release")
        os.close(leader)
        seconds = time.monotonic() - begin
        self.assertEqual(process.wait(), 0)
        drawings = shown.count(b" steps done")
        self.assertGreater(drawings, 1)
        # And one for each line that stays: the summary.
        self.assertLessEqual(drawings, seconds * 10 + 2)


if __name__ == "__main__":
    harness.main()
