"""The Python package: built to a wheel, installed into a clean environment, and used as programs use it."""

import pathlib
import re
import shutil
import signal
import subprocess
import textwrap

import harness
from harness import PROJECT, PYTHON, FunctionalTest

BUILD = pathlib.Path(harness.venvoy_program()).parent
WHEELS = PROJECT / "build" / "wheel"

# In the style of the programs that use the package `arcaflow`.
WRAPPER_PROGRAM = """\
import sys
import @PACKAGE@ as arcaflow

engine_args = arcaflow.EngineArgs()
engine_args.context = sys.argv[1]
engine_args.config = f"{sys.argv[1]}/config.yaml"
engine_args.input = f"{sys.argv[1]}/input.yaml"
if len(sys.argv) > 2:
    engine_args.workflow = sys.argv[2]
exit_status = arcaflow.run(engine_args)
print(f"status {exit_status}", file=sys.stderr)
sys.exit(exit_status)
"""


def output_of(*command, **options):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if result.returncode != 0:
        raise AssertionError(f"{command}: exit code {result.returncode}\n{result.stdout[-3000:]}\n{result.stderr[-3000:]}")
    return result.stdout


class PythonTest(FunctionalTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.class_folder()
        prefix, environment = folder / "prefix", folder / "environment"
        cls.python = environment / "bin" / "python"
        output_of("cmake", "--install", BUILD, "--prefix", prefix)
        output_of(PYTHON, "-m", "venv", environment)
        shutil.rmtree(WHEELS, ignore_errors=True)
        # What was built already goes in: only the extension module is compiled here.
        package = next(prefix.glob("lib*/**/venvoy-config.cmake")).parent
        settings = {"cmake.source-dir": "python", "cmake.define.venvoy_DIR": package, "build-dir": folder / "module"}
        options = [f"--config-settings={key}={value}" for key, value in settings.items()]
        output_of(cls.python, "-m", "pip", "wheel", PROJECT, "--no-deps", "-w", WHEELS, *options)
        output_of(cls.python, "-m", "pip", "install", "--disable-pip-version-check", *WHEELS.glob("venvoy-*.whl"), "mypy")
        shutil.rmtree(prefix)

    def setUp(self):
        super().setUp()
        self.plugin = self.tiny()
        self.write_config()
        text = harness.WORKFLOW.replace("@REFERENCE@", self.plugin.reference(self.plugin.head()))
        text = text.replace("properties: {}", "properties: {name: {type: {type_id: string}}}")
        self.write("workflow.yaml", text.replace('"@NAME@"', "!expr $.input.name"))
        self.write("input.yaml", "name: World\n")

    def program_text(self, text):
        head = "import asyncio, os, pathlib, signal, sys, threading, time\nimport venvoy\n"
        return self.write("program.py", head + textwrap.dedent(text))

    def start_program(self, text, *arguments):
        file = self.program_text(text)
        running = harness.Running([self.python, file, *arguments], self.environment(), self.folder, {})
        self.addCleanup(lambda: running.process.poll() is None and running.process.kill())
        return running

    def run_program(self, text, *arguments, code=0):
        result = self.start_program(text, *arguments).finish()
        self.assertEqual(result.code, code, result)
        return result

    def test_a_program_for_the_wrapper_runs_unchanged(self):
        file = self.write("program.py", WRAPPER_PROGRAM.replace("@PACKAGE@", "venvoy"))
        call = lambda *arguments: harness.Running(
            [self.python, file, self.folder, *arguments], self.environment(), self.folder, {}).finish()
        result = call()
        self.require_message(result, harness.greeting(self.plugin))
        self.assertIn("status 0", result.err)
        self.write("input.yaml", "name: error\n")
        self.assertEqual(call().output["output_id"], "error")
        self.write("broken.yaml", "steps: [\n")
        result = call(str(self.folder / "broken.yaml"))
        self.assertEqual(result.code, 1)
        # The log is the Go engine's.
        self.assertRegex(result.err, r"(?m)^\d{4}-\d\d-\d\dT\S+\terror\t")
        result = call("nothing.yaml")
        self.assertEqual(result.code, 1)
        self.assertIn("Exception", result.err.replace("FileNotFoundError", "Exception"))

    def test_the_installed_commands(self):
        folder = self.python.parent
        version = output_of(folder / "venvoy", "--version")
        self.assertEqual(version, self.call("--version").out)
        result = harness.Running([folder / "arcaflow", "-config", "config.yaml", "-input", "input.yaml"],
                                 self.environment(), self.folder, {}).finish()
        self.require_message(result, harness.greeting(self.plugin))

    def test_the_example_of_the_readme(self):
        readme = (PROJECT / "README.md").read_text()
        example = re.search(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL).group(1)
        result = self.run_program(example)
        lines = result.out.splitlines()
        self.assertEqual(lines[-1], f"success {{'message': '{harness.greeting(self.plugin)}'}}")
        self.assertIn("step_finished greet", lines)

    def test_prepare_once_run_often(self):
        result = self.run_program("""
            logged = []
            with venvoy.Engine("config.yaml", log=lambda level, text, labels: logged.append((level, text))) as engine:
                heard = []
                workflow = engine.prepare("workflow.yaml", on_event=heard.append)
                assert heard[-1].type == "environment_ready", heard
                assert workflow.ready and workflow.diagnostics == []
                assert [str(d) for d in workflow.check_input({})] != []
                for name in ("World", "you"):
                    events = []
                    result = workflow.run({"name": name}, on_event=events.append)
                    assert result.ok and result.output_id == "success", result.failure
                    assert name in result.output["message"]
                    types = [event.type for event in events]
                    assert types[0] == "run_started" and types[-1] == "run_finished", types
                    finished = next(event for event in events if event.type == "step_finished")
                    assert (finished.step, finished.output, finished.data) == ("greet", "success", result.output)
                    assert abs(finished.time - time.time()) < 3600
                    assert '"type":"step_finished"' in finished.to_json()
                error = workflow.run({"name": "error"})
                assert error.error_output and not error.ok and error.output_id == "error"
                crash = workflow.run({"name": "crash"})
                assert crash.failure and crash.step_failures[0].step == "greet"
                assert "exit code 7" in str(crash.step_failures[0])
                wrong = workflow.run({})
                assert wrong.failure.code == venvoy.FailureCode.schema, wrong.failure.code
            assert logged
            try:
                engine.prepare("workflow.yaml")
            except venvoy.EngineError as error:
                assert "closed" in str(error)
            else:
                raise AssertionError
            print("done")
        """)
        self.assertEqual(result.out, "done\n")

    def test_a_configuration_from_memory_and_values_of_all_kinds(self):
        self.run_program("""
            config = {"deployers": {"python": {"deployer_name": "python", "pythonPath": "/usr/bin/python3",
                                               "workdir": sys.argv[1]}}}
            with venvoy.Engine(config) as engine:
                text = pathlib.Path("workflow.yaml").read_text().replace("type_id: string}}}", "type_id: any}}}", 1)
                text = text.replace("!expr $.input.name", "World").replace("success:\\n", "success:\\n    given: !expr $.input.name\\n")
                workflow = engine.prepare("memory.yaml", files={"memory.yaml": text})
                value = {"list": [1, 2.5, True, None, "text"], 7: "an integer key", "big": 2**62}
                assert workflow.run({"name": value}).output["given"] == value, workflow.run({"name": value}).output
                for bad, kind in ((2**63, ValueError), (object(), TypeError)):
                    try:
                        workflow.run({"name": bad})
                    except kind as error:
                        assert str(error)
                    else:
                        raise AssertionError(bad)
                endless = []
                endless.append(endless)
                try:
                    workflow.run(endless)
                except ValueError as error:
                    assert "contains itself" in str(error)
        """, self.store)

    def test_what_is_wrong_has_places(self):
        self.write("broken.yaml", (self.folder / "workflow.yaml").read_text().replace("$.input.name", "$.input.nmae"))
        self.run_program("""
            with venvoy.Engine("config.yaml") as engine:
                try:
                    engine.prepare("broken.yaml")
                except venvoy.WorkflowError as error:
                    assert "nmae" in str(error) and "broken.yaml:" in str(error), error
                    assert error.diagnostics[0].at.line > 0 and error.diagnostics[0].is_error
                    assert error.code == venvoy.FailureCode.document
                else:
                    raise AssertionError
                checked = engine.check("broken.yaml")
                assert not checked.ready and checked.diagnostics
                try:
                    engine.prepare("nothing.yaml")
                except venvoy.EngineError as error:
                    assert error.code == venvoy.FailureCode.io and error.failure.text == str(error)
                else:
                    raise AssertionError
            try:
                venvoy.Engine({"deployers": {"python": {"deployer_name": "python", "pyhtonPath": "x"}}})
            except venvoy.EngineError as error:
                assert "pythonPath" in str(error.diagnostics[0]), error.diagnostics
            else:
                raise AssertionError
        """)

    def test_gates(self):
        self.run_program("""
            class Gate:
                def may_run_step(self, request):
                    if request.input["name"] == "nobody":
                        return "nobody is not to be greeted"
                    if request.input["name"] == "change":
                        return venvoy.Decision(input={"name": "changed"})
                    if request.input["name"] == "raise":
                        raise RuntimeError("the gate is broken")

            with venvoy.Engine("config.yaml", gate=Gate()) as engine:
                workflow = engine.prepare("workflow.yaml")
                assert workflow.run({"name": "World"}).ok
                assert "nobody is not to be greeted" in workflow.run({"name": "nobody"}).step_failures[0].text
                assert "changed" in workflow.run({"name": "change"}).output["message"]
                assert "the gate is broken" in workflow.run({"name": "raise"}).step_failures[0].text
        """)

    def test_asyncio(self):
        self.run_program("""
            async def main():
                with venvoy.Engine("config.yaml") as engine:
                    workflow = await engine.prepare_async("workflow.yaml")
                    results = await asyncio.gather(*(workflow.run_async({"name": str(i)}) for i in range(4)))
                    assert [str(i) in result.output["message"] for i, result in enumerate(results)] == [True] * 4
                    run = workflow.start({"name": "World"}, events=True)
                    types = [event.type async for event in run]
                    assert types[0] == "run_started" and types[-1] == "run_finished", types
                    assert (await run).ok and run.done()

            asyncio.run(main())
        """)

    def test_events_are_iterated_over(self):
        self.run_program("""
            with venvoy.Engine("config.yaml") as engine:
                run = engine.prepare("workflow.yaml").start({"name": "World"}, events=True)
                assert [event.step for event in run if event.type == "step_finished"] == ["greet"]
                assert run.result().ok
        """)

    def waiting_program(self, end):
        reference = self.plugin.reference(self.plugin.head())
        self.write_waiting_workflow(reference, step="wait-for-cancel", output="cancelled_early", file="waiting.yaml")
        return f"""
            engine = venvoy.Engine("config.yaml")
            workflow = engine.prepare("waiting.yaml")
            def wait_for_start():
                while not os.path.exists("started"):
                    time.sleep(0.01)
            {end}
        """

    def test_other_threads_go_on_while_one_waits(self):
        # Were the interpreter's lock held, nobody would cancel.
        self.run_program(self.waiting_program("""
            run = workflow.start()
            def cancel():
                wait_for_start()
                run.cancel()
            thread = threading.Thread(target=cancel)
            thread.start()
            result = run.result()
            thread.join()
            assert result.output_id == "cancelled_early", result.failure
        """))

    def test_ctrl_c_ends_a_run(self):
        running = self.start_program(self.waiting_program("""
            try:
                workflow.run()
            except KeyboardInterrupt:
                print("interrupted")
        """))
        harness.wait_until((self.folder / "started").exists, "the step to start", 60)
        running.send(signal.SIGINT)
        result = running.finish()
        self.assertEqual((result.code, result.out), (0, "interrupted\n"), result)

    def test_a_cancelled_task_cancels_its_run(self):
        self.run_program(self.waiting_program("""
            async def main():
                task = asyncio.create_task(workflow.run_async())
                await asyncio.to_thread(wait_for_start)
                task.cancel()
                try:
                    await task
                except asyncio.CancelledError:
                    print("cancelled")
            asyncio.run(main())
        """))

    def test_the_end_of_the_program_ends_what_runs(self):
        # Neither closed nor waited for.
        self.run_program(self.waiting_program("""
            run = workflow.start(on_event=print)
            wait_for_start()
        """))

    def test_type_hints(self):
        program = self.program_text("""
            def use(path: str) -> str:
                with venvoy.Engine(path, offline=True) as engine:
                    result = engine.prepare("workflow.yaml").run({"name": "World"}, timeout=5.0)
                    if result.failure is not None:
                        return result.failure.text
                    return result.output_id
        """)
        output_of(self.python, "-m", "mypy", "--strict", program, cwd=self.folder)
        modules = [f"-mvenvoy.{name}" for name in ("_api", "_program", "_wrapper")]
        output_of(self.python, "-m", "mypy", "--strict", "-mvenvoy", *modules, cwd=self.folder)


if __name__ == "__main__":
    harness.main()
